"""The household as Gymnasium environments: drawn households (`HouseholdEnv`) and ALFWorld's own games (`AlfWorldEnv`).

The observation is the text of the game, byte for byte ALFWorld's; everything else is in ``info``: ``outcome``,
``task``, ``action_error`` (why the last command did nothing, or None), ``won``, ``admissible_commands`` where they were
asked for, and ``layout`` (the name of the household) or ``game_file``. The reward is 1.0 while the goal holds, and that
ends the episode; ``max_steps`` truncates it. The rules live in world.py; nothing here knows them.
"""

from __future__ import annotations

import hashlib
import json
import struct
from abc import abstractmethod
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from gymnasium.error import ResetNeeded
from pydantic import TypeAdapter

from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.household.collection import find_games, load_compiled, read_task_types
from selfgym.envs.household.explain import explain
from selfgym.envs.household.game import Dialect, Game, check_options, compile_game
from selfgym.envs.household.generate import SIZES, VERSION, generate_layout
from selfgym.envs.household.layout import Layout, TaskType
from selfgym.envs.household.text import NOTHING
from selfgym.envs.household.world import World
from selfgym.envs.spaces import UnicodeText

_LAYOUT: TypeAdapter[Layout] = TypeAdapter(Layout)
_MAGIC = b"household1"
_TREATMENTS = (TaskType.HEAT_AND_PLACE, TaskType.COOL_AND_PLACE, TaskType.CLEAN_AND_PLACE)
_HEAD = struct.Struct(">IIIII")  # steps; lengths of source, observation, error (plus one, 0 for none) and world


