"""Grading: in a session of its own, on the files that count, against tests that the agent never touched.

Of the agent's work only declared files are taken (see `Problem.declared`), as bytes; everything else is laid out fresh.
The code under test runs in the process of the tests, as it must, so a lie has to be kept from paying. Three walls:

1. What may run. A changed file may reach only for what its version of before or the reference solution reaches for,
   and for plain libraries; see `selfgym.envs.code.guest.reach`. Decided in the sandbox before anything of it runs.
2. What a run must look like. It comes to its end, reports every test, and of two tests that go with it, under names
   like the others', one passes and one fails. The hidden files are afterwards what they were.
3. What must fail. Once all tests pass, they get a false assertion before the first line of each, and some of them,
   drawn by lot, run again in an untouched workspace; see `selfgym.envs.code.sabotage`. All of these must fail.

What remains possible: code that treats the inputs of the tests it has seen as special cases; and, in a file whose
original reaches for frames, modules or files already, code that goes through them to tell real tests from sabotaged
ones by what is written in them. A solution that needs more than the original, the reference and plain libraries is
refused although it may be honest; the grade says what it named.
"""

from __future__ import annotations

import json
import posixpath
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from selfgym.envs.code.problem import Problem
from selfgym.envs.code.sabotage import sabotaged
from selfgym.envs.code.testrun import Outcome, TestRun, run_tests
from selfgym.envs.code.workspace import laid_out
from selfgym.envs.sandbox.limits import SandboxFileError
from selfgym.envs.sandbox.sandbox import Sandbox

