"""ALFWorld's own batch interface on selfgym's engine, so that existing agent code switches by one import:

    from selfgym.envs.household.batch import get_environment  # was: from alfworld.agents.environment import ...

    env = get_environment("AlfredTWEnv")(config, train_eval="eval_out_of_distribution").init_env(batch_size=8)
    observations, infos = env.reset()
    observations, scores, dones, infos = env.step(["look"] * 8)

Differences, all of them: games are collected in sorted order, ``traj_data.json`` need not lie beside a game, the whole
batch plays in the caller's process (and in as many threads as there are batches), ``expert_plan`` comes from selfgym's
experts, ``domain_randomization`` is refused, and nothing is printed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from selfgym.envs.household.collection import games_in, load_compiled
from selfgym.envs.household.explorer import Explorer
from selfgym.envs.household.layout import TaskType
from selfgym.envs.household.oracle import NoPlanError, shortest_plan
from selfgym.envs.household.text import NOTHING
from selfgym.envs.household.world import World

_TASK_TYPES = dict(enumerate(TaskType, 1))
_DATA_KEYS = {
    "train": "data_path",
    "eval_in_distribution": "eval_id_data_path",
    "eval_out_of_distribution": "eval_ood_data_path",
}
_State = tuple[str, int, bool, dict[str, Any]]  # observation, score, done, infos of one game


def get_environment(env_type: str) -> type[AlfredTWEnv]:
    """The class by the name that ALFWorld's configuration files give it; there is only the text environment."""
    if env_type != "AlfredTWEnv":
        raise ValueError(f"there is no environment {env_type!r} here: only 'AlfredTWEnv', the text household")
    return AlfredTWEnv


class AlfredTWEnv:
    """The games of one split, chosen by an ALFWorld configuration; `init_env` makes the batch that plays them.

    Read from ``config``: ``env.task_types``, ``env.expert_type``, ``dataset.*_path``, ``dataset.num_*_games``,
    ``general.training_method`` and the step limit of that method.
    """

    def __init__(self, config: Mapping[str, Any], train_eval: str = "train") -> None:
        if train_eval not in _DATA_KEYS:
            raise ValueError(f"unknown train_eval {train_eval!r}: choose one of {', '.join(_DATA_KEYS)}")
        self.config, self.train_eval = config, train_eval
        if train_eval == "train" and config["env"].get("domain_randomization"):
            raise ValueError("domain_randomization is not supported: set it to False in the configuration")
        self.collect_game_files()

    def collect_game_files(self, verbose: bool = False) -> None:
        """Find the split's solvable games again; with ``verbose`` their paths are printed."""
        folder = Path(os.path.expandvars(self.config["dataset"][_DATA_KEYS[self.train_eval]])).expanduser()
        kinds = frozenset(_TASK_TYPES[number] for number in self.config["env"]["task_types"] if number in _TASK_TYPES)
        limit = self.config["dataset"].get("num_train_games" if self.train_eval == "train" else "num_eval_games", -1)
        found = [str(path) for path in games_in(folder, kinds)]
        self.game_files = found[:limit] if limit > 0 else found
        self.num_games = len(self.game_files)
        if verbose:
            print("\n".join(self.game_files))

    def init_env(self, batch_size: int) -> HouseholdBatch:
        """A batch over these games with the configured step limit and, for DAgger training, expert plans."""
        method = self.config["general"]["training_method"]
        if method not in ("dqn", "dagger"):
            raise ValueError(f"unknown training_method {method!r}: choose 'dqn' or 'dagger'")
        section = self.config["rl" if method == "dqn" else "dagger"]["training"]
        expert = self.config["env"]["expert_type"] if method == "dagger" and self.train_eval == "train" else None
        limit = section["max_nb_steps_per_episode"]
        return HouseholdBatch(self.game_files, batch_size=batch_size, max_episode_steps=limit, expert_type=expert)


