"""What marks and crops cost beside the step of the small desktop that they are put around.

    python benchmarks/desktop_views.py [--size 1280x720] [--seeds 3]

The same solutions are played with pixels alone, with marks drawn in and listed, and with crops, in turns; the median
over steps of the processor's milliseconds for each, the share of edges that the crops hold, and the bytes of an
observation. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from selfgym.envs.around import innermost
from selfgym.envs.core import AgentEnv
from selfgym.envs.desktop.crops import CroppedEnv
from selfgym.envs.desktop.marks import MarkedEnv

TASKS = ("files-sort", "write-join", "sheet-carry", "form-from-file", "settings-several")
VIEWS: dict[str, Callable[[Any], AgentEnv[Any]]] = {
    "pixels": lambda env: env, "marks": MarkedEnv, "crops": CroppedEnv,
}  # fmt: skip


def play(task: str, view: str, seed: int, options: dict[str, Any], found: dict[str, list[float]]) -> None:
    """Play a task's solution and note each step's milliseconds under the view's name."""
    env: Any = VIEWS[view](gymnasium.make("selfgym/MiniDesktop-v0", task=task, max_steps=60, **options).unwrapped)
    env.reset(seed=seed)
    world = innermost(env)
    for action in world.task.solution(world.nodes):
        started = time.process_time()
        observation, *_, info = env.step(action)
        found[view].append(1000 * (time.process_time() - started))
        parts = observation.values() if isinstance(observation, dict) else [observation]
        found[f"{view}: bytes"].append(sum(np.asarray(part).nbytes for part in parts))
        if "edges_in_crops" in info:
            found["edges in crops"].append(info["edges_in_crops"])
            found["number of crops"].append(len(env.crops))


def main() -> None:
    """Play, print, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path(__file__).resolve().parent / "results")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    options = {"width": width, "height": height, "observe": ("pixels",)}
    found: dict[str, list[float]] = defaultdict(list)
    for seed in range(arguments.seeds):
        for task in TASKS:
            for view in VIEWS:
                play(task, view, seed, options, found)
    told = {name: statistics.median(values) for name, values in found.items()}
    for name, value in told.items():
        print(f"{name:18} {value:,.2f}")
    result = {"date": str(date.today()), "size": arguments.size, "steps": len(found["pixels"]), "medians": told}
    path = arguments.results / f"desktop_views-{arguments.size}-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
