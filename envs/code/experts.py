"""The programmer who knows the bug and undoes it; `selfgym.envs.code.mutation_search` has one who does not.

Both are generators that yield tool calls and are sent observations, and both end with ``submit``.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator
from typing import Any

from selfgym.envs.code.problem import Problem

Call = dict[str, Any]
Calls = Generator[Call, str, None]


def undo(problem: Problem) -> Calls:
    """Put the solution in place, file by file, by one replacement each."""
    for path, data in problem.solution.items():
        if path in problem.files:
            old, new = replacement(problem.files[path].decode(), data.decode())
            yield call("edit", path=path, old=old, new=new)
        else:
            yield call("write", path=path, content=data.decode())
    if problem.removed:
        yield call("shell", command=shlex.join(["rm", "--", *problem.removed]))
    yield call("submit")


def replacement(before: str, after: str) -> tuple[str, str]:
    """The shortest whole lines of ``before`` that occur once, and what to put there to get ``after``."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    tail = 0
    while tail < min(len(old), len(new)) - start and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    while True:
        text = "".join(old[start : len(old) - tail])
        if text and before.count(text) == 1:
            return text, "".join(new[start : len(new) - tail])
        start, tail = max(0, start - 1), max(0, tail - 1)


def call(name: str, **arguments: Any) -> Call:
    """A tool call, as `selfgym.envs.code.CodeEnv.step` takes it."""
    return {"name": name, "arguments": arguments}


def play(env: Any, calls: Calls) -> Iterator[tuple[str, float, bool, bool, dict[str, Any]]]:
    """Step ``env`` through ``calls`` until either ends."""
    call = next(calls)
    while True:
        step = env.step(call)
        yield step
        if step[2] or step[3]:
            return
        try:
            call = calls.send(step[0])
        except StopIteration:
            return
