"""Data sets on disk become problems whose hidden tests the reference solution passes and the workspace does not."""

import gzip
import json
import os
import subprocess
import sys

import pytest

from selfgym.envs.code.datasets import DatasetError, load_humaneval, load_mbpp, load_problems, load_swe

HUMANEVAL = {
    "task_id": "HumanEval/38",
    "prompt": "import math\n\n\ndef encode(s: str):\n    return s[::-1]\n\n\n"
    'def decode(s: str):\n    """\n    Undo encode. Matches r"\\d"; at most math.inf letters.\n    """\n',
    "canonical_solution": "    return s[::-1]\n",
    "test": "\n\nMETADATA = {}\n\n\ndef check(candidate):\n    assert candidate(encode('abc')) == 'abc'\n"
    "    assert abs(len(candidate('xy')) - 2) < math.inf\n",
    "entry_point": "decode",
}
MBPP = {
    "task_id": 19,
    "text": "Write a function to find whether a list has duplicates.",
    "code": "import collections\r\nfrom typing import List\r\ndef test_duplicate(items: List[int], most=1):\r\n"
    "    return max(collections.Counter(items).values()) > most",
    "test_list": ["assert test_duplicate([1, 2]) == False", "assert test_duplicate([1, 1])"],
    "test_setup_code": "",
    "challenge_test_list": ["assert test_duplicate(['''a\nb''', '''a\nb'''])"],
}
MBPP_CLASS = {
    "task_id": 927,
    "text": "Write a function to calculate the height of the given tree.",
    "code": "class Node:\n    def __init__(self, below):\n        self.below = below\n\ndef height(node):\n"
    "    return 1 + max(map(height, node.below), default=0)\n",
    "test_setup_code": "root = Node([])\nroot = Node([root])",
    "test_list": ["assert height(root) == 2"],
    "challenge_test_list": [],
}
SANITIZED = {
    "source_file": "Benchmark Questions Verification V2.ipynb",
    "task_id": 2,
    "prompt": "Write a function to halve a number.",
    "code": "def sum(a):\n    return a / 2\n",
    "test_imports": ["import math"],
    "test_list": ["assert math.isclose(sum(3), 1.5)"],
}


def lines(path, *records):
    path.write_text("\n".join(json.dumps(one) for one in records) + "\n")
    return path


def pytest_passes(problem, folder, extra):
    """Whether the hidden tests pass on the workspace with ``extra`` over it; only texts of this file are run."""
    for name, data in {**problem.files, **extra, **problem.hidden}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=."]
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": ".",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # importing ours takes longer than the tests
    }
    done = subprocess.run([*command, *problem.tests], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, 1, 2), done.stdout + done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("record", [HUMANEVAL, MBPP, MBPP_CLASS, SANITIZED], ids=lambda one: str(one["task_id"]))
def test_the_solution_passes_and_the_stub_does_not(record, tmp_path):
    (problem,) = load_problems(lines(tmp_path / "d.jsonl", record))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert pytest_passes(problem, tmp_path / "a", problem.solution)
    assert not pytest_passes(problem, tmp_path / "b", {})


def test_a_humaneval_problem(tmp_path):
    path = tmp_path / "HumanEval.jsonl.gz"
    path.write_bytes(gzip.compress(("\n" + json.dumps(HUMANEVAL)).encode()))
    (problem,) = load_humaneval(path)
    assert problem.id == "HumanEval/38"
    assert problem.files == {"solution.py": HUMANEVAL["prompt"].encode()}
    assert problem.solution == {"solution.py": (HUMANEVAL["prompt"] + HUMANEVAL["canonical_solution"]).encode()}
    assert problem.tests == ("test_hidden.py::test_solution",)
    assert "Complete the function decode in solution.py" in problem.statement
    assert "Undo encode" in problem.statement


def test_a_solution_cannot_replace_what_the_tests_use(tmp_path):
    (problem,) = load_humaneval(lines(tmp_path / "d.jsonl", HUMANEVAL))
    cheat = b"class Any:\n    pass\ndef encode(s): return s\ndef abs(x): return -1\ndef decode(s): return s\n"
    assert not pytest_passes(problem, tmp_path, {"solution.py": cheat})


