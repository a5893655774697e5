"""The loop: clone demonstrations, then collect -> convert -> update -> evaluate -> checkpoint, iteration by iteration.

A run is a folder::

    config.json     the settings, written once; a run is only ever continued with the same ones
    episodes.db     every episode, and a note for each finished piece of work
    checkpoints/N   the model after N updates (an ordinary Hugging Face folder); N = 0 is the cloned start
    metrics.jsonl, tensorboard/, curve.png     views of the notes

Every piece of work (a handful of tasks, an update, an evaluation) is committed together with the note that says it is
done, so a run that was killed anywhere goes on from there, repeats only the piece it was in, and ends with the weights
of a run that was never interrupted: every random choice follows from ``seed`` and the piece's own number.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import torch
from pydantic import BaseModel, ConfigDict, Field

from selfgym.agents.expert import ExpertAgent
from selfgym.agents.policies.load import load_policy
from selfgym.agents.policies.nano import make_nano
from selfgym.agents.policies.policy import Policy
from selfgym.agents.policies.transformers import TransformersPolicy
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Job, rollout
from selfgym.agents.teacher import TeacherAgent
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.collectors import Task
from selfgym.trainers.metrics import paired_difference, summarise
from selfgym.trainers.recipe import Recipe, find_recipe
from selfgym.trainers.report import write_reports
from selfgym.trainers.rows import Row, rows_from
from selfgym.trainers.update import UpdateConfig, UpdateReport, update

Progress = Callable[[str, int, int], None]
"""(what is being done, how much of it is done, how much there is)."""


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
    seed: int = 0
    iterations: int = 3
    demos: int = 200
    """Expert episodes cloned before the first iteration; 0 starts from the model as it is."""
    tasks: int = 200
    """Training tasks searched in each iteration, new ones each time."""
    evaluations: int = 200
    """Held-out tasks, the same after every update."""
    unit: int = 40
    """Tasks collected and committed together."""
    width: int = 256
    """Episodes or trees that are played at once."""
    agent: dict[str, Any] = Field(default_factory=dict)
    """Options of `ReactAgent` for collecting and evaluating."""
    evaluation: dict[str, Any] = Field(default_factory=dict)
    """Options of `ReactAgent` that differ for evaluation (``temperature`` ...)."""
    search: dict[str, Any] = Field(default_factory=dict)
    """Options of `SearchConfig`."""
    splice: dict[str, Any] = Field(default_factory=dict)
    """Options of `SpliceConfig`."""
    judge: str = "preference"
    """Who finds the first error: the actor's ``preference`` between actions, or its ``words``."""
    clone: UpdateConfig = UpdateConfig()
    """The update on demonstrations."""
    clone_context: float = 0.0
    """Weight of the observations in that update: above 0 for a model that does not know the language yet."""
    update: UpdateConfig = UpdateConfig()
    """The update of each iteration."""
    threads: int = 1
    """Threads of the model on a CPU. More help large models on a quiet machine only; sums differ in their last bits."""
    replay: float = 0.5
    """Share of demonstrations among the rows of an update, against forgetting (paper: 0.2 of other data)."""
    lora: int = 0
    """Rank of low-rank adapters; 0 trains all weights."""


class RunError(RuntimeError):
    """A run folder that cannot be used as asked."""


@dataclass
class Stage:
    """What a recipe sees: the iteration it is in, the current policy, and everything logged so far."""

    config: EvolveConfig
    store: EpisodeStore
    policy: Policy
    run: str
    iteration: int = 0

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

    def agent(self, task: Task, **changes: Any) -> ReactAgent:
        """A language-model agent for one episode, its random stream its own."""
        seed = (self.config.seed * 100 + self.iteration) * 10_000_019 + task.seed
        return ReactAgent(self.policy, seed=seed, key=task.id, **{**self.config.agent, **changes})

    def phase(self, kind: str, iteration: int | None = None) -> str:
        """The name under which this iteration's (or another's) episodes of a kind are logged."""
        return kind if kind == "demo" else f"{kind}-{self.iteration if iteration is None else iteration}"

    def record(self, kind: str) -> dict[str, Any]:
        """Fields of the episodes to be logged now."""
        split = "test" if kind == "eval" else "train"
        return {"run": self.run, "phase": self.phase(kind), "split": split, "policy": self.config.model}

    def episodes(self, kind: str, iteration: int | None = None) -> Iterator[Episode]:
        """Logged episodes of a kind, in the order they were logged."""
        return self.store.episodes(run=self.run, phase=self.phase(kind, iteration))

    def rows(self, kind: str, iteration: int | None = None, *, context: float = 0.0) -> Iterator[Row]:
        """The training rows of the logged episodes of a kind."""
        for episode in self.episodes(kind, iteration):
            yield from rows_from(episode, context=context)


