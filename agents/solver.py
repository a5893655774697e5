"""Solutions as an agent: a teacher for cloning, and the upper end of a leaderboard.

It plays the games, and other people's environments that know a solution. It cheats on purpose: it asks the environment
for the way, which no agent that is measured may do.
"""

from __future__ import annotations

from typing import Any

from selfgym.agents.agent import Decision
from selfgym.envs.around import innermost
from selfgym.memory.episode import Source


class SolverAgent:
    """Plays ``env.solution()``, and asks again when in a game somebody else has moved.

    An episode begins with `begin`, which is given the environment that is asked.
    """

    def __init__(self) -> None:
        self._env: Any = None
        self._plan: list[str] = []
        self._expected: Any = None

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._env, self._plan, self._expected = env, [], None

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The next command, marked as a teacher's.

        Raises `NoSolutionError` where the game cannot be won any more, and `TypeError` for an environment that is no
        game in this process.
        """
        env = innermost(self._env)
        if not hasattr(env, "solution"):
            raise TypeError(
                "the solver needs a game or the like in this process: call begin(env) after reset, not with "
                f"{type(self._env).__name__}"
            )
        game = hasattr(env, "game")
        if not self._plan or (game and env.state != self._expected):
            self._plan = env.solution()
        command, *self._plan = self._plan
        if self._plan and game:
            self._expected = env.game.apply(env.state, command).state
        return Decision(command, source=Source.TEACHER)
