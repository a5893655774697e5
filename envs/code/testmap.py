"""Which tests of a package call which of its functions, how long each takes, and that it passes on the original.

Made once per package by running its tests twice in fresh sandboxes, the second time in the opposite order and with
another seed for hashing text; a test that does not pass both times is left out, and so are all of a function whose
parameters have other names the second time. Kept on disk from then on.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from selfgym.envs.code.packages import Package, PackageError, data_folder, files_of, is_test
from selfgym.envs.code.testrun import Function, TestRun, run_tests
from selfgym.envs.sandbox.sandbox import Sandbox

VERSION = 2
"""Of how maps are made; a map of another version is made anew."""

_TIMEOUT = 300.0  # seconds for all tests of a package


class TestMap(BaseModel):
    """What is known of one package's tests on one version of Python."""

    __test__: ClassVar[bool] = False  # not for pytest to collect
    model_config = ConfigDict(frozen=True)

    package: str
    sha256: str
    """Of the package's archive."""
    python: str
    """Such as ``3.11``."""
    version: int
    tests: tuple[str, ...]
    """Ids of the tests that pass every time, fastest first."""
    seconds: tuple[float, ...]
    """How long each of ``tests`` takes."""
    called: dict[str, dict[str, tuple[int, ...]]]
    """By file and qualified name of a function: the tests that call it, as ascending positions in ``tests``."""
    imported: dict[str, tuple[str, ...]]
    """By file: what runs when it is imported: functions, bodies of classes, and ``<module>``."""
    left_out: dict[str, str]
    """Tests that are not in ``tests``, each with the reason."""

    @model_validator(mode="after")
    def _consistent(self) -> TestMap:
        if len(self.seconds) != len(self.tests):
            raise ValueError("there must be one time for each test")
        for functions in self.called.values():
            for positions in functions.values():
                if list(positions) != sorted(set(positions)) or not 0 <= min(positions) <= max(positions) < len(
                    self.tests
                ):
                    raise ValueError("positions of tests must ascend and exist")
        return self

    def tests_for(self, file: str, qualname: str) -> list[str]:
        """The tests that can tell a change of a function, fastest first; none where no test ever runs it.

        ``qualname`` as in ``ast`` or as in Python: ``Class.method``, ``outer.inner`` or ``outer.<locals>.inner``. What
        runs only while its file is imported (``<module>``, the body of a class) can be told by every test that calls
        anything in the file.
        """
        name = _plain(qualname)
        functions = self.called.get(file, {})
        if name in functions:
            return [self.tests[position] for position in functions[name]]
        if name not in self.imported.get(file, ()):
            return []
        return [self.tests[position] for position in sorted({one for many in functions.values() for one in many})]

    def seconds_of(self, test: str) -> float:
        """How long a test takes: its setup, call and teardown. Raises `KeyError` for a test that is not in `tests`."""
        return self._seconds_by_test[test]

    @cached_property
    def _seconds_by_test(self) -> dict[str, float]:
        return dict(zip(self.tests, self.seconds, strict=True))


def test_map(package: Package, sandbox_factory: Callable[[], Sandbox]) -> TestMap:
    """The map of a package, from ``testmaps`` in `data_folder`, or made now and kept there.

    ``sandbox_factory`` opens a sandbox on this Python, best with `selfgym.envs.code.testrun.PREIMPORT`; making a map
    opens two and takes seconds. Raises `PackageError` where the package's tests do not work here, `SandboxError` where
    there is no sandbox.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    file = data_folder() / "testmaps" / f"{package.name}-{package.version}-python{python}.json"
    kept = _kept(file, package, python)
    if kept is not None:
        return kept
    runs = []
    for reverse, seed in ((False, None), (True, 1)):
        with sandbox_factory() as sandbox:
            sandbox.put_all(files_of(package))
            run = run_tests(sandbox, package, timeout=_TIMEOUT, reverse=reverse, hash_seed=seed, watch=not reverse)
        if not run.finished:
            raise PackageError(f"the tests of {package} do not come to their end here: {_why(run)}")
        runs.append(run)
    made = _join(package, python, *runs)
    if not made.tests:
        raise PackageError(f"no test of {package} passes here: {_why(runs[0])}")
    _keep(file, made)
    return made


def _join(package: Package, python: str, watched: TestRun, again: TestRun) -> TestMap:
    left_out: dict[str, str] = {}
    for test in sorted({*watched.results, *again.results}):
        both = (watched.results.get(test), again.results.get(test))
        if any(result is None or result.outcome != "passed" for result in both):
            words = ("absent" if result is None else f"{result.outcome} {result.message}".strip() for result in both)
            left_out[test] = ", then ".join(words)
    # a set of cases, say: whose number is the same both times by chance has another in the next session
    unsteady = {test.partition("[")[0] for test in watched.results.keys() ^ again.results.keys()}
    for test in again.results:
        if test.partition("[")[0] in unsteady:
            left_out.setdefault(test, "the names of its parameters change")
    seconds = {test: result.seconds for test, result in again.results.items() if test not in left_out}
    tests = sorted(seconds, key=lambda test: (seconds[test], test))
    called: dict[str, dict[str, set[int]]] = {}
    imported: dict[str, set[str]] = {}
    positions = {test: position for position, test in enumerate(tests)}
    for test in watched.called:
        for function in _functions(package, watched, test):
            name = _plain(function.name)
            # a body runs in whichever test is the first to import it, but matters to all
            if not test or function.body:
                imported.setdefault(function.file, set()).add(name)
            elif test in positions:
                called.setdefault(function.file, {}).setdefault(name, set()).add(positions[test])
    return TestMap(
        package=package.name,
        sha256=package.sha256,
        python=python,
        version=VERSION,
        tests=tuple(tests),
        seconds=tuple(round(seconds[test], 6) for test in tests),
        called={
            file: {name: tuple(sorted(callers)) for name, callers in sorted(functions.items())}
            for file, functions in sorted(called.items())
        },
        imported={file: tuple(sorted(names)) for file, names in sorted(imported.items())},
        left_out=left_out,
    )


def _functions(package: Package, run: TestRun, test: str) -> list[Function]:
    """What a test called, its own files left out."""
    numbers = run.called[test]
    if any(not 0 <= number < len(run.functions) for number in numbers):
        raise PackageError(f"the tests of {package} wrote a report that makes no sense")
    functions = [run.functions[number] for number in numbers]
    return [function for function in functions if not is_test(package, function.file)]


def _plain(qualname: str) -> str:
    """A qualified name without what only Python writes into it: a lambda belongs to the function around it."""
    parts = [part for part in qualname.split(".") if not part.startswith("<") or part == "<module>"]
    return ".".join(parts) or "<module>"


def _why(run: TestRun) -> str:
    if run.broken:
        test, message = next(iter(run.broken.items()))
        return f"{test} cannot be collected: {message.strip().splitlines()[-1]}"
    if run.execution.limit is not None:
        return f"the limit {run.execution.limit} was hit{f' in {run.running}' if run.running else ''}"
    lines = run.execution.text.strip().splitlines()
    return lines[-1] if lines else f"exit code {run.execution.exit_code}"


def _kept(file: Path, package: Package, python: str) -> TestMap | None:
    try:
        kept = TestMap.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None  # a map can always be made again
    current = (kept.package, kept.sha256, kept.python, kept.version) == (package.name, package.sha256, python, VERSION)
    return kept if current else None


def _keep(file: Path, made: TestMap) -> None:
    """Whole or not at all, also when several processes make the same map."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".testmap-", delete=False) as part:
        part.write(made.model_dump_json().encode())
    os.replace(part.name, file)
