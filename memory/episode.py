"""The record of an episode: written once by a rollout, read by trainers, memory, viewer, leaderboard, exporters.

Tokens are stored as they were sampled. Within an episode the token stream that the policy saw is the concatenation,
step by step, of ``prompt_ids`` and ``response_ids`` since the last step that has ``fresh`` set; so a history that
only grows is stored once, and nothing is ever tokenised again for training.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from selfgym.envs.core import Outcome


class Source(StrEnum):
    """Who wrote a step's response."""

    POLICY = "policy"
    TEACHER = "teacher"
    INJECTED = "injected"
    ENV = "env"


class Step(BaseModel):
    """One decision: what was seen, what was answered, what followed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    observation: str
    """What the agent saw before it acted."""
    prompt_ids: tuple[int, ...] = ()
    """Tokens given to the policy for this step that were not in its context yet (all of them if ``fresh``)."""
    response_ids: tuple[int, ...] = ()
    """Tokens sampled, stop token included where it was sampled."""
    logprobs: tuple[float, ...] = ()
    """Behaviour log-probabilities in nats, one for each response token; empty where no policy sampled them."""
    fresh: bool = False
    """Whether the context was rebuilt, so that ``prompt_ids`` is the whole prompt. True at a first step with tokens."""
    action: str
    """The action as the environment got it."""
    thought: str = ""
    """What the agent said beside the action."""
    valid: bool = True
    """Whether the environment could parse and admit the action."""
    reward: float = 0.0
    """The reward that followed the action."""
    state_key: str = ""
    """Hash of the environment's state before the action."""
    source: Source = Source.POLICY
    trainable: bool = True
    """Whether a loss may be put on the response."""
    policy_version: int = 0
    """The number of updates the sampling weights had seen."""
    info: dict[str, Any] = Field(default_factory=dict)
    """Plain JSON data a method wants to keep (a judge's verdict, a value estimate)."""

    @model_validator(mode="after")
    def _aligned(self) -> Step:
        if self.logprobs and len(self.logprobs) != len(self.response_ids):
            raise ValueError(
                f"a step has {len(self.response_ids)} response tokens but {len(self.logprobs)} log-probabilities"
            )
        return self


class Episode(BaseModel):
    """One run of one agent in one environment, with the links that trainers need."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Unique; a rollout derives it from run, phase and index, so that a resumed run writes the same id again."""
    env: str
    """The environment's id, e.g. ``selfgym/Household-v0``."""
    env_version: str = "0"
    env_options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments and reset options; with ``seed``, enough to make the same episode again."""
    seed: int | None = None
    task: str
    """The goal in words."""
    task_id: str = ""
    """The same for every episode of one task instance."""
    agent: str = ""
    policy: str = ""
    run: str = ""
    phase: str = ""
    """What the episode was collected for: ``train``, ``eval``, ``bc`` ..."""
    split: str = "train"
    group: str = ""
    """Episodes that share a baseline: rollouts of one task, the leaves of one tree."""
    chain: str = ""
    chain_position: int = 0
    role: str = ""
    items: tuple[str, ...] = ()
    """Ids of the memory items shown to the agent."""
    steps: tuple[Step, ...] = ()
    final_observation: str = ""
    """What followed the last action."""
    outcome: Outcome
    error: str = ""
    """The exception in words, where the outcome is an error."""
    parent: str = ""
    """The episode this one branched from, at step ``branch_step``."""
    branch_step: int = 0
    created: float = 0.0
    """Unix time in seconds."""
    info: dict[str, Any] = Field(default_factory=dict)

    @property
    def total_reward(self) -> float:
        """The undiscounted sum of rewards."""
        return sum(step.reward for step in self.steps)

    def token_segments(self) -> Iterator[tuple[Step, ...]]:
        """The runs of steps that share one growing context, in order; steps without tokens are left out."""
        segment: list[Step] = []
        for step in self.steps:
            if not step.response_ids and not step.prompt_ids:
                continue
            if step.fresh and segment:
                yield tuple(segment)
                segment = []
            segment.append(step)
        if segment:
            yield tuple(segment)
