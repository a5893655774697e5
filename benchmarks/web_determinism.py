"""Same seed, same bytes: every page of MiniWoB++, played twice in processes and browsers of their own.

    python benchmarks/web_determinism.py [--clicks 5] [--tasks click-pie,chase-circle] [--out FILE]

An episode is a reset and a few clicks, drawn by the seed, on elements that are seen. Two processes take the pages in
order, each in a fresh environment; a third takes them in reverse, in one environment, each page after an episode of it
with another seed, and so shows what an episode leaves. Compared are all observations (text, elements with their boxes,
info) and all pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

SEED = 7
PARTS = ("text", "elements", "screenshot")


def episode(env: Any, clicks: int) -> list[list[str]]:
    """Hashes of observation and picture after the reset and after each click."""
    rng = random.Random(SEED)
    observation, info = env.reset(seed=SEED)
    seen = [_hashes(env, observation, info)]
    for _ in range(clicks):
        if info["outcome"] != "running":
            break
        points = [one["number"] for one in env.look.elements if "point" in one]
        action = f"click({rng.choice(points)})" if points else "mouse_click(80, 120)"
        observation, _, _, _, info = env.step(action)
        seen.append(_hashes(env, observation, info))
    return seen


def _hashes(env: Any, observation: Any, info: dict[str, Any]) -> list[str]:
    words = json.dumps([observation["text"], observation["elements"], info], default=str)
    return [hashlib.sha256(words.encode()).hexdigest()[:16], hashlib.sha256(observation["screenshot"]).hexdigest()[:16]]


def play(tasks: list[str], clicks: int, backwards: bool) -> dict[str, list[list[str]]]:
    """The episodes of all tasks, by task."""
    import gymnasium

    import selfgym  # noqa: F401  (registers the ids)

    found = {}
    env: Any = None
    for task in reversed(tasks) if backwards else tasks:
        if env is None:
            env = gymnasium.make("selfgym/MiniWoB-v0", observe=PARTS).unwrapped
        env.source.tasks = (task,)
        if backwards:
            env.reset(seed=SEED + 1)
            env.step("mouse_click(60, 100)")
        found[task] = episode(env, clicks)
        if not backwards:
            env.close()
            env = None
    return found


def main() -> None:
    """Play in two processes and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clicks", type=int, default=5)
    parser.add_argument("--tasks", default="")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--play", choices=("forwards", "backwards"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    from selfgym.envs.web.miniwob.names import PAGES

    tasks = options.tasks.split(",") if options.tasks else list(PAGES)
    if options.play:
        print(json.dumps(play(tasks, options.clicks, options.play == "backwards")))
        return
    command = [sys.executable, __file__, "--clicks", str(options.clicks), "--tasks", ",".join(tasks), "--play"]
    ways = ("forwards", "forwards", "backwards")
    runs = [json.loads(subprocess.run([*command, way], stdout=subprocess.PIPE, check=True).stdout) for way in ways]
    result: dict[str, Any] = {"date": str(date.today()), "tasks": len(tasks)}
    for name, other in (("fresh", runs[1]), ("used", runs[2])):
        for part, what in enumerate(("observations", "pictures")):
            differ = [
                task for task in tasks if [one[part] for one in runs[0][task]] != [one[part] for one in other[task]]
            ]
            result[f"{what}_equal_{name}"] = len(tasks) - len(differ)
            result[f"{what}_differ_{name}"] = differ
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
