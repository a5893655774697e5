"""Environments as TRL's GRPOTrainer takes them: a real training run on a tiny model, and what is read of methods."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from selfgym.envs.code.tools import CODE_TOOLS
from selfgym.envs.core import Outcome
from selfgym.envs.serving.trl_environment import environment_factory, rows

ROOT = Path(__file__).resolve().parents[3]
GAME = "selfgym/KuhnPoker-v0"


@pytest.fixture(scope="module")
def trained(python_of: Callable[[str], Path]) -> dict[str, Any]:
    """What happened in trl_peer.py."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
    peer = [str(python_of("trl")), str(Path(__file__).with_name("trl_peer.py"))]
    run = subprocess.run(peer, capture_output=True, text=True, env=environment, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, Any] = json.loads(run.stdout[run.stdout.index('{"seen"') :])
    return found


def replayed(seed: int, actions: list[str]) -> tuple[list[str], float]:
    """What the game says to these actions, and the sum of the rewards, without TRL."""
    env, said, total = gymnasium.make(GAME), [], 0.0
    _, info = env.reset(seed=seed)
    for action in actions:
        if info["outcome"] != "running":
            break
        text, reward, *_, info = env.step(action)
        said.append(text)
        total += float(reward)
    return said, total


def test_what_a_model_plays_in_training_is_the_game(trained: dict[str, Any]) -> None:
    assert len(trained["seen"]) == 16  # two steps of two groups of four
    played = 0
    for seed, actions, said, reward in trained["seen"]:
        answers, total = replayed(seed, actions[: len(said)])
        assert [text.startswith(answer) for text, answer in zip(said, answers, strict=False)] == [True] * len(answers)
        assert set(said[len(answers) :]) <= {"The episode has ended: success.", "The episode has ended: failure."}
        assert reward == total
        played += len(answers)
    assert played >= 16
    assert {seed for seed, *_ in trained["seen"]} == {1, 2}


def test_the_rewards_of_the_environment_move_the_weights(trained: dict[str, Any]) -> None:
    first, second, _ = trained["log"]
    for step, seen in ((first, trained["seen"][:8]), (second, trained["seen"][8:])):
        mean = sum(reward for *_, reward in seen) / len(seen)
        assert step["rewards/SelfgymKuhnpokerV0/mean"] == pytest.approx(mean)
        assert step["tools/call_frequency"] >= 1
        assert step["tools/failure_frequency"] == 0
    assert first["reward_std"] > 0
    assert first["grad_norm"] > 0
    assert trained["moved"]


def test_a_text_world_has_one_tool_and_is_reset_by_the_rows() -> None:
    make = environment_factory("selfgym/Household-v0", size="tiny")
    episode: Any = make()
    [row] = rows([7])
    first = episode.reset(**row)
    assert first.startswith("-= Welcome to TextWorld, ALFRED! =-")
    assert "\n\nPossible actions: " in first
    assert make().reset(seed=7, other="column") == first  # type: ignore[call-arg]
    assert "'fly' is no command" in episode.act(action="fly")
    assert "Nothing happens." in episode.act(word="look")  # a call that fits nothing is an action that fits nothing
    assert episode.get_reward() == 0.0


def test_a_schema_can_be_read_of_every_tool() -> None:
    utils = pytest.importorskip("transformers.utils", reason="pip install 'selfgym[train]'")
    episode: Any = environment_factory("selfgym/MiniDesktop-v0")()
    tools = {tool.name: tool.openai_schema()["function"] for tool in episode._env.tools}
    methods = [name for name, _ in inspect.getmembers(type(episode), inspect.isfunction) if name in tools]
    assert set(methods) == set(tools)
    for name in methods:
        read = utils.get_json_schema(getattr(episode, name))["function"]
        assert read["description"] == tools[name]["description"]
        properties = tools[name]["parameters"]["properties"]
        assert list(read["parameters"].get("properties", {})) == list(properties)
        for argument, schema in read["parameters"].get("properties", {}).items():
            assert schema["type"] == properties[argument].get("type", schema["type"])
            assert schema.get("enum") == properties[argument].get("enum")
        assert read["parameters"].get("required", []) == tools[name]["parameters"].get("required", [])
    episode.reset(seed=1)
    assert "x" in episode.click(x="left", y=3)


def test_tools_that_cannot_be_methods_are_refused() -> None:
    from pydantic import Field, create_model

    from selfgym.envs.serving.trl_environment import _method
    from selfgym.envs.tools import Tool

    odd = create_model("odd", one=(int, Field(alias="not a name")))
    with pytest.raises(ValueError, match="the argument 'not a name' of the tool odd is no Python name"):
        _method(Tool("odd", "Odd.", odd))
    assert all(callable(_method(tool)) for tool in CODE_TOOLS)


def test_where_the_environment_fails_there_is_no_reward(monkeypatch: pytest.MonkeyPatch) -> None:
    episode: Any = environment_factory("selfgym/Household-v0")()
    episode.reset(seed=1)

    def step(action: Any) -> Any:
        raise OSError("the disk is full")

    monkeypatch.setattr(episode._env, "step", step)
    assert "The environment failed: the disk is full" in episode.act(action="look")
    assert episode._turn.info["outcome"] == Outcome.ENV_ERROR
    assert episode.get_reward() is None
    assert episode.act(action="look") == "The episode has ended: env_error."
