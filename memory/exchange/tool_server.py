"""A library's tools, served over the Model Context Protocol to whatever client there is.

Only skills that answer with a value (``runtime="mcp"``), only those that the gate lets in at the moment of the call,
each run in the sandbox. Specification: modelcontextprotocol.io, revision as the installed ``mcp`` package speaks it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.gate import objections
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.skills.running import SkillError, answer
from selfgym.memory.views import members


def tools(library: Library, env: str = "") -> dict[str, Item]:
    """Name -> the tool that is served under it: the newest of that name that may be shown."""
    found = [item for item in members(library, (Kind.SKILL,), env) if item.code and item.code.runtime == "mcp"]
    return {item.code.entry: item for item in found if item.code and not list(objections(library, item))}


def make_server(library: Library, sandbox: Sandbox, env: str = "") -> Any:
    """An ``mcp.server.lowlevel.Server`` of a library's tools. Raises `ImportError` without the ``mcp`` package."""
    try:
        from mcp import types
        from mcp.server.lowlevel import Server
    except ImportError:
        raise ImportError("to serve tools: pip install 'selfgym[memory]'") from None
    one_at_a_time = asyncio.Lock()

    async def listed(context: Any, params: Any) -> Any:
        entries = [
            {"name": name, "description": item.body or item.title, "inputSchema": item.code.params}
            for name, item in tools(library, env).items()
            if item.code
        ]
        return types.ListToolsResult.model_validate({"tools": entries})

    async def called(context: Any, params: Any) -> Any:
        async with one_at_a_time:
            text, failed = await asyncio.to_thread(_answered, library, sandbox, env, params.name, params.arguments)
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=failed)

    return Server("selfgym", on_list_tools=listed, on_call_tool=called)


def _answered(
    library: Library, sandbox: Sandbox, env: str, name: str, arguments: dict[str, Any] | None
) -> tuple[str, bool]:
    """What a tool answers, or why it does not; and whether that is an error."""
    known = tools(library, env)
    if name not in known:
        return f"there is no tool {name!r}; there are: {', '.join(known) or 'none'}", True
    tool = known[name]
    required = [library.get(id) for id in (tool.code.requires if tool.code else ())]
    try:
        said = answer(tool, arguments or {}, required, sandbox=sandbox)
    except SkillError as error:
        return str(error), True
    if not library.readonly:
        library.log(tool.id, "used", note="by a client")
    return said, False


async def serve(library: Library, sandbox: Sandbox, env: str = "") -> None:
    """Serve over standard input and output until the client hangs up."""
    server = make_server(library, sandbox, env)
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
