"""`selfgym serve --protocol mcp`, asked by the client of the Model Context Protocol, over a pipe and over HTTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the ids)

SELFGYM = str(Path(sys.executable).with_name("selfgym"))
HOUSE = "selfgym/Household-v0"
Call = tuple[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def _mcp() -> None:
    pytest.importorskip("mcp", reason="pip install 'selfgym[serve]'")


def pipe(*arguments: str) -> Any:
    from mcp import StdioServerParameters

    given = ["serve", *arguments, "--protocol", "mcp"]
    return StdioServerParameters(command=SELFGYM, args=given, env=dict(os.environ))


def asked(server: Any, *calls: Call) -> tuple[list[Any], list[Any]]:
    """The tools of a server, and what it answers to calls."""
    from mcp import Client

    async def talk() -> tuple[list[Any], list[Any]]:
        async with Client(server) as client:
            return (await client.list_tools()).tools, [await client.call_tool(*call) for call in calls]

    return asyncio.run(talk())


def here(seed: int, *commands: str) -> list[tuple[str, float]]:
    """What a household says without a server."""
    env = gymnasium.make(HOUSE)
    env.reset(seed=seed)
    return [(text, float(reward)) for text, reward, *_ in map(env.step, commands)]


def test_a_text_world_is_played_over_a_pipe_as_it_is_without_one() -> None:
    commands = ["go to fridge 1", "open fridge 1", "fly"]
    tools, (first, *answers, again, bad, unknown, seed) = asked(
        pipe(HOUSE),
        ("reset", {"seed": 7}),
        *[("act", {"action": command}) for command in commands],
        ("observe", {}),
        ("act", {"words": "look"}),
        ("dance", {}),
        ("reset", {"seed": -1}),
    )
    assert [tool.name for tool in tools] == ["reset", "observe", "act"]
    assert first.content[0].text.startswith("-= Welcome to TextWorld, ALFRED! =-")
    assert first.structured_content["reward"] is None
    assert first.structured_content["outcome"] == "running"
    for answer, (text, reward) in zip(answers, here(7, *commands), strict=True):
        assert answer.content[0].text.startswith(text)
        assert answer.structured_content["reward"] == reward
    assert "Possible actions: close fridge 1; " in answers[1].content[0].text
    assert [answer.is_error for answer in answers] == [False, False, True]
    assert "'fly' is no command" in answers[2].content[0].text
    assert (again.is_error, again.content[0].text) == (False, answers[2].content[0].text)
    assert "act has no argument 'words'. Use act(action: string)." in bad.content[0].text
    assert "There is no tool 'dance'" in unknown.content[0].text
    assert "a seed is a whole number from 0" in seed.content[0].text
    assert all(answer.is_error for answer in (bad, unknown, seed))


def test_what_comes_before_and_after_an_episode_is_refused() -> None:
    options = ("selfgym/Countdown-v0", "-o", "level=1")
    env: Any = gymnasium.make(options[0], level=1).unwrapped
    env.reset(seed=2)
    solution = env.solution()
    _, (early, unseen, _, *moves, late) = asked(
        pipe(*options),
        ("act", {"action": "1 + 1"}),
        ("observe", {}),
        ("reset", {"seed": 2}),
        *[("act", {"action": move}) for move in solution],
        ("act", {"action": "1 + 1"}),
    )
    for answer in (early, unseen):
        assert (answer.is_error, answer.content[0].text) == (True, "no episode has begun: reset first")
    assert moves[-1].structured_content["outcome"] == "success"
    assert (moves[-1].structured_content["reward"], moves[-1].structured_content["done"]) == (1.0, True)
    assert moves[-1].content[0].text.endswith("\n\nThe episode has ended: success.")
    assert late.content[0].text == "the episode has ended (success): reset to begin another"


def test_the_tools_of_an_environment_are_its_own() -> None:
    tools, (first, wrong, missing, clicked) = asked(
        pipe("selfgym/MiniDesktop-v0", "-o", 'observe=["tree", "pixels"]'),
        ("reset", {"seed": 1}),
        ("click", {"x": "left"}),
        ("drag", {}),
        ("click", {"x": 300, "y": 704}),
    )
    env: Any = gymnasium.make("selfgym/MiniDesktop-v0").unwrapped
    assert [tool.name for tool in tools] == ["reset", "observe", *[tool.name for tool in env.tools]]
    schema = {tool["name"]: tool["inputSchema"] for tool in env.tools.mcp_schemas()}
    assert {tool.name: tool.input_schema for tool in tools[2:]} == schema
    kinds = [part.type for part in first.content]
    assert kinds == ["text", "image"]
    assert first.content[1].data.startswith("iVBORw0KGgo")  # a PNG file
    for answer in (wrong, missing):
        assert answer.is_error
        assert answer.structured_content["action_error"] in answer.content[0].text
    assert not clicked.is_error
    assert clicked.structured_content["window"] == "Registration"


@pytest.fixture(scope="module")
def address(start: Any) -> str:
    """Of a server with two places."""
    found: str = start(HOUSE, "--protocol", "mcp", "--sessions", "2")[0]
    return found


def test_over_http_an_address_names_an_environment(address: str) -> None:
    one, two, three = (f"{address}/mcp?session={name}" for name in ("one", "two", "three"))
    asked(one, ("reset", {"seed": 1}))
    asked(two, ("reset", {"seed": 2}), ("act", {"action": "look"}))
    _, [first] = asked(one, ("observe", {}))
    env = gymnasium.make(HOUSE)
    assert first.content[0].text.startswith(env.reset(seed=1)[0])
    _, [second] = asked(two, ("observe", {}))
    env.reset(seed=2)
    assert second.content[0].text.startswith(env.step("look")[0])
    _, [full] = asked(three, ("reset", {}))
    assert (full.is_error, full.content[0].text[:33]) == (True, "there are 2 sessions already, as ")
    _, [long] = asked(f"{address}/mcp?session={'x' * 200}", ("reset", {}))
    assert (long.is_error, long.content[0].text) == (True, "the name of a session has 128 characters at most")


def test_a_session_that_rests_makes_room(start: Any) -> None:
    address, _ = start(HOUSE, "--protocol", "mcp", "--sessions", "1", "--idle", "1")
    asked(f"{address}/mcp?session=one", ("reset", {}))
    for _ in range(20):
        _, [answer] = asked(f"{address}/mcp?session=two", ("reset", {}))
        if not answer.is_error:
            break
    assert not answer.is_error
    _, [answer] = asked(f"{address}/mcp?session=two", ("observe", {}))
    assert not answer.is_error


def test_a_handshake_of_an_older_revision_is_understood(address: str) -> None:
    from mcp import Client

    async def talk() -> list[Any]:
        async with Client(f"{address}/mcp?session=one", mode="legacy") as client:
            return [await client.call_tool("reset", {"seed": 3}), await client.call_tool("observe", {})]

    first, second = asyncio.run(talk())
    assert first.content == second.content


def test_the_pipe_ends_with_its_client() -> None:
    command = [SELFGYM, "serve", HOUSE, "--protocol", "mcp"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_an_interrupt_ends_it_cleanly(start: Any, stop: Any) -> None:
    address, process = start(HOUSE, "--protocol", "mcp")
    asked(f"{address}/mcp", ("reset", {}))
    assert stop(process) == (0, "")