class HouseholdBatch:
    """Several games played side by side, as TextWorld's batch environment plays them.

    `reset` begins the next games of a shuffled cycle; a game that is done repeats its last state until then.
    ``expert_type`` is None, ``"planner"`` (the whole shortest plan) or ``"handcoded"`` (the next command of an expert
    that knows only what it has seen).
    """

    def __init__(
        self,
        gamefiles: Sequence[str],
        *,
        batch_size: int = 1,
        max_episode_steps: int | None = 50,
        expert_type: str | None = None,
    ) -> None:
        if expert_type not in (None, "planner", "handcoded"):
            raise ValueError(f"unknown expert_type {expert_type!r}: choose 'planner' or 'handcoded'")
        if not gamefiles:
            raise ValueError("there are no game files to play")
        self.gamefiles, self.batch_size = list(gamefiles), batch_size
        self._limit, self._expert_type = max_episode_steps, expert_type
        self._players: list[_Player] = []
        self.obs: tuple[str, ...] = ()
        self.last_commands: Sequence[str | None] = ()
        self.seed(1234)

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Shuffle the cycle of games as ALFWorld does for the same list of files and the same seed."""
        self._cycle = _shuffled_cycle(self.gamefiles, seed)
        return [seed]

    def skip(self, nb_games: int = 1) -> None:
        """Leave out the next games of the cycle."""
        for _ in range(nb_games):
            next(self._cycle)

    def reset(self) -> tuple[tuple[str, ...], dict[str, list[Any]]]:
        """Begin the next game in every place of the batch; returns observations and infos."""
        self._players = [_Player(next(self._cycle), self._limit, self._expert_type) for _ in range(self.batch_size)]
        self.last_commands = [None] * self.batch_size
        self.obs = tuple(player.state[0] for player in self._players)
        return self.obs, _by_key([player.state[3] for player in self._players])

    def step(
        self, commands: Sequence[str]
    ) -> tuple[tuple[str, ...], tuple[int, ...], tuple[bool, ...], dict[str, list[Any]]]:
        """One command for every game; returns observations, scores, dones and infos."""
        if not isinstance(commands, list | tuple) or len(commands) != len(self._players):
            raise ValueError(f"step() takes a list of {len(self._players)} commands, one for each game (after reset())")
        self.last_commands = commands
        states = [player.step(command) for player, command in zip(self._players, commands, strict=True)]
        self.obs = tuple(state[0] for state in states)
        scores, dones = tuple(state[1] for state in states), tuple(state[2] for state in states)
        return self.obs, scores, dones, _by_key([state[3] for state in states])

    def render(self, mode: str = "human") -> str | None:
        """The last command and observation of every game: printed for ``"human"``, else returned as a string."""
        shown = []
        for command, observation in zip(self.last_commands, self.obs, strict=True):
            asked = "" if command is None else f"> {command}\n"
            shown.append(f"{asked}{observation.rstrip()}\n")
        text = "\n-----\n".join(shown) + "\n"
        if mode != "human":
            return text
        sys.stdout.write(text)
        return None

    def close(self) -> None:
        """Let the games go."""
        self._players = []


class _Player:
    """One place of the batch: a game until its next reset."""

    def __init__(self, path: str, limit: int | None, expert_type: str | None) -> None:
        self._world = World(load_compiled(path))
        self._limit, self._expert_type = limit, expert_type
        self._past: list[tuple[str, str]] = []  # (observation, the command given then), for the expert
        self._steps = 0
        observation = self._world.game.intro
        self.state: _State = observation, 0, False, self._infos(observation, path)

    def step(self, command: str) -> _State:
        """The state after ``command``, or the last state again where the game is done."""
        if self.state[2]:
            return self.state
        if self._expert_type == "handcoded":
            self._past.append((self.state[0], str(command)))
        observation = self._world.step(command) if isinstance(command, str) else NOTHING
        self._steps += 1
        won = self._world.won
        done = won or (self._limit is not None and self._steps >= self._limit)
        self.state = observation, int(won), done, self._infos(observation, None)
        return self.state

    def _infos(self, observation: str, path: str | None) -> dict[str, Any]:
        admissible = self._world.admissible()
        infos: dict[str, Any] = {
            "won": self._world.won,
            "admissible_commands": admissible,
            "extra.gamefile": path,  # like ALFWorld, only reset() says which file it is
        }
        if self._expert_type == "planner":
            infos["extra.expert_plan"] = self._plan()
        elif self._expert_type == "handcoded":
            explorer = Explorer()
            for seen, command in self._past:
                explorer.observe(seen, command)
            known = {"task": self._world.game.task, "admissible_commands": admissible}
            infos["extra.expert_plan"] = [explorer.act(observation, known)]
        return infos

    def _plan(self) -> list[str]:
        try:
            return shortest_plan(self._world)
        except NoPlanError:
            return []  # what ALFWorld's planner says of a lost cause


def _shuffled_cycle(files: Sequence[str], seed: int | None) -> Iterator[str]:
    random = np.random.RandomState(seed)  # the generator whose shuffles ALFWorld users know
    order = list(files)
    while True:
        random.shuffle(order)
        yield from list(order)


def _by_key(infos: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {key: [info[key] for info in infos] for key in infos[0]}
