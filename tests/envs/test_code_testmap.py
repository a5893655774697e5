"""Running a package's tests in the sandbox, and the map of which test calls which function."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfgym.envs.code import testmap
from selfgym.envs.code.packages import Package, PackageError, data_folder, files_of, find_package
from selfgym.envs.code.testrun import PREIMPORT, run_tests
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox

SOURCE = """
import sys


def used_at_import():
    return 2


TWO = used_at_import()


class Box:
    size = TWO

    def grow(self, by):
        return sorted([by, self.size], key=lambda one: one)


def outer(value):
    def inner():
        return value + 1

    return inner()


def never():
    return None


def leave():
    sys.exit(0)
"""

TESTS = """
import time
import unittest

import pytest

import tiny

SEEN = []


def test_outer():
    assert tiny.outer(1) == 2


def test_grow():
    time.sleep(0.02)
    assert tiny.Box().grow(1) == [1, 2]


def test_both():
    time.sleep(0.05)
    assert tiny.outer(2) == 3
    assert tiny.Box().grow(1) == [1, 2]


def test_goes_first():
    SEEN.append(1)


def test_needs_the_one_before():
    assert SEEN


def test_counts_on_hashes():
    assert hash("a") == HASH


@pytest.mark.parametrize(("text", "number"), {(text, (text,)) for text in "abcdefghij"} | {("z", ())})
def test_has_a_set_of_cases(text, number):
    assert number == () or number == (text,)


def test_is_skipped():
    pytest.skip("not today")


@pytest.mark.xfail
def test_is_expected_to_fail():
    assert False


class Old(unittest.TestCase):
    def test_parts(self):
        for number in (1, 2):
            with self.subTest(number=number):
                self.assertEqual(tiny.outer(number), number + 1)


def test_left_out():
    raise AssertionError("this must never run")


def test_optional():
    with pytest.raises(ImportError):
        import numpy
