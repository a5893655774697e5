"""Other people's packages, real ones: made by `selfgym new`, built, installed, found, and their own tests passed.

They are installed beside selfgym in a fresh environment, to which this one lends the dependencies, because tests do not
use the network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from selfgym.cli import main

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGES = {"my_agent": "agent", "my_game": "env", "my_recipe": "recipe"}


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"__pycache__", ".pytest_cache"} & set(path.parts)
    }


@pytest.mark.parametrize("name", PACKAGES)
def test_the_package_is_what_the_command_makes(name: str, tmp_path: Path) -> None:
    assert main(["new", PACKAGES[name], name, "--folder", str(tmp_path)]) == 0
    assert files(HERE / name) == files(tmp_path / name), f"selfgym new {PACKAGES[name]} {name} --folder tests/plugins"


def test_the_agent_has_fifteen_lines_at_most() -> None:
    assert len((HERE / "my_agent/my_agent.py").read_text().splitlines()) <= 15


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fresh environment in which selfgym and the three packages are installed, from their wheels."""
    folder = tmp_path_factory.mktemp("plugins")
    for name in PACKAGES:
        shutil.copytree(HERE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for source in (ROOT, *(folder / name for name in PACKAGES)):
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", source]
        answer = subprocess.run(build, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stdout + answer.stderr
    venv.create(folder / ".venv", with_pip=False)
    (packages,) = (folder / ".venv").glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    pip = [sys.executable, "-m", "pip", "--python", folder / ".venv/bin/python", "install", "--quiet", "--no-deps"]
    how = ["--no-index", "--ignore-installed", "--disable-pip-version-check", *(folder / "dist").glob("*.whl")]
    subprocess.run([*pip, *how], check=True, cwd=folder, env=clean(folder))
    return folder


def clean(folder: Path) -> dict[str, str]:
    """This process's variables without those that would let an installed selfgym see the repository."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return kept | {"PATH": f"{folder / '.venv/bin'}:{kept['PATH']}", "CI": "1", "HF_HUB_OFFLINE": "1"}


def told(place: Path, *command: str, folder: str = "") -> str:
    answer = subprocess.run(command, cwd=place / folder, env=clean(place), capture_output=True, text=True)
    assert answer.returncode == 0, f"{' '.join(command)}\n{answer.stdout}{answer.stderr}"
    return answer.stdout


def test_they_are_found(place: Path) -> None:
    assert str(place) in told(place, "python", "-c", "import selfgym, my_agent; print(selfgym.__file__)")
    for command, name in (("agents", "my_agent"), ("envs", "my_game/MyGame-v0"), ("recipes", "my_recipe")):
        entries = {entry["name"]: entry for entry in json.loads(told(place, "selfgym", command, "--json"))}
        assert entries[name]["available"], entries[name]
        assert entries[name]["about"]


@pytest.mark.parametrize("name", PACKAGES)
def test_its_own_tests_pass(place: Path, name: str) -> None:
    assert "passed" in told(place, "python", "-W", "error", "-m", "pytest", "-q", folder=name)


def test_they_work_together(place: Path) -> None:
    run = ("selfgym", "run", "--env", "my_game/MyGame-v0", "--episodes", "5", "--json", "--agent")
    floor, ceiling = (json.loads(told(place, *run, agent)) for agent in ("my_agent", "solver"))
    assert floor["errors"] == ceiling["errors"] == 0
    assert ceiling["success"] == 1.0


def test_a_name_that_an_installed_package_has_is_refused(place: Path) -> None:
    make = ["selfgym", "new", "recipe", "my_recipe", "--folder", "elsewhere"]
    answer = subprocess.run(make, cwd=place, env=clean(place), capture_output=True, text=True)
    assert answer.returncode == 1
    assert "the recipe 'my_recipe' is there already (my_recipe:RECIPE)" in answer.stderr
    assert not (place / "elsewhere").exists()
