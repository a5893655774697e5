"""Two programmers: one who knows the bug and undoes it, and one who is told what the agent is told, and tries.

Both are generators that yield tool calls and are sent observations, and both end with ``submit``.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Generator, Iterator
from typing import Any

from selfgym.envs.code.mutate import Edit, apply, edits
from selfgym.envs.code.problem import Problem

Call = dict[str, Any]
Calls = Generator[Call, str, None]

_SHOWN = re.compile(r"For example (?P<test>\S+::\S[^\n]*):\n\n(?P<source>.*?)\n\n(?:It ends with|\Z)", re.DOTALL)
_NUMBERED = re.compile(r"^ *\d+ ", re.MULTILINE)
_PAGE = 120
_PUT_BACK = """python - <<'END'
import ast, json
path, names, source = json.loads({arguments!r})
lines = open(path).read().split("\\n")
body, last = ast.parse("\\n".join(lines)).body, len(lines)
for name in names:
    inside = next(node for node in body if isinstance(node, ast.ClassDef) and node.name == name)
    body, last = inside.body, inside.end_lineno
lines[last:last] = ["", *source.split("\\n")]
open(path, "w").write("\\n".join(lines))
END"""


def undo(problem: Problem) -> Calls:
    """Put the solution in place, file by file, by one replacement each."""
    for path, data in problem.solution.items():
        if path in problem.files:
            old, new = replacement(problem.files[path].decode(), data.decode())
            yield _call("edit", path=path, old=old, new=new)
        else:
            yield _call("write", path=path, content=data.decode())
    if problem.removed:
        yield _call("shell", command=shlex.join(["rm", "--", *problem.removed]))
    yield _call("submit")


def try_mutations(statement: str, most: int = 200) -> Calls:
    """Put the reported test back and try single mutations of what it names until it passes and no other test fails.

    Tries at most ``most`` of them, and submits what there is in the end: knowing nothing of the bug, it mends those
    whose opposite is itself a mutation.
    """
    shown = _SHOWN.search(statement)
    if shown is not None:
        test = shown["test"]
        path, *names = test.partition("[")[0].split("::")
        arguments = json.dumps([path, names[:-1], shown["source"]])
        yield _call("shell", command=_PUT_BACK.format(arguments=arguments))
        listed = yield _call("list")
        for change in (yield from _candidates(listed, shown["source"], path, most)):
            before, edit = change
            old, new = replacement(before, apply(before, edit))
            yield _call("edit", path=edit.path, old=old, new=new)
            if _passes((yield _call("test", target=test))) and _passes((yield _call("test"))):
                break
            old, new = replacement(apply(before, edit), before)
            yield _call("edit", path=edit.path, old=old, new=new)
    yield _call("submit")


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


def _candidates(listed: str, test: str, test_path: str, most: int) -> Generator[Call, str, list[tuple[str, Edit]]]:
    """Mutations of functions that the test names, then of those in files with such functions."""
    words = set(re.findall(r"[A-Za-z_]\w+", test))
    named: list[tuple[str, Edit]] = []
    others: list[tuple[str, Edit]] = []
    for path in listed.splitlines():
        if not path.endswith(".py") or path == test_path or "test" in path:
            continue
        text = yield from _read(path)
        try:
            found = [(text, edit) for edit in edits(text, path)]
        except ValueError:  # not Python
            continue
        of_named = [one for one in found if set(one[1].function.split(".")) & words]
        named += of_named
        others += [one for one in found if of_named and one not in of_named]
    return (named + others)[:most]


def _read(path: str) -> Generator[Call, str, str]:
    """A whole file, page by page."""
    lines: list[str] = []
    while True:
        page = yield _call("read", path=path, start=len(lines) + 1, end=len(lines) + _PAGE)
        shown = [line for line in page.split("\n") if _NUMBERED.match(line)]
        lines += [_NUMBERED.sub("", line, count=1) for line in shown]
        if len(shown) < _PAGE or "characters left out]" in page:
            return "\n".join(lines) + "\n"


def _passes(observation: str) -> bool:
    last = observation.rpartition("\n")[2]
    return " passed" in last and "failed" not in last and "error" not in last


def _call(name: str, **arguments: Any) -> Call:
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
