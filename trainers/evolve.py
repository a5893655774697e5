"""The loop: clone demonstrations, then collect -> convert -> update -> evaluate -> checkpoint, iteration by iteration.

A run is a folder::

    config.json     the settings, written once; a run is only ever continued with the same ones
    episodes.db     every episode, and a note for each finished piece of work
    checkpoints/N   the model after N updates (an ordinary Hugging Face folder); N = 0 is the cloned start
    checkpoints/mean-N  the mean of the last ones, if that is what is evaluated
    metrics.jsonl, tensorboard/, curve.png     views of the notes

Every piece of work (a handful of tasks, an update, an evaluation) is committed together with the note that says it is
done, so a run that was killed anywhere goes on from there, repeats only the piece it was in and what its workers had
begun ahead, and ends with the weights of a run that was never interrupted: every random choice follows from ``seed``
and the piece's own number.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from selfgym.agents.agent import find_agent
from selfgym.agents.policies.load import load_policy
from selfgym.agents.policies.nano import make_nano
from selfgym.agents.policies.policy import Policy
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.policies.transformers import TransformersPolicy
from selfgym.agents.rollout import Job, rollout
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.acting import device_of, rest
from selfgym.trainers.checkpoints import checkpoint, evaluated, save
from selfgym.trainers.distributed import update_with
from selfgym.trainers.metrics import paired_difference, summarise
from selfgym.trainers.objectives import log_likelihood
from selfgym.trainers.recipe import Recipe, find_recipe
from selfgym.trainers.report import write_reports
from selfgym.trainers.stage import EvolveConfig, Stage, held_out_tasks, open_stage, played_with, task_seed
from selfgym.trainers.units import Collecting, workers
from selfgym.trainers.update import UpdateReport, update

Progress = Callable[[str, int, int], None]
"""(what is being done, how much of it is done, how much there is)."""


class RunError(RuntimeError):
    """A run folder that cannot be used as asked."""


def evolve(
    config: EvolveConfig, folder: Path, *, progress: Progress | None = None, executor: Executor | None = None
) -> list[dict[str, Any]]:
    """Run, or go on with, the run in ``folder`` and return its metrics, one record for each evaluation.

    ``executor`` collects, if given, instead of ``config.workers`` processes of this machine; it must see ``folder``.
    Raises `RunError` where the folder holds a run with other settings.
    """
    _claim(config, folder)
    torch.set_num_threads(config.threads)
    with EpisodeStore(folder / "episodes.db") as store:
        run = _Run(config, folder, store, find_recipe(config.recipe), progress or _silent)
        with nullcontext(executor) if executor else workers(config) as pool:
            return run.go(Collecting(config, folder, pool))


def _silent(what: str, done: int, total: int) -> None:
    """No progress report."""


def _claim(config: EvolveConfig, folder: Path) -> None:
    """Refuse a folder with other settings; in a new one, keep the model that the run starts from and the settings."""
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
    save(_first_policy(config), checkpoint(folder, "start"), {})
    partial_path = path.with_name(path.name + ".partial")
    partial_path.write_text(json.dumps(wanted, indent=2) + "\n")
    partial_path.replace(path)


class _Run:
    """One run; each method that does work first asks the notes whether it is done."""

    def __init__(
        self, config: EvolveConfig, folder: Path, store: EpisodeStore, recipe: Recipe, progress: Progress
    ) -> None:
        self.config, self.folder, self.store, self.recipe, self.progress = config, folder, store, recipe, progress

    def go(self, collecting: Collecting) -> list[dict[str, Any]]:
        """Every piece of work, in order; what is collected ahead is only begun before its turn."""
        for number in range(self.config.iterations + 1):
            self._collect(number, collecting)
            self._train(number)
            self._begin(number, collecting)
            self._evaluate(number)
        metrics = self.store.notes("metrics")
        write_reports(self.folder, metrics, self.store.notes("updates"))
        return metrics

    def _done(self, piece: str) -> bool:
        return any(note["piece"] == piece for note in self.store.notes("done"))

    def _begin(self, number: int, collecting: Collecting) -> None:
        """Begin to collect what checkpoint ``number`` plays: the episodes of the update after ``lag`` others."""
        newest = number + 1 + self.config.lag
        for ahead in range(newest if number else 1, min(newest, self.config.iterations) + 1):
            collecting.begin(ahead, self._units(ahead))

    def _collect(self, number: int, collecting: Collecting) -> None:
        """Collect in units, committed in order; the task seeds of the iterations never meet."""
        name, tasks = self._phase(number)
        units = self._units(number)
        self.progress(name, tasks - sum(map(len, units)), tasks)
        for unit, episodes in zip(units, collecting.take(number, units), strict=True):
            with self.store.transaction():
                self.store.append(episodes)
                self.store.note("done", {"piece": f"{name}/{unit.start}"})
            self.progress(name, unit.stop, tasks)

    def _phase(self, number: int) -> tuple[str, int]:
        """What collecting for update ``number`` is called in the notes, and its tasks."""
        return (f"tree-{number - 1}", self.config.tasks) if number else ("demo", self.config.demos)

    def _units(self, number: int) -> list[range]:
        """The units of update ``number`` that are not committed."""
        name, tasks = self._phase(number)
        done = {note["piece"] for note in self.store.notes("done")}
        starts = [start for start in range(0, tasks, self.config.unit) if f"{name}/{start}" not in done]
        return [range(start, min(tasks, start + self.config.unit)) for start in starts]

    def _train(self, number: int) -> None:
        """Make checkpoint ``number`` out of the one before it."""
        target = checkpoint(self.folder, number)
        piece = f"update-{number}"
        if self._done(piece):
            return
        if not target.exists():
            self._update(number, target)
        report = json.loads((target / "update.json").read_text())
        with self.store.transaction():
            self.store.note("updates", {"number": number, **report})
            self.store.note("done", {"piece": piece})

    def _update(self, number: int, target: Path) -> None:
        config = self.config
        before = checkpoint(self.folder, number - 1 if number else "start")
        policy: Any = load_policy(str(before), device=device_of(config), dtype="float32")
        stage = Stage(config, self.folder, policy, max(0, number - 1), self.store)
        rows = list(self.recipe.rows(stage) if number else stage.rows("demo", context=config.clone_context))
        state = target.with_name(f"{number}.update.safetensors")
        report = UpdateReport(0, 0, 0.0)
        if rows and config.processes > 1:
            which, seed = "update" if number else "clone", config.seed * 31 + number
            report = update_with(policy, rows, which, config, seed=seed, folder=target.with_name(f"{number}.launch"))
        elif rows:
            model = _with_adapters(policy.model, config.lora)
            objective = self.recipe.objective(config) if number else log_likelihood
            report = update(
                model, rows, config.update if number else config.clone, seed=config.seed * 31 + number,
                pad_id=policy.tokenizer.pad_token_id, objective=objective, checkpoint=state,
                on_step=lambda step, steps, loss: self.progress(f"update {number} (loss {loss:.3f})", step, steps),
            )  # fmt: skip
            policy.model = _merged(model)
        staleness = stage.iteration - played_with(config, stage.iteration)
        save(policy, target, {"rows": len(rows), "staleness": staleness, **asdict(report)})
        state.unlink(missing_ok=True)
        shutil.rmtree(target.with_name(f"{number}.launch"), ignore_errors=True)

    def _evaluate(self, number: int) -> None:
        """Play the held-out tasks with checkpoint ``number``."""
        piece = f"eval-{number}"
        if self._done(piece) or (number % self.config.evaluate_every and number != self.config.iterations):
            return
        model = evaluated(self.folder, number, self.config.average)
        stage = open_stage(self.config, self.folder, number, model, self.store)
        tasks = held_out_tasks(stage)
        self.progress(piece, 0, len(tasks))
        episodes = list(self.recipe.evaluate(stage, tasks))
        rest(self.config, stage.policy)
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
        texts = list(_texts(config)) if config.words else None
        return TransformersPolicy(*make_nano(texts, seed=config.seed), name="nano")
    return load_policy(config.model, dtype="float32")  # updates smaller than bfloat16 can hold would be lost


def _texts(config: EvolveConfig) -> Iterator[str]:
    """What the demonstrator sees and does in training tasks, and what the recipe says: a new model's words."""
    yield from find_recipe(config.recipe).phrases
    stage = Stage(config, Path(), ScriptedPolicy([""]))
    for index in range(config.words):
        task = stage.task(task_seed(config.seed, 0, index))
        expert = partial(find_agent(config.expert), **config.expert_options)
        job = Job(task.id, task.make, expert, task.seed, record=task.record)
        for _, episode in rollout([job]):
            yield from (text for step in episode.steps for text in (step.observation, step.thought, step.action))


def _with_adapters(model: Any, rank: int) -> Any:
    if rank == 0:
        return model
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    )


def _merged(model: Any) -> Any:
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
