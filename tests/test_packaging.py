"""The wheel and the sdist, built here; and a checkout, an installed plug-in and an import as a user meets them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import selfgym

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("envs", "agents", "memory", "trainers", "benchmarks")


def run_python(program: str, *, path: Path | None = None, cwd: Path | None = None) -> str:
    environment = dict(os.environ)
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, "-W", "error", "-c", program]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def build(what: str, source: Path, out: Path) -> Path:
    command = [sys.executable, "-m", "build", f"--{what}", "--no-isolation", "--outdir", str(out), str(source)]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (made,) = out.iterdir()
    return made


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def wheel_files(wheel: Path) -> list[str]:
    return [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]


def test_everything_in_the_wheel_is_under_selfgym(wheel: Path) -> None:
    assert {name.split("/")[0] for name in wheel_files(wheel)} == {"selfgym"}


def test_the_wheel_has_every_source_file_once(wheel: Path) -> None:
    names = wheel_files(wheel)
    assert len(names) == len(set(names))
    expected = {f"selfgym/{path.relative_to(ROOT)}" for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert expected <= set(names)
    assert {"selfgym/py.typed", "selfgym/__init__.py", "selfgym/cli/__init__.py"} <= set(names)
    sandbox = {f"selfgym/envs/sandbox/guest/etc/{name}" for name in ("group", "hosts", "nsswitch.conf", "passwd")}
    assert sandbox | {"selfgym/envs/sandbox/Dockerfile"} <= set(names)
    page = {f"leaderboard/page/{name}" for name in ("page.html", "sort.js", "style.css")}
    board = {f"selfgym/benchmarks/{name}" for name in page | {"suites/quick.toml", "suites/frozen.toml"}}
    assert board | {"selfgym/viewer/view.css", "selfgym/viewer/view.js"} <= set(names)
    templates = {
        f"selfgym/{path.relative_to(ROOT / 'src/selfgym')}" for path in (ROOT / "src/selfgym/templates").rglob("*.*")
    }
    assert len(templates) == 12
    assert templates <= set(names)
    assert not [name for name in names if "__pycache__" in name or "/results/" in name]
    assert not [name for name in names if "/tests/" in name and name not in templates]


def test_a_wheel_built_from_the_sdist_is_the_same(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    for name in ("Makefile", "README.md", "LICENSE", "tests/test_packaging.py", "envs/core.py"):
        assert (source / name).exists(), name
    again = build("wheel", source, tmp_path / "out")
    assert sorted(wheel_files(again)) == sorted(wheel_files(wheel))


def test_the_version_is_written_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert metadata.version("selfgym") == selfgym.__version__


def test_importing_selfgym_loads_nothing_heavy() -> None:
    loaded = set(run_python("import selfgym, sys; print(*sys.modules)").split())
    heavy = {"torch", "transformers", "playwright", "docker", "pyarrow", "matplotlib", "selfgym.envs.household"}
    assert not loaded & heavy


def test_make_needs_no_import_of_selfgym() -> None:
    program = """
import gymnasium
env = gymnasium.make("selfgym:selfgym/Household-v0")
observation, info = env.reset(seed=7)
print(info["task"])
"""
    assert run_python(program).strip()


@pytest.mark.parametrize("links", ["none", "text files"])
def test_a_checkout_without_symbolic_links_works(tmp_path: Path, links: str) -> None:
    (tmp_path / "src").mkdir()
    shutil.copytree(ROOT / "src/selfgym", tmp_path / "src/selfgym", ignore=lambda *_: set(ROOMS) | {"__pycache__"})
    for room in ROOMS:
        (tmp_path / room).mkdir()
        if links == "text files":  # what git writes where the file system has no links
            (tmp_path / "src/selfgym" / room).write_text(f"../../{room}")
    for name in ("core.py", "spaces.py", "web/miniwob/names.py"):
        (tmp_path / "envs" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "envs" / name, tmp_path / "envs" / name)
    found = run_python("import selfgym.envs.core as c; print(c.__file__)", path=tmp_path / "src", cwd=tmp_path)
    assert Path(found.strip()) == tmp_path / "envs/core.py"


def test_an_installed_package_announces_an_environment_an_agent_and_a_method(tmp_path: Path) -> None:
    (tmp_path / "stranger.py").write_text(
        '''
"""Somebody else's package."""
from selfgym.agents.methods.reflexion import Reflexion
from selfgym.agents.random import RandomAgent
from selfgym.envs.household.env import HouseholdEnv

class TheirAgent(RandomAgent):
    """Acts as it likes."""

class TheirMethod(Reflexion):
    """Remembers as it likes."""

class TheirHousehold(HouseholdEnv):
    """A household of theirs."""
'''
    )
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[selfgym.envs]\nstranger/House-v0 = stranger:TheirHousehold\n[selfgym.agents]\ntheirs = stranger:TheirAgent\n"
        "[selfgym.methods]\ntheirs = stranger:TheirMethod\n"
    )
    program = "from selfgym.cli import main; main(['{}', '--json'])"
    envs = json.loads(run_python(program.format("envs"), path=tmp_path))
    agents = json.loads(run_python(program.format("agents"), path=tmp_path))
    assert ("stranger/House-v0", "A household of theirs.", True) in [
        (entry["name"], entry["about"], entry["available"]) for entry in envs
    ]
    assert ("theirs", True) in [(entry["name"], entry["available"]) for entry in agents]
    made = "import gymnasium; env = gymnasium.make('selfgym:stranger/House-v0'); print(env.reset(seed=1)[1]['task'])"
    assert run_python(made, path=tmp_path).strip()
    found = "from selfgym.agents.methods.method import find_method; print(type(find_method('theirs')).__name__)"
    assert run_python(found, path=tmp_path).strip() == "TheirMethod"
