"""What a step at a desktop costs: steps a second of one process, by random clicks and by tasks that are solved.

    python benchmarks/speed/desktop.py --world mini --runs 5

Only `step` is timed. An observation is kept until the next one has come, as an agent keeps it, so that every picture
is a copy of its own. Clicks fall anywhere on the screen, by a seeded generator: in episodes of 30 steps, which is what
the environment ends them after, and of 1,000, in which up to ten windows pile up. Solutions are those that tasks have.
Settings are taken in turn, so that a busy moment of the machine falls on all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from selfgym.envs.desktop.actions import Action, Click
from selfgym.envs.desktop.mini.env import MiniDesktopEnv
from selfgym.envs.desktop.mini.tasks.catalogue import TEMPLATES

RESULTS = Path(__file__).resolve().parent.parent / "results"
VIEWS: dict[str, dict[str, Any]] = {
    "pixels 1280x720": {"observe": ("pixels",)},
    "pixels 640x480": {"observe": ("pixels",), "width": 640, "height": 480},
    "tree 1280x720": {"observe": ("tree",)},
    "tree and pixels 1280x720": {"observe": ("tree", "pixels")},
    "nothing 1280x720": {"observe": ()},
}
"""What is observed of the small desktop, and how large it is."""


def timed(env: MiniDesktopEnv, actions: Iterable[Action]) -> Iterator[float]:
    """Seconds that each step took, until an episode ends."""
    for action in actions:
        before = time.perf_counter()
        answer = env.step(action)
        yield time.perf_counter() - before
        if answer[2] or answer[3]:
            return


def clicking(options: dict[str, Any], seed: int, steps: int, episode: int) -> float:
    """Steps a second of random clicks, in episodes of so many."""
    env, rng = MiniDesktopEnv(**options, max_steps=episode), Random(seed)
    took: list[float] = []
    for number in range(max(1, steps // episode)):
        env.reset(seed=1_000 * seed + number)
        clicks = [Click(rng.randrange(env.width), rng.randrange(env.height)) for _ in range(episode)]
        took += timed(env, clicks)
    return len(took) / sum(took)


def solving(options: dict[str, Any], seed: int) -> float:
    """Steps a second of the solutions of every kind of task; they look at the elements between the steps."""
    took: list[float] = []
    for name in TEMPLATES:
        env = MiniDesktopEnv(**options, task=name, max_steps=100)
        env.reset(seed=seed)
        took += timed(env, env.task.solution(env.nodes))
    return len(took) / sum(took)


def mini(runs: int, steps: int, views: Iterable[str]) -> list[dict[str, Any]]:
    """The small desktop."""
    ways: dict[tuple[str, str], Callable[[int], float]] = {}
    for view in views:
        options = VIEWS[view]
        many = steps if "pixels" in options["observe"] else 10 * steps
        for episode in (30, 1_000):
            ways[view, f"clicks, episodes of {episode:,}"] = partial(clicking, options, steps=many, episode=episode)
        ways[view, "solutions"] = partial(solving, options)
    found: dict[tuple[str, str], list[float]] = {what: [] for what in ways}
    for seed in range(runs):
        for what, measure in ways.items():
            found[what].append(round(measure(seed)))
    return [
        {"observed": view, "actions": actions, "steps_a_second": statistics.median(rates), "runs": rates}
        for (view, actions), rates in found.items()
    ]


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", choices=["mini"], default="mini")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2_000, help="of a run of clicks; ten times as many without pixels")
    parser.add_argument("--views", default=",".join(VIEWS), help="what is observed, separated by commas")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    rows = mini(arguments.runs, arguments.steps, arguments.views.split(","))
    for row in rows:
        print(
            f"{row['observed']:26} {row['actions']:26} median {row['steps_a_second']:9,.0f} steps/s  "
            f"least {min(row['runs']):9,.0f}  most {max(row['runs']):9,.0f}  ({len(row['runs'])} runs)"
        )
    result = {
        "date": str(date.today()),
        "machine": f"{os.cpu_count()} cores, load {load:.1f} to {os.getloadavg()[0]:.1f}, {platform.release()}",
        "steps": arguments.steps,
        arguments.world: rows,
    }
    arguments.results.mkdir(exist_ok=True)
    path = arguments.results / f"desktop_speed-{arguments.world}-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
