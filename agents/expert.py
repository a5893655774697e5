"""The household experts as agents: teachers for cloning, and the upper end of a leaderboard."""

from __future__ import annotations

import copy
from typing import Any, Literal

from selfgym.agents.agent import Decision
from selfgym.envs.household.explorer import Explorer
from selfgym.envs.household.oracle import shortest_plan
from selfgym.memory.episode import Source

_KINDS = ("explorer", "oracle")


class ExpertAgent:
    """Plays a household well.

    Args:
        kind: ``"explorer"`` knows only what the texts have shown and searches; it serves every household, ALFWorld's
            own and those behind a worker process. ``"oracle"`` looks into the environment that `begin` was given and
            takes a shortest way.

    An episode begins with `begin`, or with an observation that states the task.
    """

    def __init__(self, kind: Literal["explorer", "oracle"] = "explorer") -> None:
        if kind not in _KINDS:
            raise ValueError(f"no expert is called {kind!r}: choose one of {', '.join(_KINDS)}")
        self.kind = kind
        self._explorer = Explorer()
        self._env: Any = None

    def begin(self, env: Any) -> None:
        """Forget the episode before; ``env`` is what the oracle looks into."""
        self._explorer, self._env = Explorer(), env

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The expert's command, marked as a teacher's.

        Raises: explorer, `UnknownTaskError` for a task in other words than ALFWorld's; oracle, `NoPlanError` where the
        goal cannot be reached any more and `TypeError` for an environment that is no household in this process.
        """
        if self.kind == "oracle":
            plan = shortest_plan(self._world())
            return Decision(plan[0] if plan else "look", source=Source.TEACHER)
        self._begin_anew_at_an_intro(observation)
        return Decision(self._explorer.act(str(observation), info), source=Source.TEACHER)

    def write(self, observation: Any, info: dict[str, Any], action: str) -> Decision:
        """Take note of an action that somebody else chose, as rollouts do with the prefix of an episode."""
        self._begin_anew_at_an_intro(observation)
        self._explorer.observe(str(observation), action)
        return Decision(action, source=Source.INJECTED, trainable=False)

    def _begin_anew_at_an_intro(self, observation: Any) -> None:
        if "Your task is to: " in str(observation):
            self._explorer = Explorer()

    def _world(self) -> Any:
        world = getattr(getattr(self._env, "unwrapped", None), "world", None)
        if world is None:
            raise TypeError(
                "the oracle needs a household in this process: call begin(env) with selfgym/Household-v0 or "
                f"selfgym/AlfWorld-v0 after reset, not {type(self._env).__name__}"
            )
        return world

    def __copy__(self) -> ExpertAgent:
        """A fork with its own memory, as tree search needs."""
        fork = ExpertAgent(self.kind)
        fork._explorer, fork._env = copy.deepcopy(self._explorer), self._env
        return fork
