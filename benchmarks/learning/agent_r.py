"""Does Agent-R help, and against what? Seeds, controls, held-out layouts, intervals.

    python benchmarks/learning/agent_r.py --seeds 3 --out runs/agent-r-study

For each seed one cloned start is made; from copies of it every arm goes on with as many trees of its own and the same
number of update steps: ``more-cloning`` (demonstrations only), ``good-only`` (cloning the trees' good paths),
``direct-revision`` and ``agent-r``. Reported for every arm and iteration, over all seeds: success on held-out layouts,
recovery (success after a prefix of random commands was forced on held-out layouts of their own), loops per episode,
and the share of episodes lost to errors. Differences are paired by layout and seed, with a 95% interval from a
bootstrap over seeds and layouts. Interrupted, the same command goes on. ``--workers 2`` runs two arms at once.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from selfgym.agents.rollout import Job, play_all
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.checkpoints import evaluated
from selfgym.trainers.evolve import evolve
from selfgym.trainers.metrics import summarise
from selfgym.trainers.presets import preset
from selfgym.trainers.stage import EvolveConfig, open_stage

ARMS = ("more-cloning", "good-only", "direct-revision", "agent-r")
RECOVERY_SEEDS = 5_000_000
PREFIX = 6


def branch(arm: str, seed: int, settings: dict[str, Any], out: Path) -> tuple[EvolveConfig, Path]:
    """The settings and the folder of an arm, which begins as a copy of the seed's cloned start."""
    config = EvolveConfig(**{**settings, "recipe": arm, "seed": seed})
    folder = out / f"seed-{seed}" / arm / "run"
    if not folder.exists():
        partial_folder = folder.parent / "partial"
        shutil.rmtree(partial_folder, ignore_errors=True)
        shutil.copytree(out / f"seed-{seed}" / "start" / "run", partial_folder)
        (partial_folder / "config.json").write_text(config.model_dump_json())
        partial_folder.rename(folder)
    return config, folder


def run_arm(arm: str, seed: int, settings: dict[str, Any], out: Path) -> None:
    """Take ``arm`` from the seed's cloned start through its iterations."""
    config, folder = branch(arm, seed, settings, out)
    evolve(config, folder)
    for iteration in range(1 if arm != ARMS[0] else 0, config.iterations + 1):
        recover(config, folder, iteration)


def make_start(seed: int, settings: dict[str, Any], out: Path) -> None:
    """The cloned start that the arms of a seed share."""
    evolve(EvolveConfig(**{**settings, "seed": seed, "iterations": 0}), out / f"seed-{seed}" / "start" / "run")


def recover(config: EvolveConfig, folder: Path, iteration: int) -> None:
    """Play held-out tasks from forced prefixes with a checkpoint and log them."""
    phase = f"recovery-{iteration}"
    with EpisodeStore(folder / "episodes.db") as store:
        if store.count(phase=phase):
            return
        torch.set_num_threads(config.threads)
        stage = open_stage(config, folder, iteration, evaluated(folder, iteration, config.average), store)
        tasks = [stage.task(RECOVERY_SEEDS + number, held_out=True) for number in range(config.evaluations)]
        jobs = [
            Job(
                f"{phase}/{task.id}", task.make, partial(stage.agent, task, **config.evaluation), task.seed,
                record={**task.record, "run": folder.name, "phase": phase, "split": "test"}, prefix=bad_prefix(task),
            )
            for task in tasks
        ]  # fmt: skip
        store.append(play_all(jobs, stage.policy, width=config.width))


def bad_prefix(task: Any) -> tuple[str, ...]:
    """Random admissible commands that do not end the episode; the same for every arm and seed."""
    env, draw = task.make(), random.Random(task.seed)
    _, info = env.reset(seed=task.seed)
    actions: list[str] = []
    while len(actions) < PREFIX:
        snapshot = env.snapshot()
        action = draw.choice([c for c in info["admissible_commands"] if c not in ("help", "look", "inventory")])
        *_, info = env.step(action)
        if info["outcome"] is not Outcome.RUNNING:
            _, info = env.restore(snapshot)
            continue
        actions.append(action)
    return tuple(actions)


