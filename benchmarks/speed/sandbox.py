"""What a sandbox costs: ``print(1)`` through everything that could run it, in one run, and what sessions weigh.

    python benchmarks/speed/sandbox.py [--runs 200] [--seconds 5]

Ways of running are taken in turn, so that a busy moment of the machine falls on all of them. *Sustained* is two client
processes at once, each with a session of its own. A new session is opened, runs one program, and is closed. Memory is
the proportional share (PSS) of every process of 64 sessions that have each run a program. Docker's rows need an engine
(DOCKER_HOST) and are left out, loudly, where none answers.
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
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.local import find_bwrap
from selfgym.envs.sandbox.opening import open_sandbox

PROGRAM = "print(1)"
SESSIONS = 64
FEWER = {"docker run": 20, "docker, new session": 20}  # runs of what takes too long for more
RESULTS = Path(__file__).resolve().parent.parent / "results"


def ways(stack: ExitStack, docker: bool) -> dict[str, Callable[[], None]]:
    """What is compared: each runs the program once. ``stack`` closes what they need open."""
    bwrap = find_bwrap()
    assert bwrap is not None
    walls = [bwrap, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    python = [sys.executable, "-c", PROGRAM]
    local = stack.enter_context(open_sandbox())
    found: dict[str, Callable[[], None]] = {
        "subprocess python -c": lambda: _run(python),
        "bwrap python -c": lambda: _run([*walls, *python]),
        "local, warm": lambda: _check(local.exec(PROGRAM).stdout),
        "local, python -c inside": lambda: _check(local.exec(["python", "-c", PROGRAM]).stdout),
        "local, new session": lambda: _new("local"),
    }
    if docker:
        found |= _docker_ways(stack)
    return found


def _docker_ways(stack: ExitStack) -> dict[str, Callable[[], None]]:
    from selfgym.envs.sandbox import image
    from selfgym.envs.sandbox.container import connect

    client = connect()
    stack.callback(client.close)
    tag = image.build_image(client)
    options = {"network_mode": "none", "cap_drop": ["ALL"], "read_only": True, "user": "1000:1000"}
    sleeper = client.containers.run(tag, ["sleep", "100000"], detach=True, remove=True, **options)
    stack.callback(sleeper.kill)
    python = ["python3", "-c", PROGRAM]
    warm = stack.enter_context(open_sandbox("docker"))
    return {
        "docker, warm": lambda: _check(warm.exec(PROGRAM).stdout),
        "docker exec": lambda: _check(sleeper.exec_run(python).output),
        "docker run": lambda: _check(client.containers.run(tag, python, remove=True, **options)),
        "docker, new session": lambda: _new("docker"),
    }


def _run(command: list[str]) -> None:
    _check(subprocess.run(command, capture_output=True, check=True).stdout)


def _check(output: bytes) -> None:
    if output != b"1\n":
        raise RuntimeError(f"the program printed {output!r}")


def _new(backend: Any) -> None:
    with open_sandbox(backend) as sandbox:
        _check(sandbox.exec(PROGRAM).stdout)


def latency(runs: int, docker: bool) -> dict[str, dict[str, float]]:
    """Milliseconds of each way, taken in turn."""
    with ExitStack() as stack:
        compared = ways(stack, docker)
        times: dict[str, list[float]] = {name: [] for name in compared}
        counts = {name: min(runs, FEWER.get(name, runs)) for name in compared}
        for call in compared.values():
            call()
        for turn in range(runs):
            for name, call in compared.items():
                if turn * counts[name] // runs != (turn + 1) * counts[name] // runs:
                    before = time.perf_counter()
                    call()
                    times[name].append(1e3 * (time.perf_counter() - before))
    return {
        name: {
            "runs": len(taken),
            "median": statistics.median(taken),
            "p90": statistics.quantiles(taken, n=10)[-1],
            "least": min(taken),
        }
        for name, taken in times.items()
    }


def sustained(seconds: float, docker: bool) -> dict[str, float]:
    """Programs a second of two client processes, way by way."""
    with ExitStack() as stack:
        names = list(ways(stack, docker))
    rates = {}
    context = get_context("spawn")
    for name in names:
        barrier, counts = context.Barrier(2), context.Queue()
        clients = [context.Process(target=_client, args=(name, docker, seconds, barrier, counts)) for _ in range(2)]
        for client in clients:
            client.start()
        rates[name] = sum(counts.get() for _ in clients) / seconds
        for client in clients:
            client.join()
    return rates


def _client(name: str, docker: bool, seconds: float, barrier: Any, counts: Any) -> None:
    with ExitStack() as stack:
        call = ways(stack, docker)[name]
        call()
        barrier.wait()
        end, count = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            call()
            count += 1
        counts.put(count)


def weight() -> dict[str, float]:
    """Megabytes of `SESSIONS` local sessions, and of how many processes."""
    with ExitStack() as stack:
        sandboxes = [stack.enter_context(open_sandbox()) for _ in range(SESSIONS)]
        for sandbox in sandboxes:
            sandbox.exec(PROGRAM)
        time.sleep(1)
        shares = [_share(pid) for pid in descendants(os.getpid())]
    return {"sessions": SESSIONS, "processes": len(shares), "megabytes": sum(shares) / 2**20}


def descendants(pid: int) -> list[int]:
    """All descendants of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def _share(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def engine_answers() -> bool:
    """Whether Docker's rows can be had; says so if not."""
    try:
        from selfgym.envs.sandbox.container import connect

        connect().close()
    except SandboxUnavailable as error:
        print(f"DOCKER'S ROWS ARE LEFT OUT: {error}", file=sys.stderr)
        return False
    return True


def ratios(result: dict[str, Any]) -> dict[str, float]:
    """What the issue asks about: how many times faster or slower, by medians of this run."""
    took = {name: row["median"] for name, row in result["milliseconds"].items()}
    rate = result["per_second"]
    found = {"new local session / python -c": took["local, new session"] / took["subprocess python -c"]}
    if "docker exec" in took:
        for name in ("local, warm", "docker, warm"):
            found[f"docker exec / {name}"] = took["docker exec"] / took[name]
            found[f"{name} / docker exec, sustained"] = rate[name] / rate["docker exec"]
    return found


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    docker = engine_answers()
    result: dict[str, Any] = {
        "date": str(date.today()),
        "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.release()}",
        "milliseconds": latency(arguments.runs, docker),
        "per_second": sustained(arguments.seconds, docker),
        "memory": weight(),
    }
    result["ratios"] = ratios(result)
    for name, row in result["milliseconds"].items():
        print(
            f"{name:26} median {row['median']:8.2f} ms  p90 {row['p90']:8.2f}  least {row['least']:8.2f}  "
            f"({row['runs']} runs)  two clients {result['per_second'][name]:7.1f}/s"
        )
    print("{sessions} sessions: {megabytes:.0f} MB in {processes} processes".format(**result["memory"]))
    for name, value in result["ratios"].items():
        print(f"{name}: {value:.1f}x")
    arguments.results.mkdir(exist_ok=True)
    path = arguments.results / f"sandbox-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