class TextHousehold(AgentEnv[str]):
    """What both environments share: everything but where the games come from.

    ``dialect`` is ``"0.4"`` (ALFWorld's present text) or ``"0.3"`` (that of the first papers). ``fixes`` are deviations
    by name, see `selfgym.envs.household.game.FIXES`.
    """

    version = "1"

    def __init__(
        self,
        dialect: Dialect,
        fixes: Iterable[str],
        max_steps: int,
        admissible_commands: bool,
        render_mode: str | None,
    ) -> None:
        check_options(dialect, fixes := frozenset(fixes))
        if max_steps < 1:
            raise ValueError(f"max_steps should be at least 1, not {max_steps}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'ansi' or None")
        self.dialect, self.fixes = dialect, fixes
        self.max_steps, self.admissible_commands, self.render_mode = max_steps, admissible_commands, render_mode
        self.observation_space = UnicodeText(8192)
        self.action_space = UnicodeText(4096)
        self._says_why = "informative_errors" in self.fixes
        self._world: World | None = None
        self._ended = True
        self._facts: dict[str, Any] = {}
        self._source: dict[str, Any] | bytes = {}  # bytes once a snapshot has needed it
        self._error: str | None = None
        self._observation = ""
        self._steps = 0

    @property
    def world(self) -> World:
        """The state of the running episode, for experts and experiments; changing it is cheating."""
        if self._world is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._world

    def _begin(self, game: Game, source: dict[str, Any], facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Start an episode of ``game``; ``source`` finds the game again, ``facts`` go into every info."""
        self._continue(World(game), facts)
        self._source, self._steps, self._error, self._ended = source, 0, None, False
        self._observation = game.intro
        return game.intro, self._info(self.world, None) | {"won": self.world.won}

    def _continue(self, world: World, facts: dict[str, Any]) -> None:
        self._world = world
        running = {"outcome": Outcome.RUNNING, "action_error": None, "won": False}
        self._facts = {"task": world.game.task, **facts, **running}  # the info of every step, but for what changes

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one command: a string, or a tool call as a dict or JSON (see `selfgym.envs.household.tools`)."""
        world = self._world
        if self._ended or world is None:
            raise ResetNeeded("The episode has ended: call reset() before the next step().")
        observation, error = world.step(action) if isinstance(action, str) else NOTHING, None
        if observation is NOTHING:
            observation, error = self._retry(action)
        self._observation, self._error = observation, error
        self._steps += 1
        info = self._info(world, error)
        if world.won:
            self._ended = True
            info["outcome"], info["won"] = Outcome.SUCCESS, True
            return observation, 1.0, True, False, info
        if self._steps >= self.max_steps:
            self._ended = True
            info["outcome"] = Outcome.TRUNCATED
            return observation, 0.0, False, True, info
        return observation, 0.0, False, False, info

    def _info(self, world: World, error: str | None) -> dict[str, Any]:
        """The info of a running episode."""
        info = self._facts.copy()
        if error is not None:
            info["action_error"] = error
        if self.admissible_commands:
            info["admissible_commands"] = world.admissible()
        return info

    def _retry(self, action: Any) -> tuple[str, str | None]:
        """What did nothing as a plain command may be a tool call; returns the observation and what was wrong."""
        from selfgym.envs.household.tools import command_from  # here, so that text users load no tool schemas
        from selfgym.envs.tools import ActionError

        try:
            command = command_from(action, self.dialect)
        except ActionError as error:
            return str(error) if self._says_why else NOTHING, str(error)
        observation = self.world.step(command) if command is not action else NOTHING
        if observation is not NOTHING:
            return observation, None
        error_text = explain(self.world, command)
        return error_text if self._says_why else NOTHING, error_text

    def snapshot(self) -> bytes:
        """The episode as bytes: which game, its state, the step count and the last observation."""
        source = self._encoded_source()
        observation = self._observation.encode("utf-8", "surrogatepass")
        error = b"" if self._error is None else b"!" + self._error.encode("utf-8", "surrogatepass")
        state = self.world.save()
        head = _HEAD.pack(self._steps, len(source), len(observation), len(error), len(state))
        return _MAGIC + head + source + observation + error + state

    def restore(self, snapshot: bytes) -> tuple[str, dict[str, Any]]:
        """Go back to a `snapshot` of this environment or of another with the same options."""
        steps, (source, *texts, state) = _taken_apart(snapshot)
        try:
            observation, error = (text.decode("utf-8", "surrogatepass") for text in texts)
        except UnicodeDecodeError as problem:
            raise SnapshotError(f"the snapshot of the household is damaged: {problem}") from problem
        if self._world is not None and source == self._encoded_source():
            world = World(self._world.game)
            world.load(state)
            self._world = world
        else:
            game, facts = self._found_again(source)
            world = World(game)
            world.load(state)
            self._continue(world, facts)
        self._source, self._steps, self._observation = source, steps, observation
        self._error = error[1:] if error else None
        info = self._info(world, self._error) | {"won": world.won}
        self._ended = steps > 0 and (world.won or steps >= self.max_steps)
        if self._ended:
            info["outcome"] = Outcome.SUCCESS if world.won else Outcome.TRUNCATED
        return observation, info

    def _found_again(self, encoded: bytes) -> tuple[Game, dict[str, Any]]:
        try:
            source, digest = json.loads(encoded)
            game, facts = self._find(source)
        except (ValueError, KeyError, TypeError, OSError) as problem:
            raise SnapshotError(f"this environment cannot find the game of the snapshot: {problem}") from problem
        if game.digest.hex() != digest:
            raise SnapshotError(f"the snapshot belongs to another version of {game.layout.name!r}, or to other options")
        return game, facts

    def _encoded_source(self) -> bytes:
        if isinstance(self._source, dict):
            self._source = json.dumps([self._source, self.world.game.digest.hex()], default=_plain).encode()
        return self._source

    @abstractmethod
    def _find(self, source: dict[str, Any]) -> tuple[Game, dict[str, Any]]:
        """The game of a ``source`` that `_begin` was given, and the facts that belong to it."""

    def state_key(self) -> str:
        """Equal exactly when game and world are; the step count does not matter."""
        return hashlib.blake2b(self.world.game.digest + self.world.save(), digest_size=12).hexdigest()

    def render(self) -> str | None:
        """The text of the last observation, for render mode ``"ansi"``."""
        return self._observation if self.render_mode == "ansi" else None


class HouseholdEnv(TextHousehold):
    """Households drawn from a seed: ``selfgym/Household-v0``.

    ``size``, ``split`` and ``task_types`` choose the distribution (see `selfgym.envs.household.generate`). A seed names
    one household: ``reset(seed=7)`` always begins the same one; ``reset()`` draws the next from the last seed.
    ``options`` may hold ``task_type`` (one or several), or a ``layout`` to play instead of drawing one.
    """

    version = f"{TextHousehold.version}.{VERSION}"

    @classmethod
    def chain_options(cls, chain: int) -> dict[str, Any]:
        """The chain's number says whether things are heated, cooled or cleaned before they are placed."""
        return {"task_type": str(_TREATMENTS[chain % len(_TREATMENTS)])}

    def __init__(
        self,
        size: str = "small",
        task_types: Iterable[str] | None = None,
        split: str = "train",
        dialect: Dialect = "0.4",
        fixes: Iterable[str] = (),
        max_steps: int = 50,
        admissible_commands: bool = True,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(dialect, fixes, max_steps, admissible_commands, render_mode)
        if size not in SIZES:
            raise ValueError(f"no household has the size {size!r}: choose one of {', '.join(SIZES)}")
        self.size, self.split, self.task_types = size, split, read_task_types(task_types)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin the household of ``seed``, the next one drawn, or the one given as ``options["layout"]``."""
        super().reset(seed=seed)
        options = _checked(options, ("layout", "task_type"))
        if options.get("layout") is not None:
            source: dict[str, Any] = {"layout": options["layout"]}
        else:
            if seed is None:
                seed = int(self.np_random.integers(2**63))
            task_type = self._task_type(seed, options.get("task_type"))
            source = {"seed": seed, "size": self.size, "task_type": task_type, "split": self.split}
        game, facts = self._find(source)
        return self._begin(game, source, facts)

    def _task_type(self, seed: int, asked: str | Iterable[str] | None) -> str | None:
        kinds = self.task_types if asked is None else read_task_types(asked)
        return None if kinds is None else str(kinds[seed % len(kinds)])

    def _find(self, source: dict[str, Any]) -> tuple[Game, dict[str, Any]]:
        if "layout" not in source:
            game = _drawn(**source, dialect=self.dialect, fixes=self.fixes)
        elif self._world is not None and self._world.game.layout is source["layout"]:
            game = self._world.game
        else:
            layout = source["layout"]
            layout = layout if isinstance(layout, Layout) else _LAYOUT.validate_python(layout)
            game = compile_game(layout, dialect=self.dialect, fixes=self.fixes)
        return game, {"layout": game.layout.name}


class AlfWorldEnv(TextHousehold):
    """ALFWorld's own games: ``selfgym/AlfWorld-v0``.

    ``data`` is the folder above ``json_2.1.x``, that folder, or one game file; by default ``$ALFWORLD_DATA``, else
    ``~/.cache/alfworld``. The games of a split are in sorted order: ``reset(seed=i)`` begins game ``i`` (modulo their
    number), ``reset()`` draws one, ``options`` may hold ``index`` or the path of a ``game``.
    """

    def __init__(
        self,
        data: str | Path | None = None,
        split: str = "valid_unseen",
        task_types: Iterable[str] | None = None,
        dialect: Dialect = "0.4",
        fixes: Iterable[str] = (),
        max_steps: int = 50,
        admissible_commands: bool = True,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(dialect, fixes, max_steps, admissible_commands, render_mode)
        self.games: tuple[Path, ...] = find_games(data, split, task_types)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin the game of ``seed``, of ``options["index"]`` or at the path ``options["game"]``, or one drawn."""
        super().reset(seed=seed)
        options = _checked(options, ("index", "game"))
        if options.get("game") is not None:
            path = Path(options["game"])
        elif options.get("index") is not None:
            index = int(options["index"])
            if not 0 <= index < len(self.games):
                raise ValueError(f"there is no game {index}: the split has games 0 to {len(self.games) - 1}")
            path = self.games[index]
        else:
            number = int(self.np_random.integers(len(self.games))) if seed is None else seed % len(self.games)
            path = self.games[number]
        source = {"game": str(path)}
        game, facts = self._find(source)
        return self._begin(game, source, facts)

    def _find(self, source: dict[str, Any]) -> tuple[Game, dict[str, Any]]:
        path = Path(source["game"])
        if not path.exists():
            named = path.parts[-3:]  # the same game in the data folder of another machine
            path = next((other for other in self.games if other.parts[-3:] == named), path)
        return load_compiled(path, self.dialect, self.fixes), {"game_file": str(path)}


@lru_cache(maxsize=256)
def _drawn(*, seed: int, size: str, task_type: str | None, split: str, dialect: Dialect, fixes: frozenset[str]) -> Game:
    kind = None if task_type is None else TaskType(task_type)
    return compile_game(generate_layout(seed, size=size, task_type=kind, split=split), dialect=dialect, fixes=fixes)


def _plain(value: object) -> Any:
    if isinstance(value, Layout):
        return _LAYOUT.dump_python(value, mode="json")
    raise TypeError(f"{type(value).__name__} has no place in a snapshot")


def _checked(options: dict[str, Any] | None, known: tuple[str, ...]) -> dict[str, Any]:
    if unknown := set(options or ()) - set(known):
        raise ValueError(f"unknown reset option {min(unknown)!r}: known are {', '.join(known)}")
    return options or {}


def _taken_apart(snapshot: bytes) -> tuple[int, list[bytes]]:
    """The step count and the four parts of a snapshot."""
    if not isinstance(snapshot, bytes) or not snapshot.startswith(_MAGIC) or len(snapshot) < len(_MAGIC) + _HEAD.size:
        raise SnapshotError("these bytes are no snapshot of a household")
    steps, *lengths = _HEAD.unpack_from(snapshot, len(_MAGIC))
    position = len(_MAGIC) + _HEAD.size
    if len(snapshot) != position + sum(lengths):
        raise SnapshotError("the snapshot of the household is damaged: its length is wrong")
    parts = []
    for length in lengths:
        parts.append(snapshot[position : position + length])
        position += length
    return steps, parts