def _make_env(env: str, options: Mapping[str, Any]) -> Any:
    return gymnasium.make(env, **options).unwrapped


def evolve(config: EvolveConfig, folder: Path, *, progress: Progress | None = None) -> list[dict[str, Any]]:
    """Run, or go on with, the run in ``folder`` and return its metrics, one record for each evaluation.

    Raises `RunError` where the folder holds a run with other settings.
    """
    _claim(config, folder)
    torch.set_num_threads(config.threads)
    with EpisodeStore(folder / "episodes.db") as store:
        return _Run(config, folder, store, find_recipe(config.recipe), progress or _silent).go()


def _silent(what: str, done: int, total: int) -> None:
    """No progress report."""


def _claim(config: EvolveConfig, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    wanted = json.loads(config.model_dump_json())
    if path.exists():
        found = json.loads(path.read_text())
        differing = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
        if differing:
            raise RunError(
                f"{folder} holds a run with other settings ({', '.join(differing)}): "
                "choose another folder, or give the settings in its config.json"
            )
        return
    _replace(path, json.dumps(wanted, indent=2) + "\n")


def _replace(path: Path, text: str) -> None:
    partial_path = path.with_name(path.name + ".partial")
    partial_path.write_text(text)
    partial_path.replace(path)


class _Run:
    """One run; each method that does work first asks the notes whether it is done."""

    def __init__(
        self, config: EvolveConfig, folder: Path, store: EpisodeStore, recipe: Recipe, progress: Progress
    ) -> None:
        self.config, self.folder, self.store, self.recipe, self.progress = config, folder, store, recipe, progress
        self.run = folder.name
        self.loaded: tuple[int, Any] | None = None

    def go(self) -> list[dict[str, Any]]:
        """Every piece of work, in order."""
        self._collect("demo", self.config.demos, 0, self._demos)
        self._train(0)
        self._evaluate(0)
        for number in range(1, self.config.iterations + 1):
            self._collect(f"tree-{number - 1}", self.config.tasks, number, self.recipe.collect)
            self._train(number)
            self._evaluate(number)
        return self.store.notes("metrics")

    def _stage(self, iteration: int, checkpoint: int) -> Stage:
        """The stage in which checkpoint ``checkpoint`` acts; weights are loaded once for each."""
        if self.loaded is None or self.loaded[0] != checkpoint:
            policy = load_policy(str(self._checkpoint(checkpoint)))
            policy.name, policy.version = self.config.model, checkpoint
            self.loaded = (checkpoint, policy)
        return Stage(self.config, self.store, self.loaded[1], self.run, iteration)

    def _checkpoint(self, number: int) -> Path:
        return self.folder / "checkpoints" / str(number)

    def _done(self, piece: str) -> bool:
        return any(note["piece"] == piece for note in self.store.notes("done"))

    def _collect(
        self, name: str, tasks: int, number: int, collect: Callable[[Stage, Sequence[Task]], Iterable[Episode]]
    ) -> None:
        """Collect in units; the task seeds of the iterations never meet."""
        for start in range(0, tasks, self.config.unit):
            self.progress(name, start, tasks)
            piece = f"{name}/{start}"
            if self._done(piece):
                continue
            stage = self._stage(max(0, number - 1), max(0, number - 1)) if number else self._start()
            stage.policy.forget(None)
            seeds = range(start, min(tasks, start + self.config.unit))
            episodes = list(collect(stage, [stage.task(_task_seed(self.config.seed, number, seed)) for seed in seeds]))
            with self.store.transaction():
                self.store.append(episodes)
                self.store.note("done", {"piece": piece})
        self.progress(name, tasks, tasks)

    def _start(self) -> Stage:
        """The stage before the first update: the model that the run starts from."""
        return Stage(self.config, self.store, self._base(), self.run, 0)

    def _base(self) -> Any:
        """The model that the run starts from, kept in the run so that a changed hub or wheel changes nothing."""
        folder = self.folder / "checkpoints" / "start"
        if not folder.exists():
            _save_atomically(_first_policy(self.config), folder, {})
        return load_policy(str(folder))

    def _demos(self, stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
        jobs = [
            Job(
                f"{self.run}/demo/{task.id}", task.make, partial(_demonstrator, stage, task), task.seed,
                record={**task.record, **stage.record("demo"), "agent": "expert"},
            )
            for task in tasks
        ]  # fmt: skip
        played = dict(rollout(jobs, None, width=self.config.width))
        yield from (played[number] for number in range(len(jobs)))

    def _train(self, number: int) -> None:
        """Make checkpoint ``number`` out of the one before it."""
        target = self._checkpoint(number)
        piece = f"update-{number}"
        if self._done(piece):
            return
        if not target.exists():
            self._update(number, target)
            self.loaded = None
        report = json.loads((target / "update.json").read_text())
        with self.store.transaction():
            self.store.note("updates", {"number": number, **report})
            self.store.note("done", {"piece": piece})

    def _update(self, number: int, target: Path) -> None:
        config = self.config
        stage = self._stage(number - 1, number - 1) if number else self._start()
        policy: Any = stage.policy
        rows = list(self.recipe.rows(stage) if number else stage.rows("demo", context=config.clone_context))
        state = target.with_name(f"{number}.update.safetensors")
        report = UpdateReport(0, 0, 0.0)
        if rows:
            model = _with_adapters(policy.model, config.lora)
            report = update(
                model, rows, config.update if number else config.clone, seed=config.seed * 31 + number,
                pad_id=policy.tokenizer.pad_token_id, objective=self.recipe.objective, checkpoint=state,
                on_step=lambda step, steps, loss: self.progress(f"update {number} (loss {loss:.3f})", step, steps),
            )  # fmt: skip
            policy.model = _merged(model)
        _save_atomically(policy, target, {"rows": len(rows), **asdict(report)})
        state.unlink(missing_ok=True)

    def _evaluate(self, number: int) -> None:
        """Play the held-out tasks with checkpoint ``number``."""
        piece = f"eval-{number}"
        if self._done(piece):
            return
        stage = self._stage(number, number)
        stage.policy.forget(None)
        tasks = [stage.task(seed, held_out=True) for seed in range(self.config.evaluations)]
        jobs = [
            Job(
                f"{self.run}/{piece}/{task.id}", task.make, partial(stage.agent, task, **self.config.evaluation),
                task.seed, record={**task.record, **stage.record("eval"), "agent": "react"},
            )
            for task in tasks
        ]  # fmt: skip
        played: dict[int, Episode] = {}
        for index, episode in rollout(jobs, stage.policy, width=self.config.width):
            played[index] = episode
            self.progress(piece, len(played), len(jobs))
        episodes = [played[number] for number in range(len(jobs))]
        summary = {"iteration": number, **summarise(episodes)}
        first = list(stage.episodes("eval", 0)) if number else episodes
        gain, low, high = paired_difference(episodes, first)
        summary |= {"gain": gain, "gain_low": low, "gain_high": high}
        with self.store.transaction():
            self.store.append(episodes)
            self.store.note("metrics", summary)
            self.store.note("done", {"piece": piece})
        write_reports(self.folder, self.store.notes("metrics"), self.store.notes("updates"))


def _first_policy(config: EvolveConfig) -> Policy:
    if config.model == "nano":
        return TransformersPolicy(*make_nano(seed=config.seed), name="nano")
    return load_policy(config.model, dtype="float32")  # updates smaller than bfloat16 can hold would be lost


def _demonstrator(stage: Stage, task: Task) -> TeacherAgent:
    return TeacherAgent(ExpertAgent("explorer"), stage.agent(task))


def _task_seed(seed: int, number: int, index: int) -> int:
    """Training seeds: apart for demonstrations and each iteration, and for each run's own seed."""
    return (seed * 1000 + number) * 1_000_000 + index


def _with_adapters(model: Any, rank: int) -> Any:
    if rank == 0:
        return model
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    )


def _merged(model: Any) -> Any:
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def _save_atomically(policy: Any, target: Path, report: Mapping[str, Any]) -> None:
    """A checkpoint folder is there whole or not at all."""
    partial_folder = target.with_name(target.name + ".partial")
    shutil.rmtree(partial_folder, ignore_errors=True)
    policy.model.save_pretrained(partial_folder)
    policy.tokenizer.save_pretrained(partial_folder)
    (partial_folder / "update.json").write_text(json.dumps(report) + "\n")
    os.replace(partial_folder, target)
