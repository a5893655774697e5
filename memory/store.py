"""The append-only store of episodes: one SQLite file, one writer, any number of readers in other processes.

What is filtered by is a column, the rest of an episode is one compressed blob of its JSON. Rows are never changed or
removed: triggers refuse it. A commit survives the death of the process and a power cut; what was not committed is
gone as a whole. Beside ``episodes.db`` SQLite keeps ``-wal`` and ``-shm`` while it is open, and ``.lock`` is held by
the writer; the kernel frees it when the writer dies, however it dies.

This file may not decide what an episode means: it stores `Episode` objects and gives equal ones back. A file of any
schema version but this one is refused and left as it is. The tables of a `selfgym.memory.library` may lie beside.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode

SCHEMA_VERSION = 1
"""Stored as ``user_version``; raised by one whenever a table is added or changed."""

_APPLICATION_ID = 0x53474D31  # "SGM1", so that `file` and we can tell a store from any other SQLite file
_FILTERS = ("run", "env", "phase", "split", "agent", "outcome", "group", "task_id")
_BODIES = 64  # read at once: what an iteration holds in memory
_ROWS = 4096  # found at once: a filter without an index of its own must not be searched anew for each few bodies
_LEVEL = 1  # of zlib: 7% larger than level 6, and almost three times as fast (benchmarks/store.py)

_SCHEMA = f"""
CREATE TABLE episodes (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    {" ".join(f'"{name}" TEXT NOT NULL,' for name in _FILTERS)}
    body BLOB NOT NULL
);
CREATE INDEX episodes_run ON episodes (run, phase);
CREATE INDEX episodes_env ON episodes (env);
CREATE INDEX episodes_phase ON episodes (phase);
CREATE INDEX episodes_split ON episodes (split);
CREATE INDEX episodes_agent ON episodes (agent);
CREATE INDEX episodes_outcome ON episodes (outcome);
CREATE INDEX episodes_group ON episodes ("group");
CREATE INDEX episodes_task ON episodes (task_id);
CREATE TABLE notes (seq INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX notes_key ON notes (key);
"""
# INSERT OR REPLACE deletes without firing a delete trigger, hence the insert triggers.
_SCHEMA += "".join(
    f"""
CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} {condition}
BEGIN SELECT RAISE(ABORT, 'the store is append-only: {table} cannot be changed or removed'); END;
"""
    for table, same in (("episodes", "id = NEW.id OR seq = NEW.seq"), ("notes", "seq = NEW.seq"))
    for verb, condition in (
        ("UPDATE", ""),
        ("DELETE", ""),
        ("INSERT", f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"),
    )
)


class StoreError(RuntimeError):
    """Something is wrong with a store. Its kinds: `NotAStoreError`, `StoreVersionError`, `StoreLockedError`,
    `DuplicateEpisodeError`, `EpisodeNotFoundError`, `DamagedEpisodeError`."""


class NotAStoreError(StoreError):
    """The file is missing, or is something else than a selfgym store."""


class StoreVersionError(StoreError):
    """The store was written by an older or a newer selfgym."""


class StoreLockedError(StoreError):
    """Another writer has the store open."""


class DuplicateEpisodeError(StoreError):
    """An episode with this id but other content is already stored."""


class EpisodeNotFoundError(StoreError, LookupError):
    """No stored episode has this id."""


class DamagedEpisodeError(StoreError):
    """What is stored of this episode cannot be read."""


class EpisodeStore:
    """Episodes and notes in one file, in the order in which they were appended.

    ``EpisodeStore(path)`` makes the file if need be and becomes its only writer; ``readonly=True`` reads a file that
    exists, also while another process writes. May be used from several threads; another process, a forked one too,
    opens its own. Every method raises `StoreError` where the file fails it (disk full, damaged, no permission).
    """

    def __init__(self, path: str | os.PathLike[str], *, readonly: bool = False) -> None:
        self.path = Path(path).resolve()
        self.readonly = readonly
        self._process = os.getpid()
        self._mutex = threading.RLock()
        self._lock: sqlite3.Connection | None = None
        self._connection: sqlite3.Connection | None = None
        try:
            if not readonly and _is_missing(self.path):
                self._lock = _take_writer_lock(self.path)
                if _is_missing(self.path):  # nobody else has made it since
                    _create(self.path)
            self._connection = _connect_readonly(self.path)
            _check_kind_and_version(self._connection, self.path)
            if not readonly:
                self._connection.close()
                self._lock = self._lock or _take_writer_lock(self.path)
                self._connection = _connect(self.path, "rw")
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"{self.path} cannot be opened: {error}.") from error
        except BaseException:
            self.close()
            raise

    def append(self, episodes: Iterable[Episode]) -> int:
        """Store ``episodes`` in one transaction, all or none; the number that are new.

        An id that is already there with the same content is skipped, so a resumed run may append again what it
        is not sure of; ``created`` may differ. Other content raises `DuplicateEpisodeError`. If the iterable
        raises, nothing of it is kept.
        """
        with self.transaction():
            return sum(self._append_one(episode) for episode in episodes)

    def note(self, key: str, value: dict[str, Any]) -> None:
        """Append ``value``, plain JSON data, to the log of events called ``key``."""
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise StoreError(f"the note {key!r} is not plain JSON data: {error}.") from error
        with self.transaction() as connection:
            connection.execute("INSERT INTO notes (key, value) VALUES (?, ?)", (key, text))

    def notes(self, key: str) -> list[dict[str, Any]]:
        """Everything noted under ``key``, oldest first."""
        rows = self.rows("SELECT value FROM notes WHERE key = ? ORDER BY seq", (key,))
        return [json.loads(value) for (value,) in rows]

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything appended and noted inside is committed together, or not at all if the block raises.

        A transaction inside another is undone alone when it raises, and is committed with the outer one.
        """
        if self.readonly:
            raise StoreError(f"{self.path} was opened with readonly=True: open it without to write.")
        with self._mutex:
            connection = self._alive()
            inner = connection.in_transaction
            try:
                connection.execute("SAVEPOINT inner_block" if inner else "BEGIN IMMEDIATE")
                yield connection
                connection.execute("RELEASE inner_block" if inner else "COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK TO inner_block" if inner else "ROLLBACK")
                    if inner:
                        connection.execute("RELEASE inner_block")
                if isinstance(error, sqlite3.Error):
                    raise StoreError(f"{self.path}: {error}; nothing of this transaction was stored.") from error
                raise

    def get(self, id: str) -> Episode:
        """The episode called ``id``. Raises `EpisodeNotFoundError`."""
        for (body,) in self.rows("SELECT body FROM episodes WHERE id = ?", (id,)):
            return self._decode(id, body)
        raise EpisodeNotFoundError(f"{self.path} has no episode {id!r}.")

    def __contains__(self, id: object) -> bool:
        return bool(self.rows("SELECT 1 FROM episodes WHERE id = ?", (id,))) if isinstance(id, str) else False

    def episodes(self, *, limit: int | None = None, after: str = "", **filters: str) -> Iterator[Episode]:
        """Lazily, in append order, the episodes that match every filter.

        Filters: ``run``, ``env``, ``phase``, ``split``, ``agent``, ``outcome``, ``group``, ``task_id``, each one value.
        ``after`` is the id of an episode: only later ones are given. ``limit`` is their greatest number.
        Episodes appended while the iteration runs are not part of it.
        """
        found = self._find("seq", limit, after, filters)
        while page := list(islice(found, _BODIES)):
            marks = ", ".join("?" * len(page))
            query = f"SELECT id, body FROM episodes WHERE seq IN ({marks}) ORDER BY seq"
            for id, body in self.rows(query, tuple(page)):
                yield self._decode(id, body)

    def ids(self, *, limit: int | None = None, after: str = "", **filters: str) -> Iterator[str]:
        """The ids of `episodes`, without reading their bodies."""
        yield from self._find("id", limit, after, filters)

    def count(self, **filters: str) -> int:
        """How many episodes match every filter."""
        where, values = _where(filters)
        return int(self.rows(f"SELECT COUNT(*) FROM episodes WHERE {where}", values)[0][0])

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """What a query of the tables gives: ``episodes`` has a column for each filter, ``seq`` (the order), ``id`` and
        a body that only `get` can read. Raises `StoreError`.
        """
        with self._mutex:
            try:
                return self._alive().execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"{self.path} cannot be read: {error}.") from error

    def __len__(self) -> int:
        return self.count()

    def runs(self) -> list[str]:
        """The names of the runs that have episodes here, in order of their first one."""
        return [run for run, _ in self.rows("SELECT run, MIN(seq) FROM episodes GROUP BY run ORDER BY 2")]

    def close(self) -> None:
        """Close the file and let another writer in. Closing twice is harmless."""
        if os.getpid() != self._process:
            return  # SQLite forbids a forked child to close what its parent uses: it would fold up the parent's log
        with self._mutex:
            for connection in (self._connection, self._lock):
                if connection is not None:
                    connection.close()
            self._connection = self._lock = None

    def __enter__(self) -> EpisodeStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EpisodeStore({str(self.path)!r}{', readonly=True' if self.readonly else ''})"

    def _append_one(self, episode: Episode) -> bool:
        if not isinstance(episode, Episode):
            raise TypeError(f"append takes Episode objects, not {type(episode).__name__}.")
        body = _encode(episode)
        connection = self._alive()
        for (stored,) in connection.execute("SELECT body FROM episodes WHERE id = ?", (episode.id,)):
            old = self._decode(episode.id, stored)
            new = Episode.model_validate_json(body)
            if old != new.model_copy(update={"created": old.created}):
                differing = [name for name in Episode.model_fields if getattr(old, name) != getattr(new, name)]
                raise DuplicateEpisodeError(
                    f"{self.path} already has another episode {episode.id!r}; they differ in {', '.join(differing)}."
                )
            return False
        names = ", ".join(f'"{name}"' for name in _FILTERS)
        connection.execute(
            f"INSERT INTO episodes (id, {names}, body) VALUES (?{', ?' * len(_FILTERS)}, ?)",
            (episode.id, *(str(getattr(episode, name)) for name in _FILTERS), zlib.compress(body, _LEVEL)),
        )
        return True

    def _alive(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self.path} is closed.")
        if os.getpid() != self._process:
            raise StoreError(
                f"{self.path} was opened in process {self._process}: open it again, readonly, in this one."
            )
        return self._connection

    def _find(self, column: str, limit: int | None, after: str, filters: dict[str, str]) -> Iterator[Any]:
        """One column of the matching rows, in order.

        Read in pages that are read whole: an open cursor would keep the log of a running writer from shrinking.
        """
        where, values = _where(filters)
        if limit is not None and limit < 0:
            raise ValueError(f"limit must not be negative, got {limit}.")
        last = 0
        if after:
            found = self.rows("SELECT seq FROM episodes WHERE id = ?", (after,))
            if not found:
                raise EpisodeNotFoundError(f"after={after!r}: {self.path} has no such episode.")
            last = found[0][0]
        end = self.rows("SELECT MAX(seq) FROM episodes")[0][0] or 0
        query = f"SELECT seq, {column} FROM episodes WHERE {where} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        left = math.inf if limit is None else limit
        while left > 0:
            page = self.rows(query, (*values, last, end, int(min(_ROWS, left))))
            yield from (value for _, value in page)
            if len(page) < _ROWS:
                return
            left -= len(page)
            last = page[-1][0]

    def _decode(self, id: str, body: bytes) -> Episode:
        try:
            return Episode.model_validate_json(zlib.decompress(body))
        except (zlib.error, ValueError) as error:
            raise DamagedEpisodeError(f"{self.path}: the episode {id!r} is damaged: {error}") from error


