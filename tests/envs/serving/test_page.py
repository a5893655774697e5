"""The blocks of docs/serving.md that need another project's package, run under a Python that has it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```(python|console) needs-(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
Peers = Callable[[str], Path]
WHERE = {"openenv": "openenv-out", "trl": "trl", "verifiers": "verifiers", "minari": ""}
"""Package -> the peer that has it, unless it is here; none for what is among our own extras."""


def script_of(package: str) -> str:
    """The page's blocks for a package as one program."""
    script = []
    for language, needs, text in BLOCK.findall((ROOT / "docs/serving.md").read_text(encoding="utf-8")):
        if needs != package:
            continue
        named = re.match(r"# file: (\S+)\n", text)
        if language == "console":
            commands = [shlex.split(line[len("$ selfgym ") :]) for line in text.splitlines()]
            script += [f"from selfgym.cli import main\nassert main({command!r}) == 0" for command in commands]
        elif named:
            script.append(f"from pathlib import Path\nPath({named[1]!r}).write_text({text!r})")
        else:
            script.append(text)
    return "\n".join(script)


@pytest.mark.parametrize("package", WHERE)
def test_the_blocks_for_a_package_run(package: str, start: Any, tmp_path: Path, python_of: Peers) -> None:
    if not WHERE[package]:
        pytest.importorskip(package)
    python = sys.executable if find_spec(package) else str(python_of(WHERE[package]))
    (tmp_path / "page.py").write_text(script_of(package))
    arguments = [start("selfgym/Household-v0", "-o", "size=tiny")[0]] if package == "openenv" else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1", "CI": "true"}
    run = subprocess.run(
        [python, "page.py", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200
    )
    assert run.returncode == 0, f"{run.stdout[-2000:]}\n{run.stderr[-3000:]}"
    assert run.stdout.strip()
