"""A learning curve on one GPU: SmolLM2-135M in households, by GRPO and by Agent-R, from one cloned start.

    python benchmarks/gpu/curve.py [--model smollm2] [--arms grpo,agent-r] [--set NAME=VALUE ...]

Held-out layouts, greedy, as the updates go on; the same layouts for all. One seed: a curve, and no claim that a method
helps (benchmarks/learning has those). Interrupted, the same command goes on; minutes then count the last part. With
``--arms ""`` the start alone is made, from which arms may then go on side by side. Without a GPU everything is small,
and says so.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import torch

from selfgym.benchmarks.learning.agent_r import branch, make_start
from selfgym.cli.console import set_options
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.evolve import evolve
from selfgym.trainers.presets import preset

LARGE: dict[str, Any] = {
    "env_options": {"size": "tiny", "max_steps": 20},
    "agent": {"instruction": "", "max_new_tokens": 24, "max_context": 1536, "temperature": 1.0},
    "evaluation": {"temperature": 0.0},
    "demos": 100,
    "clone": {"steps": 40, "batch_tokens": 8192, "learning_rate": 2e-4, "bf16": True},
    "evaluations": 200,
    "width": 1024,
    "unit": 1000,
}
ARMS: dict[str, dict[str, Any]] = {
    "grpo": {
        "iterations": 12,
        "evaluate_every": 3,
        "tasks": 32,
        "group": {"size": 8},
        "update": {"epochs": 1, "batch_tokens": 16384, "learning_rate": 3e-5, "bf16": True},
    },
    "agent-r": {
        "iterations": 3,
        "tasks": 32,
        "search": {"simulations": 4, "branch": 2, "max_depth": 20},
        "splice": {"pairs": "any", "max_pairs": 4},
        "replay": 0.5,
        "update": {"steps": 60, "batch_tokens": 8192, "learning_rate": 1e-4, "bf16": True},
    },
}
SMALL: dict[str, Any] = {"demos": 8, "evaluations": 4, "tasks": 2, "iterations": 1}
SMALL_UPDATE: dict[str, Any] = {"batch_tokens": 1024, "learning_rate": 1e-4, "steps": 2, "bf16": False}


def main() -> None:
    """Run what is missing, print the curve, write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--arms", default="grpo,agent-r")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="pairs")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu-curve"))
    parser.add_argument("--results", type=Path, default=Path(__file__).resolve().parent.parent / "results")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        print("NO GPU: a small run on the CPU, which shows that it runs and nothing else", file=sys.stderr)
    common = preset(arguments.model) | LARGE | {"workers": 1}
    if device == "cpu":
        common |= SMALL | {"clone": SMALL_UPDATE}
    begun = time.perf_counter()
    make_start(0, with_options(common, arguments.pairs), arguments.out)
    cloning = (time.perf_counter() - begun) / 60
    print(f"cloned start: {cloning:.2f} minutes", flush=True)
    for arm in filter(None, arguments.arms.split(",")):
        begun = time.perf_counter()
        settings = common | ARMS[arm]
        if device == "cpu":
            settings |= SMALL | {"group": {"size": 2}, "update": SMALL_UPDATE}
        config, folder = branch(arm, 0, with_options(settings, arguments.pairs), arguments.out)
        curve = evolve(config, folder, progress=Clock())
        result = {
            "date": str(date.today()), "device": torch.cuda.get_device_name() if device == "cuda" else "CPU",
            "model": arguments.model, "arm": arm, "curve": curve,
            "minutes": {"cloned": cloning, arm: (time.perf_counter() - begun) / 60},
            "settings": config.model_dump(mode="json"),
        }  # fmt: skip
        with EpisodeStore(folder / "episodes.db", readonly=True) as store:
            result["updates"] = store.notes("updates")
        for one in curve:
            keys = ("success", "success_low", "success_high", "steps", "invalid", "errors", "gain_low", "gain_high")
            print(arm, one["iteration"], {key: round(one[key], 3) for key in keys}, flush=True)
        print(f"{arm}: {result['minutes'][arm]:.2f} minutes, updates {result['updates']}", flush=True)
        arguments.results.mkdir(exist_ok=True)
        path = arguments.results / f"gpu_curve-{device}-{arm}-{date.today()}.json"
        path.write_text(json.dumps(result, indent=2) + "\n")


def with_options(settings: dict[str, Any], pairs: list[str]) -> dict[str, Any]:
    """A copy of ``settings`` with what the command line says."""
    found = deepcopy(settings)
    set_options(found, pairs)
    return found


class Clock:
    """Tells when each piece of work begins."""

    def __init__(self) -> None:
        self.begun, self.last = time.perf_counter(), ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Print ``what`` if it is new."""
        name = what.partition(" (")[0]
        if name != self.last:
            print(f"  {time.perf_counter() - self.begun:6.1f} s {name} ({total})", file=sys.stderr, flush=True)
        self.last = name


if __name__ == "__main__":
    main()
