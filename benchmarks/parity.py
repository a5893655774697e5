"""Plays the same commands in ALFWorld's own engine and in ours and prints every difference.

    python benchmarks/parity.py --data $ALFWORLD_DATA --split valid_seen --games 24 --steps 60

Play is random, biased towards interactions, with wrong commands and the walkthrough mixed in; observation, reward,
done, won and the ordered admissible commands are compared after every command. Exits 1 on any difference.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from selfgym.benchmarks.genuine import GenuineEngine, peer_python
from selfgym.envs.household.collection import find_games
from selfgym.envs.household.game import Game, compile_game
from selfgym.envs.household.pddl import load_game_file
from selfgym.envs.household.world import World

_WEIGHTS = {  # of the verbs that are possible, which to try
    "heat": 8, "cool": 8, "clean": 8, "slice": 10, "use": 3, "take": 6, "move": 3, "put": 3, "open": 4, "close": 1,
    "examine": 3, "go": 5, "look": 2, "inventory": 0.3, "help": 0.1,
}  # fmt: skip


def main() -> None:
    """Read the command line, play, report."""
    options = _options()
    games = [Path(file) for file in options.file] or _choose(options)
    rng = random.Random(options.seed)
    tally: Counter[str] = Counter()
    with GenuineEngine(peer_python(options.peer_python), memoise=options.memoise) as genuine:
        for number, path in enumerate(games, 1):
            game = compile_game(load_game_file(path), dialect=options.dialect)
            before = tally["differences"]
            play(game, path, genuine, rng, options, tally)
            print(
                f"{number}/{len(games)} {path.parent.parent.name}: {tally['differences'] - before} differences",
                flush=True,
            )
    verbs = {name: count for name, count in sorted(tally.items()) if name in _WEIGHTS}
    print(f"games {len(games)}, steps {tally['steps']}, wins {tally['wins']}, without effect {tally['nothing']}")
    print(f"verbs: {verbs}")
    print(f"differences: {tally['differences']}")
    sys.exit(1 if tally["differences"] else 0)


def play(
    game: Game, path: Path, genuine: GenuineEngine, rng: random.Random, options: argparse.Namespace, tally: Counter[str]
) -> None:
    """One episode in both engines; differences are printed and counted in ``tally``."""
    world = World(game)
    _compare("reset", world, game.intro, genuine.load(path, options.rules), tally)
    plan = list(game.layout.walkthrough)
    if options.dialect == "0.3":
        plan = [
            command.replace("move ", "put ").replace(" to ", " in/on ") if command[0] == "m" else command
            for command in plan
        ]
    wandering = rng.randrange(options.steps)  # how long before the walkthrough is tried
    for step in range(options.steps):
        follow = plan and step >= wandering and rng.random() < 0.8
        command = plan.pop(0) if follow else choose(world, rng)
        was_won = world.won
        observation = world.step(command)
        tally["wins"] += world.won and not was_won
        tally["nothing" if observation == "Nothing happens." else command.split()[0]] += 1
        tally["steps"] += 1
        if not _compare(command, world, observation, genuine.step(command), tally):
            return


def choose(world: World, rng: random.Random) -> str:
    """An admissible command, rarer verbs more often, or now and then a wrong one."""
    admissible = world.admissible()
    if rng.random() < 0.12:
        return _wrong(world, rng.choice(admissible), rng)
    verbs = sorted({command.split()[0] for command in admissible})
    verb = rng.choices(verbs, [_WEIGHTS[verb] for verb in verbs])[0]
    commands = [command for command in admissible if command.split()[0] == verb]
    telling = [command for command in commands if _is_telling(world, command)]
    return rng.choice(telling if telling and rng.random() < 0.5 else commands)


def _is_telling(world: World, command: str) -> bool:
    """Whether a command leads where random play seldom gets: a knife in hand, a thing examined, a ghost taken."""
    game = world.game
    words = " ".join(command.split()[1:3])
    i = game.thing_index.get(game.id_of.get(words, ""))
    if i is None:
        return False
    ghost = sum(inside >> i & 1 for inside in world.inside) > 1
    changed = (world.hot | world.cool | world.clean | world.sliced) >> i & 1
    return bool(ghost or changed or i == world.held or (game.knives | game.sliceable) >> i & 1)


def _wrong(world: World, command: str, rng: random.Random) -> str:
    game = world.game
    thing = rng.choice([*game.thing_names, *game.receptacle_names])
    place = rng.choice([*game.receptacle_names, *game.thing_names[:3]])
    forms = (
        "go to {0}", "go to {1}", "take {0} from {1}", "move {0} to {1}", "put {0} in/on {1}", "open {1}", "close {1}",
        "examine {0}", "use {0}", "slice {0} with {1}", "heat {0} with {1}", "cool {0} with {1}", "clean {0} with {1}",
        "", "help me", "go {1}", "look at {0}", "take {0}",
    )  # fmt: skip
    local = [game.receptacle_names[r] for r in game.at_place[world.at]]
    return rng.choice(
        [
            command.upper(), command.capitalize(), command.replace(" ", "  ", 1), f"  {command}\n", command + ".",
            rng.choice(forms).format(thing, place),
            *(rng.choice(forms).format(thing, here) for here in local),
        ]
    )  # fmt: skip


def _compare(command: str, world: World, observation: str, genuine: dict[str, Any], tally: Counter[str]) -> bool:
    ours = {"observation": observation, "won": world.won, "admissible": world.admissible()}
    if command != "reset":
        ours |= {"reward": int(world.won), "done": world.won}
    different = [key for key, value in ours.items() if value != genuine[key]]
    for key in different:
        print(f"  after {command!r}: {key}\n    ours    {ours[key]!r}\n    genuine {genuine[key]!r}")
    tally["differences"] += len(different)
    return not different


def _choose(options: argparse.Namespace) -> list[Path]:
    found = [path for split in options.split for path in find_games(options.data, split)]
    return [found[i * len(found) // options.games] for i in range(min(options.games, len(found)))]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="*", help="game files; without any, --games are taken from --data and --split")
    parser.add_argument("--data", help="folder of ALFWorld's games (default: $ALFWORLD_DATA)")
    parser.add_argument("--split", action="append", help="may be given several times (default: valid_unseen)")
    parser.add_argument("--games", type=int, default=24, help="how many games, evenly spaced over the splits")
    parser.add_argument("--steps", type=int, default=50, help="commands per game")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dialect", choices=("0.4", "0.3"), default="0.4", help="the text our side speaks")
    parser.add_argument("--rules", help="folder with another alfred.pddl and alfred.twl2 for the genuine side")
    parser.add_argument("--memoise", action="store_true", help="remember command texts in the genuine engine: faster")
    parser.add_argument("--peer-python", help="interpreter with alfworld and textworld[pddl] (default: made)")
    options = parser.parse_args()
    options.split = options.split or ["valid_unseen"]
    return options


if __name__ == "__main__":
    main()
