"""Episodes of random actions, as data that can be compared: what `selfgym.envs.checking` looks at."""

from __future__ import annotations

import random
from typing import Any

from selfgym.envs.core import AgentEnv, Outcome


def choose(env: AgentEnv[Any], info: dict[str, Any], rng: random.Random) -> Any:
    """A possible action, where the environment says which are; otherwise any."""
    commands = info.get("admissible_commands")
    return rng.choice(commands) if commands else env.action_space.sample()


def play(
    env: AgentEnv[Any], steps: int, rng: random.Random, state: tuple[Any, dict[str, Any]]
) -> list[tuple[Any, ...]]:
    """Plays on from (observation, info); returns everything seen, as data that can be compared.

    First (observation, info), then (action, observation, reward, terminated, truncated, info) for each step.
    """
    observation, info = state
    env.action_space.seed(rng.randrange(2**31))
    seen: list[tuple[Any, ...]] = [(observation, dict(info))]
    for _ in range(steps):
        action = choose(env, info, rng)
        observation, reward, terminated, truncated, info = env.step(action)
        seen.append((action, observation, reward, terminated, truncated, dict(info)))
        if terminated or truncated:
            break
    return seen


def play_less_than_all(env: AgentEnv[Any], steps: int, seed: int) -> tuple[Any, dict[str, Any]]:
    """The observation and info after ``steps`` steps, or after as many as leave the episode running."""
    while True:
        seen = play(env, steps, random.Random(seed), env.reset(seed=seed))
        *_, info = seen[-1]
        if info["outcome"] is Outcome.RUNNING or len(seen) == 1:
            return observation_of(seen[-1]), info
        steps = len(seen) - 2


def observation_of(seen: tuple[Any, ...]) -> Any:
    """The observation in an item of what `play` returns."""
    return seen[1] if len(seen) == 6 else seen[0]
