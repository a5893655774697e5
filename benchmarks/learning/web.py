"""Does Agent-R raise held-out success in the browser? Seeds, controls, and which tasks do not move.

    python benchmarks/learning/web.py [--tasks click-button] [--seeds 3] [--arms more-cloning,agent-r] [--workers 2]

The settings are those of ``selfgym evolve agent-r --env selfgym/MiniWoB-v0`` (``--settings FILE`` for others). For each
seed one cloned start is made; from copies of it go on ``more-cloning`` (as many update steps on the demonstrations
alone: equal training compute, nothing collected), ``good-only`` and ``agent-r``. Held-out episodes have seeds that no
training episode has; they are the same for all. Reported: success over all seeds and by task, differences paired by
episode and seed with a 95% interval from a bootstrap over seeds and episodes, and the share lost to errors. The
untrained model is the one before any demonstration. Interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from selfgym.agents.rollout import Job, play_all
from selfgym.benchmarks.learning.agent_r import branch, difference, load, make_start, scores
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.evolve import evolve
from selfgym.trainers.metrics import summarise
from selfgym.trainers.presets import preset
from selfgym.trainers.stage import EvolveConfig, held_out_tasks, open_stage

ENV = "selfgym/MiniWoB-v0"
ARMS = ("more-cloning", "good-only", "agent-r")


def begin(seed: int, settings: dict[str, Any], out: Path) -> None:
    """The cloned start of a seed, and held-out episodes of the model before it."""
    make_start(seed, settings, out)
    untrained(seed, settings, out)


def untrained(seed: int, settings: dict[str, Any], out: Path) -> None:
    """Held-out episodes of the model that a seed's cloned start began as."""
    config, folder = EvolveConfig(**{**settings, "seed": seed}), out / f"seed-{seed}" / "start" / "run"
    with EpisodeStore(folder / "episodes.db") as store:
        if store.count(phase="untrained"):
            return
        stage = open_stage(config, folder, 0, "start", store)
        tasks = held_out_tasks(stage)
        jobs = [
            Job(
                f"untrained/{task.id}", task.make, partial(stage.agent, task, **config.evaluation), task.seed,
                record={**task.record, "run": folder.name, "phase": "untrained", "split": "test"},
            )
            for task in tasks
        ]  # fmt: skip
        store.append(play_all(jobs, stage.policy, width=config.width))


def run_arm(arm: str, seed: int, settings: dict[str, Any], out: Path) -> None:
    """Take an arm from the seed's start through its iterations."""
    evolve(*branch(arm, seed, settings, out))


def report(out: Path, seeds: Sequence[int], arms: Sequence[str], iterations: int) -> dict[str, Any]:
    """Every number of the study, from the logged episodes."""
    stages = [("untrained", "start", "untrained"), ("cloned start", "start", "eval-0")]
    stages += [(f"{arm} {number}", arm, f"eval-{number}") for arm in arms for number in range(1, iterations + 1)]
    found = {name: [load(out, seed, arm, phase) for seed in seeds] for name, arm, phase in stages}
    rows = [
        {
            "stage": name,
            "by_seed": [summarise(episodes)["success"] for episodes in runs],
            "by_task": by_task([episode for episodes in runs for episode in episodes]),
            **{
                key: summarise([e for episodes in runs for e in episodes])[key]
                for key in ("success", "errors", "steps")
            },
        }
        for name, runs in found.items()
    ]
    last = [scores(episodes) for episodes in found[f"agent-r {iterations}"]]
    against = ["untrained", "cloned start", *(f"{arm} {iterations}" for arm in arms if arm != "agent-r")]
    gaps = {name: difference(last, [scores(episodes) for episodes in found[name]]) for name in against}
    return {"seeds": list(seeds), "rows": rows, "agent_r_minus": gaps}


def by_task(episodes: Sequence[Episode]) -> dict[str, list[int]]:
    """Episodes won and played of each page; its name stands in every first observation's record."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for episode in episodes:
        if not episode.outcome.is_error:
            found[page_of(episode)][0] += episode.outcome is Outcome.SUCCESS
            found[page_of(episode)][1] += 1
    return dict(sorted(found.items()))


def page_of(episode: Episode) -> str:
    """The page that the episode's seed draws."""
    from selfgym.envs.web.miniwob.env import MiniWobSource, chosen

    pages = chosen(str(episode.env_options.get("task", "all")))
    return MiniWobSource(pages, "test", "success", None).draw(int(episode.seed or 0)).page


def main() -> None:
    """Run what is missing, print the tables, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default="click-button")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--arms", default=",".join(ARMS), help="of these; agent-r must be one")
    parser.add_argument("--out", type=Path, default=Path("runs/web-study"))
    parser.add_argument("--results", type=Path, default=Path(__file__).resolve().parent.parent / "results")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--settings", type=Path, help="JSON file of EvolveConfig settings")
    arguments = parser.parse_args()
    settings = {**preset("nano", ENV), "env": ENV}
    if arguments.settings:
        settings |= json.loads(arguments.settings.read_text())
    settings["env_options"] = {**settings["env_options"], "task": arguments.tasks}
    seeds, arms = range(arguments.seeds), arguments.arms.split(",")
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(begin, settings=settings, out=arguments.out), seeds))
        waiting = [pool.submit(run_arm, arm, seed, settings, arguments.out) for seed in seeds for arm in arms]
        for future in waiting:
            future.result()
    config = EvolveConfig(**settings)
    result = {"settings": config.model_dump(mode="json"), **report(arguments.out, seeds, arms, config.iterations)}
    for row in result["rows"]:
        seeds_told = " ".join(f"{100 * value:.1f}" for value in row["by_seed"])
        tasks = "  ".join(f"{page} {won}/{played}" for page, (won, played) in row["by_task"].items())
        print(
            f"{row['stage']:16} {100 * row['success']:5.1f} ({seeds_told})  errors {100 * row['errors']:.1f}%  {tasks}"
        )
    for name, gap in result["agent_r_minus"].items():
        print(f"agent-r minus {name}: {gap['points']:+.1f} points [{gap['low']:+.1f}, {gap['high']:+.1f}]")
    name = (
        f"web_agent_r-{arguments.tasks.partition(',')[0]}{'-etc' if ',' in arguments.tasks else ''}-{date.today()}.json"
    )
    (arguments.results / name).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
