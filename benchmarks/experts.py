"""How well and how fast the household experts are, by size and task type, and how long the texts are.

    python benchmarks/experts.py --games 200
    python benchmarks/experts.py --games 200 --data $ALFWORLD_DATA --split valid_seen

Columns: mean commands of the oracle (optimal) and of the explorer, the explorer's success within 50 commands, the same
after 10 random commands by somebody else (told what happened; without the games that those made hopeless: a genuine
papertowelroll in hand fits nowhere), CPU microseconds; characters of the intro, of an observation and of the admissible
commands joined by newlines. Writes results/experts-<date>.json.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from selfgym.envs.household.collection import find_games
from selfgym.envs.household.explorer import Explorer
from selfgym.envs.household.game import Game, compile_game
from selfgym.envs.household.generate import SIZES, generate_layout
from selfgym.envs.household.layout import TaskType
from selfgym.envs.household.oracle import NoPlanError, shortest_plan
from selfgym.envs.household.pddl import load_game_file
from selfgym.envs.household.world import World

LIMIT = 50


def main() -> None:
    """Read the command line, measure, report."""
    options = _options()
    rows = []
    for name, games in _sets(options):
        for kind in TaskType:
            chosen = [game for game in games if game.goal.kind is kind]
            if chosen:
                rows.append(measure(name, kind.value, chosen))
                print(_line(rows[-1]), flush=True)
        rows.append(measure(name, "all", games))
        print(_line(rows[-1]), flush=True)
    report = {"command": " ".join(sys.argv), "limit": LIMIT, "rows": rows}
    target = Path(__file__).with_name("results") / f"experts-{date.today()}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n")


def measure(name: str, kind: str, games: list[Game]) -> dict[str, str | float]:
    """One row of the table."""
    oracle_time = 0.0
    plans, runs, taken_over = [], [], []
    lengths: dict[str, list[int]] = {"intro": [], "observation": [], "admissible": []}
    for number, game in enumerate(games):
        world = World(game)
        began = time.process_time()
        plans.append(len(shortest_plan(world)))
        oracle_time += time.process_time() - began
        runs.append(_explore(world, world.reset(), Explorer(), lengths))
        explorer, text = _after_another(world, random.Random(number))
        if _is_hopeless(world):
            continue
        taken_over.append(_explore(world, text, explorer, None))
    steps = sum(steps for _, steps, _ in runs)
    return {
        "set": name,
        "type": kind,
        "games": len(games),
        "oracle commands": sum(plans) / len(plans),
        "explorer commands": steps / len(runs),
        "explorer success": sum(won for won, _, _ in runs) / len(runs),
        "hopeless after 10 random": len(games) - len(taken_over),
        "success after 10 random": sum(won for won, _, _ in taken_over) / len(taken_over),
        "oracle us a plan": 1e6 * oracle_time / len(games),
        "explorer us a command": 1e6 * sum(seconds for _, _, seconds in runs) / max(steps, 1),
        **{f"{what} characters": sum(found) / len(found) for what, found in lengths.items()},
    }


def _explore(
    world: World, text: str, explorer: Explorer, lengths: dict[str, list[int]] | None
) -> tuple[bool, int, float]:
    """Let the explorer play; returns whether it won, its commands and its own seconds."""
    seconds, steps = 0.0, 0
    while not world.won and steps < LIMIT:
        menu = world.admissible()
        if lengths is not None:
            lengths["observation" if steps else "intro"].append(len(text))
            lengths["admissible"].append(len("\n".join(menu)))
        began = time.process_time()
        command = explorer.act(text, {"task": world.game.task, "admissible_commands": menu})
        seconds += time.process_time() - began
        text = world.step(command)
        steps += 1
    return world.won, steps, seconds


def _after_another(world: World, rng: random.Random) -> tuple[Explorer, str]:
    explorer, text = Explorer(), world.reset()
    for _ in range(10):
        command = rng.choice(world.admissible())
        explorer.observe(text, command)
        text = world.step(command)
    return explorer, text


def _is_hopeless(world: World) -> bool:
    try:
        shortest_plan(world)
    except NoPlanError:
        return True
    return False


def _sets(options: argparse.Namespace) -> Iterator[tuple[str, list[Game]]]:
    if options.data:
        paths = find_games(options.data, options.split)
        yield options.split, [compile_game(load_game_file(path)) for path in paths[: options.games]]
    for size in options.sizes:
        layouts = (generate_layout(number, size=size, split="experts") for number in range(options.games))
        yield size, [compile_game(layout) for layout in layouts]


def _line(row: dict[str, str | float]) -> str:
    return "  ".join(f"{key} {value:.4g}" if isinstance(value, float) else str(value) for key, value in row.items())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=200, help="households of each size")
    parser.add_argument("--sizes", nargs="*", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--data", help="folder of ALFWorld's games, to measure on those too")
    parser.add_argument("--split", default="valid_seen")
    return parser.parse_args()


if __name__ == "__main__":
    main()
