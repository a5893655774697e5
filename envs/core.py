"""What every environment is: `AgentEnv`, the outcome of an episode, and the rules decided once.

This room may import nothing of the other rooms. The rules:

* An action is a string, or a tool call ``{"name": ..., "arguments": {...}}``. A malformed or impossible action is
  never an exception: the observation says what was wrong, ``info["action_error"]`` holds the sentence.
* ``info`` always has ``outcome`` (an `Outcome`), ``task`` (the goal in words) and ``action_error`` (``None`` or str).
* An infrastructure failure is the outcome ``env_error``, never a reward of 0.
* After an episode has ended, `step` raises `gymnasium.error.ResetNeeded`. Vector environments use Gymnasium's
  next-step autoreset, which never calls `step` on a finished episode.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from enum import StrEnum
from typing import Any, ClassVar, Literal, TypeVar

import gymnasium
from gymnasium.vector import AutoresetMode

ObsType = TypeVar("ObsType")


class Outcome(StrEnum):
    """How an episode stands or ended."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    TRUNCATED = "truncated"
    ENV_ERROR = "env_error"
    POLICY_ERROR = "policy_error"

    @property
    def is_error(self) -> bool:
        """Whether infrastructure failed, so that the episode says nothing about the agent."""
        return self in (Outcome.ENV_ERROR, Outcome.POLICY_ERROR)


class SnapshotError(ValueError):
    """A snapshot that this environment cannot restore: foreign, damaged, or from another version."""


class AgentEnv(gymnasium.Env[ObsType, Any]):
    """A Gymnasium environment for language agents whose state can be saved and restored exactly.

    Subclasses set ``observation_space``, ``action_space`` and ``version`` and define `reset`, `step`, `snapshot`
    and `restore`. ``version`` names the rules: it changes whenever the same seed and actions could give another
    episode, and is stored with every episode.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 1, "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012
    version: str = "0"
    skill_form: ClassVar[Literal["functions", "actions"]] = "actions"
    """What an agent may take from one episode to the next: ``functions`` in Python, which `reset` is given as
    ``options["definitions"]``; or sequences of ``actions``, of which the environment knows nothing."""

    @classmethod
    def chain_options(cls, chain: int) -> dict[str, Any]:
        """Reset options that give the tasks of chain number ``chain`` one procedure, where seeds alone do not."""
        return {}

    @abstractmethod
    def snapshot(self) -> bytes:
        """The whole state of the running episode, as plain bytes (never pickle)."""

    @abstractmethod
    def restore(self, snapshot: bytes) -> tuple[ObsType, dict[str, Any]]:
        """Go back to `snapshot` and return the observation and info that belonged to it.

        Every later step equals the step of the untouched run. Raises `SnapshotError` where the bytes are not a
        snapshot of this environment.
        """

    def state_key(self) -> str:
        """A short hash that is equal exactly when two states are: the key of GiGPO-style step groups."""
        return hashlib.blake2b(self.snapshot(), digest_size=12).hexdigest()
