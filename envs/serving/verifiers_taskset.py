"""Any environment as a taskset of verifiers (Prime Intellect), for its evaluations and for prime-rl's training.

verifiers finds a taskset by the name of a top-level module, which is two lines of one's own:

    from selfgym.envs.serving.verifiers_taskset import SelfgymEnv, SelfgymTaskset

    __all__ = ["SelfgymEnv", "SelfgymTaskset"]

The taskset never ends: task number ``n`` is the seed ``first_seed + n``. The environment plays the user: it shows what
is seen, each answer of the model is one action (text, or the JSON of a tool call where the environment has tools), and
the end of the episode ends the exchange. The reward is the sum of the rewards. Where the environment itself failed the
verifiers episode fails too (``ok`` is false), which is retried or left out, and no reward of 0. Needs verifiers, in
an environment of its own, and was written after its release 0.4 (``verifiers.v1``).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import verifiers.v1 as vf
from pydantic import Field
from verifiers.v1.harnesses.null import NullHarnessConfig

from selfgym.envs.core import AgentEnv, Outcome
from selfgym.envs.serving.acting import made, own_tools
from selfgym.envs.serving.session import Session
from selfgym.envs.serving.turn import reading

__all__ = ["SelfgymEnv", "SelfgymTaskset"]

INSTRUCTION = "You act in an environment. Each of your answers is one action in words, and nothing else."
CALLING = "You act in an environment. Each of your answers is one call of a tool, as JSON, and nothing else:"


class SelfgymConfig(vf.TasksetConfig):
    """Which environment, and from which seed on."""

    env: str = "selfgym/Household-v0"
    options: dict[str, Any] = Field(default_factory=dict)
    """What the environment is made with."""
    first_seed: int = 0


class SelfgymData(vf.TaskData):
    """What makes one episode again."""

    env: str
    options: dict[str, Any]
    seed: int


class SelfgymTask(vf.Task[SelfgymData]):
    """One seed of an environment."""


class SelfgymTaskset(vf.Taskset[SelfgymTask, SelfgymConfig]):
    """A task for each seed, without end."""

    INFINITE = True

    def load(self) -> Iterator[SelfgymTask]:
        """The tasks, in the order of their seeds. Raises `ValueError` for an id that is not an `AgentEnv`."""
        config = self.config
        first = made(config.env, config.options)
        system, version = _instruction(first), first.version
        first.close()
        for seed in itertools.count(config.first_seed):
            data = SelfgymData(
                id=f"{config.env}@{version}:{seed}",
                name=f"{config.env}#{seed}",
                system_prompt=system,
                env=config.env,
                options=config.options,
                seed=seed,
            )
            yield SelfgymTask(data, config.task)


class SelfgymEnvConfig(vf.EnvConfig):
    """One player, who only talks."""

    player: vf.AgentConfig = vf.AgentConfig(harness=NullHarnessConfig(id="null"), runtime=vf.SubprocessConfig())


class SelfgymEnv(vf.Env[SelfgymEnvConfig]):
    """An episode: the environment and the model take turns."""

    async def run(self, task: Any, agents: Any) -> None:
        """Play one episode. Raises `RuntimeError` where the environment fails."""
        data: SelfgymData = task.data
        session = Session(lambda: made(data.env, data.options))
        try:
            turn = await session.reset(data.seed)
            async with agents.player.interaction(task) as interaction:
                segment = await interaction.turn(reading(turn, commands=True))
                while not segment.terminated:
                    turn = await session.step(segment.last_reply)
                    if turn.done:
                        break
                    segment = await interaction.turn(reading(turn, commands=True))
        finally:
            await session.close()
        outcome = turn.info["outcome"]
        if Outcome(outcome).is_error:
            raise RuntimeError(f"{data.env} failed: {turn.info.get('reason', outcome)}")
        trace = interaction.trace
        trace.record_reward("episode_reward", session.total_reward)
        trace.record_metric("steps", float(session.steps))
        trace.info["outcome"] = outcome


def _instruction(env: AgentEnv[Any]) -> str:
    tools = own_tools(env)
    if tools is None:
        return INSTRUCTION
    lines = [f"{tool.signature()}: {tool.description}" for tool in tools]
    return "\n".join([CALLING, '{"name": ..., "arguments": {...}}', "", "Tools:", *lines])
