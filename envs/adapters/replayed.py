"""The base of adapters to other people's environments that cannot be copied: they go back by doing everything again.

A subclass says what is foreign: `begin` an episode, `act` out a command, `drop` what it holds. This file keeps the rest
of what `AgentEnv` promises: reading actions, step limit, outcomes, snapshots. A snapshot is the seed and the commands,
each with a digest of what was seen; to restore it is to repeat them, and what is seen then must be the same. Whatever
the other side raises ends the episode as ``env_error``; it is never the agent's fault and never a reward.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import blake2b
from importlib import import_module
from typing import Any, ClassVar

from gymnasium.error import DependencyNotInstalled, ResetNeeded
from pydantic import BaseModel, Field

from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.history import History
from selfgym.envs.spaces import UnicodeText
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError, Tool, ToolSet

_MOST_REASON = 500  # characters
_MOST_COMMANDS = 1000  # characters of a list of commands that is said to the agent


class _Command(BaseModel):
    command: str = Field(description="The command, as it would be typed.")


WORDS = ToolSet([Tool("do", "Do one command.", _Command)])
"""What a tool call may be where actions are words."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the other side shows at the beginning or after a command."""

    text: str
    reward: float = 0.0
    outcome: Outcome = Outcome.RUNNING
    commands: Sequence[str] | None = None
    """The admissible commands, where they are known."""
    more: dict[str, Any] = field(default_factory=dict)
    """Further fields of ``info``: plain data, the same whenever the same is done."""
    state: str | None = None
    """What tells this state from others, where that is known; otherwise everything that is seen does."""

    @property
    def key(self) -> str:
        """A digest of all of it."""
        parts = (self.text, self.reward, self.outcome.value, self.commands and list(self.commands), self.more)
        return _digest(repr((parts, self.state)))


@dataclass(slots=True)
class _Episode:
    history: History
    task: str
    seen: Seen
    first: str
    """The key of what was seen at the beginning."""
    outcome: Outcome
    error: str | None = None
    reason: str = ""