def test_a_humaneval_test_may_call_the_function_by_its_name(tmp_path):
    record = {**HUMANEVAL, "test": "def check(candidate):\n    assert decode('a') == candidate('a')\n"}
    (problem,) = load_humaneval(lines(tmp_path / "d.jsonl", record))
    assert pytest_passes(problem, tmp_path, problem.solution)


def test_an_mbpp_problem(tmp_path):
    (problem,) = load_mbpp(lines(tmp_path / "d.jsonl", MBPP))
    assert problem.id == "MBPP/19"
    stub = "from typing import List\n\ndef test_duplicate(items: List[int], most=1):\n    raise NotImplementedError\n"
    assert problem.files["solution.py"].decode() == stub
    assert problem.tests == tuple(f"test_hidden.py::test_{number}" for number in (1, 2, 3))
    assert "assert test_duplicate([1, 2]) == False" in problem.statement
    assert "[1, 1]" not in problem.statement
    assert b"'''a\nb'''" in problem.hidden["test_hidden.py"]
    (tree,) = load_mbpp(lines(tmp_path / "e.jsonl", MBPP_CLASS))
    assert b"self.below = below" in tree.files["solution.py"]
    assert b"map(height" not in tree.files["solution.py"]


def test_an_array_of_records(tmp_path):
    path = tmp_path / "sanitized.json"
    path.write_text(json.dumps([SANITIZED, {**SANITIZED, "task_id": 3}], indent=2))
    assert [one.id for one in load_problems(path)] == ["MBPP/2", "MBPP/3"]


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ({**HUMANEVAL, "test": None}, r"d\.jsonl:1: the field test: input should be a valid string"),
        ({**HUMANEVAL, "test": "x = 1"}, r"d\.jsonl:1: the test does not define check\(candidate\)"),
        ({**HUMANEVAL, "entry_point": "fly"}, "do not define the function fly"),
        ({**HUMANEVAL, "canonical_solution": "    return ("}, "the solution of this record: .* not Python"),
        ({**MBPP, "test_list": []}, "the field test_list: list should have at least 1 item"),
        ({**MBPP, "test_list": ["assert 1 == 1"], "challenge_test_list": []}, "use nothing that the reference"),
        ({**MBPP, "text": "\ud800"}, None),
        ({"question": 1, "answer": 2}, "of no known format; its fields are question, answer. HumanEval has"),
        ([1], r"d\.jsonl:1: a record must be a JSON object, not int"),
        ("text", r"d\.jsonl:1: a record must be a JSON object, not str"),
    ],
)
def test_what_is_wrong_with_a_record(record, sentence, tmp_path):
    path = lines(tmp_path / "d.jsonl", record)
    if sentence is None:
        assert len(list(load_problems(path))) == 1
        return
    with pytest.raises(DatasetError, match=sentence):
        list(load_problems(path))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b'{"a": 1', r"d\.json:1: this line is not JSON"),
        (b"[" * 100_000, r"d\.json:1: this record is not JSON"),
        (b'[{"a": 1}\n\n{"a": 2}]', r"d\.json:1: after this record there is neither a comma"),
        (b'[\n{"a": 1},\n{"a": }]', r"d\.json:3: this record is not JSON"),
        (b"[\xff]", "not UTF-8"),
        (b"\x00\xff", "this line is not JSON"),
        (b"", "of no known format; its fields are none"),
        (b"[]", "of no known format; its fields are none"),
    ],
)
def test_files_that_cannot_be_read(data, sentence, tmp_path):
    path = tmp_path / "d.json"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=sentence):
        list(load_problems(path) if "format" in sentence else load_mbpp(path, refused=lambda _: None))
    with pytest.raises(DatasetError, match=r"absent\.jsonl: there is no such file"):
        list(load_mbpp(tmp_path / "absent.jsonl"))


def test_bad_records_can_be_left_out(tmp_path):
    path = lines(tmp_path / "d.jsonl", {**MBPP, "code": "def ("}, SANITIZED)
    refused = []
    assert [one.id for one in load_mbpp(path, refused=refused.append)] == ["MBPP/2"]
    assert [str(one).partition(": ")[0] for one in refused] == [f"{path}:1"]


