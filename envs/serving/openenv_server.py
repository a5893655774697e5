"""Serve any environment to the clients of OpenEnv: one WebSocket is one session with an environment of its own.

    selfgym serve selfgym/Household-v0 --protocol openenv

Written after openenv 0.10 (and openenv-core 0.3), ``openenv/core/env_server/http_server.py``: ``/ws`` for episodes;
``/mcp`` for its clients of tools; ``/health``, ``/metadata``, ``/schema`` and ``/openapi.json`` to ask what is served.
OpenEnv's ``/reset`` and ``/step`` over plain HTTP are left out: they keep nothing from one request to the next.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from selfgym.envs.core import AgentEnv
from selfgym.envs.serving.acting import own_tools
from selfgym.envs.serving.listening import MOST_MESSAGE, needed
from selfgym.envs.serving.openenv_messages import Action, Observation, State, Talk, refusal
from selfgym.envs.serving.openenv_tools import Calls
from selfgym.envs.serving.session import FullError, ServingError, Sessions

_TURNED_AWAY = 10.0  # seconds in which a client that found no place may ask, and be told so


def make_app(sessions: Sessions, name: str, about: str, env: AgentEnv[Any]) -> Any:
    """The Starlette application that serves ``sessions`` of the environment ``name``, which ``env`` is one of.

    Raises `gymnasium.error.DependencyNotInstalled` without Starlette.
    """
    needed()
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route, WebSocketRoute

    facts = {
        "/health": {"status": "healthy"},
        "/metadata": {"name": name, "description": about, "version": env.version},
        "/schema": {kind.__name__.lower(): kind.model_json_schema() for kind in (Action, Observation, State)},
    }
    said = {"responses": {"200": {"description": "JSON"}}}
    paths = {path: {"get": said} for path in facts} | {"/mcp": {"post": said}}
    calls = Calls(sessions, own_tools(env))
    facts["/openapi.json"] = {"openapi": "3.1.0", "info": {"title": name, "version": env.version}, "paths": paths}

    async def told(request: Any) -> JSONResponse:
        return JSONResponse(facts[request.url.path])

    async def called(request: Any) -> JSONResponse:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_MESSAGE:
                return JSONResponse({"error": f"a request has {MOST_MESSAGE} bytes at most"}, 413)
        return JSONResponse(await calls.answer(body))

    async def talk(socket: Any) -> None:
        await _talk(socket, sessions)

    @asynccontextmanager
    async def running(app: Any) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await sessions.close_all()

    routes = [Route(path, told) for path in facts]
    routes.append(Route("/mcp", called, methods=["POST"]))
    return Starlette(routes=[*routes, WebSocketRoute("/ws", talk)], lifespan=running)


async def _talk(socket: Any, sessions: Sessions) -> None:
    """Answer one client until it goes."""
    from starlette.websockets import WebSocketDisconnect

    await socket.accept()
    attached = socket.query_params.get("session_id")
    name = attached or str(uuid.uuid4())
    try:
        session = sessions.get(name) if attached else await sessions.open(name)
        if session is None:
            raise ServingError("no session has that session_id")
        await _answer_all(socket, Talk(session))
    except WebSocketDisconnect:
        return
    except ServingError as error:
        code = "CAPACITY_REACHED" if isinstance(error, FullError) else "FACTORY_ERROR"
        await _turn_away(socket, refusal(code, str(error)))
    finally:
        if not attached:
            await sessions.close(name)


async def _answer_all(socket: Any, talk: Talk) -> None:
    while (message := await socket.receive())["type"] == "websocket.receive":
        answer = await talk.answer(message.get("text"))
        if answer is None:
            await socket.close()
            return
        await socket.send_text(json.dumps(answer))


async def _turn_away(socket: Any, answer: dict[str, Any]) -> None:
    """Tell a client that it cannot play, when it asks: its first message would else find the connection closed."""
    with suppress(TimeoutError):
        message = await asyncio.wait_for(socket.receive(), _TURNED_AWAY)
        if message["type"] == "websocket.receive":
            await socket.send_text(json.dumps(answer))
            await socket.close()
