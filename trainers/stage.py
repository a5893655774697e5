"""The settings of a run, and what a recipe sees of it while it works.

A `Stage` is made alike in the run's own process and in the processes that collect for it, from the run's folder alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gymnasium
from pydantic import BaseModel, ConfigDict, Field, model_validator

from selfgym.agents.policies.policy import Policy
from selfgym.agents.react import ReactAgent
from selfgym.agents.search import SearchConfig
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.acting import acting_policy
from selfgym.trainers.checkpoints import checkpoint
from selfgym.trainers.collectors import Task
from selfgym.trainers.rows import Row, rows_from
from selfgym.trainers.splice import SpliceConfig
from selfgym.trainers.update import UpdateConfig


class EvolveConfig(BaseModel):
    """All settings of a run; with the code, they fix every number in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str = "agent-r"
    env: str = "selfgym/Household-v0"
    env_options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the environment."""
    held_out: dict[str, Any] = Field(default_factory=lambda: {"split": "test"})
    """Keyword arguments that differ for evaluation: another split, so that no evaluated layout is trained on."""
    model: str = "nano"
    words: int = 0
    """Training tasks whose texts ``nano`` learns its words from; 0: the words of households."""
    seed: int = 0
    iterations: int = 3
    demos: int = 200
    """Expert episodes cloned before the first iteration; 0 starts from the model as it is."""
    expert: str = "expert"
    """The agent that plays them, as `selfgym agents` names it."""
    expert_options: dict[str, Any] = Field(default_factory=dict)
    """Its keyword arguments."""
    tasks: int = 200
    """Training tasks searched in each iteration, new ones each time."""
    evaluations: int = 200
    """Held-out tasks, the same after every update."""
    first_evaluation: int = 0
    """The seed of the first of them. Where ``held_out`` names no other split, one that no training task reaches."""
    evaluate_every: int = 1
    """Iterations between two evaluations; the first and the last model are always evaluated."""
    average: int = Field(default=1, ge=1)
    """Checkpoints, the last so many, whose mean is evaluated, and kept as ``checkpoints/mean-N``."""
    unit: int = 40
    """Tasks collected and committed together."""
    width: int = 256
    """Episodes or trees that are played at once."""
    agent: dict[str, Any] = Field(default_factory=dict)
    """Options of `ReactAgent` for collecting and evaluating."""
    evaluation: dict[str, Any] = Field(default_factory=dict)
    """Options of `ReactAgent` that differ for evaluation (``temperature`` ...)."""
    sampler: Literal["transformers", "vllm"] = "transformers"
    """What runs the model that plays: in each process that plays, training episodes or held-out ones."""
    sampler_options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of its policy's ``load``: ``dtype``, ``gpu_memory_utilization`` ..."""
    search: SearchConfig = SearchConfig()
    """How much the trees are grown."""
    splice: SpliceConfig = SpliceConfig()
    """Which paths of a tree become revisions."""
    group: dict[str, Any] = Field(default_factory=dict)
    """What differs from a group recipe's own `selfgym.trainers.groups.GroupConfig`."""
    chain: dict[str, Any] = Field(default_factory=dict)
    """What differs from a chain recipe's own `selfgym.trainers.chains.ChainConfig`."""
    judge: Literal["preference", "words"] = "preference"
    """Who finds the first error: the actor's ``preference`` between actions, or its ``words``."""
    clone: UpdateConfig = UpdateConfig()
    """The update on demonstrations."""
    clone_context: float = 0.0
    """Weight of the observations in that update: above 0 for a model that does not know the language yet."""
    update: UpdateConfig = UpdateConfig()
    """The update of each iteration."""
    device: str = "auto"
    """What the model samples and learns on, as PyTorch names it; ``auto``: a GPU if there is one. There it samples with
    bfloat16 weights; those that learn stay in float32."""
    threads: int = 1
    """Threads of the model on a CPU. More help large models on a quiet machine only; sums differ in their last bits."""
    replay: float = 0.5
    """Share of demonstrations among the rows of an update, against forgetting (paper: 0.2 of other data)."""
    workers: int = 1
    """Processes that collect; any number gives the same episodes."""
    lag: int = Field(default=0, ge=0)
    """Updates that the model playing an iteration's training episodes lacks: they are played by the ``workers`` while
    those updates are computed. 0: by the newest model, before the update."""
    processes: int = 1
    """Processes that share an update, started by accelerate; with more than one, a killed update is begun anew."""
    accelerate: str = ""
    """A configuration file of accelerate's for them (FSDP, several machines)."""
    lora: int = 0
    """Rank of low-rank adapters; 0 trains all weights."""

    @model_validator(mode="after")
    def _adapters_alone(self) -> EvolveConfig:
        if self.lora and self.processes > 1:
            raise ValueError("adapters are trained by one process: set lora=0 or processes=1")
        return self


