"""A programmer who is told what the agent is told, and tries: puts the reported test back, sees which lines it runs,
and makes single mutations there until it passes.

Knowing nothing of the bug, it mends those whose opposite is itself a mutation; more of them the sooner it tries what
is likely, which is what notes can tell it (`selfgym.agents.mender`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from selfgym.envs.code.experts import Call, Calls, call, replacement
from selfgym.envs.code.mutate import Edit, apply, edits

_SHOWN = re.compile(r"For example (?P<test>\S+::\S[^\n]*):\n\n(?P<source>.*?)\n\n(?:It ends with|\Z)", re.DOTALL)
_NUMBERED = re.compile(r"^ *\d+ ", re.MULTILINE)
_PAGE = 120
_MOST_FILES = 6  # are read; those of which most lines run come first
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
_TRACE = """python - <<'END'
import contextlib, io, json, os, sys, threading
root, ran = os.getcwd() + os.sep, {{}}
def trace(frame, event, argument):
    name = frame.f_code.co_filename
    if not name.startswith(root) or not name.endswith(".py") or "test" in name[len(root):]:
        return None
    lines = ran.setdefault(name[len(root):], set())
    def inside(frame, event, argument):
        lines.add(frame.f_lineno)
        return inside
    return inside if frame.f_code.co_name != "<module>" else None
sys.path[:0] = [root + "src", root]
import pytest
threading.settrace(trace)
sys.settrace(trace)
with contextlib.redirect_stdout(io.StringIO()):
    pytest.main(["-q", "-c", "/dev/null", "--rootdir=.", "-pno:cacheprovider", {test!r}])
sys.settrace(None)
print("RAN", json.dumps({{name: sorted(lines) for name, lines in ran.items() if lines}}, separators=(",", ":")))
END"""
_RAN = re.compile(r"^RAN (\{.*\})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mutation that might mend."""

    text: str
    """The file before it."""
    edit: Edit
    tier: int
    """0: in a line that the test runs, of a function that it names; 1: in another line that it runs; 2: else in such a
    function."""

    @property
    def lines(self) -> tuple[str, str]:
        """The lines that it touches, before and after."""
        start = self.text.rfind("\n", 0, self.edit.start) + 1
        end = self.edit.end + len(self.text[self.edit.end :].partition("\n")[0])
        after = self.text[start : self.edit.start] + self.edit.replacement + self.text[self.edit.end : end]
        return self.text[start:end], after


Order = Callable[[Sequence[Candidate]], Sequence[Candidate]]
"""Puts candidates in the order in which they are tried."""


def try_mutations(statement: str, most: int = 200, order: Order = tuple) -> Calls:
    """Try up to ``most`` mutations until the reported test passes and no other fails; submit what there is in the end.

    What the test runs is tried first, unless ``order`` says otherwise.
    """
    shown = _SHOWN.search(statement)
    if shown is not None:
        test = shown["test"]
        path, *names = test.partition("[")[0].split("::")
        arguments = json.dumps([path, names[:-1], shown["source"]])
        yield call("shell", command=_PUT_BACK.format(arguments=arguments))
        candidates = yield from _candidates(test, shown["source"])
        for candidate in order(candidates)[:most]:
            before, edit = candidate.text, candidate.edit
            old, new = replacement(before, apply(before, edit))
            yield call("edit", path=edit.path, old=old, new=new)
            if _passes((yield call("test", target=test))) and _passes((yield call("test"))):
                break
            old, new = replacement(apply(before, edit), before)
            yield call("edit", path=edit.path, old=old, new=new)
    yield call("submit")


def _candidates(test: str, source: str) -> Generator[Call, str, list[Candidate]]:
    """Mutations of the files that the test runs, the likeliest places first."""
    told = yield call("shell", command=_TRACE.format(test=test))
    found = _RAN.search(told)
    ran: dict[str, list[int]] = json.loads(found.group(1)) if found else {}
    words = set(re.findall(r"[A-Za-z_]\w+", source))
    candidates = []
    for path in sorted(ran, key=lambda path: (-len(ran[path]), path))[:_MOST_FILES]:
        text = yield from _read(path)
        lines = set(ran[path])
        for edit in edits(text, path):
            named = bool(set(edit.function.split(".")) & words)
            there = not lines.isdisjoint(range(edit.line, edit.line + text.count("\n", edit.start, edit.end) + 1))
            if there or named:
                candidates.append(Candidate(text, edit, 2 - there - (there and named)))
    return sorted(candidates, key=lambda candidate: candidate.tier)


def _read(path: str) -> Generator[Call, str, str]:
    """A whole file, page by page."""
    lines: list[str] = []
    while True:
        page = yield call("read", path=path, start=len(lines) + 1, end=len(lines) + _PAGE)
        shown = [line for line in page.split("\n") if _NUMBERED.match(line)]
        lines += [_NUMBERED.sub("", line, count=1) for line in shown]
        if len(shown) < _PAGE or "characters left out]" in page:
            return "\n".join(lines) + "\n"


def _passes(observation: str) -> bool:
    last = observation.rpartition("\n")[2]
    return " passed" in last and "failed" not in last and "error" not in last
