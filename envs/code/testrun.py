"""Runs a package's tests in a sandbox, and reads back what became of each.

One way for everything that runs tests: making tasks, the agent's test tool, grading. Tests run in a fork of the
sandbox's warm server, which should have imported `PREIMPORT`; a handful of them then costs about a tenth of a second.

The report is written in the process of the code under test, which can therefore say anything. What makes a pass hard
to come by without passing is the reader's: a test counts only if it was asked for, reported, and the run finished.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from selfgym.envs.code.packages import Package
from selfgym.envs.sandbox.limits import SCRATCH, WORK, Result, SandboxFileError
from selfgym.envs.sandbox.sandbox import Sandbox

PREIMPORT = ("pytest", "pdb", "unittest", "xml.etree.ElementTree")
"""What a sandbox that runs tests should import once instead of in every run: pytest, and what pytest always imports."""

Outcome = Literal["passed", "failed", "skipped"]

_MOST_REPORT = 32 << 20
_ARGUMENTS = (
    "-q",
    "-c",
    "/dev/null",  # no configuration of the package or the machine
    f"--rootdir={WORK}",
    "--color=no",
    "-pno:cacheprovider",
    "-pno:faulthandler",
    "-opython_files=test_*.py tests.py",
)
_QUICK = ("--assert=plain", "--tb=no", "--disable-warnings")
_EXPLAINED = ("--tb=short", "--disable-warnings")


@dataclass(frozen=True, slots=True)
class TestResult:
    """What became of one test."""

    __test__: ClassVar[bool] = False  # not for pytest to collect

    outcome: Outcome
    """``failed`` where any part or subtest failed; ``skipped`` also for tests that are expected to fail."""
    seconds: float
    """Its setup, call and teardown."""
    message: str
    """The error that failed it, in a few lines; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that was called, or the body of a module or class, which runs when it is imported."""

    file: str
    """Relative to the workspace."""
    name: str
    """Qualified, as Python writes it."""
    body: bool
    """Whether it is the body of a module or class."""


@dataclass(frozen=True, slots=True)
class TestRun:
    """What became of a run of tests."""

    __test__: ClassVar[bool] = False

    results: Mapping[str, TestResult]
    """By test id, of the tests that ended."""
    finished: bool
    """Whether pytest came to its end with every test file collected. If not, the code under test is to blame: it cannot
    be imported, lacks a test that was asked for, ended the process, or hit a limit. See ``execution``."""
    running: str | None
    """The test that was running when the run was cut off."""
    broken: Mapping[str, str]
    """Test files that could not be collected, and why."""
    execution: Result
    """Output, exit code, time and limits."""
    functions: tuple[Function, ...] = ()
    """What was called. Only of `run_tests` with ``watch``."""
    called: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By test, positions in ``functions``; what was called before the first test and between tests is under ``""``."""

    def passes(self, tests: Iterable[str]) -> bool:
        """Whether the run finished and each of these tests passed in it."""
        return self.finished and all(test in self.results and self.results[test].outcome == "passed" for test in tests)


class _Start(BaseModel):
    kind: Literal["start"]
    test: str


class _End(BaseModel):
    kind: Literal["end"]
    test: str
    outcome: Outcome
    seconds: float = Field(ge=0)
    message: str


class _Broken(BaseModel):
    kind: Literal["broken"]
    test: str
    message: str


class _Function(BaseModel):
    kind: Literal["function"]
    file: str
    name: str
    body: bool


class _Called(BaseModel):
    kind: Literal["called"]
    test: str
    functions: tuple[int, ...]


class _Finished(BaseModel):
    kind: Literal["finished"]
    exit_code: int


_Event = _Start | _End | _Broken | _Function | _Called | _Finished
_EVENT: TypeAdapter[_Event] = TypeAdapter(Annotated[_Event, Field(discriminator="kind")])


def run_tests(
    sandbox: Sandbox,
    package: Package,
    tests: Sequence[str] = (),
    *,
    timeout: float | None = None,
    stop_at_first: bool = False,
    explain: bool = False,
    reverse: bool = False,
    watch: bool = False,
    hash_seed: int | None = None,
) -> TestRun:
    """Run tests of ``package``, whose files are in the sandbox's workspace.

    ``tests``: test ids, files or folders; none: all tests of the package. ``stop_at_first``: end at the first failure.
    ``explain``: output a programmer can use, with compared values; slower by the time it takes to rewrite each test
    file. ``reverse``: the other way round. ``watch``: record which functions each test calls. ``hash_seed``: run in a
    fresh Python with that seed for hashing text. Raises `SandboxError` where the session is gone.
    """
    report = f"{SCRATCH}/.report-{secrets.token_hex(8)}"
    left_out = [f"--deselect={test}" for test, _ in package.left_out if "::" in test]
    request = {
        "report": report,
        "python_path": [WORK if folder == "." else f"{WORK}/{folder}" for folder in package.python_path],
        "absent": list(package.absent),
        "reverse": reverse,
        "watch": f"{WORK}/" if watch else "",
        "arguments": [
            *_ARGUMENTS,
            *(_EXPLAINED if explain else _QUICK),
            *(["-x"] if stop_at_first else []),
            *left_out,
            *(tests or package.tests),
        ],
    }
    program: str | list[str] = _program()
    env = {}
    if hash_seed is not None:
        program, env = ["python", "-c", _program()], {"PYTHONHASHSEED": str(hash_seed)}
    execution = sandbox.exec(program, stdin=json.dumps(request), timeout=timeout, env=env)
    try:
        lines = sandbox.get(report, _MOST_REPORT)
        sandbox.remove(report)
    except SandboxFileError:  # it ended before it began, or the code under test took the report away
        lines = b""
    return _read(lines, execution)


@cache
def _program() -> str:
    return (Path(__file__).parent / "guest" / "pytest_report.py").read_text("utf-8")


def _read(lines: bytes, execution: Result) -> TestRun:
    """Make sense of a report. It ends at its first line that makes none, as an interrupted one does."""
    results: dict[str, TestResult] = {}
    broken: dict[str, str] = {}
    functions: list[Function] = []
    called: dict[str, tuple[int, ...]] = {}
    running: str | None = None
    finished = False
    for line in lines.splitlines():
        try:
            event = _EVENT.validate_json(line)
        except ValidationError:
            finished = False
            break
        match event:
            case _Start():
                running = event.test
            case _End():
                running = None
                if event.test not in results or event.outcome == "failed":
                    results[event.test] = TestResult(event.outcome, event.seconds, event.message)
            case _Broken():
                broken[event.test] = event.message
            case _Function():
                functions.append(Function(event.file, event.name, event.body))
            case _Called():
                called[event.test] = tuple(sorted({*called.get(event.test, ()), *event.functions}))
            case _Finished():
                finished = event.exit_code in (0, 1)  # all passed, some failed
    return TestRun(results, finished, running, broken, execution, tuple(functions), called)
