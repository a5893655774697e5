"""`selfgym serve --protocol openenv` with the clients of OpenEnv: openenv-core 0.3 and openenv 0.10, from PyPI."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the ids)

WHERE = {"openenv-core": "openenv", "openenv": "openenv-out"}
MOST = 3
GAME = "selfgym/TicTacToe-v0"


@pytest.fixture(scope="module")
def address(start: Any) -> str:
    return start(GAME, "--sessions", str(MOST))[0]


@pytest.fixture(scope="module", params=WHERE)
def played(request: pytest.FixtureRequest, address: str, python_of: Callable[[str], Path]) -> dict[str, Any]:
    """What happened in openenv_peer.py."""
    peer = [str(python_of(WHERE[request.param])), str(Path(__file__).with_name("openenv_peer.py")), address, str(MOST)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(peer, capture_output=True, text=True, env=environment, timeout=100)
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def here(seed: int, moves: int = 99) -> list[tuple[str, float | None, bool, str]]:
    """The same game without a server."""
    env = gymnasium.make(GAME)
    text, info = env.reset(seed=seed)
    turns: list[tuple[str, float | None, bool, str]] = [(text, None, False, info["outcome"])]
    while not turns[-1][2] and len(turns) <= moves:
        text, reward, terminated, truncated, info = env.step(info["admissible_commands"][0])
        turns.append((text, float(reward), terminated or truncated, info["outcome"]))
    return turns


def brief(turns: list[Any]) -> list[tuple[str, float | None, bool, str]]:
    return [(observation["text"], reward, done, observation["outcome"]) for observation, reward, done in turns]


def test_an_episode_is_the_same_as_without_a_server(played: dict[str, Any]) -> None:
    turns, state = played["episode"]
    assert brief(turns) == here(3)
    assert state["episode_id"] == "game 3"
    assert (state["seed"], state["step_count"]) == (3, len(turns) - 1)
    assert state["total_reward"] == sum(reward or 0 for _, reward, _ in turns)
    assert state["outcome"] == turns[-1][0]["outcome"] != "running"


def test_each_session_has_an_environment_of_its_own(played: dict[str, Any]) -> None:
    assert [brief(turns) for turns in played["two"]] == [here(0, 1), here(1, 1)]
    assert played["sync"][1] == 5
    assert brief([played["sync"][0]]) == here(5, 0)


def test_there_is_a_limit_and_a_place_that_is_left_is_free(played: dict[str, Any]) -> None:
    refused, then = played["full"]
    assert "there are 3 sessions already" in refused
    assert "CAPACITY_REACHED" in refused
    assert then == ""


def test_what_is_wrong_is_answered_in_a_sentence(played: dict[str, Any]) -> None:
    wrong = played["wrong"]
    assert "no episode has begun: reset first (code: EXECUTION_ERROR)" in wrong["early"]
    for name in ("nothing", "both"):
        assert "an action has either 'action', a text, or 'name'" in wrong[name]
    assert "action: Input should be a valid string (code: VALIDATION_ERROR)" in wrong["number"]
    assert "move: Extra inputs are not permitted" in wrong["unknown"]
    assert "seed: Input should be greater than or equal to 0" in wrong["seed"]
    assert "game: Extra inputs are not permitted" in wrong["option"]
    assert wrong["refused move"] == "Write the number of a free cell: 1, 4, 6, 7, 9."
    assert wrong["tool"] is None


def test_openenv_finds_nothing_wrong_with_the_server(played: dict[str, Any]) -> None:
    assert played["validated"] == [True, []]


def test_a_client_of_tools_plays_by_calls(played: dict[str, Any]) -> None:
    if played["tools"] is None:
        pytest.skip("the client of tools of openenv-core lists them by a step, which is not served")
    tools, (marked, flown), steps = played["tools"]
    assert tools == ["act"]
    env = gymnasium.make(GAME)
    env.reset(seed=3)
    assert marked.startswith(env.step("1")[0])
    assert flown.startswith("Write the number of a free cell")
    assert steps == 2


def test_hostile_requests_get_an_error(address: str) -> None:
    opened = posted(address, '{"jsonrpc": "2.0", "id": 7, "method": "openenv/session/create"}')
    name, head = opened["result"]["session_id"], '{"jsonrpc": "2.0", "id": 1, "method": '
    requests = {
        "": -32700,
        "[" * 100_000: -32700,
        "{}": -32600,
        "[]": -32600,
        head + "[]}": -32600,
        head + '"dance"}': -32601,
        head + '"tools/list", "params": [1]}': -32602,
        head + '"tools/call", "params": {"name": "act", "session_id": "no"}}': -32602,
        head + '"tools/call", "params": {"name": 1}}': -32602,
        head + '"tools/call", "params": {"name": "act", "session_id": "%s"}}' % name: -32000,  # noqa: UP031
        head + '"openenv/session/close", "params": {}}': -32602,
    }
    for body, code in requests.items():
        answer = posted(address, body)
        assert answer["error"]["code"] == code, body[:60]
    assert opened["id"] == 7
    closed = posted(address, head + '"openenv/session/close", "params": {"session_id": "%s"}}' % name)  # noqa: UP031
    assert closed["result"] == {"session_id": name, "closed": True}
    with pytest.raises(urllib.error.HTTPError, match="413"):
        posted(address, "x" * (2**20 + 1))


def posted(address: str, body: str) -> Any:
    request = urllib.request.Request(f"{address}/mcp", body.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_hostile_frames_get_an_error_and_the_game_goes_on(address: str) -> None:
    from websockets.sync.client import connect

    frames: list[tuple[str | bytes, str]] = [
        ("", "INVALID_JSON"),
        ("{", "INVALID_JSON"),
        ("[" * 100_000, "INVALID_JSON"),
        ("9" * 10_000, "INVALID_JSON"),
        (b"\x00\xff", "INVALID_JSON"),
        ("[]", "VALIDATION_ERROR"),
        ("null", "VALIDATION_ERROR"),
        ("{}", "UNKNOWN_TYPE"),
        ('{"type": ["reset"]}', "UNKNOWN_TYPE"),
        ('{"type": "mcp", "data": {}}', "UNKNOWN_TYPE"),
        ('{"type": "reset", "data": []}', "VALIDATION_ERROR"),
        ('{"type": "reset", "data": {"seed": true}}', "VALIDATION_ERROR"),
        ('{"type": "reset", "data": {"seed": 1e3}}', "VALIDATION_ERROR"),
        ('{"type": "reset", "data": {"seed": 99999999999999999999}}', "VALIDATION_ERROR"),
        ('{"type": "step"}', "VALIDATION_ERROR"),
    ]
    with connect(address.replace("http", "ws") + "/ws") as socket:
        for frame, code in frames:
            socket.send(frame)
            answer = json.loads(socket.recv(timeout=10))
            assert (answer["type"], answer["data"]["code"]) == ("error", code), frame[:40]
        socket.send('{"type": "reset", "data": {"seed": 3}}')
        socket.recv(timeout=10)
        for action in ("\\ud800", "x" * 70_000, "\\u0000"):
            socket.send('{"type": "step", "data": {"action": "' + action + '"}}')
            answer = json.loads(socket.recv(timeout=10))
            assert answer["data"]["observation"]["action_error"], answer


def test_a_message_that_is_too_long_ends_that_session_alone(address: str) -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    place = address.replace("http", "ws") + "/ws"
    with connect(place) as other, connect(place) as socket:
        socket.send("x" * (2**20 + 1))
        with pytest.raises(ConnectionClosed, match="1009"):
            socket.recv(timeout=10)
        other.send('{"type": "state"}')
        assert json.loads(other.recv(timeout=10))["type"] == "state"


def answered(url: str, **headers: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return json.load(answer)


def test_what_is_served_can_be_asked(address: str) -> None:
    assert answered(f"{address}/health") == {"status": "healthy"}
    metadata = answered(f"{address}/metadata")
    assert metadata["name"] == GAME
    assert metadata["version"] == gymnasium.make(GAME).unwrapped.version  # type: ignore[attr-defined]
    schema = answered(f"{address}/schema")
    assert set(schema) == {"action", "observation", "state"}
    assert set(schema["action"]["properties"]) >= {"action", "tool_name", "arguments"}


def test_a_page_from_elsewhere_is_refused(address: str) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    with pytest.raises(urllib.error.HTTPError, match="403"):
        answered(f"{address}/health", Host="evil.example")
    with pytest.raises(InvalidStatus, match="403"):
        connect(address.replace("http", "ws") + "/ws", origin="https://evil.example")  # type: ignore[arg-type]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_a_client_there(start: Any, stop: Any, sign: int) -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    address, process = start(GAME)
    with connect(address.replace("http", "ws") + "/ws") as socket:
        socket.send('{"type": "reset", "data": {}}')
        socket.recv(timeout=10)
        assert stop(process, sign) == (0, "")
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)


def test_a_port_that_is_taken_is_said(start: Any, address: str) -> None:
    port = address.rpartition(":")[2]
    command = [str(Path(sys.executable).with_name("selfgym")), "serve", GAME, "--port", port]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        f"selfgym: 127.0.0.1 port {port} cannot be had: Address already in use; --port 0 takes a free one\n"
    )
