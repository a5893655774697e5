"""Environments as a taskset of verifiers: rollouts by verifiers itself, with a server that stands for a model."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the ids)

ROOT = Path(__file__).resolve().parents[3]
GAME = "selfgym/TicTacToe-v0"


@pytest.fixture(scope="module")
def played(python_of: Callable[[str], Path]) -> dict[str, Any]:
    """What happened in verifiers_peer.py."""
    python = python_of("verifiers")
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"  # uv, by which verifiers starts its chat program
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PATH": path}
    peer = [str(python), str(Path(__file__).with_name("verifiers_peer.py"))]
    run = subprocess.run(peer, capture_output=True, text=True, env=environment, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_episodes_are_those_of_the_environment(played: dict[str, Any]) -> None:
    assert [one["task"]["seed"] for one in played["game"]] == [3, 4]
    for one in played["game"]:
        env = gymnasium.make(GAME)
        text, info = env.reset(seed=one["task"]["seed"])
        total, seen = 0.0, [text]
        while info["outcome"] == "running":
            text, reward, *_, info = env.step(info["admissible_commands"][0])
            total += float(reward)
            seen.append(text)
        assert one["ok"]
        assert one["errors"] == []
        [trace] = one["traces"]
        assert trace["reward"] == trace["rewards"]["episode_reward"] == total
        assert trace["metrics"]["steps"] == len(seen) - 1
        assert trace["outcome"] == info["outcome"]
        told = [message["content"] for message in one["talk"] if message["role"] == "user"]
        assert [text.startswith(one) for text, one in zip(told, seen, strict=False)] == [True] * (len(seen) - 1)


def test_a_task_is_named_by_environment_version_and_seed(played: dict[str, Any]) -> None:
    version = gymnasium.make(GAME).unwrapped.version  # type: ignore[attr-defined]
    assert [one["task"]["id"] for one in played["game"]] == [f"{GAME}@{version}:3", f"{GAME}@{version}:4"]
    assert played["game"][0]["task"]["system_prompt"].startswith("You act in an environment. Each of your answers is")


def test_an_environment_that_fails_gives_no_reward(played: dict[str, Any]) -> None:
    [one] = played["fragile"]
    assert not one["ok"]
    assert any("peer/Fragile-v0 failed: the sandbox is gone" in error for error in one["errors"])
    assert all("episode_reward" not in trace["rewards"] for trace in one["traces"])


def test_tools_are_told(played: dict[str, Any]) -> None:
    env: Any = gymnasium.make("selfgym/MiniDesktop-v0").unwrapped
    for tool in env.tools:
        assert f"\n{tool.signature()}: {tool.description}" in played["tools"]
