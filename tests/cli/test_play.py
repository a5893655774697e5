"""`selfgym play` as a person and as a pipe meet it."""

from __future__ import annotations

import io

import gymnasium
import pytest

from selfgym.agents.expert import ExpertAgent
from selfgym.cli import main

HOUSE = ["play", "selfgym/Household-v0", "--seed", "7", "--option", "size=tiny"]


def answer(lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    assert main(HOUSE) == 0
    return capsys.readouterr().out


def first() -> tuple[str, dict]:
    env = gymnasium.make("selfgym/Household-v0", size="tiny").unwrapped
    return env.reset(seed=7)


def test_it_shows_task_observation_and_numbered_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    observation, info = first()
    out = answer(["quit"], monkeypatch, capsys)
    assert out.startswith(f"Task: {info['task']}\n\n{observation}\n")
    for number, command in enumerate(info["admissible_commands"], 1):
        assert f"{number}  {command}\n" in out
    assert out.endswith("left after 0 steps\n")


def test_a_number_and_the_words_do_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = first()[1]["admissible_commands"][0]
    by_number = answer(["1"], monkeypatch, capsys)
    by_words = answer([command], monkeypatch, capsys)
    assert "You arrive at" in by_words
    assert by_number.replace("> 1\n", "> X\n") == by_words.replace(f"> {command}\n", "> X\n")


def test_undo_goes_back_to_what_was_seen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    observation, _ = first()
    out = answer(["undo", "1", "2", "undo", "undo"], monkeypatch, capsys)
    assert "nothing to undo" in out
    assert out.count(observation) == 3
    assert out.endswith("left after 0 steps\n")


def test_a_command_that_does_nothing_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = answer(["dance", "999"], monkeypatch, capsys)
    assert "Nothing happens." in out
    assert "'dance'" in out
    assert "there is no command 999" in out


def test_a_won_game_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plan = _plan()
    out = answer(plan, monkeypatch, capsys)
    assert out.endswith(f"success after {len(plan)} steps, total reward 1\n")


def _plan() -> list[str]:
    env = gymnasium.make("selfgym/Household-v0", size="tiny").unwrapped
    observation, info = env.reset(seed=7)
    expert = ExpertAgent("oracle")
    expert.begin(env)
    plan = []
    while info["outcome"] == "running":
        decision = expert.act(observation, info)
        plan.append(getattr(decision, "action", decision))
        observation, _, _, _, info = env.step(plan[-1])
    return plan
