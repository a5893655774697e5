"""The solutions of the desktops' tasks as an agent: a teacher for cloning, and the upper end of a leaderboard.

It cheats on purpose: it asks the environment for the task's own solution, which no agent that is measured may do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from selfgym.agents.agent import Decision
from selfgym.envs.around import innermost
from selfgym.envs.desktop.actions import Action, Click, written
from selfgym.memory.episode import Source


class TypistAgent:
    """Plays ``env.task.solution`` of either desktop; where elements have marks, its clicks name them.

    Args:
        thoughts: before a click, say what the element is called.

    An episode begins with `begin`, which is given the environment that the solution looks at.
    """

    def __init__(self, thoughts: bool = False) -> None:
        self.thoughts = thoughts
        self._env: Any = None
        self._actions: Iterator[Action] | None = None
        self._written: Callable[[Action], str] = written

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._env, self._actions = env, None

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The solution's next action, marked as a teacher's; ``wait()`` once there is none.

        Raises `TypeError` for an environment that is no desktop in this process, and `LookupError` where
        what the solution looks for is not on the screen.
        """
        if self._actions is None:
            self._actions = self._begin()
        action = next(self._actions, None)
        if action is None:
            return Decision("wait()", source=Source.TEACHER)
        thought = self._name_at(action.x, action.y) if self.thoughts and isinstance(action, Click) else ""
        return Decision(self._written(action), thought, source=Source.TEACHER)

    def _name_at(self, x: int, y: int) -> str:
        """What the element in front at a point is called."""
        for node in reversed(innermost(self._env).nodes()):
            left, top, width, height = node.box
            if left <= x < left + width and top <= y < top + height:
                return str(node.name)
        return ""

    def _begin(self) -> Iterator[Action]:
        env = innermost(self._env)
        solution = getattr(env.task, "solution", None) if hasattr(env, "nodes") else None
        if solution is None:
            raise TypeError(
                "the typist needs a desktop of selfgym in this process: call begin(env) after reset, not with "
                f"{type(self._env).__name__}"
            )
        self._written = getattr(self._env.unwrapped, "written", written)
        actions: Iterator[Action] = solution(env.nodes)
        return actions
