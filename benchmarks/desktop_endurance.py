"""Does the desktop of real applications leave anything behind? Many episodes, played to their end, and then a look.

    python benchmarks/desktop_endurance.py [--episodes 200] [--at-once 4] [--tasks mousepad-append,...]

Episodes in sequence in one environment, then the same number of environments at once as ``--at-once`` says, in threads,
for a tenth of the episodes each. Counted before and after: processes below this one, its file descriptors and mounts,
control groups, folders of the temporary folder, and sockets of displays. Tasks are solved as their templates do.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import threading
import time
from collections import Counter
from datetime import date
from pathlib import Path

from selfgym.benchmarks.speed.endurance import left_behind
from selfgym.envs.core import Outcome
from selfgym.envs.desktop.real.env import DesktopEnv
from selfgym.envs.desktop.real.session import ScreenFailure
from selfgym.envs.desktop.real.spares import SPARES

RESULTS = Path(__file__).resolve().parent / "results"


def play(task: str | None, seeds: range, outcomes: Counter[str], spares: int = 1) -> None:
    """Play the solutions of these seeds, and count how they ended."""
    env = DesktopEnv(task=task, spares=spares, max_steps=100)
    try:
        for seed in seeds:
            try:
                _, info = env.reset(seed=seed)
                for action in env.task.solution(env.nodes):
                    *_, info = env.step(action)
                    if info["outcome"] is not Outcome.RUNNING:
                        break
                outcomes[str(info["outcome"].value)] += 1
            except ScreenFailure:
                outcomes["no screen"] += 1
            except LookupError:  # a solution that does not find what it looks for
                outcomes["lost"] += 1
    finally:
        env.close()


def left() -> dict[str, int]:
    """What there is of this process on the machine."""
    gc.collect()
    displays = Path("/tmp/.X11-unix")
    return left_behind("local") | {
        "folders in the temporary folder": len(os.listdir(tempfile.gettempdir())),
        "sockets of displays": len(list(displays.iterdir())) if displays.exists() else 0,
        "threads": threading.active_count(),
    }


def main() -> None:
    """Play, look, print, and keep the result. Exits with 1 if something was left behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--tasks", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    play(options.tasks, range(1), Counter())  # what is set up once
    SPARES.close()
    before = left()
    sequence: Counter[str] = Counter()
    together: list[Counter[str]] = [Counter() for _ in range(options.at_once)]
    started = time.monotonic()
    play(options.tasks, range(options.episodes), sequence)
    first = time.monotonic() - started
    each = options.episodes // 10
    threads = [
        threading.Thread(target=play, args=(options.tasks, range(1000 * place, 1000 * place + each), counts))
        for place, counts in enumerate(together)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second = time.monotonic() - started - first
    SPARES.close()
    time.sleep(1)
    after = left()
    result = {
        "date": str(date.today()),
        "load": os.getloadavg()[0],
        "in sequence": {"episodes": options.episodes, "seconds": first, "outcomes": dict(sequence)},
        "at once": {
            "environments": options.at_once,
            "episodes": each * options.at_once,
            "seconds": second,
            "outcomes": dict(sum(together, Counter())),
        },
        "before": before,
        "after": after,
    }
    print(json.dumps(result, indent=2))
    path = options.results / f"desktop_endurance-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    raise SystemExit(after != before)


if __name__ == "__main__":
    main()