def _where(filters: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """An SQL condition with its values."""
    for name in filters:
        _check_known("filter", name, _FILTERS)
    if "outcome" in filters:
        _check_known("outcome", filters["outcome"], tuple(map(str, Outcome)))
    return " AND ".join([f'"{name}" = ?' for name in filters] or ["1"]), tuple(map(str, filters.values()))


def _check_known(kind: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no {kind} {name!r}.{hint} Known: {', '.join(known)}.")


def _encode(episode: Episode) -> bytes:
    try:
        body = to_json(episode)
    except PydanticSerializationError as error:
        raise StoreError(f"the episode {episode.id!r} holds what JSON cannot: {error}.") from error
    numbers = episode.created + sum(step.reward + sum(step.logprobs) for step in episode.steps)
    data = (episode.info, episode.env_options, *(step.info for step in episode.steps))
    if not math.isfinite(numbers) or not _is_finite(data):  # JSON has no NaN: it would come back as nothing
        raise StoreError(f"the episode {episode.id!r} holds a number that is not finite.")
    return body


def _is_finite(data: Any) -> bool:
    if isinstance(data, dict):
        return all(map(_is_finite, data.values()))
    if isinstance(data, list | tuple):
        return all(map(_is_finite, data))
    return not isinstance(data, float) or math.isfinite(data)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )


def _is_missing(path: Path) -> bool:
    """Whether there is nothing at ``path``, or a file that somebody has only reserved."""
    return not path.exists() or (path.is_file() and path.stat().st_size == 0)


def _connect_readonly(path: Path) -> sqlite3.Connection:
    if path.is_dir():
        raise NotAStoreError(f"{path} is a folder, not a store.")
    if _is_missing(path):
        raise NotAStoreError(f"there is no store at {path}.")
    connection = _connect(path, "ro")
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if os.access(path.parent, os.W_OK):
            raise
        if path.with_name(f"{path.name}-wal").exists():
            raise StoreError(
                f"{path} cannot be read in a folder without write permission while its -wal file is there: "
                "a writer has it open or died. Open it once where it can be written."
            ) from None
        # A folder that nobody can write to: SQLite cannot make its side files, and no writer can be about.
        connection = _connect(path, "ro&immutable=1")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise NotAStoreError(f"{path} is not a selfgym store: {error}.") from error
    return connection


def _check_kind_and_version(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise NotAStoreError(f"{path} is an SQLite file but not a selfgym store; it was left as it is.")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        kind = "a newer" if version > SCHEMA_VERSION else "an older"
        raise StoreVersionError(
            f"{path} was written by {kind} selfgym (schema {version}, this one reads {SCHEMA_VERSION}); it was left "
            "as it is. Export it to JSONL with the selfgym that wrote it and import that."
        )


def _create(path: Path) -> None:
    """Make the file under another name and rename it, so that a half-made store is never seen."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    connection = _connect(fresh, "rwc")
    try:
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
    finally:
        connection.close()
    fresh.replace(path)


def _take_writer_lock(path: Path) -> sqlite3.Connection:
    """SQLite's own exclusive lock on an empty side file: freed by the kernel, not inherited by forked children."""
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist.")
    lock = None
    try:
        lock = sqlite3.connect(
            f"{path.as_uri()}.lock", uri=True, isolation_level=None, check_same_thread=False, timeout=0
        )
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if lock is not None:
            lock.close()
        if "locked" in str(error):
            raise StoreLockedError(
                f"another writer has {path} open; there can be one. Open it with readonly=True, or end the other."
            ) from error
        raise StoreError(f"{path} cannot be opened for writing: {error}. Is {path.parent} writable?") from error
    return lock
