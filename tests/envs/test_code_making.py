"""Repair tasks are made: from a small package of our own, and, where they are on this machine, from the real ones."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from selfgym.envs.code import making, packages
from selfgym.envs.code.bugs import BODY_REMOVED, Bug, test_source, without_tests
from selfgym.envs.code.env import CodeEnv
from selfgym.envs.code.experts import play, undo
from selfgym.envs.code.installed import covers
from selfgym.envs.code.making import Maker, all_edits, candidates
from selfgym.envs.code.mutate import Edit, apply
from selfgym.envs.code.mutation_search import try_mutations
from selfgym.envs.code.packages import PACKAGES, Package, PackageError, data_folder, find_package
from selfgym.envs.code.testrun import PREIMPORT
from selfgym.envs.core import Outcome
from selfgym.envs.sandbox.limits import Limits, SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox

SOURCE = '''"""Numbers."""


def clamp(value, low, high):
    """The nearest value that is neither below low nor above high."""
    if value < low:
        return low
    if value > high:
        return high
    return value


def count(items):
    total = 0
    for item in items:
        if item is not None:
            total += 1
    return total


def never(x):
    return x + 1


def forever(n):
    while n > 0:
        n -= 1
    return "done"
'''
TESTS = '''import unittest

import pytest

import tiny


def test_inside():
    """A value between."""
    assert tiny.clamp(5, 1, 9) == 5


@pytest.mark.parametrize("value", [-3, 0])
def test_below(value):
    assert tiny.clamp(value, 1, 9) == 1


def test_both():
    assert tiny.count([tiny.clamp(10, 1, 9), None]) == 1


class CountTest(unittest.TestCase):
    def test_count(self):
        self.assertEqual(tiny.count([1, None, 0]), 2)


def test_forever():
    assert tiny.forever(3) == "done"
'''
MODULE, TEST_FILE = "tiny/__init__.py", "tests/test_tiny.py"
LIMITS = Limits(timeout=10.0, memory=2**29, processes=64)
SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="module", autouse=True)
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    """A package in every split, in a data folder of its own."""
    try:
        open_sandbox().close()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in {MODULE: SOURCE, TEST_FILE: TESTS}.items():
            member = tarfile.TarInfo(f"tiny-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    folder = tmp_path_factory.mktemp("code")
    (folder / "tiny-1.0.tar.gz").write_bytes(out.getvalue())
    package = Package(
        name="tiny",
        version="1.0",
        archive="tiny-1.0.tar.gz",
        sha256=hashlib.sha256(out.getvalue()).hexdigest(),
        split="train",
        sources=("tiny",),
        tests=("tests",),
    )
    listed = tuple(replace(package, split=split) for split in SPLITS)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SELFGYM_CODE_DATA", str(folder))
        patch.setattr(packages, "PACKAGES", listed)
        patch.setattr(making, "PACKAGES", listed)
        patch.setattr(making, "_SLACK", 1.0)
        yield package


def _open() -> Sandbox:
    return open_sandbox(limits=LIMITS, preimport=PREIMPORT)


@pytest.fixture(scope="module")
def maker(tiny: Package) -> Iterator[Maker]:
    maker = Maker(_open)
    yield maker
    maker.close()


def edit(old: str, new: str, kind: str = "comparison-operator") -> Edit:
    start = SOURCE.index(old)
    line = SOURCE[:start].count("\n") + 1
    function = [text.partition("(")[0] for text in SOURCE[:start].split("def ")][-1]
    return Edit(MODULE, start, start + len(old), new, kind, function, line)


def test_a_bug_fails_tests_that_pass_without_it(maker: Maker, tiny: Package) -> None:
    bug = maker.verify(tiny, edit("value < low", "value > low"))
    assert bug is not None
    assert set(bug.failing) == {f"{TEST_FILE}::{name}" for name in ("test_inside", "test_below[-3]", "test_below[0]")}
    assert len(bug.tests) == len(set(bug.tests)) == 6
    assert set(bug.failing) <= set(bug.tests)
    assert bug.error
    assert bug.id.startswith("tiny-1.0/")
    assert not any(word in bug.id for word in (MODULE, bug.kind, str(bug.start)))  # agents see it
    assert apply(SOURCE, bug.edit) == SOURCE.replace("value < low", "value > low")
    assert Bug.model_validate_json(bug.model_dump_json()) == bug


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value < low", "value <= low"),  # which is as right
        ("value > high", "value >= high"),
        ("x + 1", "x - 1"),  # which no test runs
        ("n -= 1", "n += 1"),  # which does not come to an end
        ("n -= 1", "__import__('os')._exit(0)"),
    ],
)
def test_what_no_test_can_tell_is_no_bug(maker: Maker, tiny: Package, old: str, new: str) -> None:
    assert maker.verify(tiny, edit(old, new)) is None
    assert maker.verify(tiny, edit("value < low", "value > low")) is not None  # the files are the original's again


def test_a_seed_draws_a_bug_and_it_is_kept(maker: Maker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drawn = [maker.draw("train", "repair", seed) for seed in range(6)]
    assert len({bug.id for bug in drawn}) > 2

    def fails() -> Sandbox:
        raise AssertionError("it was made before")

    assert [Maker(fails).draw("train", "repair", seed) for seed in range(6)] == drawn
    kept = sorted((data_folder() / "bugs").rglob("*/train/repair/*"))
    assert [path.name for path in kept] == [f"{seed}.json" for seed in range(6)]
    kept[3].write_bytes(kept[3].read_bytes()[:-5])
    again = maker.draw("train", "repair", 3)
    assert again.edit == drawn[3].edit
    assert Bug.model_validate_json(kept[3].read_bytes()) == again


def test_another_process_draws_the_same(tiny: Package) -> None:
    wanted = [edit for _, (_, edit) in zip(range(30), candidates("valid", "repair", 5), strict=False)]
    script = "import json, os\nfrom selfgym.envs.code import making\nfrom selfgym.envs.code.packages import Package\n"
    script += f"making.PACKAGES = ({replace(tiny, split='valid')!r},)\n"
    script += "drawn = zip(range(30), making.candidates('valid', 'repair', 5))\nprint([edit for _, (_, edit) in drawn])"
    environment = {**os.environ, "PYTHONHASHSEED": "99"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == repr(wanted), done.stderr


def test_kinds_of_mistakes_are_drawn_alike_and_function_tasks_remove_a_body(maker: Maker) -> None:
    kinds = [edit.kind for _, (_, edit) in zip(range(300), candidates("train", "repair", 1), strict=False)]
    assert len(set(kinds)) == len({one.kind for one in all_edits(making.PACKAGES[0])})
    bug = maker.draw("train", "function", 0)
    assert bug.kind == BODY_REMOVED
    problem = bug.problem("function")
    assert f"the function {bug.function} in {MODULE} has no body" in problem.statement
    assert bug.edit.replacement.strip() not in ("", SOURCE[bug.start : bug.end])


def test_where_nothing_can_be_made_it_says_so(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PackageError, match="there is no split 'best'"):
        maker.draw("best", "repair", 0)
    monkeypatch.setattr(making, "_TRIES", 3)
    monkeypatch.setattr(maker, "verify", lambda package, edit: None)
    with pytest.raises(PackageError, match="no task of kind 'repair' can be made of the valid packages with seed 99"):
        maker.draw("valid", "repair", 99)


def test_the_statement_tells_of_the_failure_and_not_of_the_cause(maker: Maker, tiny: Package) -> None:
    change = edit("total += 1", "total -= 1")
    bug = maker.verify(tiny, change)
    assert bug is not None
    problem = bug.problem()
    shown = problem.statement
    assert "Something in tiny 1.0 does not work as it should. 2 tests that are not here fail" in shown
    assert f"For example {bug.failing[0]}:" in shown
    assert "It ends with:" in shown
    for secret in ("total", MODULE, "line 18", "-= 1", "mutation"):
        assert secret not in shown
    assert problem.files[MODULE].decode() == SOURCE.replace("total += 1", "total -= 1")
    assert problem.solution == {MODULE: SOURCE.encode()}
    assert problem.hidden == {TEST_FILE: TESTS.encode()}
    left = problem.files[TEST_FILE].decode()
    assert "test_count" not in left
    assert "def test_both" not in left
    assert "def test_inside" in left
    compile(left, TEST_FILE, "exec")


def test_tests_are_taken_out_with_all_that_belongs_to_them() -> None:
    names = tuple(f"{TEST_FILE}::{name}" for name in ("test_below[0]", "CountTest::test_count", "test_made[1]"))
    left = without_tests(TESTS.encode(), (*names, "tests/other.py::test_inside"), TEST_FILE).decode()
    assert left == TESTS.replace(
        '@pytest.mark.parametrize("value", [-3, 0])\ndef test_below(value):\n    assert tiny.clamp(value, 1, 9) == 1\n',
        "pass\n",
    ).replace("    def test_count(self):\n        self.assertEqual(tiny.count([1, None, 0]), 2)\n", "    pass\n")
    files = {TEST_FILE: TESTS.encode()}
    assert test_source(files, names[0]).startswith('@pytest.mark.parametrize("value", [-3, 0])\ndef test_below')
    assert test_source(files, names[1]).strip().startswith("def test_count(self):")
    assert test_source(files, names[2]) == ""


@pytest.fixture(scope="module")
def env(maker: Maker) -> Iterator[CodeEnv]:
    env = CodeEnv(limits=LIMITS, max_steps=400)
    yield env
    env.close()


@pytest.mark.parametrize("kind", ["repair", "function"])
def test_undoing_the_bug_is_paid_and_doing_nothing_is_not(env: CodeEnv, kind: str) -> None:
    env = env if kind == "repair" else CodeEnv(kind="function", limits=LIMITS)
    for seed in range(2):
        env.reset(seed=seed)
        *_, (_, reward, terminated, _, info) = play(env, undo(env.problem))
        assert (reward, terminated, info["outcome"]) == (1.0, True, Outcome.SUCCESS)
        env.reset(seed=seed)
        _, reward, _, _, info = env.step({"name": "submit"})
        assert (reward, info["outcome"]) == (0.0, Outcome.FAILURE)
        assert 0.0 <= info["score"] < 1.0
    if kind == "function":
        env.close()


def test_the_hidden_tests_fail_as_they_are_told_to(env: CodeEnv) -> None:
    env.reset(seed=0)
    assert "failed" not in env.step({"name": "test"})[0]  # the failing tests are not in the checkout
    *_, info = env.step({"name": "submit"})
    bug = Maker(_open).draw("train", "repair", 0)
    assert info["passed"] == info["tests"] - len(bug.failing)


def test_who_is_told_nothing_mends_some(env: CodeEnv) -> None:
    paid = []
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        steps = list(play(env, try_mutations(observation, most=25)))
        assert steps[-1][2]
        paid.append(steps[-1][1])
    assert 1.0 in paid


def test_the_same_seed_begins_alike_in_every_environment(env: CodeEnv) -> None:
    other = CodeEnv(limits=LIMITS)
    for seed in (0, 1):
        assert other.reset(seed=seed) == env.reset(seed=seed)
        assert other.state_key() == env.state_key()
    kept = other.snapshot()
    assert env.restore(kept) == other.restore(kept)
    other.close()


def test_what_is_installed_cannot_be_read_or_imported() -> None:
    """Other packages of the same name as those of tasks, which this machine happens to have."""
    installed = covers()
    if not installed:
        pytest.skip("no package that tasks are made of is installed on this machine")
    names = json.dumps([place.rpartition("/")[2].removesuffix(".py") for place in installed.values()])
    env = CodeEnv(limits=LIMITS)
    env.reset(seed=0)
    script = f"import importlib\nfor name in {names}:\n    try: module = importlib.import_module(name)\n"
    script += (
        "    except ImportError: continue\n    print(name, module.__file__, [n for n in dir(module) if n[0] != '_'])\n"
    )
    shown = env.step({"name": "shell", "arguments": {"command": f"python - <<'END'\n{script}\nEND"}})[0]
    env.close()
    assert all(line.split(" ", 1)[1] == "None []" for line in shown.splitlines() if line != "[no output]"), shown


@pytest.mark.parametrize("split", SPLITS)
def test_tasks_of_the_real_packages(split: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made anew, but with the maps of tests that are there: these take a minute."""
    monkeypatch.delenv("SELFGYM_CODE_DATA")
    monkeypatch.setattr(packages, "PACKAGES", PACKAGES)
    monkeypatch.setattr(making, "PACKAGES", PACKAGES)
    real = data_folder()
    version = "python{}.{}".format(*sys.version_info)
    for package in (package for package in PACKAGES if package.split == split):
        if not (real / package.archive).exists():
            pytest.skip(f"{package} is not on this machine; `selfgym download code` fetches it")
        if not (real / "testmaps" / f"{package.name}-{package.version}-{version}.json").exists():
            pytest.skip(f"there is no map of the tests of {package} yet; playing a task makes it")
    (tmp_path / "testmaps").symlink_to(real / "testmaps")
    for package in PACKAGES:
        (tmp_path / package.archive).symlink_to(real / package.archive)
    monkeypatch.setenv("SELFGYM_CODE_DATA", str(tmp_path))
    env = CodeEnv(split=split)
    _, info = env.reset(seed=1)
    assert find_package(info["task_id"].partition(f"-{env.problem.package.version}")[0]).split == split
    *_, last = play(env, undo(env.problem))
    assert (last[1], last[4]["outcome"]) == (1.0, Outcome.SUCCESS)
    env.reset(seed=1)
    assert env.step({"name": "submit"})[4]["outcome"] is Outcome.FAILURE
    env.close()
