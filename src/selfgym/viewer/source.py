"""What is looked at: a run's folder or a file of episodes, opened for reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from selfgym.memory.episode import Episode
from selfgym.memory.library import Library, LibraryError
from selfgym.memory.search_index import EpisodeIndex
from selfgym.memory.store import DamagedEpisodeError, EpisodeStore, NotAStoreError, StoreError
from selfgym.viewer.tokens import Decoder, find_decoder

FILTERS = ("run", "phase", "outcome", "agent", "env", "task_id")
"""What the list of episodes can be narrowed by."""
_MEMORIES = "memory*.db"
_VALUES = 300  # of one filter that are offered


@dataclass(frozen=True, slots=True)
class Source:
    """A store with what lies beside it."""

    name: str
    store: EpisodeStore
    library: Library | None
    """The items of the same file; None where there are none."""
    decode: Decoder | None
    """Token ids to texts, where the run's folder has a checkpoint with a tokenizer."""
    index: EpisodeIndex | None = None
    """For searches and for what refers to an episode; None in an export."""

    def close(self) -> None:
        """Close the files."""
        if self.index is not None:
            self.index.close()
        if self.library is not None:
            self.library.close()
        self.store.close()


def open_source(path: Path, *, indexed: bool = True) -> Source:
    """The store at ``path``, or the one in the folder ``path``. Raises `StoreError` where there is none."""
    file = _file(path)
    store = EpisodeStore(file, readonly=True)
    try:
        library = Library(file, readonly=True)
    except LibraryError:
        library = None
    name = file.parent.name if file.name == "episodes.db" and file.parent.name else file.stem
    return Source(name, store, library, find_decoder(file.parent), EpisodeIndex(store) if indexed else None)


def memories_beside(path: Path) -> list[Path]:
    """The files ``memory*.db`` in the folder of a run that hold items: what its episodes were shown (as `selfgym bench
    run --method` leaves it). None for a file."""
    if not path.is_dir():
        return []
    store = _file(path)
    return [one for one in sorted(path.resolve().glob(_MEMORIES)) if one != store and _has_items(one)]


def _has_items(path: Path) -> bool:
    try:
        Library(path, readonly=True).close()
    except (LibraryError, StoreError):
        return False
    return True


def _file(path: Path) -> Path:
    path = path.resolve()
    if not path.is_dir():
        if not path.exists():
            near = get_close_matches(path.name, [one.name for one in path.parent.glob("*")], n=1)
            hint = f" Did you mean {path.parent / near[0]}?" if near else ""
            raise NotAStoreError(f"there is no run and no store at {path}.{hint}")
        return path
    found = sorted(path.glob("*.db"))
    if path / "episodes.db" in found:
        return path / "episodes.db"
    found = [one for one in found if not one.match(_MEMORIES)] or found
    if len(found) != 1:
        which = f"several stores ({', '.join(one.name for one in found)}): name one" if found else "no episodes.db"
        raise NotAStoreError(f"the folder {path} has {which}.")
    return found[0]


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list: rows of (number in the file, id), and whether there are more before and after them."""

    rows: list[tuple[int, str]]
    before: bool
    after: bool


def listed(source: Source, filters: dict[str, str], query: str, *, after: int, before: int | None, size: int) -> Listed:
    """The ``size`` episodes after number ``after``, or those just before ``before``, that match filters and words."""
    back = before is not None
    if query and source.index is not None:
        rows = source.index.find(query, filters, after=after, before=before, limit=size + 1)
    else:
        where = " AND ".join([f'"{name}" = ?' for name in filters] or ["1"])
        sign, order, at = ("<", "DESC", before) if back else (">", "ASC", after)
        rows = source.store.rows(
            f"SELECT seq, id FROM episodes WHERE {where} AND seq {sign} ? ORDER BY seq {order} LIMIT ?",
            (*filters.values(), at, size + 1),
        )
    more, rows = len(rows) > size, rows[:size]
    if back:
        return Listed(rows[::-1], more, True)
    return Listed(rows, after > 0, more)


def readable(source: Source, ids: Iterable[str]) -> list[Episode]:
    """The episodes of ``ids`` but those whose stored body is damaged: one of them must not hide the others."""
    found = []
    for id in ids:
        try:
            found.append(source.store.get(id))
        except DamagedEpisodeError:
            continue
    return found


def values_of(source: Source, column: str) -> list[str]:
    """The different values of a filter, in order: found by leaping through its index, not by reading it."""
    rows = source.store.rows(
        f'WITH RECURSIVE v(x) AS (SELECT MIN("{column}") FROM episodes UNION ALL '
        f'SELECT (SELECT MIN("{column}") FROM episodes WHERE "{column}" > x) FROM v WHERE x IS NOT NULL) '
        f"SELECT x FROM v WHERE x IS NOT NULL LIMIT {_VALUES}"
    )
    return [value for (value,) in rows]
