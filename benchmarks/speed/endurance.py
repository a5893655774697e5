"""Does a sandbox leave anything behind? Many executions and many sessions in a row, and what is there before and after.

    python benchmarks/speed/endurance.py [--backend local] [--executions 10000] [--sessions 500]

Counted: processes below this one, its file descriptors, mounts, control groups, our folders in the temporary folder,
and containers. Every fifth program leaves a daemon and files behind, every seventh runs into its time limit, so that
there is something to clean up.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from selfgym.benchmarks.speed.sandbox import descendants
from selfgym.envs.sandbox import cgroups
from selfgym.envs.sandbox.limits import Limits
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox

MESSY = """
import os, time
open(f"/tmp/{os.urandom(4).hex()}", "w").write("x" * 1000)
if os.fork() == 0:
    os.setsid()
    time.sleep(1000)
"""
ENDLESS = "while True: pass"
RESULTS = Path(__file__).resolve().parent.parent / "results"


def left_behind(backend: str) -> dict[str, int]:
    """What of this process there is on the machine."""
    gc.collect()
    found = {
        "processes": len(descendants(os.getpid())),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "mounts": len(Path("/proc/self/mountinfo").read_text().splitlines()),
        "control groups": _groups(),
        "temporary folders": sum(name.startswith("selfgym-") for name in os.listdir(tempfile.gettempdir())),
    }
    if backend == "docker":
        from selfgym.envs.sandbox.container import connect

        client = connect()
        found["containers"] = len(client.api.containers(all=True, filters={"label": "selfgym.owner"}))
        client.close()
    return found


def _groups() -> int:
    where = cgroups.hierarchy()
    folders = set(where.folders.values()) if where is not None else set()
    return sum(len(list(folder.glob(f"selfgym-{os.getpid()}-*"))) for folder in folders)


def use(sandbox: Sandbox, number: int) -> None:
    """One execution, some of them messy."""
    if number % 7 == 6:
        assert sandbox.exec(ENDLESS, timeout=0.05).limit == "timeout"
    elif number % 5 == 4:
        assert sandbox.exec(MESSY).ok
    else:
        assert sandbox.exec("print(1)").stdout == b"1\n"


def main() -> None:
    """Measure, print, and keep the result. Exits with 1 if something was left behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=("local", "docker"), default="local")
    parser.add_argument("--executions", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    limits = Limits(files=arguments.executions + 100)
    with open_sandbox(arguments.backend) as warm_up:
        use(warm_up, 0)
    before = left_behind(arguments.backend)
    started = time.perf_counter()
    with open_sandbox(arguments.backend, limits=limits) as sandbox:
        for number in range(arguments.executions):
            use(sandbox, number)
    executing = time.perf_counter() - started
    for number in range(arguments.sessions):
        with open_sandbox(arguments.backend) as sandbox:
            use(sandbox, number)
    opening = time.perf_counter() - started - executing
    time.sleep(1)
    after = left_behind(arguments.backend)
    result: dict[str, Any] = {
        "date": str(date.today()),
        "backend": arguments.backend,
        "executions": arguments.executions,
        "sessions": arguments.sessions,
        "seconds": {"executions": executing, "sessions": opening},
        "before": before,
        "after": after,
    }
    print(f"{arguments.backend}: {arguments.executions} executions in {executing:.0f} s, ", end="")
    print(f"{arguments.sessions} sessions in {opening:.0f} s")
    for what, count in before.items():
        print(f"  {what:18} before {count:4}  after {after[what]:4}")
    arguments.results.mkdir(exist_ok=True)
    path = arguments.results / f"endurance-{arguments.backend}-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    raise SystemExit(after != before)


if __name__ == "__main__":
    main()
