"""Adapters to packages that have a Python of their own: the conformance suite, and their own tests, run there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

Peers = Callable[[str], Path]
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
ROOT = Path(__file__).resolve().parents[3]
ADAPTERS = {  # the id's name, the module to look for, and the peer that has it
    "TextArena": ("textarena", "games"),
    "PettingZoo": ("pettingzoo", "pettingzoo"),
    "GEM": ("gem", "gem"),
    "ScienceWorld": ("scienceworld", "adapters"),
    "TextWorld": ("textworld", "adapters"),
}
QUICK = tuple(name for name in ADAPTERS if name != "ScienceWorld")
"""That one needs four minutes for the whole suite: `SELFGYM_EVERY_ADAPTER=1` takes it too."""


def run(python_of: Peers, name: str, *arguments: str) -> str:
    """The last line that the Python of an adapter's package writes."""
    module, peer = ADAPTERS[name]
    if find_spec(module) is not None:
        pytest.skip(f"{module} is installed here: its tests run as they are")
    command = [str(python_of(peer)), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=580)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", ADAPTERS if os.environ.get("SELFGYM_EVERY_ADAPTER") else QUICK)
def test_the_conformance_suite_is_passed_against_the_genuine_package(name: str, python_of: Peers) -> None:
    said = run(python_of, name, *PYTEST, "tests/conformance/test_envs.py", "-k", f"{name}-v0 or registered")
    passed = re.match(r"(\d+) passed, \d+ deselected", said)
    assert passed, said
    assert int(passed[1]) >= 20


@pytest.mark.parametrize("name", ADAPTERS)
def test_its_own_tests_are_passed_there(name: str, python_of: Peers) -> None:
    said = run(python_of, name, *PYTEST, f"tests/envs/adapters/test_{name.lower()}.py")
    assert "passed" in said
    assert "skipped" not in said


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_example_of_the_documentation_runs_there(name: str, python_of: Peers) -> None:
    page = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
    [example] = re.findall(rf"^```python needs-{name.lower()}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    program = f"import gymnasium as gym\nimport selfgym\n{example}\nprint('done')"
    assert run(python_of, name, "-W", "error", "-c", program) == "done"
