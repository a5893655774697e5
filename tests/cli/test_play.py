"""`selfgym play` as a person and as a pipe meet it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import gymnasium
import pytest

from selfgym.agents.expert import ExpertAgent
from selfgym.cli import main
from selfgym.cli.play import typed_call
from selfgym.envs.code.tools import CODE_TOOLS
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import probe

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


@pytest.fixture
def function_task(tmp_path: Path) -> Path:
    """A HumanEval file with one problem; skips where no sandbox can be opened."""
    try:
        probe()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")
    record = {
        "task_id": "Mine/0",
        "prompt": 'def double(x):\n    """Twice x."""\n',
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(4) == 8\n",
        "entry_point": "double",
    }
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(record) + "\n")
    return path


def test_a_programmer_types_tools_like_commands_or_json(
    function_task: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = "def double(x):\n    return 2 * x\n"
    lines = [
        "list",
        "dance",
        "17",
        "shell echo one | tr o 0; echo $HOME",
        "read solution.py 1 1",
        "undo",
        json.dumps({"name": "write", "arguments": {"path": "solution.py", "content": solution}}),
        "submit",
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    assert main(["play", "selfgym/Code-v0", "--option", f"problems={function_task}"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Complete the function double in solution.py")
    assert out.count("Complete the function double") == 1
    assert "> list\n\nsolution.py\n" in out
    assert "there is no tool 'dance'; there are: list(path?: string)" in out
    assert "there is no tool '17'" in out
    assert "0ne\n/tmp\n" in out
    assert "\n    1 def double(x):\n" in out
    assert out.endswith("success after 4 steps, total reward 1\n")


@pytest.mark.parametrize(
    ("line", "name", "arguments"),
    [
        ("test", "test", {}),
        ("test tests/test_a.py::test_b[x y]", "test", {"target": "tests/test_a.py::test_b[x y]"}),
        ("search 'a b' src", "search", {"pattern": "a b", "path": "src"}),
        ("edit a.py 'x = 1' ''", "edit", {"path": "a.py", "old": "x = 1", "new": ""}),
    ],
)
def test_a_line_becomes_a_call(line: str, name: str, arguments: dict) -> None:
    call, wrong = typed_call(CODE_TOOLS, line)
    assert wrong == ""
    assert json.loads(call) == {"name": name, "arguments": arguments}


@pytest.mark.parametrize(
    ("line", "words"), [("edit a b c d", "too many words for edit("), ("read 'a", "cannot be taken apart")]
)
def test_a_line_that_is_no_call_is_explained(line: str, words: str) -> None:
    call, wrong = typed_call(CODE_TOOLS, line)
    assert call == ""
    assert words in wrong
