"""A new user, from nothing: a fresh environment, an agent of their own, and it stands on the leaderboard page.

The commands are those of docs/leaderboard.md, typed as they stand there. The dependencies of selfgym are lent by this
environment, because tests do not use the network; selfgym itself is built, installed and imported from the new one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/leaderboard.md").read_text(encoding="utf-8")


def console(title: str) -> list[str]:
    """The commands of the console blocks under a heading of the page."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^```console[^\n]*\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [line[2:].partition("  #")[0].strip() for block in found for line in block.splitlines() if line[:2] == "$ "]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (made,) = out.iterdir()
    return made


def test_an_agent_of_ones_own_stands_on_the_page_after_at_most_ten_commands(wheel: Path, tmp_path: Path) -> None:
    commands = console("From nothing to the page")
    assert 3 <= len(commands) <= 10
    assert commands[0].startswith("python3 -m venv")
    (install,) = (line for line in commands if "pip install" in line)
    agent = re.search(r"^```python\n# file: (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert agent
    (tmp_path / agent[1]).write_text(agent[2])
    venv.create(tmp_path / ".venv", with_pip=False)
    (packages,) = (tmp_path / ".venv").glob("lib/python*/site-packages")
    lent = sysconfig.get_paths()["purelib"]
    (packages / "lent.pth").write_text(lent + "\n")  # its own .pth files, the checkout's among them, are not read
    pip = [sys.executable, "-m", "pip", "--python", str(tmp_path / ".venv/bin/python"), "install"]
    how = ["--quiet", "--no-deps", "--no-index", "--ignore-installed", "--disable-pip-version-check", str(wheel)]
    subprocess.run([*pip, *how], check=True, cwd=tmp_path, env=clean())
    for line in commands[1:]:
        if line == install or line.startswith("source "):
            continue
        answer = subprocess.run(line, shell=True, cwd=tmp_path, env=clean(tmp_path), capture_output=True, text=True)
        assert answer.returncode == 0, f"{line}\n{answer.stdout}{answer.stderr}"
    where = "import selfgym; print(selfgym.__file__)"
    answer = subprocess.run(["python", "-c", where], cwd=tmp_path, env=clean(tmp_path), capture_output=True, text=True)
    assert answer.stdout.startswith(str(packages))
    page = (tmp_path / "leaderboard.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr class=.*?</tr>", page, re.DOTALL)
    assert len(rows) == 3
    mine = next(row for row in rows if "my_agent:<wbr>" in row)
    assert "no model" in mine
    assert re.search(r"\d+\.\d%", mine)


def clean(folder: Path | None = None) -> dict[str, str]:
    """This process's variables without those that would let an installed selfgym see the repository."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return kept if folder is None else kept | {"PATH": f"{folder / '.venv/bin'}:{kept['PATH']}", "CI": "1"}
