"""Serve any environment's tools over the Model Context Protocol, to whatever agent speaks it.

    selfgym serve selfgym/Code-v0 --protocol mcp

The tools are those of the environment (``env.tools``), or one tool ``act`` that takes an action in words; beside them
``reset`` begins an episode and ``observe`` tells again how it stands. Over a pipe there is one environment. Over HTTP
the address says which: ``/mcp?session=NAME`` is the environment of that name, whoever asks, since revision 2026-07-28
of the protocol knows no sessions of its own; choose a name that nobody guesses. A result is the observation as text
(and pictures) and, as structured content, ``reward``, ``done`` and the environment's ``info``.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gymnasium.error import DependencyNotInstalled
from pydantic import BaseModel, Field

from selfgym.envs.core import AgentEnv
from selfgym.envs.serving.acting import ACT, action, own_tools
from selfgym.envs.serving.session import ServingError, Sessions
from selfgym.envs.serving.turn import Turn, reading
from selfgym.envs.tools import ActionError, Tool, ToolSet

MOST_NAME = 128
"""Characters of a session's name."""


class _Seed(BaseModel):
    seed: int | None = Field(None, description="Which task; without it, another one each time.")


class _Nothing(BaseModel):
    pass


RESET = Tool("reset", "Begin an episode. What it answers says the task.", _Seed)
OBSERVE = Tool("observe", "Tell again what was told last. Changes nothing.", _Nothing)


def make_server(sessions: Sessions, name: str, about: str, env: AgentEnv[Any]) -> Any:
    """An ``mcp.server.lowlevel.Server`` that plays ``sessions`` with the tools that ``env`` has.

    Raises `gymnasium.error.DependencyNotInstalled` without the ``mcp`` package, `ValueError` where the environment
    itself has a tool called ``reset`` or ``observe``.
    """
    try:
        from mcp import types
        from mcp.server.lowlevel import Server
    except ImportError as error:
        raise DependencyNotInstalled("mcp is missing; to serve: pip install 'selfgym[serve]'") from error
    own = own_tools(env)
    tools = ToolSet([RESET, OBSERVE, *(own or [ACT])])

    async def listed(context: Any, params: Any) -> Any:
        return types.ListToolsResult.model_validate({"tools": tools.mcp_schemas()})

    async def played(session_name: str, name: str, arguments: dict[str, Any]) -> Turn:
        """What a call led to. What is wrong with a call of the environment's own tools, the environment says."""
        if own is None or name not in [tool.name for tool in own]:
            arguments = tools.parse({"name": name, "arguments": arguments}).arguments
        session = await sessions.open(session_name)
        if name == RESET.name:
            return await session.reset(arguments["seed"])
        if name == OBSERVE.name:
            return session.told()
        return await session.step(action(own, name, arguments))

    async def called(context: Any, params: Any) -> Any:
        try:
            turn = await played(_name(context.request), params.name, params.arguments or {})
        except (ActionError, ServingError) as error:
            return types.CallToolResult(content=[types.TextContent(type="text", text=str(error))], is_error=True)
        return types.CallToolResult(
            content=[
                types.TextContent(type="text", text=reading(turn, commands=own is None)),
                *(
                    types.ImageContent(type="image", data=base64.b64encode(png).decode(), mime_type="image/png")
                    for png in turn.pictures.values()
                ),
            ],
            structured_content={**turn.info, "reward": turn.reward, "done": turn.done},
            is_error=params.name not in (RESET.name, OBSERVE.name) and turn.info["action_error"] is not None,
        )

    @asynccontextmanager
    async def running(server: Any) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await sessions.close_all()

    return Server(
        name,
        version=env.version,
        instructions=f"{about} Call reset to begin an episode, then the other tools until it has ended.",
        lifespan=running,
        on_list_tools=listed,
        on_call_tool=called,
    )


def serve_pipe(server: Any) -> None:
    """Serve over standard input and output until the client hangs up."""
    from mcp.server.stdio import stdio_server

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    asyncio.run(serve())


def _name(request: Any) -> str:
    """Which session an HTTP request means; that of a pipe has no name."""
    name = "" if request is None else str(request.query_params.get("session", ""))
    if len(name) > MOST_NAME:
        raise ServingError(f"the name of a session has {MOST_NAME} characters at most")
    return name