_MOST_FILE = 2**20
_MOST_FILES = 2_000
_DOOMED = 50
_CANARY = """
def {good}():
    assert {left} + {right} == {total}


def {bad}():
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


def grade(
    work: Mapping[str, bytes], problem: Problem, open_session: Callable[[], AbstractContextManager[Sandbox]]
) -> Grade:
    """Grade ``work`` in a fresh session, whose `Limits.timeout` a run of the tests may take.

    Raises `SandboxError` where the session fails: no grade is not a bad grade.
    """
    total = len(problem.tests)
    files = {path: data for path, data in problem.files.items() if not problem.declared(path)}
    files |= {path: data for path, data in work.items() if problem.declared(path)} | dict(problem.hidden)
    with open_session() as session:
        refused = _missing(problem, files) or _reaching(session, problem, files)
        if refused:
            return Grade(0, total, refused, 0.0)
        run, why = _run(session, problem, files, problem.tests)
        seconds = run.execution.seconds
        if why:
            return Grade(0, total, why, seconds)
        failed = [test for test in problem.tests if _outcome(run, test) != "passed"]
        if failed:
            return Grade(total - len(failed), total, f"{len(failed)} of {total} hidden tests fail", seconds)
        spoiled, doomed = _sabotaged(problem, files)
        run, why = _run(session, problem, spoiled, doomed)
    if why or any(_outcome(run, test) != "failed" for test in doomed):
        return Grade(0, total, "tests pass that cannot pass", seconds)
    return Grade(total, total, "", seconds)


def _missing(problem: Problem, files: Mapping[str, bytes]) -> str:
    """A file that an import of the package begins with and that is gone, in a sentence; nothing where none is.

    Without it another copy would be imported, should one be installed.
    """
    for path in problem.files:
        if problem.declared(path) and path not in files and path not in problem.removed:
            for name in _importable(problem, [path]):
                if "/" not in name or name.partition("/")[2] == "__init__.py":
                    return f"{path} is missing"
    return ""


def _importable(problem: Problem, paths: list[str]) -> list[str]:
    """Paths relative to each folder that modules are looked for in."""
    roots = ["" if folder == "." else folder + "/" for folder in problem.package.python_path]
    return [path[len(root) :] for path in paths for root in roots if path.startswith(root)]


def _reaching(session: Sandbox, problem: Problem, files: Mapping[str, bytes]) -> str:
    """What a changed file reaches for although it may not, in a sentence; nothing where there is none."""
    declared = [path for path in files if problem.declared(path)]
    changed = [path for path in declared if files[path] != problem.files.get(path)]
    request = {
        "own": sorted({path.partition("/")[0].removesuffix(".py") for path in _importable(problem, declared)}),
        "changed": [[path, _text(problem.files.get(path, b"")), _text(files[path])] for path in changed],
        "solution": [_text(data) for path, data in problem.solution.items() if problem.declared(path)],
    }
    result = session.exec(_program(), stdin=json.dumps(request))
    if not result.ok:
        return f"the sources cannot be read ({result.limit or result.stderr[-200:].decode('utf-8', 'replace').strip()})"
    found = json.loads(result.stdout)
    if found is None:
        return ""
    path, names = found
    return f"{path} newly reaches for {', '.join(names)}, which neither it nor the reference did before"


@cache
def _program() -> str:
    return (Path(__file__).parent / "guest" / "reach.py").read_text("utf-8")


def _text(data: bytes) -> str:
    """Each byte as a character."""
    return data.decode("latin-1")


def _run(session: Sandbox, problem: Problem, files: Mapping[str, bytes], tests: tuple[str, ...]) -> tuple[TestRun, str]:
    """Run tests in a fresh workspace beside a canary; the second is why nothing it says counts, if nothing does."""
    good, bad, source = _canary(problem)
    where = good.partition("::")[0]
    session.restore(laid_out({**files, where: source}))
    asked = list(tests)
    for name in (good, bad):
        asked.insert(secrets.randbelow(len(asked) + 1), name)
    run = run_tests(session, problem.package, asked)
    if run.broken:
        place, words = next(iter(run.broken.items()))
        return run, f"{place} cannot be imported: {words.strip().rpartition(chr(10))[2]}"
    if not run.finished:
        why = run.execution.limit or f"exit code {run.execution.exit_code}"
        return run, f"the tests did not come to their end ({why})"
    if not all(_outcome(run, test) for test in asked):
        return run, "the report lacks tests"
    if (_outcome(run, good), _outcome(run, bad)) != ("passed", "failed"):
        return run, "the report is not what these tests can report"
    if not all(_holds(session, path, files[path]) for path in problem.hidden):
        return run, "the hidden tests were changed while they ran"
    return run, ""


def _outcome(run: TestRun, test: str) -> Outcome | None:
    """Of a test, or of all tests of a file or class, or of a test with all its parameters; nothing without a report."""
    if test in run.results:
        return run.results[test].outcome
    outcomes = {one.outcome for name, one in run.results.items() if name.startswith((f"{test}::", f"{test}["))}
    return next((outcome for outcome in ("failed", "passed", "skipped") if outcome in outcomes), None)


def _holds(session: Sandbox, path: str, data: bytes) -> bool:
    """Whether a file is what it was."""
    try:
        return session.get(path) == data
    except SandboxFileError:
        return False


def _sabotaged(problem: Problem, files: Mapping[str, bytes]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files with hidden tests that must fail, and the ids of those."""
    spoiled = dict(files)
    doomed: list[str] = []
    for path in {test.partition("::")[0] for test in problem.tests} & problem.hidden.keys():
        names = {
            test: test.partition("::")[2].partition("[")[0] for test in problem.tests if test.startswith(path + "::")
        }
        spoiled[path], failing = sabotaged(files[path], names.values())
        doomed += [test for test, name in names.items() if name in failing]
    # which ones is not to be foreseen, so some tell as much as all, in a fraction of the time
    chosen = secrets.SystemRandom().sample(sorted(doomed), min(_DOOMED, len(doomed)))
    return spoiled, tuple(sorted(chosen))


def _canary(problem: Problem) -> tuple[str, str, bytes]:
    """The ids of a test that passes and of one that fails, and their file, which is not there yet."""
    place = posixpath.dirname(problem.tests[0].partition("::")[0])
    words = sorted({word for test in problem.tests for word in re.findall(r"[a-z]{3,}", test)} | {"basic", "more"})
    names: list[str] = []
    while len(names) < 3:
        name = f"test_{secrets.choice(words)}_{secrets.choice(words)}_{secrets.choice(words)}"
        if (
            name not in names
            and posixpath.join(place, f"{name}.py") not in problem.files.keys() | problem.hidden.keys()
        ):
            names.append(name)
    file, good, bad = posixpath.join(place, f"{names[0]}.py"), names[1], names[2]
    left, right = secrets.randbelow(1000), secrets.randbelow(1000)
    source = _CANARY.format(good=good, bad=bad, left=left, right=right, total=left + right)
    return f"{file}::{good}", f"{file}::{bad}", source.encode()
