"""Grading: in a session of its own, on the files that count, against tests that the agent never touched.

Of the agent's work only declared files are taken (see `Problem.declared`), as bytes; everything else is laid out fresh.
The code under test runs in the process of the tests, as it must, and can do anything there. So a lie must at least
not pay: beside the tests runs a canary, a test of another name in every grading that must fail. A run that does not
come to its end, does not report every test, or in which the canary passes, has passed nothing.
"""

from __future__ import annotations

import posixpath
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from selfgym.envs.code.problem import Problem
from selfgym.envs.code.testrun import run_tests
from selfgym.envs.sandbox.limits import SandboxFileError
from selfgym.envs.sandbox.sandbox import Sandbox

_MOST_FILE = 2**20
_MOST_FILES = 2_000
_START = 20.0  # seconds beyond what the tests are known to take
_CANARY = """
def test_{good}():
    assert {left} + {right} == {total}


def test_{bad}():
    assert {left} + {right} == {total} + 1
"""


@dataclass(frozen=True, slots=True)
class Grade:
    """What a grading found."""

    passed: int
    """Hidden tests that passed."""
    total: int
    reason: str
    """Why not all passed, in a line; empty where they did."""
    seconds: float
    """Of the tests' process."""

    @property
    def solved(self) -> bool:
        """Whether every hidden test passed."""
        return self.passed == self.total

    @property
    def score(self) -> float:
        """The share of hidden tests that passed."""
        return self.passed / self.total


def collect(sandbox: Sandbox, problem: Problem) -> dict[str, bytes]:
    """The agent's work: the declared files as they are in its session. What cannot be read is not there."""
    work: dict[str, bytes] = {}
    for place in problem.package.sources:
        for path in _files(sandbox, place):
            if problem.declared(path) and len(work) < _MOST_FILES:
                with suppress(SandboxFileError):
                    work[path] = sandbox.get(path, _MOST_FILE)
    return work


def _files(sandbox: Sandbox, place: str) -> list[str]:
    """The files of a folder, or the file itself."""
    if place.endswith(".py"):
        return [place]
    try:
        entries = sandbox.list(place, recursive=True)
    except SandboxFileError:
        return []
    return [posixpath.join(place, entry.path) for entry in entries if entry.kind == "file"]


def grade(work: Mapping[str, bytes], problem: Problem, open_session: Callable[[], Sandbox]) -> Grade:
    """Grade ``work`` in a fresh session. Raises `SandboxError` where that fails: no grade is not a bad grade."""
    files = {path: data for path, data in problem.files.items() if not problem.declared(path)}
    files |= {path: data for path, data in work.items() if problem.declared(path)} | dict(problem.hidden)
    canary, good, bad = _canary(problem)
    with open_session() as session:
        session.put_all(files | {canary.partition("::")[0]: _canary_source(good, bad)})
        run = run_tests(session, problem.package, [*problem.tests, canary], timeout=_START + session.limits.timeout)
    results = {test: run.results[test].outcome for test in problem.tests if test in run.results}
    honest = run.results.get(f"{canary}::test_{good}"), run.results.get(f"{canary}::test_{bad}")
    seconds = run.execution.seconds
    if run.broken:
        where, why = next(iter(run.broken.items()))
        return Grade(0, len(problem.tests), f"{where} cannot be imported: {why.strip().splitlines()[-1]}", seconds)
    if not run.finished:
        why = run.execution.limit or f"exit code {run.execution.exit_code}"
        return Grade(0, len(problem.tests), f"the tests did not come to their end ({why})", seconds)
    if [one and one.outcome for one in honest] != ["passed", "failed"] or len(results) != len(problem.tests):
        return Grade(0, len(problem.tests), "the tests' report is not what these tests can report", seconds)
    failed = [test for test, outcome in results.items() if outcome != "passed"]
    reason = f"{len(failed)} of {len(problem.tests)} hidden tests fail" if failed else ""
    return Grade(len(problem.tests) - len(failed), len(problem.tests), reason, seconds)


def _canary(problem: Problem) -> tuple[str, str, str]:
    """A test file that is not there yet, and the names of its two tests."""
    place = problem.tests[0].partition("::")[0]
    name = f"test_{secrets.token_hex(4)}.py"
    return posixpath.join(posixpath.dirname(place), name), secrets.token_hex(4), secrets.token_hex(4)


def _canary_source(good: str, bad: str) -> str:
    left, right = secrets.randbelow(1000), secrets.randbelow(1000)
    return _CANARY.format(good=good, bad=bad, left=left, right=right, total=left + right)
