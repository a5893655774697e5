"""`selfgym/Gymnasium-v0`: any environment registered with Gymnasium (Towers et al. 2024, arXiv 2407.17032), in words.

Text spaces are used as they are. Numbered actions get the names that the environment's documentation gives them;
numbers that are seen are written out, and beside them what the environment draws for a terminal, where it does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

import gymnasium
from gymnasium import spaces

from selfgym.envs.adapters.replayed import ReplayedEnv, Seen, limited
from selfgym.envs.adapters.words import names_of_actions, plain, readable, sections, told, understood
from selfgym.envs.core import Outcome

VERSION = "1"
_MOST_STEPS = 200
_SUCCESS = {  # the return from which an episode that has ended is a success, where the last reward does not say it
    "CliffWalking": -math.inf,  # it ends at the goal only
    "CliffWalkingSlippery": -math.inf,
    "CartPole": 475.0,  # this and the next two: Gymnasium's thresholds
    "MountainCar": -110.0,
    "Acrobot": -100.0,
}


class GymnasiumEnv(ReplayedEnv):
    """Any environment registered with Gymnasium, in words.

    Rewards are its own. An episode that ends is a success if its last reward is above 0, or its return is at least
    ``success``.

    Args:
        env: its id, such as ``"Taxi-v4"``; ``"module:id"`` imports a module first.
        actions: names for the actions of a `Discrete` space, instead of those of the documentation.
        task: the task in words, instead of the beginning of the documentation.
        success: the return that is a success.
        max_steps: after which the episode is truncated; by default the environment's own limit, or 200.
        settings: the rest, as of ``gymnasium.make(env, ...)``.
    """

    def __init__(
        self,
        env: str,
        *,
        actions: Sequence[str] | None = None,
        task: str | None = None,
        success: float | None = None,
        max_steps: int | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        self._id, self._settings, self._drawn = env, settings, False
        self._inner: Any = None
        inner = self._made()
        self._drawn = "ansi" in inner.metadata.get("render_modes", ())
        self._space, self._about, spec = inner.action_space, sections(inner.unwrapped.__doc__), inner.spec
        self.drop()
        if not self._drawn and not readable(inner.observation_space):
            raise ValueError(f"{env} shows {inner.observation_space}, which cannot be told in words")
        self._names = list(actions or ())
        if isinstance(self._space, spaces.Discrete):
            self._names = self._names or names_of_actions(self._space, self._about)
            if len(set(self._names)) != self._space.n:
                raise ValueError(f"{env} has {self._space.n} actions: give as many different names")
        elif actions:
            raise ValueError(f"{env} has no numbered actions that could be named: {self._space}")
        self._task = task or self._about[""] or f"Reach as much reward as you can in {spec.id}."
        self._task = " ".join(self._task.partition("\n\n")[0].split())
        self._success = _SUCCESS.get(spec.name) if success is None else success
        steps = (spec.max_episode_steps or _MOST_STEPS) if max_steps is None else max_steps
        name = f"{spec.id}{settings or ''}"
        super().__init__(name, f"{VERSION}.{gymnasium.__version__}", max_steps=steps, render_mode=render_mode)

    def read(self, action: Any) -> str:
        """Words, or a call of ``do``; for spaces of numbers, JSON."""
        if isinstance(action, str) and not isinstance(self._space, spaces.Discrete | spaces.Text):
            return limited(action)
        return super().read(action)

    def begin(self, seed: int) -> tuple[str, Seen]:
        """Make the environment if there is none, and reset it."""
        inner = self._inner or self._made()
        observed, _ = inner.reset(seed=seed)
        self._return = 0.0
        view = self._view(observed)
        parts = (f"Task: {self._task}", *(self._about.get(part) for part in ("description", "observation space")), view)
        return self._task, self._seen("\n\n".join(part for part in parts if part), observed)

    def act(self, command: str) -> Seen:
        """Do the action that a command stands for."""
        observed, reward, terminated, truncated, _ = self._inner.step(understood(self._space, command, self._names))
        self._return += float(reward)
        view, outcome = self._view(observed), Outcome.TRUNCATED if truncated else Outcome.RUNNING
        won = reward > 0 if self._success is None else self._return >= self._success
        if terminated or (truncated and won and self._success is not None):
            outcome = Outcome.SUCCESS if won else Outcome.FAILURE
        return self._seen(view, observed, float(reward), outcome)

    def drop(self) -> None:
        """Close the environment."""
        inner, self._inner = self._inner, None
        if inner is not None:
            with suppress(Exception):
                inner.close()

    def _made(self) -> Any:
        drawn: dict[str, Any] = {"render_mode": "ansi"} if self._drawn else {}
        try:
            self._inner = gymnasium.make(self._id, disable_env_checker=True, **drawn, **self._settings)
        except gymnasium.error.UnregisteredEnv as error:
            near = get_close_matches(self._id, list(gymnasium.registry), n=1)
            raise ValueError(f"{error}{f' Did you mean {near[0]!r}?' if near else ''}") from None
        return self._inner

    def _view(self, observed: Any) -> str:
        if not self._drawn:
            return told(observed)
        drawing = plain(str(self._inner.render()))
        return f"{drawing}\nObservation: {told(observed)}" if readable(self._inner.observation_space) else drawing

    def _seen(self, text: str, observed: Any, reward: float = 0.0, outcome: Outcome = Outcome.RUNNING) -> Seen:
        state = told(observed) if readable(self._inner.observation_space) else text
        return Seen(text, reward, outcome, self._names or None, {"return": self._return}, state)
