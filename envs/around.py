"""What every environment around another passes on: the episode is that of the one inside, only what is shown differs.

Such an environment is an `AgentEnv` of its own and not a `gymnasium.Wrapper`: its snapshots, its state key and its
version are part of what is recorded and trained on, and ``unwrapped`` must not take it off.
"""

from __future__ import annotations

from typing import Any

from selfgym.envs.core import AgentEnv, ObsType


class AroundEnv(AgentEnv[ObsType]):
    """Has ``inner`` inside; `_shown` says what an agent is shown of it."""

    def __init__(self, inner: AgentEnv[Any], version: str) -> None:
        self.inner, self.version = inner, f"{inner.version}+{version}"
        self.spec, self.render_mode, self.metadata = inner.spec, inner.render_mode, inner.metadata
        self.action_space, self.observation_space = inner.action_space, inner.observation_space

    def _shown(self, observation: Any, info: dict[str, Any]) -> ObsType:
        raise NotImplementedError

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ObsType, dict[str, Any]]:
        """As the environment's own."""
        super().reset(seed=seed)
        observation, info = self.inner.reset(seed=seed, options=options)
        return self._shown(observation, info), info

    def step(self, action: Any) -> tuple[ObsType, Any, bool, bool, dict[str, Any]]:
        """As the environment's own."""
        observation, reward, terminated, truncated, info = self.inner.step(action)
        return self._shown(observation, info), reward, terminated, truncated, info

    def snapshot(self) -> bytes:
        """As the environment's own."""
        return self.inner.snapshot()

    def restore(self, snapshot: bytes) -> tuple[ObsType, dict[str, Any]]:
        """As the environment's own."""
        observation, info = self.inner.restore(snapshot)
        return self._shown(observation, info), info

    def state_key(self) -> str:
        """As the environment's own."""
        return self.inner.state_key()

    def render(self) -> Any:
        """As the environment's own."""
        return self.inner.render()

    def close(self) -> None:
        """Close the environment."""
        self.inner.close()


def innermost(env: Any) -> Any:
    """The environment that has no other inside.

    >>> innermost("no environment at all")
    'no environment at all'
    """
    env = getattr(env, "unwrapped", env)
    while isinstance(env, AroundEnv):
        env = env.inner
    return env