@dataclass
class Stage:
    """What a recipe sees: the iteration it is in, the current policy, and everything logged so far."""

    config: EvolveConfig
    folder: Path
    policy: Policy
    iteration: int = 0
    store: EpisodeStore | None = None
    """Where everything logged is read from; collecting works without."""

    @property
    def run(self) -> str:
        """The run's name: that of its folder."""
        return self.folder.name

    @property
    def max_steps(self) -> int:
        """The step limit of the training environment."""
        return int(self.config.env_options.get("max_steps", 50))

    def task(self, seed: int, *, held_out: bool = False, **changes: Any) -> Task:
        """The task instance that ``seed`` draws; ``changes`` are further keyword arguments of its environment."""
        options = {**self.config.env_options, **(self.config.held_out if held_out else {}), **changes}
        identity = f"{self.config.env}:{options.get('split', '')}:{seed}"
        make = partial(_make_env, self.config.env, options)
        return Task(identity, self.config.env, make, seed, env_options=options)

    def agent(self, task: Task, *, draw: int = 0, **changes: Any) -> ReactAgent:
        """A language-model agent for one episode, its random stream its own; ``draw`` numbers episodes of one task."""
        seed = (self.config.seed * 100 + self.iteration) * 10_000_019 + task.seed + draw * 7_368_787_011
        key = f"{task.id}#{draw}" if draw else task.id
        return ReactAgent(self.policy, seed=seed, key=key, **{**self.config.agent, **changes})

    def phase(self, kind: str, iteration: int | None = None) -> str:
        """The name under which this iteration's (or another's) episodes of a kind are logged."""
        return kind if kind == "demo" else f"{kind}-{self.iteration if iteration is None else iteration}"

    def record(self, kind: str) -> dict[str, Any]:
        """Fields of the episodes to be logged now."""
        split = "test" if kind.startswith("eval") else "train"
        return {"run": self.run, "phase": self.phase(kind), "split": split, "policy": self.config.model}

    def episodes(self, kind: str, iteration: int | None = None) -> Iterator[Episode]:
        """Logged episodes of a kind, in the order they were logged."""
        assert self.store is not None
        return self.store.episodes(run=self.run, phase=self.phase(kind, iteration))

    def rows(self, kind: str, iteration: int | None = None, *, context: float = 0.0) -> Iterator[Row]:
        """The training rows of the logged episodes of a kind."""
        for episode in self.episodes(kind, iteration):
            yield from rows_from(episode, context=context)


def played_with(config: EvolveConfig, iteration: int) -> int:
    """The checkpoint that plays an iteration's training episodes: at most ``lag`` older than the newest there is."""
    return max(0, iteration - config.lag)


def open_stage(
    config: EvolveConfig, folder: Path, iteration: int, number: int | str, store: EpisodeStore | None = None
) -> Stage:
    """The stage in which checkpoint ``number`` acts; its cache is empty: nothing depends on what was done before."""
    policy = acting_policy(config, checkpoint(folder, number), number if isinstance(number, int) else iteration)
    return Stage(config, folder, policy, iteration, store)


def held_out_tasks(stage: Stage) -> list[Task]:
    """The tasks that every evaluation of a run plays."""
    first = stage.config.first_evaluation
    return [stage.task(first + number, held_out=True) for number in range(stage.config.evaluations)]


def _make_env(env: str, options: Mapping[str, Any]) -> Any:
    return gymnasium.make(env, **options).unwrapped


def task_seed(seed: int, number: int, index: int) -> int:
    """Training seeds: apart for demonstrations (number 0) and each iteration, and for each run's own seed."""
    return (seed * 1000 + number) * 1_000_000 + index
