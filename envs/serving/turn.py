"""What a client is told after a reset or a step: plain data that any protocol can carry.

Text is valid Unicode, numbers are finite, pictures are PNG files; of an ``info`` only what is plain JSON is passed on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium.error import Error

from selfgym.envs.core import AgentEnv, Outcome
from selfgym.envs.pictures import png


@dataclass(frozen=True, slots=True)
class Turn:
    """What followed a reset or a step."""

    text: str
    """What is to be read: the observation, and if it does not say so, what was wrong with the action."""
    pictures: dict[str, bytes] = field(default_factory=dict)
    """PNG files by the name of their part of the observation."""
    reward: float | None = None
    """None after a reset, and where infrastructure failed."""
    terminated: bool = False
    truncated: bool = False
    info: dict[str, Any] = field(default_factory=dict)
    """The environment's ``info`` as JSON; ``outcome``, ``task`` and ``action_error`` are always there."""

    @property
    def done(self) -> bool:
        """Whether the episode has ended."""
        return self.terminated or self.truncated


def begun(env: AgentEnv[Any], seed: int | None) -> Turn:
    """Begin an episode. Raises whatever the environment raises."""
    return turn_from(*env.reset(seed=seed))


def stepped(env: AgentEnv[Any], action: Any, last: Turn) -> Turn:
    """Do one action after ``last``. An environment that fails is the outcome ``env_error``; an action never is."""
    try:
        observation, reward, terminated, truncated, info = env.step(action)
    except Exception as error:
        info = {**last.info, "outcome": Outcome.ENV_ERROR, "action_error": None, "reason": sentence(error)}
        observation, reward, terminated, truncated = f"The environment failed: {info['reason']}", 0.0, False, True
    return turn_from(observation, info, reward, bool(terminated), bool(truncated))


def reading(turn: Turn, *, commands: bool) -> str:
    """The text of a turn and how the episode ended, or with ``commands`` the actions in words that are possible."""
    known = turn.info.get("admissible_commands")
    if turn.done:
        return f"{turn.text}\n\nThe episode has ended: {turn.info['outcome']}."
    return f"{turn.text}\n\nPossible actions: {'; '.join(known)}" if commands and known else turn.text


def sentence(error: Exception) -> str:
    """The error in one line, without where it came from."""
    words = " ".join(str(plain(str(error))).split())
    return words if isinstance(error, ValueError | Error | OSError | RuntimeError) and words else type(error).__name__


def turn_from(
    observation: Any, info: dict[str, Any], reward: Any = None, terminated: bool = False, truncated: bool = False
) -> Turn:
    """The turn that Gymnasium's values of a reset or a step make."""
    told = plain(info)
    text, pictures = _parts(observation)
    if reward is None and told["task"] not in text:
        text = f"Task: {told['task']}\n\n{text}"
    if told["action_error"] and told["action_error"] not in text:
        text = f"{text}\n{told['action_error']}"
    lost = Outcome(told["outcome"]).is_error
    return Turn(text, pictures, None if reward is None or lost else float(reward), terminated, truncated, told)


def plain(value: Any) -> Any:
    """``value`` as JSON data; of what cannot be that, its name in angle brackets.

    >>> plain({"outcome": Outcome.SUCCESS, "at": (1, float("nan")), "how": plain, "text": "\\ud800"})
    {'outcome': 'success', 'at': [1, None], 'how': '<function>', 'text': '?'}
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode()
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {plain(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return f"<{type(value).__name__}>"


def _parts(observation: Any) -> tuple[str, dict[str, bytes]]:
    """The text of an observation and its pictures."""
    if not isinstance(observation, dict):
        observation = {"" if isinstance(observation, str) else "picture": observation}
    pictures = {name: png(part) for name, part in observation.items() if _is_picture(part)}
    return "\n\n".join(plain(part) for part in observation.values() if isinstance(part, str)), pictures


def _is_picture(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype == np.uint8 and part.ndim == 3
