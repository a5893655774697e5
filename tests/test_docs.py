"""The documentation is true: its Python runs, its commands run or at least exist, its links lead somewhere.

On each page the blocks run in order, in one namespace and in an empty folder. What a block's first line may say after
the language:

* ``python`` runs; a first line ``# file: NAME`` saves the block as that file instead, and one of ``toml`` too.
* ``console`` runs each line that starts with ``$ selfgym``, or ends in a pipe to it, and wants exit code 0;
  ``console not-run`` only checks that the commands, options and make targets exist (for what takes minutes or needs
  the network).
* ``needs-alfworld`` runs only where the genuine games are at hand, ``needs-sandbox`` where a local sandbox can be
  opened, ``needs-docker`` where an engine answers, ``needs-packages`` where there are a sandbox and the archives of
  ``selfgym download code``, ``needs-browser`` where there is a Chromium, ``needs-desktop`` where there are a sandbox
  and the packages of ``selfgym download desktop``, ``needs-ray``, ``needs-minigrid`` and the like where that package
  is installed. What needs one of `PEERS` is run by other tests, with a Python that has it. What was left out is a
  skipped test that says so.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pytest
import typer

from selfgym.benchmarks.leaderboard.suite import suite_names
from selfgym.cli import app
from selfgym.cli.adapters import PACKAGES, adapter_needs
from selfgym.cli.browsers import web_needs
from selfgym.cli.desktops import desktop_needs
from selfgym.cli.sandboxes import packages_check
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import probe

ROOT = Path(__file__).resolve().parent.parent
ROOMS = [ROOT / room / "README.md" for room in ("envs", "agents", "memory", "trainers", "benchmarks")]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
GAMES = ROOT.parent / "shared/data/alfworld/games.tar.xz"
PEERS = ("textarena", "pettingzoo", "gem", "openenv", "trl", "verifiers", "minari")
"""Packages that want a Python of their own: tests/envs/adapters and tests/envs/serving run the blocks that need one."""
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:selfgym|make) [^`\n]+)`")
RUN = re.compile(r"\$ (.+ \| )?selfgym ")
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")
SCRIPT = re.compile(r"\b(?:python|pytest) ((?:benchmarks|tests|docs)/[\w/]+\.py)|`(tests/[\w/]+\.py)`")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    marks: tuple[str, ...]
    text: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found[1], tuple(found[2].split()), found[3])


def commands_of(page: Path) -> Iterator[str]:
    """Every command line that the page shows."""
    for block in blocks(page):
        if block.language == "console":
            yield from (line[2:] for line in block.text.replace("\\\n", " ").splitlines() if line.startswith("$ "))
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    yield from (found[1] for found in INLINE.finditer(prose))


@pytest.fixture(scope="module")
def games(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of genuine games: ``$ALFWORLD_DATA``, or those beside the repository; empty if there are none."""
    if not GAMES.exists():
        return os.environ.get("ALFWORLD_DATA", "")
    folder = tmp_path_factory.mktemp("alfworld")
    with tarfile.open(GAMES) as archive:
        archive.extractall(folder, filter="data")
    return str(folder)


@pytest.fixture(scope="module")
def absent(games: str) -> dict[str, str]:
    """The marks whose blocks cannot run here, each with the reason."""
    packages = packages_check()
    sandbox = unavailable("local")
    reasons = {
        "needs-alfworld": "" if games else f"there is no {GAMES}",
        "needs-sandbox": sandbox,
        "needs-docker": unavailable("docker"),
        "needs-browser": web_needs(),
        "needs-desktop": desktop_needs(),
        "needs-ray": "" if find_spec("ray") else "pip install 'selfgym[ray]'",
        "needs-packages": sandbox or ("" if packages.ok else f"{packages.found}; {packages.remedy}"),
    }
    reasons |= {f"needs-{peer}": "tests/envs runs it" for peer in PEERS}
    reasons |= {f"needs-{module}": adapter_needs(name) for name, (module, *_) in PACKAGES.items()}
    return {mark: reason for mark, reason in reasons.items() if reason}


def unavailable(backend: Literal["local", "docker"]) -> str:
    """Why no session of a backend can be opened; empty if one can."""
    try:
        probe(backend)
    except SandboxUnavailable as error:
        return str(error)
    return ""


