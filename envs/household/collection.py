"""The genuine games on disk: which files belong to a split, and how compiled games are shared.

ALFWorld takes its games in file-system order; here they are sorted, so an index means the same game everywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from selfgym.envs.household.download import data_folder
from selfgym.envs.household.game import Dialect, Game, compile_game
from selfgym.envs.household.layout import TaskType
from selfgym.envs.household.pddl import is_solvable, load_game_file

GAME_FILE = "game.tw-pddl"
_HINT = (
    "Get them with `selfgym download alfworld`, or give the folder that holds json_2.1.1 (data=... or $ALFWORLD_DATA)."
)
_SOLVABLE = re.compile(rb'"solvable"\s*:\s*(true|false)')


def find_games(data: str | Path | None, split: str, task_types: Iterable[str] | None = None) -> tuple[Path, ...]:
    """The game files of a split in sorted order: solvable, without movable receptacles or sliced goals.

    ``data`` is the folder above ``json_2.1.x``, that folder itself, or a single game file; None means
    ``$ALFWORLD_DATA``, else ``~/.cache/alfworld``. Raises `FileNotFoundError` where there are no such games, saying
    where they were sought.
    """
    root = _data_root(data)
    if root.is_file():
        return (root,)
    folder = _split_folder(root, split)
    chosen = read_task_types(task_types)
    kinds = None if chosen is None else frozenset(chosen)
    return games_in(folder, kinds)


def load_compiled(path: str | Path, dialect: Dialect = "0.4", fixes: frozenset[str] = frozenset()) -> Game:
    """The compiled game of a file, shared by everyone who plays it; a changed file is read again.

    Errors as `selfgym.envs.household.pddl.load_game_file`.
    """
    status = os.stat(path)
    return _compiled(str(path), status.st_mtime_ns, status.st_size, dialect, fixes)


@lru_cache(maxsize=256)
def _compiled(path: str, changed: int, size: int, dialect: Dialect, fixes: frozenset[str]) -> Game:
    return compile_game(load_game_file(path), dialect=dialect, fixes=fixes)


def read_task_types(task_types: str | Iterable[str] | None) -> tuple[TaskType, ...] | None:
    """Task types by name; raises `ValueError` with the list of them for an unknown one, and for none at all."""
    if task_types is None:
        return None
    named = [task_types] if isinstance(task_types, str) else list(task_types)
    for name in named:
        if name not in set(TaskType):
            raise ValueError(f"unknown task type {name!r}: choose among {', '.join(TaskType)}")
    if not named:
        raise ValueError("task_types is empty: leave it out to play all of them")
    return tuple(TaskType(name) for name in named)


def _data_root(data: str | Path | None) -> Path:
    root = Path(os.path.expandvars(data)).expanduser() if data is not None else data_folder()
    if not root.exists():
        raise FileNotFoundError(f"ALFWorld's games are not at {root}: there is no such file or folder. {_HINT}")
    return root


def _split_folder(root: Path, split: str) -> Path:
    if Path(split).name != split or split in ("", ".", ".."):
        raise ValueError(f"split should be the name of one folder, such as 'valid_unseen', not {split!r}")
    versions = sorted(root.glob("json_2.1.*"), reverse=True)
    for folder in (root, *versions):
        if (folder / split).is_dir():
            return folder / split
    seen = sorted({found.name for folder in (root, *versions) for found in folder.iterdir() if found.is_dir()})
    raise FileNotFoundError(f"no split {split!r} under {root} (folders there: {', '.join(seen) or 'none'}). {_HINT}")


@lru_cache(maxsize=64)
def games_in(folder: Path, kinds: frozenset[TaskType] | None) -> tuple[Path, ...]:
    """The playable games anywhere under ``folder``, sorted by path; `FileNotFoundError` where there are none."""
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob(GAME_FILE))
    wanted = (folder / name for name in found if "movable" not in name and "Sliced" not in name)
    games = tuple(path for path in wanted if _is_playable(path) and (kinds is None or _task_type(path) in kinds))
    if not games:
        asked = "" if kinds is None else f" of the type {', '.join(sorted(kinds))}"
        raise FileNotFoundError(f"no playable {GAME_FILE}{asked} under {folder}. {_HINT}")
    return games


def _is_playable(path: Path) -> bool:
    said = _SOLVABLE.search(path.read_bytes())  # a thousand times faster than reading the JSON of a whole split
    return said[1] == b"true" if said else is_solvable(path)


def _task_type(path: Path) -> TaskType:
    named = path.parent.parent.name.partition("-")[0]
    return TaskType(named) if named in set(TaskType) else load_game_file(path).goal.kind
