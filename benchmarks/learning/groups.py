"""Do methods on groups raise held-out success, and by more than as much cloning? Seeds, controls, intervals, minutes.

    python benchmarks/learning/groups.py [--arms grpo,gigpo] [--seeds 3] [--workers 2] [--set NAME=VALUE ...]

The settings are those of ``selfgym evolve ARM``. For each seed one cloned start is made, and from copies of it every
arm goes on with as many episodes of the same tasks, drawn by its own policy; then ``more-cloning`` with as many trained
tokens, on the demonstrations alone. The untrained model stands beside. Reported: success on held-out layouts, steps and
errors, differences paired by layout and seed with a 95% interval from a bootstrap over seeds and layouts, and the
minutes that an arm took (with ``--workers 1`` on a quiet machine these are what one run takes). Interrupted, the same
command goes on; minutes then count the last part only.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from selfgym.benchmarks.learning.agent_r import branch, difference, load, make_start, scores
from selfgym.benchmarks.learning.web import untrained
from selfgym.cli.console import set_options
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.evolve import evolve
from selfgym.trainers.metrics import summarise
from selfgym.trainers.presets import preset
from selfgym.trainers.recipe import find_recipe
from selfgym.trainers.stage import EvolveConfig

CONTROL = "more-cloning"


def updates(folder: Path) -> list[dict[str, Any]]:
    """What each update of a run was: number, steps, trained tokens, loss."""
    with EpisodeStore(folder / "episodes.db", readonly=True) as store:
        return store.notes("updates")


def begin(seed: int, settings: dict[str, Any], out: Path) -> float:
    """The cloned start of a seed and the untrained model's episodes; returns the minutes that the start took."""
    started = time.perf_counter()
    make_start(seed, settings, out)
    minutes = (time.perf_counter() - started) / 60
    untrained(seed, settings, out)
    return minutes


def run_arm(arm: str, seed: int, settings: dict[str, Any], out: Path) -> float:
    """Take ``arm`` from the seed's cloned start to its end; returns the minutes that took."""
    started = time.perf_counter()
    evolve(*branch(arm, seed, settings, out))
    return (time.perf_counter() - started) / 60


def as_many_tokens(arm: str, seed: int, settings: dict[str, Any], out: Path) -> dict[str, Any]:
    """Settings under which cloning sees as many trained tokens as ``arm`` did, at the arm's own rate: that of cloning
    anew takes a cloned start down first."""
    first, *later = updates(out / f"seed-{seed}" / arm / "run")
    steps = sum(one["tokens"] for one in later) * first["steps"] / first["tokens"] / len(later)
    rate = settings["update"]["learning_rate"]
    return {**settings, "update": {**settings["clone"], "steps": max(1, round(steps)), "learning_rate": rate}}


def last(out: Path, seed: int, arm: str, iterations: int) -> list[Episode]:
    """Held-out episodes at an arm's end."""
    return load(out, seed, arm, f"eval-{iterations}")


def report(out: Path, seeds: Sequence[int], arms: Sequence[str], iterations: int) -> dict[str, Any]:
    """Every number of the study, from the logged episodes."""
    held = {
        "untrained": [load(out, seed, "start", "untrained") for seed in seeds],
        "cloned": [load(out, seed, "start", "eval-0") for seed in seeds],
        **{arm: [last(out, seed, arm, iterations) for seed in seeds] for arm in (*arms, CONTROL)},
    }
    rows = {}
    for name, by_seed in held.items():
        told = summarise([episode for episodes in by_seed for episode in episodes])
        kept = ("success", "success_low", "success_high", "steps", "invalid", "loops", "errors", "episodes")
        rows[name] = {key: told[key] for key in kept}
        rows[name]["success_by_seed"] = [summarise(episodes)["success"] for episodes in by_seed]
    scored = {name: [scores(episodes) for episodes in by_seed] for name, by_seed in held.items()}
    gaps = {
        f"{arm} minus {other}": difference(scored[arm], scored[other])
        for arm in arms
        for other in ("cloned", CONTROL, *arms[: arms.index(arm)])
    }
    return {"rows": rows, "differences": gaps}


def main() -> None:
    """Run what is missing, print the table, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", default="grpo,gigpo")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="pairs")
    parser.add_argument("--out", type=Path, default=Path("runs/groups-study"))
    parser.add_argument("--results", type=Path, default=Path(__file__).resolve().parent.parent / "results")
    arguments = parser.parse_args()
    arms, seeds = arguments.arms.split(","), range(arguments.seeds)
    find = {arm: find_recipe(arm) for arm in arms}
    settings = preset("nano", recipe=arms[0]) | {"recipe": arms[0]}
    set_options(settings, arguments.pairs)
    if arguments.workers > 1:
        settings["workers"] = 1  # the arms share the cores already
    config = EvolveConfig(**settings)
    study: dict[str, Any] = {"settings": settings, "out": arguments.out}
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        minutes = {"cloned": list(pool.map(partial(begin, **study), seeds))}
        going = {arm: [pool.submit(run_arm, arm, seed, **study) for seed in seeds] for arm in arms}
        controls = []
        for seed, first in zip(seeds, going[arms[0]], strict=True):
            first.result()
            kinder = as_many_tokens(arms[0], seed, **study)
            controls.append(pool.submit(run_arm, CONTROL, seed, kinder, arguments.out))
        minutes |= {arm: [one.result() for one in ones] for arm, ones in (*going.items(), (CONTROL, controls))}
    result = {
        "date": str(date.today()), "papers": {arm: recipe.paper for arm, recipe in find.items()},
        "settings": config.model_dump(mode="json"), "seeds": list(seeds), "minutes": minutes,
        **report(arguments.out, seeds, arms, config.iterations),
    }  # fmt: skip
    for name, row in result["rows"].items():
        by_seed = " ".join(f"{100 * value:.1f}" for value in row["success_by_seed"])
        took = " ".join(f"{one:.1f}" for one in minutes.get(name, []))
        print(
            f"{name:14} success {100 * row['success']:5.1f} ({by_seed})  steps {row['steps']:4.1f}  "
            f"errors {100 * row['errors']:.1f}%  minutes {took or '-'}"
        )
    for name, gap in result["differences"].items():
        print(f"{name}: {gap['points']:+.1f} points [{gap['low']:+.1f}, {gap['high']:+.1f}]")
    arguments.results.mkdir(exist_ok=True)
    path = arguments.results / f"groups-{'-'.join(arms)}-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
