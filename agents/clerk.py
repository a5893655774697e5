"""The oracle of the app world as an agent: a teacher for cloning, and both ends of a leaderboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selfgym.agents.agent import Decision
from selfgym.envs.apps.env import AppsEnv
from selfgym.envs.apps.oracle import Style, steps
from selfgym.memory.episode import Source


class ClerkAgent:
    """Does a task of `selfgym/Apps-v0` by the procedure of its scenario.

    Args:
        skills: write the procedure as a function in one step and call it in the next; only call it where the episode
            has begun with it (the option ``definitions`` of `AppsEnv.reset`), as later variants of a chain may.
        careless: do all that was asked, and something that was not.

    An episode begins with `begin`, which is given the environment that the procedure is looked up in.
    """

    def __init__(self, skills: bool = False, careless: bool = False) -> None:
        if skills and careless:
            raise ValueError("a clerk is careless or has skills, not both")
        self.skills, self.careless = skills, careless
        self._env: Any = None
        self._actions: Iterator[str] | None = None

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._env, self._actions = env, None

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The next step's code, marked as a teacher's; ``finish()`` once there is none.

        Raises `TypeError` for an environment that is not the app world in this process.
        """
        if self._actions is None:
            self._actions = self._begin()
        return Decision(next(self._actions, "finish()"), source=Source.TEACHER)

    def _begin(self) -> Iterator[str]:
        env = getattr(self._env, "unwrapped", None)
        if not isinstance(env, AppsEnv):
            raise TypeError(
                "the clerk needs selfgym/Apps-v0 in this process: call begin(env) after reset, not with "
                f"{type(self._env).__name__}"
            )
        found = env.assignment
        style: Style = "careless" if self.careless else "skill" if self.skills else "plain"
        known = any(name == found.scenario.name for name, _ in env.host.kept)
        return iter(steps(found.scenario, found.task, style, defined=known, slip=found.variant))