"""

STABLE = [
    "tests/test_tiny.py::test_both",
    "tests/test_tiny.py::test_goes_first",
    "tests/test_tiny.py::test_grow",
    "tests/test_tiny.py::test_optional",
    "tests/test_tiny.py::test_outer",
    "tests/test_tiny.py::Old::test_parts",
]


def _open() -> Sandbox:
    return open_sandbox(preimport=PREIMPORT)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        sandbox = _open()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")
    with sandbox:
        yield sandbox


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Package:
    """A package of our own, in an otherwise empty data folder and in the sandbox."""
    hashed = int(sandbox.exec("print(hash('a'))").stdout)
    files = {"src/tiny/__init__.py": SOURCE, "tests/test_tiny.py": TESTS.replace("HASH", str(hashed))}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"tiny-1.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    monkeypatch.setenv("SELFGYM_CODE_DATA", str(tmp_path))
    (tmp_path / "tiny-1.0.tar.gz").write_bytes(out.getvalue())
    package = Package(
        name="tiny",
        version="1.0",
        archive="tiny-1.0.tar.gz",
        sha256=hashlib.sha256(out.getvalue()).hexdigest(),
        split="train",
        sources=("src/tiny",),
        tests=("tests",),
        python_path=("src",),
        left_out=(("tests/test_tiny.py::test_left_out", "it fails"),),
        absent=("numpy",),
    )
    sandbox.put_all(files_of(package))
    return package


def test_each_test_is_reported(sandbox: Sandbox, package: Package) -> None:
    run = run_tests(sandbox, package)
    assert run.finished
    assert run.passes(STABLE)
    outcomes = {test.rpartition("::")[2]: result.outcome for test, result in run.results.items()}
    assert outcomes["test_needs_the_one_before"] == "passed"
    assert outcomes["test_is_skipped"] == outcomes["test_is_expected_to_fail"] == "skipped"
    assert "test_left_out" not in outcomes
    assert 0.02 < run.results["tests/test_tiny.py::test_grow"].seconds < 20
    assert [entry.path for entry in sandbox.list("/tmp") if "report" in entry.path] == []


def test_a_broken_function_fails_its_tests_with_a_message(sandbox: Sandbox, package: Package) -> None:
    sandbox.put("src/tiny/__init__.py", SOURCE.replace("value + 1", "value - 1"))
    run = run_tests(sandbox, package, ["tests/test_tiny.py::test_outer", "tests/test_tiny.py::test_grow"])
    assert run.finished
    assert run.passes(["tests/test_tiny.py::test_grow"])
    assert not run.passes(["tests/test_tiny.py::test_outer"])
    assert run.results["tests/test_tiny.py::test_outer"].message.startswith("AssertionError")
    explained = run_tests(sandbox, package, ["tests/test_tiny.py::test_outer"], explain=True)
    assert "assert 0 == 2" in explained.execution.text
    assert "assert 0 == 2" in explained.results["tests/test_tiny.py::test_outer"].message


def test_one_failing_part_fails_the_test(sandbox: Sandbox, package: Package) -> None:
    sandbox.put("src/tiny/__init__.py", SOURCE.replace("value + 1", "value + value"))
    run = run_tests(sandbox, package, ["tests/test_tiny.py::Old::test_parts"])
    assert run.results["tests/test_tiny.py::Old::test_parts"].outcome == "failed"


def test_it_can_stop_at_the_first_failure(sandbox: Sandbox, package: Package) -> None:
    sandbox.put("src/tiny/__init__.py", SOURCE.replace("value + 1", "value - 1"))
    run = run_tests(sandbox, package, stop_at_first=True)
    assert list(run.results) == ["tests/test_tiny.py::test_outer"]


@pytest.mark.parametrize(
    "line",
    ["sys.exit(0)", "__import__('os')._exit(0)", "raise ImportError('broken')", "1 +"],
    ids=["exit", "hard exit", "import error", "syntax error"],
)
def test_a_package_that_cannot_be_imported_passes_nothing(sandbox: Sandbox, package: Package, line: str) -> None:
    sandbox.put("src/tiny/__init__.py", SOURCE.replace("TWO = used_at_import()", line))
    run = run_tests(sandbox, package)
    assert not run.finished
    assert not run.passes(STABLE)
    assert not run.passes([])


def test_a_process_that_ends_itself_passes_nothing(sandbox: Sandbox, package: Package) -> None:
    sandbox.put("src/tiny/__init__.py", SOURCE.replace("return value + 1", "__import__('os')._exit(0)"))
    run = run_tests(sandbox, package)
    assert not run.finished
    assert run.execution.exit_code == 0
    assert run.running == "tests/test_tiny.py::test_outer"


def test_an_endless_loop_says_where(sandbox: Sandbox, package: Package) -> None:
    sandbox.put("src/tiny/__init__.py", SOURCE.replace("return value + 1", "while True: pass"))
    run = run_tests(sandbox, package, timeout=3)
    assert not run.finished
    assert run.execution.limit == "timeout"
    assert run.running == "tests/test_tiny.py::test_outer"


def test_a_forged_line_is_not_a_finished_run(sandbox: Sandbox, package: Package) -> None:
    forge = """__import__('os').write(next(
        int(fd) for fd in __import__('os').listdir('/proc/self/fd')
        if 'report' in __import__('os').readlink('/proc/self/fd/' + fd)), b'nonsense\\n')"""
    sandbox.put("src/tiny/__init__.py", SOURCE.replace("return value + 1", forge))
    assert not run_tests(sandbox, package, ["tests/test_tiny.py::test_outer"]).finished


def test_the_map_knows_who_calls_what(package: Package) -> None:
    made = testmap.test_map(package, _open)
    assert sorted(made.tests) == sorted(STABLE)
    assert list(made.seconds) == sorted(made.seconds)
    file = "src/tiny/__init__.py"
    grow = ["tests/test_tiny.py::test_grow", "tests/test_tiny.py::test_both"]
    assert made.tests_for(file, "Box.grow") == grow
    inner = made.tests_for(file, "outer.<locals>.inner")
    assert inner == made.tests_for(file, "outer.inner") == made.tests_for(file, "outer")
    assert set(inner) == {test for test in STABLE if test.endswith(("outer", "both", "parts"))}
    assert inner[-1] == "tests/test_tiny.py::test_both"
    assert made.tests_for(file, "never") == []
    assert made.tests_for("src/tiny/other.py", "outer") == []
    for imported in ("used_at_import", "<module>", "Box"):
        assert set(made.tests_for(file, imported)) == {*grow, *inner}
    assert "tests/test_tiny.py" not in made.called
    assert made.seconds_of("tests/test_tiny.py::test_both") > 0.05


def test_the_map_leaves_out_what_does_not_always_pass(package: Package) -> None:
    left_out = testmap.test_map(package, _open).left_out
    reasons = {test.rpartition("::")[2]: reason for test, reason in left_out.items() if "set_of_cases" not in test}
    assert set(reasons) == {
        "test_needs_the_one_before",
        "test_counts_on_hashes",
        "test_is_skipped",
        "test_is_expected_to_fail",
    }
    assert reasons["test_needs_the_one_before"].startswith("passed, then failed AssertionError")


def test_a_map_leaves_out_cases_that_are_numbered_otherwise_each_time(package: Package) -> None:
    made = testmap.test_map(package, _open)
    assert not any("test_has_a_set_of_cases" in test for test in made.tests)
    assert sum("test_has_a_set_of_cases" in test for test in made.left_out) >= 11


def test_a_map_is_made_once(package: Package) -> None:
    made = testmap.test_map(package, _open)

    def none() -> Sandbox:
        raise AssertionError("a second map is made")

    assert testmap.test_map(package, none) == made
    [file] = (data_folder() / "testmaps").iterdir()
    file.write_text(file.read_text("utf-8").replace('"seconds":[', '"seconds":[9,'), "utf-8")
    again = testmap.test_map(package, _open)
    assert sorted(again.tests) == sorted(made.tests)
    assert len(again.seconds) == len(again.tests)


def test_a_package_whose_tests_do_not_work_says_why(package: Package, tmp_path: Path) -> None:
    def broken() -> Sandbox:
        sandbox = _open()
        sandbox.put("tests/conftest.py", "import nowhere_to_be_found")
        return sandbox

    with pytest.raises(PackageError, match=r"tests of tiny 1.0 do not come to their end here: .*nowhere_to_be_found"):
        testmap.test_map(package, broken)
    assert not (tmp_path / "testmaps").exists()


@pytest.mark.parametrize("name", ["inflection", "h11", "parse"])
def test_real_packages_pass_here(name: str, sandbox: Sandbox) -> None:
    package = find_package(name)
    if not (data_folder() / package.archive).exists():
        pytest.skip(f"{package} is not on this machine: run `selfgym download code` to test with it")
    made = testmap.test_map(package, _open)
    assert len(made.tests) > 70
    file, function = max(((file, name) for file in made.called for name in made.called[file]), key=str)
    tests = made.tests_for(file, function)
    with _open() as fresh:
        fresh.put_all(files_of(package))
        assert run_tests(fresh, package, tests).passes(tests)
