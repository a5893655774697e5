"""Plays households of our generator in ALFWorld's own engine and prints every difference to ours.

    python benchmarks/genuine_play.py --sizes tiny small medium large --per-type 1 --steps 30

Every household is exported to a game file; ALFWorld's loader must take all of them; the walkthrough must win there in
as many steps as here; then random play (with wrong commands mixed in) is compared as benchmarks/parity.py does it.
Exits 1 on any difference. Writes results/genuine_play-<date>.json.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from selfgym.benchmarks.genuine import GenuineEngine, peer_python
from selfgym.benchmarks.parity import play
from selfgym.envs.household.export import Rules, export_layouts, find_rules
from selfgym.envs.household.game import Game, compile_game
from selfgym.envs.household.generate import SIZES, generate_layout
from selfgym.envs.household.layout import Layout, TaskType
from selfgym.envs.household.world import World

_COLLECT = """
import sys, json
from alfworld.agents.environment.alfred_tw_env import AlfredTWEnv
config = {"env": {"goal_desc_human_anns_prob": 0, "task_types": [1, 2, 3, 4, 5, 6]},
          "dataset": {"data_path": sys.argv[1], "num_train_games": -1}}
print(json.dumps(sorted(AlfredTWEnv(config).game_files)))
"""


def main() -> None:
    """Read the command line, export, play, report."""
    options = _options()
    python = peer_python(options.peer_python)
    tally: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        layouts = list(_layouts(options))
        paths = export_layouts(layouts, folder, rules=_rules(python))
        tally["differences"] += _check_loader(python, folder, paths)
        with GenuineEngine(python, memoise=options.memoise) as genuine:
            for number, (layout, path) in enumerate(zip(layouts, paths, strict=True), 1):
                before = tally["differences"]
                game = compile_game(layout)
                _walk(game, path, genuine, tally)
                rng = random.Random(f"{options.seed} {layout.name}")
                play(
                    game, path, genuine, rng, argparse.Namespace(rules=None, dialect="0.4", steps=options.steps), tally
                )
                print(
                    f"{number}/{len(paths)} {layout.name}: {tally['differences'] - before} differences",
                    flush=True,
                )
    report = {"command": " ".join(sys.argv), "games": len(paths), **dict(sorted(tally.items()))}
    print(json.dumps(report, indent=1))
    target = Path(__file__).with_name("results") / f"genuine_play-{date.today()}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(1 if tally["differences"] else 0)


def _layouts(options: argparse.Namespace) -> Iterator[Layout]:
    for size in options.sizes:
        for task_type in TaskType:
            for number in range(options.per_type):
                yield generate_layout(options.seed + number, size=size, task_type=task_type, split="genuine")


def _rules(python: Path) -> Rules:
    """The rules of the ALFWorld that is going to play."""
    script = "import importlib.util as u; print(list(u.find_spec('alfworld').submodule_search_locations)[0])"
    package = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    return find_rules(Path(package) / "data")


def _check_loader(python: Path, folder: str, paths: list[Path]) -> int:
    """Whether ALFWorld's own loader collects exactly the files that were written."""
    output = subprocess.run([python, "-c", _COLLECT, folder], capture_output=True, text=True, check=True).stdout
    taken = json.loads(output.strip().splitlines()[-1])
    missing = {str(path) for path in paths} ^ set(taken)
    print(f"ALFWorld's loader takes {len(taken)} of {len(paths)} games")
    return len(missing)


def _walk(game: Game, path: Path, genuine: GenuineEngine, tally: Counter[str]) -> None:
    """The walkthrough in both engines."""
    world = World(game)
    answer = genuine.load(path)
    same = (answer["observation"], answer["admissible"]) == (game.intro, world.admissible())
    for command in json.loads(path.read_text("utf-8"))["walkthrough"]:
        observation, answer = world.step(command), genuine.step(command)
        ours = (observation, world.won, world.admissible())
        same = same and ours == (answer["observation"], answer["won"], answer["admissible"])
        tally["walkthrough steps"] += 1
    if not (same and answer["won"]):
        print(f"  the walkthrough of {path} goes another way in the genuine engine (won: {answer['won']})")
        tally["differences"] += 1
    tally["walkthroughs won"] += bool(answer["won"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=["tiny", "small", "medium", "large"])
    parser.add_argument("--per-type", type=int, default=1, help="households of each task type and size")
    parser.add_argument("--steps", type=int, default=30, help="random commands per household")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memoise", action="store_true", help="remember command texts in the genuine engine: faster")
    parser.add_argument("--peer-python", help="interpreter with alfworld and textworld[pddl] (default: made)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
