"""The command line as a whole: help, version, one-line errors and their exit codes."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

import selfgym
from selfgym.cli import app, main

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == selfgym.__version__


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_its_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Usage: selfgym {command}" in capsys.readouterr().out
    found = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    silent = [parameter.name for parameter in found.params if not getattr(parameter, "help", None)]
    assert not silent


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["paly"], 2, "Did you mean 'play'?"),
        (["play"], 2, "ENV"),
        (["play", "selfgym/Household-v0", "--sed", "1"], 2, "--seed"),
        (["play", "selfgym/Household-v0", "--seed", "x"], 2, "--seed"),
        (["play", "household"], 1, "Did you mean 'selfgym/Household-v0'?"),
        (["play", "selfgym/Household-v0", "--option", "size"], 1, "NAME=VALUE"),
        (["play", "selfgym/Household-v0", "--option", "nonsense=1"], 1, "nonsense"),
    ],
)
def test_an_error_is_one_line(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SELFGYM_DEBUG", raising=False)
    assert main(arguments) == code
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.startswith("selfgym: ")
    assert caught.err.count("\n") == 1
    assert words in caught.err


@pytest.mark.parametrize("group", ["new", "memory", "bench"])
def test_a_group_of_commands_alone_is_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([group]) == 2
    said = capsys.readouterr()
    assert "Usage" in said.out
    assert not said.err


def test_debugging_shows_where_an_error_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFGYM_DEBUG", "1")
    with pytest.raises(Exception, match="no environment is called"):
        main(["play", "nowhere"])


def test_help_needs_nothing_heavy() -> None:
    program = "import sys; from selfgym.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "pyarrow", "numpy.random.mtrand.torch"} & set(answer.stderr.split())


def test_a_closed_pipe_is_not_a_traceback() -> None:
    command = f"{sys.executable} -c 'from selfgym.cli import main; import sys; sys.exit(main())' doctor | head -n 1"
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert answer.stdout.startswith("ok")
    assert answer.stderr == ""
