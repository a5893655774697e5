"""What a step and a reset of a text game cost, beside TextArena's where it has the game.

    python benchmarks/speed/games.py --install   # once: TextArena, in an environment of its own
    python benchmarks/speed/games.py --runs 7

One process. A step is a command drawn at random among the admissible ones (drawing is not timed); in games for two
it includes the opponent's answer. Every step also lists the admissible commands. A reset makes a new task. Each
level is measured; runs of both sides take turns, so that a busy moment of the machine falls on both. TextArena's games
for two have no opponent, so that one of its steps is one player's move; its Sokoban has 6 x 6 places and 3 boxes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import gymnasium

import selfgym  # noqa: F401 - registers the environments
from selfgym.benchmarks.speed.peer import Peer
from selfgym.envs.games.countdown import right_first_moves

RESULTS = Path(__file__).resolve().parent.parent / "results"
HERE = Path(__file__).resolve().parent
PEER = Path("/opt/peers/games")
PACKAGE = "textarena==0.7.4"
GAMES = ("TextCraft", "Sokoban", "Countdown", "Game24", "BlocksWorld", "TicTacToe", "KuhnPoker", "Negotiation")
BESIDE = {"TicTacToe": 3, "KuhnPoker": 2, "Sokoban": 1, "Countdown": 3}
"""The games that TextArena has, with the level of ours that is nearest."""


def measure(game: str, level: int, steps: int, resets: int, seed: int) -> dict[str, float]:
    """Steps and resets a second of one environment."""
    env, rng = gymnasium.make(f"selfgym/{game}-v0", level=level).unwrapped, Random(seed)
    right_first_moves.cache_clear()  # of the Game of 24, whose resets would be quick from the second run on
    stepping, done, number = 0.0, 0, 1_000_000 * seed
    while done < steps:
        _, info = env.reset(seed=number)
        number += 1
        while info["outcome"] == "running" and done < steps:
            action = rng.choice(info["admissible_commands"])
            before = time.perf_counter()
            *_, info = env.step(action)
            stepping += time.perf_counter() - before
            done += 1
    before = time.perf_counter()
    for fresh in range(resets):
        env.reset(seed=1_000_000 * seed + 500_000 + fresh)
    return {"steps_a_second": done / stepping, "resets_a_second": resets / (time.perf_counter() - before)}


def rows(runs: int, steps: int, resets: int, peer: Peer | None) -> list[dict[str, Any]]:
    """One row for each game and level: medians, all runs, and the medians of the ratios to the peer's run beside it."""
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    theirs: dict[str, list[dict[str, float]]] = {}
    for seed in range(1, runs + 1):
        for game in GAMES:
            levels = len(gymnasium.make(f"selfgym/{game}-v0").unwrapped.game.steps)  # type: ignore[attr-defined]
            for level in range(1, levels + 1):
                found.setdefault((game, level), []).append(measure(game, level, steps, resets, seed))
            if peer is not None and game in BESIDE:
                theirs.setdefault(game, []).append(peer.ask("measure", game=game, steps=steps, seed=seed))
    told = []
    for (game, level), ours in found.items():
        row: dict[str, Any] = {"game": game, "level": level}
        for what in ("steps_a_second", "resets_a_second"):
            row[what] = round(statistics.median(run[what] for run in ours))
            row[f"{what}_runs"] = [round(run[what]) for run in ours]
            if game in theirs and BESIDE[game] == level:
                pairs = [(one[what], other[what]) for one, other in zip(ours, theirs[game], strict=True)]
                row[f"textarena_{what}"] = round(statistics.median(other for _, other in pairs))
                row[f"ratio_{what}"] = round(statistics.median(one / other for one, other in pairs), 2)
        told.append(row)
    return told


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--steps", type=int, default=2_000, help="of a run")
    parser.add_argument("--resets", type=int, default=100, help="of a run")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--install", action="store_true", help="install TextArena first")
    arguments = parser.parse_args()
    if arguments.install and not (PEER / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEER)], check=True)
        subprocess.run([str(PEER / "bin" / "pip"), "install", "--quiet", PACKAGE], check=True)
    python = PEER / "bin" / "python"
    peer = Peer([str(python), str(HERE / "peers" / "play_textarena.py")]) if python.exists() else None
    load = os.getloadavg()[0]
    try:
        told = rows(arguments.runs, arguments.steps, arguments.resets, peer)
    finally:
        if peer is not None:
            peer.close()
    for row in told:
        line = f"{row['game']:12} level {row['level']}  {row['steps_a_second']:8,} steps/s  "
        line += f"{row['resets_a_second']:7,} resets/s"
        if "ratio_steps_a_second" in row:
            line += f"  TextArena {row['textarena_steps_a_second']:7,} and {row['textarena_resets_a_second']:7,}"
            line += f"  ratios {row['ratio_steps_a_second']} and {row['ratio_resets_a_second']}"
        print(line)
    result = {
        "date": str(date.today()),
        "machine": f"{os.cpu_count()} cores, load {load:.1f} to {os.getloadavg()[0]:.1f}, {platform.release()}",
        "peer": PACKAGE if peer is not None else None,
        "steps": arguments.steps,
        "resets": arguments.resets,
        "rows": told,
    }
    arguments.results.mkdir(exist_ok=True)
    path = arguments.results / f"games_speed-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
