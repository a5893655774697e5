"""How many repair tasks the pinned packages give, how long one takes to make, and what the experts do with them.

    python benchmarks/code_tasks.py [--tasks 2000] [--sample 60] [--search 24] [--out tasks.jsonl]

Tasks are drawn package by package, kinds of mistakes in turn, and verified in a sandbox: the original passes (the
package's test map, made by two runs) and some tests fail with the bug. On an even sample of them submitting at once
must earn nothing, and the expert who undoes the bug must earn the reward; its overhead is the time of the whole
episode less that of the hidden tests' process. The search expert is told what an agent is told, and may try 100
mutations.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from selfgym.envs.code.bugs import Bug
from selfgym.envs.code.env import CodeEnv
from selfgym.envs.code.experts import play, undo
from selfgym.envs.code.making import Maker, all_edits
from selfgym.envs.code.mutate import Edit
from selfgym.envs.code.mutation_search import try_mutations
from selfgym.envs.code.packages import PACKAGES, Package, fetch_all
from selfgym.envs.code.testmap import test_map
from selfgym.envs.code.testrun import PREIMPORT
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox

RESULTS = Path(__file__).resolve().parent / "results"


def session() -> Sandbox:
    """A sandbox that tests can be run in."""
    return open_sandbox(preimport=PREIMPORT)


def in_turn(package: Package) -> Iterator[Edit]:
    """All mutations of a package, one of each kind after the other, in an order that only the package decides."""
    rng = random.Random(package.name)
    by_kind: dict[str, list[Edit]] = {}
    for edit in all_edits(package):
        by_kind.setdefault(edit.kind, []).append(edit)
    for edits in by_kind.values():
        rng.shuffle(edits)
    while by_kind:
        for kind in sorted(by_kind):
            yield by_kind[kind].pop()
            if not by_kind[kind]:
                del by_kind[kind]


def make(count: int) -> tuple[list[Bug], dict[str, Any]]:
    """Verified bugs, as many of each package, and what making them took."""
    bugs: list[Bug] = []
    packages: dict[str, Any] = {}
    maker = Maker(session)
    for number, package in enumerate(PACKAGES):
        wanted = (count - len(bugs)) / (len(PACKAGES) - number)
        before = time.perf_counter()
        tests = test_map(package, session)
        mapping = time.perf_counter() - before
        found: list[Bug] = []
        tried = 0
        for edit in in_turn(package):
            if len(found) >= wanted:
                break
            tried += 1
            bug = maker.verify(package, edit)
            if bug is not None:
                found.append(bug)
        seconds = time.perf_counter() - before
        packages[package.name] = {
            "split": package.split,
            "tests": len(tests.tests),
            "tried": tried,
            "tasks": len(found),
            "seconds": seconds,
            "test_map_seconds": mapping,
        }
        bugs += found
        print(
            f"{package.name:16} {package.split:6} {len(found):4} of {tried:4}  {seconds / len(found):.2f} s", flush=True
        )
    maker.close()
    return bugs, packages


def experts(bugs: list[Bug], sample: int, search: int) -> dict[str, Any]:
    """What doing nothing, undoing the bug and searching for it earn."""
    chosen = [bugs[number * len(bugs) // sample] for number in range(sample)]
    env = CodeEnv(problems=[bug.problem() for bug in chosen], max_steps=1000)
    nothing, undone, overheads = 0.0, 0.0, []
    for number in range(sample):
        env.reset(seed=number)
        nothing += env.step({"name": "submit"})[1]
        before = time.perf_counter()
        env.reset(seed=number)
        *_, last = play(env, undo(env.problem))
        assert env.last_grade is not None
        overheads.append(time.perf_counter() - before - env.last_grade.seconds)
        undone += last[1]
    searched, steps = 0.0, []
    for number in range(search):
        _, info = env.reset(seed=number * sample // search)
        taken = list(play(env, try_mutations(info["task"], 100)))
        searched += taken[-1][1]
        steps.append(len(taken))
    env.close()
    return {
        "sample": sample,
        "nothing": nothing / sample,
        "undo": undone / sample,
        "undo_overhead_seconds": {"median": statistics.median(overheads), "most": max(overheads)},
        "search_sample": search,
        "search": searched / search if search else None,
        "search_steps": statistics.median(steps) if steps else None,
    }


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--search", type=int, default=24)
    parser.add_argument("--out", type=Path, help="where to write the tasks, one JSON object a line")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    fetch_all()
    before = time.perf_counter()
    bugs, packages = make(arguments.tasks)
    seconds = time.perf_counter() - before
    if arguments.out is not None:
        arguments.out.write_text("".join(bug.model_dump_json() + "\n" for bug in bugs))
    result: dict[str, Any] = {
        "date": str(date.today()),
        "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "tasks": len(bugs),
        "distinct": len({bug.id for bug in bugs}),
        "seconds": seconds,
        "seconds_per_task": seconds / len(bugs),
        "kinds": dict(Counter(bug.kind for bug in bugs).most_common()),
        "packages": packages,
        "experts": experts(bugs, min(arguments.sample, len(bugs)), arguments.search),
    }
    kinds = len(result["kinds"])
    print(f"{result['distinct']} distinct tasks of {kinds} kinds, {result['seconds_per_task']:.2f} s each")
    print(json.dumps(result["experts"], indent=2))
    arguments.results.mkdir(exist_ok=True)
    (arguments.results / f"code_tasks-{date.today()}.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
