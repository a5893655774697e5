"""Agents in the other seats of a game: anything with ``act(observation, info) -> str``, asked without a rollout.

One that wants to be driven, as those that share a batch of a language model do, can play in a
`selfgym.agents.duel.duel` instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from selfgym.envs.core import Outcome
from selfgym.envs.games.game import GameFailed

_TRIES = 5


def agent_of(opponent: Any) -> Any:
    """An agent, made where it is named as ``"module:Class"``. Raises `ValueError` for what is none."""
    if isinstance(opponent, str):
        module, colon, name = opponent.partition(":")
        if not colon:
            raise ValueError(f"no opponent {opponent!r}: give 'random', an agent, or where one is, as 'module:Class'")
        opponent = getattr(import_module(module), name)()
    if not callable(getattr(opponent, "act", None)):
        raise ValueError(f"an opponent needs act(observation, info) -> str; {type(opponent).__name__} has none")
    return opponent


def asked(agent: Any, goal: str, shown: str, legal: list[str] | None) -> Iterator[str]:
    """The agent's move, and up to four more where it was refused. Raises `GameFailed` where the agent fails."""
    info: dict[str, Any] = {"outcome": Outcome.RUNNING, "task": goal, "action_error": None}
    if legal is not None:
        info["admissible_commands"] = legal
    observation = f"Task: {goal}\n\n{shown}"
    for _ in range(_TRIES):
        try:
            said = str(agent.act(observation, info))
        except Exception as failed:
            raise GameFailed(f"the opponent failed: {type(failed).__name__}: {failed}"[:500]) from failed
        yield " ".join(said.split())
        info["action_error"] = "That move is not possible."
        observation = f"{info['action_error']}\n\nTask: {goal}\n\n{shown}"
