"""How the peers of benchmarks/speed/web_peers.py speak: a JSON object a line in and out, a clock around each call.

Needs nothing but Python, as it runs in the peers' own environments. A player has a method for each of ``CALLS``; what
the method returns is the answer. An answer with ``failed`` in it is an exception, in words.
"""

import json
import os
import re
import subprocess
import sys
import time
import traceback
from importlib.metadata import version
from pathlib import Path

CALLS = ("make", "reset", "step", "noop", "check_env", "versions", "close")
MARK = "SELFGYM_PEER"
"""The variable that everything started by a peer inherits, so that none of it can get lost."""


def timed(call, *arguments, **keywords):
    """What the call returned, and the milliseconds that it took."""
    before = time.perf_counter()
    returned = call(*arguments, **keywords)
    return returned, 1e3 * (time.perf_counter() - before)


def serve(player):
    """Answer calls until ``close`` or the end of the input. What else the process prints goes to its errors."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        call = json.loads(line)
        do = call.pop("do")
        try:
            if do == "memory":
                told = memory()
            elif do in CALLS:
                told = getattr(player, do)(**call) or {}
            else:
                told = {"failed": f"there is no call {do!r}; there are memory, {', '.join(CALLS)}"}
        except Exception as error:
            traceback.print_exc()
            told = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), file=answers)
        if do == "close":
            return
    player.close()


def verdict(env):
    """What gymnasium's check_env has to say: ``passes``, or the exception that it ends with."""
    from gymnasium.utils.env_checker import check_env

    try:
        check_env(env, skip_render_check=True)
    except Exception as error:
        traceback.print_exc()
        return {"passes": False, "says": f"{type(error).__name__}: {error}"}
    return {"passes": True, "says": ""}


def versions_of(executable, *packages):
    """Versions of packages and of the browser."""
    told = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True)
    return {"browser": told.stdout.strip(), **{package: version(package) for package in packages}}


def memory():
    """The proportional share (PSS) of this process and of all that it started, in MB."""
    shares = [share for share in map(_pss, processes(os.getpid(), os.environ.get(MARK, ""))) if share]
    return {"mb": sum(shares) / 1024, "processes": len(shares)}


def processes(first: int, mark: str) -> set[int]:
    """A process where it still runs, its descendants, and whatever else has the mark: browsers leave their group."""
    variable = f"{MARK}={mark}".encode()
    parents: dict[int, int] = {}
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = entry.joinpath("stat").read_text().rpartition(")")[2].split()[:2]
                if state == "Z":  # ended, and only waited for
                    continue
                parents[int(entry.name)] = int(parent)
                if int(entry.name) == first or (mark and variable in entry.joinpath("environ").read_bytes()):
                    found.add(int(entry.name))
            except OSError:  # it has just ended, or is not ours to read
                continue
    grew = True
    while grew:
        children = {child for child, parent in parents.items() if parent in found} - found
        found |= children
        grew = bool(children)
    return found


def _pss(process):
    try:
        told = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:  # it has just ended
        return 0
    return int(told[1]) if told else 0
