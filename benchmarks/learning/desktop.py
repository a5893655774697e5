"""Does a small policy learn to use the small desktop? Seeds, controls, and layouts that no training episode had.

    python benchmarks/learning/desktop.py [--arm grpo] [--seeds 3] [--workers 1] [--set NAME=VALUE ...]

The settings are those of ``selfgym evolve ARM --env selfgym/MiniDesktop-v0``. For each seed one cloned start is made;
from copies of it go on the arm and ``more-cloning`` (as many trained tokens, at the arm's own rate, on the
demonstrations alone). The untrained model stands beside. Different seeds can draw the same task, so a held-out episode
counts only where its words and its names of files together are in no training episode of that seed; how many are left
out is told. Reported: the curve (success after each evaluation, all seeds), success by kind of task, steps, the share
lost to errors, and differences paired by task and seed with a 95% interval from a bootstrap over seeds and tasks.
Interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import gymnasium

from selfgym.agents.typist import TypistAgent
from selfgym.benchmarks.learning.agent_r import difference, load, scores
from selfgym.benchmarks.learning.groups import CONTROL, as_many_tokens, begin, run_arm
from selfgym.cli.console import set_options
from selfgym.envs.around import innermost
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.metrics import summarise
from selfgym.trainers.presets import preset
from selfgym.trainers.recipe import find_recipe
from selfgym.trainers.stage import EvolveConfig, task_seed

ENV = "selfgym/MiniDesktop-v0"
Kind = tuple[str, str, str]
"""A kind of task, its words, and the names of the files there are."""


@cache
def drawn(options: str, seed: int) -> Kind:
    """The task that a seed draws under environment options (JSON)."""
    env = gymnasium.make(ENV, **json.loads(options)).unwrapped
    _, info = env.reset(seed=seed)
    return info["task_id"].partition(":")[0], info["task"], " ".join(sorted(innermost(env).world.files))


def trained(config: EvolveConfig, out: Path, seed: int, arm: str) -> set[Kind]:
    """The tasks of every demonstration and training episode of a seed, and of those that its words came from."""
    options = json.dumps(config.env_options)
    found = {drawn(options, task_seed(seed, 0, index)) for index in range(config.words)}
    with EpisodeStore(out / f"seed-{seed}" / arm / "run" / "episodes.db", readonly=True) as store:
        seeds = {episode.seed for episode in store.episodes() if episode.split == "train"}
    return found | {drawn(options, one) for one in seeds if one is not None}


def stages_of(arm: str, iterations: int, every: int) -> list[tuple[str, str, str]]:
    """(what is told, arm, phase) of every evaluation, in order."""
    numbers = sorted({*range(every, iterations + 1, every), iterations})
    first = [("untrained", "start", "untrained"), ("cloned start", "start", "eval-0")]
    return first + [(f"{name} {number}", name, f"eval-{number}") for name in (CONTROL, arm) for number in numbers]


def report(config: EvolveConfig, out: Path, seeds: Sequence[int], arm: str) -> dict[str, Any]:
    """Every number of the study, from the logged episodes."""
    options = json.dumps(config.env_options)
    known = {seed: trained(config, out, seed, arm) for seed in seeds}
    found: dict[str, list[list[Episode]]] = {}
    for name, of, phase in stages_of(arm, config.iterations, config.evaluate_every):
        found[name] = [
            [one for one in load(out, seed, of, phase) if drawn(options, int(one.seed or 0)) not in known[seed]]
            for seed in seeds
        ]
    rows = []
    for name, by_seed in found.items():
        every = [episode for episodes in by_seed for episode in episodes]
        told = summarise(every)
        kinds = Counter(drawn(options, int(one.seed or 0))[0] for one in every)
        won = Counter(drawn(options, int(one.seed or 0))[0] for one in every if one.outcome is Outcome.SUCCESS)
        rows.append({
            "stage": name, **{key: told[key] for key in ("success", "steps", "invalid", "loops", "errors", "episodes")},
            "by_seed": [summarise(episodes)["success"] for episodes in by_seed],
            "by_task": {kind: [won[kind], kinds[kind]] for kind in sorted(kinds)},
        })  # fmt: skip
    last = f"{arm} {config.iterations}"
    against = ("untrained", "cloned start", f"{CONTROL} {config.iterations}")
    scored = {name: [scores(episodes) for episodes in by_seed] for name, by_seed in found.items()}
    left_out = config.evaluations * len(seeds) - len([e for episodes in found["cloned start"] for e in episodes])
    return {
        "rows": rows, "known_layouts_left_out": left_out,
        "differences": {f"{last} minus {other}": difference(scored[last], scored[other]) for other in against},
    }  # fmt: skip


def ceiling(config: EvolveConfig) -> float:
    """Success of the scripted solutions on the first held-out tasks."""
    won, count = 0, min(50, config.evaluations)
    for number in range(count):
        env: Any = gymnasium.make(ENV, **config.env_options).unwrapped
        observation, info = env.reset(seed=config.first_evaluation + number)
        agent = TypistAgent()
        agent.begin(env)
        while info["outcome"] is Outcome.RUNNING:
            observation, *_, info = env.step(agent.act(observation, info).action)
        won += info["outcome"] is Outcome.SUCCESS
    return won / count


def show(result: dict[str, Any], arm: str) -> None:
    """Print the curve and the differences."""
    for row in result["rows"]:
        by_seed = " ".join(f"{100 * value:.1f}" for value in row["by_seed"])
        tasks = "  ".join(f"{kind} {won}/{played}" for kind, (won, played) in row["by_task"].items())
        print(
            f"{row['stage']:16} {100 * row['success']:5.1f} ({by_seed})  steps {row['steps']:4.1f}  "
            f"refused {100 * row['invalid']:.1f}%  errors {100 * row['errors']:.1f}%  {tasks}"
        )
    print(f"left out, since a training episode had them: {result['known_layouts_left_out']}")
    for name, gap in result["differences"].items():
        print(f"{name}: {gap['points']:+.1f} points [{gap['low']:+.1f}, {gap['high']:+.1f}]")


def main() -> None:
    """Run what is missing, print the tables, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arm", default="grpo")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="pairs")
    parser.add_argument("--out", type=Path, default=Path("runs/desktop-study"))
    parser.add_argument("--results", type=Path, default=Path(__file__).resolve().parent.parent / "results")
    arguments = parser.parse_args()
    arm, seeds = arguments.arm, range(arguments.seeds)
    settings = {**preset("nano", ENV, arm), "env": ENV, "recipe": arm, "workers": 1}
    set_options(settings, arguments.pairs)
    config = EvolveConfig(**settings)
    study: dict[str, Any] = {"settings": settings, "out": arguments.out}
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        minutes = {"cloned": list(pool.map(partial(begin, **study), seeds))}
        minutes[arm] = list(pool.map(partial(run_arm, arm, **study), seeds))
        kinder = [as_many_tokens(arm, seed, **study) for seed in seeds]
        controls = [
            pool.submit(run_arm, CONTROL, seed, one, arguments.out) for seed, one in zip(seeds, kinder, strict=True)
        ]
        minutes[CONTROL] = [one.result() for one in controls]
    result = {
        "date": str(date.today()), "paper": find_recipe(arm).paper, "settings": config.model_dump(mode="json"),
        "seeds": list(seeds), "minutes": minutes, "ceiling": ceiling(config),
        **report(config, arguments.out, seeds, arm),
    }  # fmt: skip
    show(result, arm)
    arguments.results.mkdir(exist_ok=True)
    path = arguments.results / f"desktop-{arm}-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