def load(out: Path, seed: int, arm: str, phase: str) -> list[Episode]:
    """Logged episodes of one phase of one arm."""
    with EpisodeStore(out / f"seed-{seed}" / arm / "run" / "episodes.db", readonly=True) as store:
        return list(store.episodes(phase=phase))


def scores(episodes: Sequence[Episode]) -> dict[str, float]:
    """Success by task, episodes lost to errors left out."""
    return {e.task_id: float(e.outcome is Outcome.SUCCESS) for e in episodes if not e.outcome.is_error}


def difference(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> dict[str, float]:
    """Mean paired difference over seeds and tasks with a two-level bootstrap interval, in points."""
    gaps = [
        np.array([a[task] - b[task] for task in sorted(a.keys() & b.keys())]) for a, b in zip(ours, theirs, strict=True)
    ]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(5000):
        seeds = rng.integers(len(gaps), size=len(gaps))
        draws.append(np.mean([gaps[s][rng.integers(len(gaps[s]), size=len(gaps[s]))].mean() for s in seeds]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return {
        "points": 100 * float(np.mean([g.mean() for g in gaps])),
        "low": 100 * float(low),
        "high": 100 * float(high),
    }


def report(out: Path, seeds: Sequence[int], iterations: int) -> dict[str, Any]:
    """Every number of the study, from the logged episodes."""
    names = [(ARMS[0], 0), *((arm, it) for arm in ARMS for it in range(1, iterations + 1))]
    rows, by_name = [], {}
    for arm, iteration in names:
        held = [load(out, seed, arm, f"eval-{iteration}") for seed in seeds]
        recovery = [load(out, seed, arm, f"recovery-{iteration}") for seed in seeds]
        name = "cloned start" if iteration == 0 else f"{arm} {iteration}"
        by_name[name] = ([scores(e) for e in held], [scores(e) for e in recovery])
        flat = [episode for episodes in held for episode in episodes]
        summary = summarise(flat)
        rows.append(
            {
                "arm": name,
                "success": summary["success"],
                "success_by_seed": [summarise(e)["success"] for e in held],
                "recovery": summarise([e for episodes in recovery for e in episodes])["success"],
                "loops": summary["loops"],
                "steps": summary["steps"],
                "errors": summary["errors"],
                "episodes": summary["episodes"],
            }
        )
    ours = by_name[f"agent-r {iterations}"]
    against = {
        name: {"success": difference(ours[0], theirs[0]), "recovery": difference(ours[1], theirs[1])}
        for name, theirs in by_name.items()
        if name == "cloned start" or (name.endswith(f" {iterations}") and not name.startswith("agent-r"))
    }
    return {"seeds": list(seeds), "rows": rows, "agent_r_minus": against}


def main() -> None:
    """Run what is missing, print the tables, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/agent-r-study"))
    parser.add_argument("--results", type=Path, default=Path(__file__).resolve().parent.parent / "results")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--settings", type=Path, help="JSON file of EvolveConfig settings (default: the demo's)")
    arguments = parser.parse_args()
    settings = json.loads(arguments.settings.read_text()) if arguments.settings else preset("nano")
    if arguments.workers > 1:
        settings["workers"] = 1  # the arms share the cores already
    seeds = range(arguments.seeds)
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(make_start, settings=settings, out=arguments.out), seeds))
        waiting = [pool.submit(run_arm, arm, seed, settings, arguments.out) for seed in seeds for arm in ARMS]
        for future in waiting:
            future.result()
    config = EvolveConfig(**settings)
    result = {"settings": config.model_dump(mode="json"), **report(arguments.out, seeds, config.iterations)}
    for row in result["rows"]:
        by_seed = " ".join(f"{100 * value:.1f}" for value in row["success_by_seed"])
        print(
            f"{row['arm']:20} success {100 * row['success']:5.1f} ({by_seed})  recovery {100 * row['recovery']:5.1f}  "
            f"loops {row['loops']:5.2f}  steps {row['steps']:4.1f}  errors {100 * row['errors']:.1f}%"
        )
    for name, gaps in result["agent_r_minus"].items():
        for kind, gap in gaps.items():
            print(f"agent-r minus {name}: {kind} {gap['points']:+.1f} points [{gap['low']:+.1f}, {gap['high']:+.1f}]")
    arguments.results.mkdir(exist_ok=True)
    path = arguments.results / f"agent_r-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
