"""Steps per second of the household against ALFWorld's own engine, on one core, in one run.

    python benchmarks/household_speed.py --data $ALFWORLD_DATA --split valid_seen

Both engines get the same random admissible commands. They take turns, pinned to the same core; CPU seconds are
compared, medians over the runs. "environment" is the public Gymnasium class with all that its info holds, "engine" the
`World` below it. Without --data, households of our own generator are exported and played. Also measured: resetting a
compiled game, and the resident memory of a process with 1,000 environments of which each has played 20 steps. Writes
results/household_speed-<date>.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from selfgym.benchmarks.genuine import GenuineEngine, peer_python
from selfgym.envs.household.collection import find_games, load_compiled
from selfgym.envs.household.env import AlfWorldEnv, HouseholdEnv
from selfgym.envs.household.export import export_layouts, find_rules
from selfgym.envs.household.generate import generate_layout
from selfgym.envs.household.world import World

RESULTS = Path(__file__).parent / "results"
EPISODE = 50  # steps
_Streams = list[tuple[Path, list[str]]]  # a game file and the commands to play in it


def main() -> None:
    """Measure, print the table, write the file."""
    options = _options()
    if options.memory_of:
        print(json.dumps(_memory(options.memory_of, options.data, options.split)))
        return
    os.sched_setaffinity(0, {options.core})
    python = peer_python(options.peer_python)
    with tempfile.TemporaryDirectory() as folder:
        games = _games(options, python, Path(folder))
        result = _measure(games, python, options)
        memory = {"household": _memory_in_new_process("household", options)}
        if options.data:
            memory["alfworld"] = _memory_in_new_process("alfworld", options)
    result |= {"memory_mb_of_1000_environments": memory, "machine": _machine(), "command": " ".join(sys.argv)}
    _report(result)
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"household_speed-{date.today().isoformat()}.json"
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written: {target}")


def _measure(games: list[Path], python: Path, options: argparse.Namespace) -> dict[str, object]:
    streams = _draw_streams(games)
    ours: dict[str, list[float]] = {}
    genuine: dict[str, list[float]] = {"steps/s": [], "steps/s, admissible": [], "load and reset, s": []}
    with (
        GenuineEngine(python, core=options.core, admissible=False) as plain,
        GenuineEngine(python, core=options.core) as listing,
    ):
        for run in range(options.runs):
            path, commands = streams[run * (len(streams) // options.runs or 1) % len(streams)]
            for name, engine in (("steps/s", plain), ("steps/s, admissible", listing)):
                genuine["load and reset, s"].append(engine.load(path)["seconds"])
                spent = sum(engine.step(command)["seconds"] for command in commands)
                genuine[name].append(len(commands) / spent)
            for name, measured in _our_run(streams).items():
                ours.setdefault(name, []).append(measured)
            print(f"run {run + 1}/{options.runs} done", flush=True)
    middle = {name: statistics.median(values) for name, values in ours.items()}
    theirs = {name: statistics.median(values) for name, values in genuine.items()}
    ratios = {
        name: middle[name] / theirs["steps/s, admissible" if "admissible" in name else "steps/s"]
        for name in middle
        if "steps/s" in name
    }
    return {"ours": middle, "genuine": theirs, "ratios": ratios, "runs": {"ours": ours, "genuine": genuine}}


def _our_run(streams: _Streams) -> dict[str, float]:
    """One turn of ours over all streams: steps/s by kind, and the microseconds of a reset."""
    measured = {}
    for name, admissible in (("environment steps/s", False), ("environment steps/s, admissible", True)):
        env = AlfWorldEnv(streams[0][0], admissible_commands=admissible)
        measured[name] = _steps_per_second(streams, partial(_begin_env, env))
    measured["engine steps/s"] = _steps_per_second(streams, lambda path: World(load_compiled(path)).step)
    measured["engine steps/s, admissible"] = _steps_per_second(streams, _begin_listing)
    worlds = [World(load_compiled(path)) for path, _ in streams]
    env = AlfWorldEnv(streams[0][0])
    choices = [{"game": path} for path, _ in streams]
    measured["reset of a world, us"] = _microseconds(lambda i: worlds[i % len(worlds)].reset())
    measured["reset of an environment, us"] = _microseconds(lambda i: env.reset(options=choices[i % len(choices)]))
    return measured


def _steps_per_second(streams: _Streams, begin: Callable[[Path], Callable[[str], object]]) -> float:
    """CPU steps per second, episode starts included, of at least half a second of play."""
    steps, began = 0, time.process_time()
    while time.process_time() - began < 0.5:
        for path, commands in streams:
            step = begin(path)
            for command in commands:
                step(command)
            steps += len(commands)
    return steps / (time.process_time() - began)


def _begin_env(env: AlfWorldEnv, path: Path) -> Callable[[str], object]:
    env.reset(options={"game": path})
    return env.step


def _begin_listing(path: Path) -> Callable[[str], object]:
    world = World(load_compiled(path))
    return lambda command: (world.step(command), world.admissible())


def _microseconds(act: Callable[[int], object], times: int = 5000) -> float:
    began = time.process_time()
    for i in range(times):
        act(i)
    return (time.process_time() - began) / times * 1e6


def _draw_streams(games: list[Path]) -> _Streams:
    """Random admissible commands for every game: an episode, or less where it is won."""
    rng = random.Random(0)
    streams = []
    for path in games:
        world = World(load_compiled(path))
        commands: list[str] = []
        while len(commands) < EPISODE and not world.won:
            commands.append(rng.choice(world.admissible()))
            world.step(commands[-1])
        streams.append((path, commands))
    return streams


def _games(options: argparse.Namespace, python: Path, folder: Path) -> list[Path]:
    if options.data:
        found = find_games(options.data, options.split)
        return [found[i * len(found) // options.games] for i in range(min(options.games, len(found)))]
    asked = [
        str(python),
        "-c",
        "import importlib.util as u; print(u.find_spec('alfworld').submodule_search_locations[0])",
    ]
    package = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
    layouts = [generate_layout(seed, size="medium", split="speed") for seed in range(options.games)]
    return export_layouts(layouts, folder, rules=find_rules(package / "data"))


def _memory_in_new_process(kind: str, options: argparse.Namespace) -> float:
    command = [sys.executable, __file__, "--memory-of", kind, "--split", options.split]
    command += ["--data", options.data] if options.data else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))


def _memory(kind: str, data: str | None, split: str) -> float:
    """Resident megabytes of this process with 1,000 environments that differ in their games and have played."""
    envs = [HouseholdEnv(size="medium") if kind == "household" else AlfWorldEnv(data, split) for _ in range(1000)]
    rng = random.Random(0)
    for number, env in enumerate(envs):
        env.reset(seed=number)
        for _ in range(20):
            _, _, terminated, truncated, _ = env.step(rng.choice(env.world.admissible()))
            if terminated or truncated:
                env.reset()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _machine() -> dict[str, str | int | None]:
    return {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}


def _report(result: dict[str, object]) -> None:
    for part in ("ours", "genuine", "ratios", "memory_mb_of_1000_environments"):
        print(part)
        values = result[part]
        if isinstance(values, dict):
            for name, value in values.items():
                print(f"  {name:36} {value:>16,.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("ALFWORLD_DATA"), help="folder of ALFWorld's games")
    parser.add_argument("--split", default="valid_seen")
    parser.add_argument("--games", type=int, default=20, help="how many games, evenly spaced over the split")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--peer-python", help="interpreter with alfworld and textworld[pddl] (default: made)")
    parser.add_argument("--memory-of", choices=("household", "alfworld"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
