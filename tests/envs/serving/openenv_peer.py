"""Plays on a server with OpenEnv's own client, under the Python that has OpenEnv, and prints what happened as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from importlib import metadata
from typing import Any


def client(address: str) -> Any:
    from openenv.core.generic_client import GenericEnvClient

    return GenericEnvClient(base_url=address)


def told(result: Any) -> list[Any]:
    return [result.observation, result.reward, result.done]


async def episode(address: str, seed: int) -> list[Any]:
    """A whole game, always the first command there is."""
    async with client(address) as env:
        turns = [told(await env.reset(seed=seed, episode_id=f"game {seed}"))]
        while not turns[-1][2]:
            command = turns[-1][0]["info"]["admissible_commands"][0]
            turns.append(told(await env.step({"action": command})))
        return [turns, await env.state()]


async def two_at_once(address: str) -> list[Any]:
    """Two games side by side, and a move in each."""
    clients = [client(address) for _ in range(2)]
    turns = [[told(await env.reset(seed=seed))] for seed, env in enumerate(clients)]
    for env, mine in zip(clients, turns, strict=True):
        command = mine[-1][0]["info"]["admissible_commands"][0]
        mine.append(told(await env.step({"action": command})))
    for env in clients:
        await env.close()
    return turns


async def too_many(address: str, most: int) -> list[str]:
    """What the client is told that comes when all places are taken, and once one is free again."""
    clients = [client(address) for _ in range(most)]
    for env in clients:
        await env.reset(seed=1)
    said = [await complaint(client(address).reset(seed=1))]
    await clients[0].close()
    for _ in range(50):
        said.append(await complaint(client(address).reset(seed=1)))
        if not said[-1]:
            break
        await asyncio.sleep(0.1)
    for env in clients[1:]:
        await env.close()
    return [said[0], said[-1]]


async def complaint(asked: Any) -> str:
    try:
        await asked
    except RuntimeError as error:
        return str(error)
    return ""


async def wrong(address: str) -> dict[str, str]:
    async with client(address) as env:
        found = {"early": await complaint(env.step({"action": "5"}))}
        await env.reset(seed=3)
        found["nothing"] = await complaint(env.step({}))
        found["both"] = await complaint(env.step({"action": "5", "name": "mark"}))
        found["number"] = await complaint(env.step({"action": 5}))
        found["unknown"] = await complaint(env.step({"move": "5"}))
        found["seed"] = await complaint(env.reset(seed=-1))
        found["option"] = await complaint(env.reset(seed=1, game="/etc/passwd"))
        found["refused move"] = (await env.step({"action": "fly"})).observation["action_error"]
        found["tool"] = (await env.step({"tool_name": "mark", "arguments": {"cell": 1}})).observation["action_error"]
        return found


def validated(address: str) -> list[Any]:
    """What OpenEnv's own check of a running server says."""
    from openenv.cli._validation import validate_running_environment

    report = validate_running_environment(address)
    return [report["passed"], [one["id"] for one in report["criteria"] if not one["passed"]]]


async def by_tools(address: str) -> Any:
    """What OpenEnv's client of tools sees; None in openenv-core, whose client sends calls as steps."""
    from openenv.core.mcp_client import MCPToolClient

    if not list(metadata.distributions(name="openenv")):
        return None
    async with MCPToolClient(base_url=address) as env:
        await env.reset(seed=3)
        tools = [tool.name for tool in await env.list_tools()]
        said = [await env.call_tool("act", action="1"), await env.call_tool("act", action="fly")]
        return [tools, said, (await env.state()).step_count]


def sync_play(address: str) -> list[Any]:
    with client(address).sync() as env:
        return [told(env.reset(seed=5)), env.state()["seed"]]


async def play(address: str, most: int) -> dict[str, Any]:
    return {
        "episode": await episode(address, 3),
        "two": await two_at_once(address),
        "full": await too_many(address, most),
        "wrong": await wrong(address),
    }


if __name__ == "__main__":
    found = asyncio.run(play(sys.argv[1], int(sys.argv[2])))
    found |= {"sync": sync_play(sys.argv[1]), "validated": validated(sys.argv[1])}
    print(json.dumps(found | {"tools": asyncio.run(by_tools(sys.argv[1]))}))
