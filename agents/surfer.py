"""The scripted experts of MiniWoB++ as an agent: a teacher for cloning, and the upper end of a leaderboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selfgym.agents.agent import Decision
from selfgym.envs.web.miniwob.env import MiniWobTask
from selfgym.envs.web.miniwob.experts.registry import experts
from selfgym.envs.web.miniwob.experts.scene import LostError, Scene
from selfgym.memory.episode import Source


class SurferAgent:
    """Solves tasks of `selfgym/MiniWoB-v0` by their scripted experts.

    An episode begins with `begin`, which is given the environment that the expert looks into.
    """

    def __init__(self) -> None:
        self._env: Any = None
        self._actions: Iterator[str] | None = None

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._env, self._actions = env, None

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The expert's next action, marked as a teacher's; ``noop`` once it has none.

        Raises `TypeError` for an environment that is not MiniWoB++ in this process, and `LookupError` for a task
        without an expert.
        """
        if self._actions is None:
            self._actions = self._begin()
        try:
            action = next(self._actions, "noop(500)")
        except LostError:
            action = "noop(500)"  # what it looks for may come yet
        return Decision(action, source=Source.TEACHER)

    def _begin(self) -> Iterator[str]:
        env = getattr(self._env, "unwrapped", None)
        task = getattr(env, "task", None)
        if env is None or not isinstance(task, MiniWobTask):
            raise TypeError(
                "the surfer needs selfgym/MiniWoB-v0 in this process: call begin(env) after reset, not with "
                f"{type(self._env).__name__}"
            )
        known = experts()
        if task.page not in known:
            raise LookupError(
                f"no expert knows the task {task.page!r}; those that have one: {', '.join(sorted(known))}"
            )
        return known[task.page](Scene(env))