class ReplayedEnv(AgentEnv[str]):
    """An environment of another package.

    Args:
        name: what is played, with all settings that change it; task ids and snapshots begin with it.
        version: of the adapter and of the package.
        max_steps: after which the episode is truncated.
        max_characters: how long an observation may be; the rest is cut off.
        render_mode: ``"ansi"`` for the last observation.
    """

    closed: ClassVar[bool] = True
    """Whether the admissible commands are all there are, so that others are refused here."""

    def __init__(
        self, name: str, version: str, *, max_steps: int, max_characters: int = 16_384, render_mode: str | None = None
    ) -> None:
        if max_steps < 1:
            raise ValueError(f"max_steps should be at least 1, not {max_steps}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'ansi' or None")
        self.name, self.version, self.max_steps, self.render_mode = name, version, max_steps, render_mode
        self.observation_space, self.action_space = UnicodeText(max_characters), UnicodeText(MAX_ACTION_CHARACTERS)
        self._most = max_characters
        self._episode: _Episode | None = None

    # What a subclass says

    @abstractmethod
    def begin(self, seed: int) -> tuple[str, Seen]:
        """Begin the episode of ``seed``, making what is needed; the task in words, and what is seen."""

    @abstractmethod
    def act(self, command: str) -> Seen:
        """Do a command. Raises `ActionError`, having changed nothing, where it is none."""

    @abstractmethod
    def drop(self) -> None:
        """Let go of everything that was made, in whatever state it is; `begin` may follow."""

    def read(self, action: Any) -> str:
        """An action as the command for `act`: text is one, or a call of `WORDS`. Raises `ActionError`."""
        if not isinstance(action, str) or action.lstrip().startswith(("{", "[")):
            action = WORDS.parse(action).arguments["command"]
        return limited(action).strip()

    # The Gymnasium interface

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin the episode of ``seed``, or of one drawn. Raises what the other side raises."""
        super().reset(seed=seed)
        if options:
            raise ValueError(f"unknown reset option {min(options)!r}: there are none")
        one = self._begun(int(self.np_random.integers(2**31)) if seed is None else seed)
        return self._told(one), self._info(one)

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one command: a string, or a tool call."""
        one = self._episode
        if one is None or one.outcome is not Outcome.RUNNING:
            raise ResetNeeded("Call reset() first: there is no episode, or it has ended.")
        one.history.steps += 1
        one.error, reward = None, 0.0
        try:
            command = self.read(action)
            if self.closed and one.seen.commands is not None and command not in one.seen.commands:
                raise ActionError(unknown(command, one.seen.commands))
            self._do(one, command)
            reward = one.seen.reward
        except ActionError as error:
            one.error = str(error)
        except Exception as error:  # of the other side
            one.outcome, one.reason = Outcome.ENV_ERROR, f"{type(error).__name__}: {error}"[:_MOST_REASON]
            self.drop()
        if one.outcome is Outcome.RUNNING and one.history.steps >= self.max_steps:
            one.outcome = Outcome.TRUNCATED
        truncated = one.outcome in (Outcome.TRUNCATED, Outcome.ENV_ERROR)
        terminated = one.outcome in (Outcome.SUCCESS, Outcome.FAILURE)
        return self._told(one), float(reward), terminated, truncated, self._info(one)

    def snapshot(self) -> bytes:
        """The seed and what was done, with a digest of what was seen after each command."""
        one = self._now()
        more = {"first": one.first, "outcome": one.outcome.value, "error": one.error, "reason": one.reason}
        return one.history.pack(more)

    def restore(self, snapshot: bytes) -> tuple[str, dict[str, Any]]:
        """Do again what a `snapshot` says, or only what it has more than the running episode."""
        history, more = History.unpack(snapshot, self._stamp, _text)
        try:
            first, outcome = _text(more["first"]), Outcome(more["outcome"])
            error, reason = more["error"] and _text(more["error"]), _text(more["reason"])
        except (ValueError, KeyError) as wrong:
            raise SnapshotError(f"cannot restore: {wrong!r}") from None
        if not self._goes_on(history):
            try:
                self._begun(history.seed)
            except Exception as wrong:
                raise SnapshotError(f"cannot restore: {type(wrong).__name__}: {wrong}") from wrong
        one = self._now()
        if (one.first, one.history.task) != (first, history.task):
            self._give_up()
            raise SnapshotError("cannot restore: the beginning differs from that of then")
        self._again(one, history)
        one.history.steps, one.outcome, one.error, one.reason = history.steps, outcome, error, reason
        return self._told(one), self._info(one)

    def state_key(self) -> str:
        """Equal exactly when the seed and the states are, as far as they can be seen."""
        one = self._now()
        state = one.seen.key if one.seen.state is None else one.seen.state
        return _digest(f"{one.history.seed}\n{one.outcome}\n{state}")

    def render(self) -> str | None:
        """The last observation, for render mode ``"ansi"``."""
        return self._told(self._episode) if self._episode and self.render_mode == "ansi" else None

    def close(self) -> None:
        """Let go of the other side."""
        self.drop()
        self._episode = None

    # What they are made of

    @property
    def _stamp(self) -> str:
        return f"{self.name} {self.version}"

    def _now(self) -> _Episode:
        if self._episode is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._episode

    def _begun(self, seed: int) -> _Episode:
        self._episode = None
        try:
            task, seen = self.begin(seed)
        except Exception:
            self.drop()
            raise
        history = History(seed, f"{self.name}:{seed}", self._stamp)
        self._episode = _Episode(history, task, seen, seen.key, seen.outcome)
        return self._episode

    def _do(self, one: _Episode, command: str) -> None:
        one.seen = self.act(command)
        one.outcome = one.seen.outcome
        one.history.record(command, one.seen.key)

    def _again(self, one: _Episode, history: History) -> None:
        done = len(one.history.calls)
        for number, (command, key) in enumerate(zip(history.calls[done:], history.keys[done:], strict=True), done + 1):
            try:
                self._do(one, command)
            except Exception as wrong:
                self._give_up()
                raise SnapshotError(f"cannot restore: command {number} failed: {wrong}") from wrong
            if one.seen.key != key:
                self._give_up()
                raise SnapshotError(f"cannot restore: what is seen differs from that of then after command {number}")

    def _give_up(self) -> None:
        self.drop()
        self._episode = None

    def _goes_on(self, history: History) -> bool:
        """Whether a snapshot continues the running episode."""
        one = self._episode
        if one is None or one.outcome not in (Outcome.RUNNING, Outcome.TRUNCATED):
            return False
        return one.history.seed == history.seed and history.begins_with(one.history)

    def _told(self, one: _Episode) -> str:
        failed = f"The environment failed: {one.reason}" if one.outcome is Outcome.ENV_ERROR else one.error
        told = f"{failed}\n\n{one.seen.text}" if failed else one.seen.text
        return told if len(told) <= self._most else f"{told[: self._most - 4]} ..."

    def _info(self, one: _Episode) -> dict[str, Any]:
        info: dict[str, Any] = {"outcome": one.outcome, "task": one.task, "task_id": one.history.task}
        info["action_error"] = one.error
        if one.seen.commands is not None:
            info["admissible_commands"] = list(one.seen.commands) if one.outcome is Outcome.RUNNING else []
        return {**info, **one.seen.more, **({"reason": one.reason} if one.reason else {})}


def load(module: str, package: str) -> Any:
    """A module of another package. Raises `DependencyNotInstalled`, which says what to install."""
    try:
        return import_module(module)
    except ImportError as error:
        raise DependencyNotInstalled(f"{module} cannot be imported ({error}): pip install {package}") from error


def limited(action: str) -> str:
    """``action`` unless it is too long, or no text that could be sent on. Raises `ActionError`."""
    if len(action) > MAX_ACTION_CHARACTERS:
        raise ActionError(f"The action has {len(action)} characters; the limit is {MAX_ACTION_CHARACTERS}.")
    if any("\ud800" <= character <= "\udfff" for character in action):
        raise ActionError("The action has halves of characters in it (surrogates), which are no text.")
    return str(action)


def unknown(command: str, commands: Sequence[str]) -> str:
    """What to say to a command that is not one of ``commands``."""
    shown = ascii(command if len(command) <= 60 else f"{command[:60]}...")
    near = get_close_matches(command, commands, n=1) if len(command) <= 100 else []
    hint = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(commands)
    listed = listed if len(listed) <= _MOST_COMMANDS else f"{listed[:_MOST_COMMANDS].rpartition(',')[0]}, ..."
    return f"{shown} is not possible here.{hint} Possible: {listed}."


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=12).hexdigest()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a text was expected, not {type(value).__name__}")
    return value
