"""The programmers of the repair tasks as agents: teachers for cloning, and both ends of a leaderboard."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, Literal

from selfgym.agents.agent import Decision
from selfgym.envs.code.experts import undo
from selfgym.envs.code.mutation_search import try_mutations
from selfgym.memory.episode import Source

_KINDS = ("undo", "search")


class ProgrammerAgent:
    """Works on a task of `selfgym/Code-v0`, one JSON tool call at a time.

    Args:
        kind: ``"undo"`` looks into the environment that `begin` was given and puts the solution in place. ``"search"``
            is told what every agent is told, and tries single changes until the reported test passes.
        most: how many changes ``"search"`` tries; each takes two to four steps.

    An episode begins with `begin`.
    """

    def __init__(self, kind: Literal["undo", "search"] = "undo", most: int = 200) -> None:
        if kind not in _KINDS:
            raise ValueError(f"no programmer is called {kind!r}: choose one of {', '.join(_KINDS)}")
        self.kind, self.most = kind, most
        self._env: Any = None
        self._calls: Generator[dict[str, Any], str, None] | None = None

    def begin(self, env: Any) -> None:
        """Forget the episode before; ``env`` is what ``"undo"`` looks into."""
        self._env, self._calls = env, None

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The next call as JSON, marked as a teacher's; ``submit`` once there is nothing left to do.

        Raises `TypeError`: ``"undo"``, for an environment that is no programming task in this process.
        """
        try:
            if self._calls is None:
                self._calls = undo(self._problem()) if self.kind == "undo" else try_mutations(info["task"], self.most)
                call = next(self._calls)
            else:
                call = self._calls.send(str(observation))
        except StopIteration:
            call = {"name": "submit", "arguments": {}}
        return Decision(json.dumps(call), source=Source.TEACHER)

    def _problem(self) -> Any:
        problem = getattr(getattr(self._env, "unwrapped", None), "problem", None)
        if problem is None:
            raise TypeError(
                "the programmer that undoes bugs needs to see them: call begin(env) with selfgym/Code-v0 in this "
                f"process after reset, not {type(self._env).__name__}; kind='search' needs no more than the texts"
            )
        return problem
