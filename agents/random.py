"""The random agent: the lower end of a leaderboard."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import gymnasium


class RandomAgent:
    """Picks among the admissible commands; where none are shown, samples the action space of the environment.

    Args:
        seed: the same seed and observations give the same actions. `copy.copy` forks it.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._drawn = 0
        self._space: gymnasium.Space[Any] | None = None

    def begin(self, env: Any) -> None:
        """Start the stream of choices again; learn the action space."""
        self._drawn = 0
        self._space = copy.deepcopy(getattr(env, "action_space", None))  # a copy: sampling must not reseed the original

    def act(self, observation: Any, info: dict[str, Any]) -> Any:
        """A random action. Raises `ValueError` where there is nothing to choose from."""
        key = f"{self.seed}:{self._drawn}".encode()
        number = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())
        self._drawn += 1
        commands = info.get("admissible_commands")
        if commands:
            return commands[number % len(commands)]
        if self._space is None:
            raise ValueError("no admissible commands in info and no action space: call begin(env) first")
        self._space.seed(number % 2**32)
        return self._space.sample()
