"""`selfgym evolve`: a run from the command line, gone on with, and refused where the settings do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfgym.cli import main

pytest.importorskip("torch", reason="evolving needs selfgym[train]")

from selfgym.trainers.recipe import RECIPES

TINY = [
    "--iterations", "1", "--demos", "3", "--tasks", "2", "--evaluations", "3",
    "--set", 'env_options={"size": "tiny", "max_steps": 3}', "--set", "agent.restrict=true",
    "--set", "search.simulations=1", "--set", "search.branch=2", "--set", "search.max_depth=3",
    "--set", "clone.steps=2", "--set", "update.steps=2",
]  # fmt: skip


def test_a_run_is_made_reported_and_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["evolve", "agent-r", "--out", str(folder), *TINY, "--json"]) == 0, capsys.readouterr().err
    told = json.loads(capsys.readouterr().out)
    assert [record["iteration"] for record in told["metrics"]] == [0, 1]
    for name in ("config.json", "episodes.db", "metrics.jsonl", "curve.png", "checkpoints/1/config.json"):
        assert (folder / name).exists(), name
    assert main(["evolve", "--out", str(folder), "--json"]) == 0  # finished: with its own settings, nothing to do
    assert json.loads(capsys.readouterr().out) == told
    assert main(["evolve", "--out", str(folder), "--quiet"]) == 0
    table = capsys.readouterr().out
    assert "held-out success" in table
    assert len(table.splitlines()) == 3

    assert main(["evolve", "good-only", "--out", str(folder), "--seed", "3"]) == 1
    assert "other settings (recipe, seed)" in capsys.readouterr().err


def test_help_names_every_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evolve", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert all(recipe in told for recipe in RECIPES)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["agnt-r"], "Did you mean 'agent-r'?"),
        (["agent-r", "--env", "Household"], "Did you mean 'selfgym/Household-v0'?"),
        (["agent-r", "--set", "env_options.size=vast"], "vast"),
        (["agent-r", "--set", "searching.simulations=1"], "'searching'"),
        (["agent-r", "--set", "iterations=many"], "'iterations'"),
        (["agent-r", "--set", "model.size=1", "--model", "nano"], "'model' is a single setting"),
        (["agent-r", "--config", "nowhere.json"], "nowhere.json"),
    ],
)
def test_what_cannot_run_is_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert main(["evolve", *arguments, "--out", str(folder)]) == 1
    caught = capsys.readouterr()
    assert words in caught.err
    assert caught.err.count("\n") == 1
    assert not (folder / "config.json").exists()
