"""The environment around every game: actions, outcomes, steps, snapshots. It knows no rules.

An observation is what the game says to the last command, the first one the task and all of `Game.describe`; an action
that is no possible command changes nothing but the step count, and the observation says why.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import blake2b
from typing import Any, Generic

from gymnasium.error import ResetNeeded

from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.games.game import SPLITS, Game, GameFailed, S, drawn
from selfgym.envs.sealed import seal, unseal
from selfgym.envs.spaces import UnicodeText
from selfgym.envs.tools import ActionError

_VERSION = "1"
_MOST = 1 << 20
_RUNNING, _TRUNCATED = Outcome.RUNNING, Outcome.TRUNCATED


class GameEnv(AgentEnv[str], Generic[S]):
    """One game, one episode after the other. Where `GameFailed` is raised, the episode ends as ``env_error``.

    Args:
        game: the rules.
        level: how difficult, 1 and on.
        split: ``"train"`` or ``"test"``; they share no task at any level (see `selfgym.envs.games.game.split_of`).
        max_steps: after which the episode is truncated; by default what the level says.
        first: a state in which every episode begins, instead of one that is drawn.
        max_characters: of an observation.
    """

    def __init__(
        self,
        game: Game[S],
        level: int,
        split: str,
        max_steps: int | None,
        render_mode: str | None,
        first: S | None = None,
        max_characters: int = 8192,
    ) -> None:
        if level not in range(1, len(game.steps) + 1):
            raise ValueError(f"{game.name} has no level {level!r}: choose one from 1 to {len(game.steps)}")
        if split not in SPLITS:
            raise ValueError(f"there is no split {split!r}: choose one of {', '.join(SPLITS)}")
        if max_steps is not None and max_steps < 1:
            raise ValueError(f"max_steps should be at least 1, not {max_steps}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'ansi' or None")
        self.game, self.level, self.split, self.render_mode = game, level, split, render_mode
        self.max_steps = max_steps or game.steps[level - 1]
        self.version = f"{_VERSION}.{game.version}"
        self.observation_space, self.action_space = UnicodeText(max_characters), UnicodeText(4096)
        self._kind = f"selfgym game {game.name} {self.version}\n".encode()
        self._first, self._state = first, first
        self._id, self._goal, self._said, self._steps = "", "", "", 0
        self._error: str | None = None
        self._outcome = _TRUNCATED

    @property
    def state(self) -> S:
        """The true state, for solvers and experiments; looking at it is cheating."""
        if not self._id or self._state is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._state

    def solution(self) -> list[str]:
        """`Game.solution` of the state; asking for it is cheating."""
        return self.game.solution(self.state)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin the task of ``seed``, or one drawn."""
        super().reset(seed=seed)
        if options:
            raise ValueError(f"unknown reset option {min(options)!r}: there are none")
        if seed is None:
            seed = int(self.np_random.integers(2**31))
        state = self._first if self._first is not None else drawn(self.game, seed, self.level, self.split)
        self._id = f"{self.game.name}:{self.level}:{self.split}:{seed}"
        self._state, self._goal = state, self.game.goal(state)
        self._steps, self._error, self._outcome = 0, None, _RUNNING
        self._said = f"Task: {self._goal}\n\n{self.game.describe(state)}"
        return self._said, self._info()

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one command: a string, or a tool call as a dict or JSON (``env.game.tools``)."""
        if self._outcome is not _RUNNING:
            raise ResetNeeded("The episode has ended: call reset() before the next step().")
        self._steps += 1
        reward = 0.0
        try:
            move = self.game.apply(self.state, self.game.command(action))
        except ActionError as error:
            self._said = self._error = str(error)
        except GameFailed as failed:
            self._said, self._outcome = f"The game failed: {failed}", Outcome.ENV_ERROR
        else:
            self._state, self._said, self._error = move.state, move.said, None
            reward, self._outcome = move.reward, move.outcome
        if self._outcome is _RUNNING and self._steps >= self.max_steps:
            self._outcome = _TRUNCATED
        truncated = self._outcome in (_TRUNCATED, Outcome.ENV_ERROR)
        terminated = self._outcome is not _RUNNING and not truncated
        return self._said, reward, terminated, truncated, self._info()

    def _info(self) -> dict[str, Any]:
        info = {
            "outcome": self._outcome,
            "task": self._goal,
            "task_id": self._id,
            "action_error": self._error,
        }
        legal = self.game.legal(self.state) if self._outcome is _RUNNING else []
        return info if legal is None else {**info, "admissible_commands": legal}

    def snapshot(self) -> bytes:
        """The episode as bytes: the task's name, the state, the step count and the last observation."""
        state: Any = self.state
        saved = [self._id, self._goal, asdict(state), self._steps, self._said, self._error, self._outcome.value]
        return seal(self._kind, json.dumps(saved, separators=(",", ":")).encode())

    def restore(self, snapshot: bytes) -> tuple[str, dict[str, Any]]:
        """Go back to a `snapshot` of this environment or of another of the same game."""
        try:
            name, goal, data, steps, said, error, outcome = json.loads(unseal(self._kind, snapshot, _MOST))
            state, ended = self.game.loaded(data), Outcome(outcome)
            if (
                not name
                or not isinstance(steps, int)
                or not all(isinstance(text, str) for text in (name, goal, said, error or ""))
            ):
                raise ValueError("its parts are not what they should be")
            self.game.describe(state)
            self.game.legal(state)  # a state that was made up fails here, before anything has changed
        except (ValueError, TypeError, LookupError, RecursionError) as wrong:
            raise SnapshotError(f"cannot restore: {wrong}") from None
        self._id, self._state, self._goal = name, state, goal
        self._steps, self._said, self._error, self._outcome = steps, said, error, ended
        return said, self._info()

    def state_key(self) -> str:
        """Equal exactly when the states are; the step count does not matter."""
        return blake2b(f"{self._outcome} {self.state!r}".encode(), digest_size=12).hexdigest()

    def render(self) -> str | None:
        """All that the player may know, for render mode ``"ansi"``."""
        return self.game.describe(self.state) if self.render_mode == "ansi" and self._id else None
