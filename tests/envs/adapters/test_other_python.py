"""The adapters whose package is missing here, tested under a Python that has it.

SELFGYM_ADAPTERS_PYTHON names it. Their conformance tests take minutes and are run by hand, with its pytest:
``-k 'TextWorld or ScienceWorld' tests/conformance/test_envs.py``.
"""

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from selfgym.cli.adapters import PACKAGES

ROOT = Path(__file__).resolve().parents[3]
PYTHON = Path(os.environ.get("SELFGYM_ADAPTERS_PYTHON", "/opt/peers/adapters/bin/python"))
TESTS = {name: f"test_{module if module != 'minigrid' else 'babyai'}.py" for name, (module, *_) in PACKAGES.items()}


@pytest.mark.parametrize("name", PACKAGES)
def test_an_adapter_whose_package_is_elsewhere(name):
    module = PACKAGES[name][0]
    if find_spec(module) is not None:
        pytest.skip(f"{module} is installed here: its own tests run")
    there = [str(PYTHON), "-c", f"import importlib.util as u; print(u.find_spec({module!r}) is not None)"]
    if not PYTHON.is_file() or subprocess.run(there, capture_output=True, text=True).stdout.strip() != "True":
        pytest.skip(f"{module.upper()} IS NEITHER HERE NOR AT {PYTHON}: set SELFGYM_ADAPTERS_PYTHON")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/envs/adapters/{TESTS[name]}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, timeout=500)
    assert run.returncode == 0, run.stdout[-3000:]
