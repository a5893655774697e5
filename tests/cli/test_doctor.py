"""`selfgym doctor` says what is there, what is missing and how to get it, and never fails for it."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from selfgym.cli import main


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, dict]:
    assert main(["doctor", "--json"]) == 0
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)}


def test_it_reports_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    checks = report(capsys)
    assert checks["Python"]["found"].startswith(platform.python_version())
    assert "cores" in checks["machine"]["found"]
    assert {"torch", "transformers", "Docker engine", "Chromium", "bwrap", "Xvfb", "vllm", "ray"} <= checks.keys()


def test_what_is_missing_comes_with_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    missing = [check for check in report(capsys).values() if not check["ok"]]
    assert all(check["remedy"] and check["use"] for check in missing)


def test_alfworld_games_are_found_where_the_variable_says(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    check = report(capsys)["ALFWorld games"]
    assert not check["ok"]
    assert "selfgym download alfworld" in check["remedy"]
    game = tmp_path / "json_2.1.1/valid_seen/pick/trial/game.tw-pddl"
    game.parent.mkdir(parents=True)
    game.write_text("{}")
    assert report(capsys)["ALFWorld games"]["ok"]


def test_a_person_reads_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.startswith("ok       Python")
