"""What `lag` gains: seconds of an iteration of GRPO on households, rollouts before the update or beside it.

    python benchmarks/speed/rollouts_ahead.py --runs 2

Runs of an untrained nano take turns: ``workers`` 1 and 2, ``lag`` 0 and 1. Timed is from the end of the first update on
episodes to that of the last, so that the start of Python and of the workers is left out; then the seconds are divided
by the iterations in between. Every group is trained on (``baseline`` none), since an untrained model never wins.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from selfgym.trainers.evolve import evolve
from selfgym.trainers.presets import preset
from selfgym.trainers.stage import EvolveConfig

WAYS = ((1, 0), (1, 1), (2, 0), (2, 1))
"""(workers, lag)"""


def settings(workers: int, lag: int, iterations: int) -> dict[str, Any]:
    """A small run that evaluates in the beginning and in the end only."""
    changes: dict[str, Any] = {
        "demos": 0, "tasks": 8, "unit": 4, "iterations": iterations, "evaluations": 1, "evaluate_every": iterations,
        "env_options": {"size": "tiny", "max_steps": 8}, "group": {"size": 4, "baseline": "none"},
        "workers": workers, "lag": lag,
    }  # fmt: skip
    return preset("nano", recipe="grpo") | {"recipe": "grpo"} | changes


def seconds(config: EvolveConfig) -> float:
    """Of an iteration, the first left out."""
    moments: dict[str, float] = {}

    def progress(what: str, done: int, total: int) -> None:
        moments.setdefault(what, time.perf_counter())  # when it began

    with tempfile.TemporaryDirectory() as folder:
        evolve(config, Path(folder) / "run", progress=progress)
    return (moments[f"eval-{config.iterations}"] - moments["tree-1"]) / (config.iterations - 1)


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=5)
    arguments = parser.parse_args()
    found: dict[str, list[float]] = {f"workers {workers}, lag {lag}": [] for workers, lag in WAYS}
    loads = []
    for _ in range(arguments.runs):
        for (workers, lag), times in zip(WAYS, found.values(), strict=True):
            times.append(round(seconds(EvolveConfig(**settings(workers, lag, arguments.iterations))), 2))
            loads.append(round(os.getloadavg()[0], 1))
            print(f"workers {workers}, lag {lag}: {times[-1]} s an iteration, load {loads[-1]}", flush=True)
    medians = {name: statistics.median(times) for name, times in found.items()}
    print(json.dumps(medians, indent=2))
    path = Path(__file__).parents[1] / "results" / f"rollouts_ahead-{date.today()}.json"
    result = {"settings": settings(1, 0, arguments.iterations), "seconds": found, "loads": loads, "medians": medians}
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