def git(folder, *arguments):
    names = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    command = ["git", *names, "-c", "commit.gpgsign=false", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


BEFORE = {
    "pkg/__init__.py": "",
    "pkg/core.py": "def double(x):\n    return x + x + 1\n\n\ndef unused():\n    pass\n",
    "pkg/old.py": "A = 1\n",
    "tests/conftest.py": "import sys\n",
    "tests/test_core.py": "from pkg.core import double\n\n\ndef test_zero():\n    assert double(0) in (0, 1)\n",
    "größe ü.txt": "size\n",
    ".gitattributes": "tests export-ignore\n*.txt export-subst\n",
}
AFTER = {
    **{name: text for name, text in BEFORE.items() if name != "pkg/old.py"},
    "pkg/core.py": "def double(x):\n    return x + x\n\n\ndef unused():\n    pass\n",
    "pkg/new.py": "A = 1\n",
}
TESTS = {**AFTER, "tests/test_core.py": BEFORE["tests/test_core.py"] + "\n\ndef test_one():\n    assert double(1) == 2"}


@pytest.fixture
def swe(tmp_path):
    """A record and a clone, made by git itself: first the bug, then its repair, then tests."""
    clone = tmp_path / "repos" / "acme__pkg"
    clone.mkdir(parents=True)
    git(clone, "init", "-q")
    commits = []
    for files in (BEFORE, AFTER, TESTS):
        for path in git(clone, "ls-files", "-z").split("\0")[:-1]:
            (clone / path).unlink()
        for path, text in files.items():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_text(text)
        if len(commits) == 0:
            (clone / "link.py").symlink_to("pkg/core.py")
            (clone / "outside").symlink_to("/etc/passwd")
            (clone / "folder").symlink_to("pkg")
        git(clone, "add", "-A")
        git(clone, "commit", "-q", "-m", "x")
        commits.append(git(clone, "rev-parse", "HEAD").strip())
    record = {
        "instance_id": "acme__pkg-1",
        "repo": "acme/pkg",
        "base_commit": commits[0],
        "problem_statement": "double(1) is 3",
        "patch": git(clone, "diff", "-M", commits[0], commits[1], "--", "pkg"),
        "test_patch": git(clone, "diff", commits[1], commits[2]),
        "FAIL_TO_PASS": '["tests/test_core.py::test_one"]',
        "PASS_TO_PASS": ["tests/test_core.py::test_zero"],
        "hints_text": "",
        "version": "1.0",
    }
    return tmp_path / "swe.jsonl", record, clone


def test_a_swe_problem(swe, tmp_path):
    path, record, _ = swe
    (problem,) = load_problems(lines(path, record))
    expected = {name: text.encode() for name, text in BEFORE.items()}
    assert problem.files == {**expected, "link.py": expected["pkg/core.py"]}
    assert problem.solution == {"pkg/core.py": AFTER["pkg/core.py"].encode(), "pkg/new.py": b"A = 1\n"}
    assert problem.removed == ("pkg/old.py",)
    assert problem.hidden == {
        "tests/conftest.py": b"import sys\n",
        "tests/test_core.py": TESTS["tests/test_core.py"].encode(),
    }
    assert problem.tests == ("tests/test_core.py::test_one", "tests/test_core.py::test_zero")
    assert problem.statement == "double(1) is 3"
    counted = [path for path in (*problem.files, "pkg/new.py", "tests/new.py", "test_new.py") if problem.declared(path)]
    assert counted == ["link.py", "pkg/__init__.py", "pkg/core.py", "pkg/old.py", "pkg/new.py"]
    assert (problem.package.tests, problem.package.python_path) == (("tests",), (".",))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert pytest_passes(problem, tmp_path / "a", problem.solution)
    assert not pytest_passes(problem, tmp_path / "b", {})


def test_what_the_reference_changed_is_no_test(swe):
    path, record, clone = swe
    git(clone, "checkout", "-q", "-b", "more", record["base_commit"])
    for name in ("src/pkg/testing/tools.py", "src/pkg/testing/test_tools.py", "src/pkg/unit/tests/test_unit.py"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("A = 1\n")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "x")
    patch = "--- a/src/pkg/testing/tools.py\n+++ b/src/pkg/testing/tools.py\n@@ -1 +1 @@\n-A = 1\n+A = 2\n"
    change = {"base_commit": git(clone, "rev-parse", "HEAD").strip(), "patch": patch}
    (problem,) = load_swe(lines(path, {**record, **change}))
    assert problem.package.python_path == ("src", ".")
    assert problem.declared("src/pkg/testing/tools.py")
    assert not problem.declared("src/pkg/testing/test_tools.py")
    assert not problem.declared("src/pkg/unit/tests/test_unit.py")


def test_where_a_repository_is_found(swe, tmp_path):
    path, record, clone = swe
    (ordinary,) = load_swe(lines(path, record))
    bare = tmp_path / "bare" / "acme" / "pkg.git"
    git(tmp_path, "clone", "-q", "--bare", str(clone), str(bare))
    (from_bare,) = load_swe(path, repositories=tmp_path / "bare")
    files = tmp_path / "files" / "acme__pkg" / record["base_commit"]
    git(clone, "worktree", "add", "-q", str(files), record["base_commit"])
    with pytest.raises(DatasetError, match="is a worktree or a submodule; put a clone there"):
        list(load_swe(path, repositories=tmp_path / "files"))
    (files / ".git").unlink()
    (from_files,) = load_swe(path, repositories=tmp_path / "files")
    (named,) = load_swe(lines(path, {**record, "repo_path": "acme__pkg"}), repositories=clone.parent)
    assert ordinary.files == from_bare.files == from_files.files == named.files
    assert ordinary.hidden == from_bare.hidden == from_files.hidden == named.hidden


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"base_commit": "0" * 40}, r"swe\.jsonl:1: .*acme__pkg/\.git: git ls-tree 0{40}"),
        ({"base_commit": "--output=x"}, "'--output=x' is not the hash of a commit"),
        ({"repo": "../etc"}, "'../etc' is not the name of a repository"),
        ({"repo": "acme/other"}, "acme/other is not in .*repos: looked for acme__other/"),
        ({"repo_path": "../.."}, "'../..' lies outside"),
        ({"repo_path": "/etc"}, "'/etc' lies outside"),
        ({"FAIL_TO_PASS": "[]"}, "the field FAIL_TO_PASS: list should have at least 1 item"),
        ({"FAIL_TO_PASS": "test_a"}, "the field FAIL_TO_PASS: "),
        ({"FAIL_TO_PASS": ["test_one (tests.Core)"]}, "acme__pkg-1: .* not a test that pytest could be asked for"),
        ({"FAIL_TO_PASS": ["tests/test_x.py::a"]}, "acme__pkg-1: .* is in no file of the repository"),
        ({"patch": "nonsense"}, "acme__pkg-1: patch: this is not a unified diff: it names no file"),
        (
            {"test_patch": "--- a/pkg/core.py\n+++ b/pkg/core.py\n@@ -1 +1 @@\n-def triple(x):\n+def fourth(x):\n"},
            r"acme__pkg-1: test_patch: pkg/core\.py, hunk 1: line 1 should be 'def triple",
        ),
    ],
)
def test_what_is_wrong_with_an_instance(swe, change, sentence):
    path, record, _ = swe
    with pytest.raises(DatasetError, match=sentence):
        list(load_swe(lines(path, {**record, **change})))


def test_a_repository_is_neither_trusted_nor_fetched(swe, tmp_path):
    """An incomplete clone whose configuration names a program to fetch the rest with: nothing is run."""
    path, record, clone = swe
    touched = tmp_path / "touched"
    for name, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::sh -c touch% {touched}",
        "protocol.ext.allow": "always",
        "core.fsmonitor": f"touch {touched}",
        "core.hooksPath": str(clone),
    }.items():
        git(clone, "config", name, value)
    blob = git(clone, "rev-parse", f"{record['base_commit']}:pkg/core.py").strip()
    (clone / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(DatasetError, match=r"acme__pkg/\.git: "):
        list(load_swe(lines(path, record)))
    assert not touched.exists()
