"""BrowserGym's environments through our interface, played under the Python that has BrowserGym installed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from selfgym.envs.adapters.browsergym import BrowserGymEnv
from selfgym.envs.adapters.browsergym_actions import BrowserGymMissing
from selfgym.envs.web.finding import BrowserUnavailable, find_executable
from selfgym.envs.web.miniwob.pages import serve

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def played(python_of: Callable[[str], Path]) -> dict[str, Any]:
    """What happened in the episodes of browsergym_peer.py."""
    python = str(python_of("browsergym"))
    try:
        find_executable()
    except BrowserUnavailable as missing:
        pytest.skip(str(missing))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    environment.pop("MINIWOB_URL", None)
    has_pages = [python, "-c", "import importlib.util as u; print(u.find_spec('miniwob') is not None)"]
    if subprocess.run(has_pages, capture_output=True, text=True).stdout.strip() != "True":
        if find_spec("miniwob") is None:
            pytest.skip("the pages of MiniWoB++ are not installed: pip install 'selfgym[web]'")
        environment["MINIWOB_URL"] = "http://{}:{}/miniwob/".format(*serve())
    command = [python, str(Path(__file__).with_name("browsergym_peer.py"))]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400)
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.skipif(find_spec("browsergym") is not None, reason="BrowserGym is installed here")
def test_without_browsergym_the_error_says_what_to_install() -> None:
    with pytest.raises(BrowserGymMissing, match=r"pip install browsergym-core.*virtual environment of its own"):
        BrowserGymEnv("browsergym/openended")


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="action_mapping would let actions run as Python"):
        BrowserGymEnv("openended", action_mapping=None)
    with pytest.raises(ValueError, match="max_steps should be at least 1"):
        BrowserGymEnv("openended", max_steps=0)
    with pytest.raises(ValueError, match="unknown render_mode 'human'"):
        BrowserGymEnv("openended", render_mode="human")


def test_what_is_seen_is_text_and_the_same_for_a_seed(played: dict[str, Any]) -> None:
    one = played["miniwob"]
    assert one["first"].startswith("Task: Click the button.\nPage: Click Test Task (http://")
    assert "] button 'Click Me!'" in one["first"]
    assert "InlineTextBox" not in one["first"]
    assert one["info"] == {
        "outcome": "running",
        "task": "Click the button.",
        "task_id": "browsergym/miniwob.click-test/3",
        "action_error": None,
    }
    assert (one["inside"], one["same"]) == (True, True)


def test_what_cannot_be_done_is_said(played: dict[str, Any]) -> None:
    one = played["miniwob"]
    malformed, endless = one["wrong"]
    assert "Write one call such as click('12'). Calls: noop, send_msg_to_user" in malformed
    assert endless == "noop waits for 0 to 60000 milliseconds."
    assert 'Error: ValueError: Could not find element with bid "999"' in one["nobody"]


def test_episodes_end_with_an_outcome(played: dict[str, Any]) -> None:
    one = played["miniwob"]
    reward, terminated, truncated, info = one["won"]
    assert (reward, terminated, truncated, info["outcome"]) == (1.0, True, False, "success")
    reward, terminated, truncated, info = one["given up"]
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, True, False, "failure")
    assert one["truncated"] == [True, 3]
    assert one["ended"].startswith("ResetNeeded")


def test_going_back_does_everything_again(played: dict[str, Any]) -> None:
    one = played["miniwob"]
    assert one["again"] == [True, True, 'ValueError: Could not find element with bid "999"']
    assert one["restored"] == "success"
    assert "no snapshot of a BrowserGym environment, or are damaged" in one["damaged"]
    assert played["openended"]["foreign"].startswith("SnapshotError")
    assert "differs from that of then after 2 actions" in played["openended"]["differs"]


def test_tabs_are_told(played: dict[str, Any]) -> None:
    assert "Tabs: [0] Home; [1]  (here)" in played["openended"]["tabs"]


def test_a_browser_that_goes_is_no_failure_of_the_agent(played: dict[str, Any]) -> None:
    text, reward, terminated, truncated, info = played["openended"]["lost"]
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, True, "env_error")
    assert "TargetClosedError" in info["reason"]
    assert info["reason"] in text
    assert played["openended"]["back"]["outcome"] == "running"


def test_names_are_checked(played: dict[str, Any]) -> None:
    assert "Did you mean 'browsergym/miniwob.click-test'?" in played["unknown"]
    assert "pip install browsergym-nothing" in played["family"]


def test_gymnasium_finds_nothing_wrong(played: dict[str, Any]) -> None:
    assert played["checked"] == "nothing was raised"
