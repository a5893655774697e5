"""`selfgym/BabyAI-v0`: BabyAI's levels (Chevalier-Boisvert et al. 2019, arXiv 1810.08272) and MiniGrid's, in words.

The package is minigrid (Farama). The agent is told its view of the grid, by `selfgym.envs.adapters.grid`.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import gymnasium

from selfgym.envs.adapters.grid import described
from selfgym.envs.adapters.replayed import ReplayedEnv, Seen, load
from selfgym.envs.core import Outcome

VERSION = "1"
ACTIONS = ("turn left", "turn right", "go forward", "pick up", "drop", "toggle", "done")
"""In the order of ``minigrid.core.actions.Actions``; ``toggle`` opens what is in front, ``done`` says that it is."""
_FACING = ("east", "south", "west", "north")


class BabyAIEnv(ReplayedEnv):
    """A level of BabyAI or MiniGrid in words: a mission in rooms with doors, keys, balls and boxes.

    The reward is the package's: ``1 - 0.9 * steps / limit`` for a mission fulfilled.

    Args:
        level: ``"GoToLocal"``, ``"BabyAI-BossLevel-v0"``, ``"MiniGrid-DoorKey-8x8-v0"``; where it is no id, it is
            put between ``BabyAI-`` and ``-v0``.
        max_steps: after which the episode is truncated; by default the limit of the mission.
        settings: the rest, as of ``gymnasium.make(level, ...)``.
    """

    def __init__(
        self,
        level: str = "GoToLocal",
        *,
        max_steps: int | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        package = load("minigrid", "minigrid")
        self.level = level if level in gymnasium.registry else f"BabyAI-{level}-v0"
        if self.level not in gymnasium.registry:
            levels = sorted(one[7:-3] for one in gymnasium.registry if one.startswith("BabyAI-"))
            raise ValueError(f"there is no level {level!r}: choose an id of minigrid, or one of {', '.join(levels)}")
        self._settings, self._own_limit = settings, max_steps is None
        self._inner: Any = None
        super().__init__(
            f"{self.level}{settings or ''}",
            f"{VERSION}.{package.__version__}",
            max_steps=max_steps or 1,
            render_mode=render_mode,
        )

    def begin(self, seed: int) -> tuple[str, Seen]:
        """Make the level if there is none, and draw the mission of a seed."""
        if self._inner is None:
            self._inner = gymnasium.make(self.level, disable_env_checker=True, **self._settings)
        observed, _ = self._inner.reset(seed=seed)
        if self._own_limit:
            self.max_steps = int(self._inner.unwrapped.max_steps)
        task = str(observed["mission"])
        return task, self._seen(observed, f"Mission: {task}\n")

    def act(self, command: str) -> Seen:
        """Do one of `ACTIONS`."""
        observed, reward, terminated, truncated, _ = self._inner.step(ACTIONS.index(command))
        ended = Outcome.SUCCESS if reward > 0 else Outcome.FAILURE
        outcome = ended if terminated else Outcome.TRUNCATED if truncated else Outcome.RUNNING
        return self._seen(observed, "", float(reward), outcome)

    def solution(self) -> list[str]:
        """What the bot of BabyAI would do from here, in this world; asking for it is cheating.

        Raises what the bot raises: it knows the levels of BabyAI, and not all of them.
        """
        bot_of = load("minigrid.utils.baby_ai_bot", "minigrid").BabyAIBot
        world = copy.deepcopy(self._inner)
        bot, ended = bot_of(world.unwrapped), False
        plan: list[int] = []
        while not ended:
            plan.append(int(bot.replan(plan[-1] if plan else None)))
            _, _, terminated, truncated, _ = world.step(plan[-1])
            ended = terminated or truncated
        return [ACTIONS[action] for action in plan]

    def drop(self) -> None:
        """Close the level."""
        inner, self._inner = self._inner, None
        if inner is not None:
            with suppress(Exception):
                inner.close()

    def _seen(self, observed: Any, before: str, reward: float = 0.0, outcome: Outcome = Outcome.RUNNING) -> Seen:
        world = self._inner.unwrapped
        facing = f"You face {_FACING[int(observed['direction'])]}. "
        text = f"{before}{facing}{described(observed['image'])}"
        carried = world.carrying and world.carrying.encode()
        state = f"{world.agent_pos} {world.agent_dir} {carried} {world.grid.encode().tobytes().hex()}"
        return Seen(text, reward, outcome, ACTIONS[: int(self._inner.action_space.n)], state=state)