def script_of(page: Path, absent: Iterable[str]) -> str:
    """The page as one program, without the blocks that have one of the marks ``absent``."""
    script = []
    for block in blocks(page):
        if {"not-run", *absent} & set(block.marks):
            continue
        named = re.match(r"# file: (\S+)\n", block.text)
        if block.language in ("python", "toml") and named:
            script.append(f"__import__('pathlib').Path({named[1]!r}).write_text({block.text!r})")
        elif block.language == "python":
            script.append(f"exec(compile('\\n' * {block.line} + {block.text!r}, {page.name!r}, 'exec'))")
        elif block.language == "console":
            lines = [line[2:] for line in block.text.replace("\\\n", " ").splitlines() if RUN.match(line)]
            script += [f"__import__('subprocess').run({line!r}, shell=True, check=True)" for line in lines]
    return "\n".join(script)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_runs(page: Path, tmp_path: Path, games: str, absent: dict[str, str]) -> None:
    (tmp_path / "page.py").write_text(script_of(page, absent))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CI": "true", "HF_HUB_OFFLINE": "1", "ALFWORLD_DATA": games}
    answer = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
    )
    assert answer.returncode == 0, f"{page.name}:\n{answer.stdout[-2000:]}\n{answer.stderr[-4000:]}"
    shown = {mark for block in blocks(page) for mark in block.marks} - {f"needs-{peer}" for peer in PEERS}
    left_out = [mark for mark in absent if mark in shown]
    if left_out:
        reasons = "; ".join(f"what is marked {mark} ({absent[mark]})" for mark in left_out)
        pytest.skip(f"LEFT OUT of {page.name}: {reasons}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page: Path) -> None:
    wrong = [problem for line in commands_of(page) if (problem := complaint(line))]
    assert not wrong, "\n".join(wrong)


def complaint(line: str) -> str:
    """What is wrong with a command line that a page shows; empty if nothing is."""
    words = shlex.split(re.sub(r"^.+ \| (?=selfgym )", "", line), comments=True)
    while words and "=" in words[0]:
        words = words[1:]  # variables set for the command
    if words[:1] == ["make"]:
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        wrong = [word for word in words[1:] if "=" not in word and word not in targets]
        return f"`{line}`: no make target {wrong}" if wrong else ""
    if words[:1] != ["selfgym"]:
        return ""
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    if len(words) == 1 or words[1].startswith("-"):
        return ""
    if words[1] not in known:
        return f"`{line}`: there is no command {words[1]!r}"
    command, name = known[words[1]], words[1]
    if hasattr(command, "commands") and len(words) > 2 and not words[2].startswith("-"):
        name = f"{name} {words[2]}"
        suite = words[1] == "bench" and (words[2] in suite_names() or words[2].endswith(".toml"))
        command = command.commands.get("run" if suite else words[2])
        if command is None:
            return f"`{line}`: there is no command {name!r}"
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    unknown = [word for word in words[2:] if re.match(r"--?[a-z]", word) and word.split("=")[0] not in options]
    return f"`{line}`: no option {unknown}" if unknown else ""


def test_every_mark_is_one_that_is_known() -> None:
    needs = ("alfworld", "sandbox", "docker", "packages", "browser", "desktop", "ray", *PEERS)
    modules = (module for module, *_ in PACKAGES.values())
    known = {"not-run", *(f"needs-{what}" for what in (*needs, *modules))}
    assert not [
        f"{page.name}:{block.line} {mark}"
        for page in PAGES
        for block in blocks(page)
        for mark in {*block.marks} - known
    ]


def test_wrong_command_lines_are_noticed() -> None:
    assert "no command" in complaint("selfgym dance")
    assert "no option" in complaint("selfgym doctor --loud")
    assert "no command 'memory sing'" in complaint("selfgym memory sing")
    assert "no option" in complaint("selfgym memory list x.db --loud")
    assert "no option" in complaint("echo 'a | b' | selfgym doctor --loud")
    assert "no make target" in complaint("make coffee")
    assert complaint("selfgym doctor --json") == ""
    assert complaint("selfgym bench quick --agent expert") == complaint("selfgym bench x.toml --agent expert") == ""
    assert "no option" in complaint("selfgym bench quick --loud")


@pytest.mark.parametrize("page", [*PAGES, *ROOMS], ids=lambda page: f"{page.parent.name}-{page.name}")
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = [found[1] for found in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert not [target for target in targets if "://" not in target and not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_script_that_is_named_exists(page: Path) -> None:
    named = [first or second for first, second in SCRIPT.findall(page.read_text(encoding="utf-8"))]
    assert not [name for name in named if not (ROOT / name).exists()]
