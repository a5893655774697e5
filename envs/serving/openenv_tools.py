"""What OpenEnv's clients of tools ask by JSON-RPC at ``/mcp``: sessions, the tools, and calls of them.

A call is a step of the session's environment; a WebSocket at ``/ws?session_id=ID`` is the same session, for resets.
Written after ``MCPToolClient`` of openenv 0.10. For clients of the Model Context Protocol itself see mcp_server.py.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from selfgym.envs.serving.acting import ACT, action
from selfgym.envs.serving.session import ServingError, Session, Sessions
from selfgym.envs.serving.turn import reading
from selfgym.envs.tools import ToolSet

_PARSE, _INVALID, _METHOD, _PARAMS, _SERVER = -32700, -32600, -32601, -32602, -32000  # JSON-RPC 2.0


class _Wrong(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Calls:
    """Answers requests; ``own`` are the environment's tools, None where actions are text."""

    def __init__(self, sessions: Sessions, own: ToolSet | None) -> None:
        self.sessions, self.own = sessions, own

    async def answer(self, body: bytes) -> dict[str, Any]:
        """The answer to a request. Never raises for what a client sends."""
        id = None
        try:
            request = _request(body)
            id = request.get("id")
            return {"jsonrpc": "2.0", "id": id, "result": await self._result(request)}
        except _Wrong as error:
            return {"jsonrpc": "2.0", "id": id, "error": {"code": error.code, "message": str(error)}}
        except ServingError as error:
            return {"jsonrpc": "2.0", "id": id, "error": {"code": _SERVER, "message": str(error)}}

    async def _result(self, request: dict[str, Any]) -> dict[str, Any]:
        method, params = request["method"], request.get("params") or {}
        if not isinstance(params, dict):
            raise _Wrong(_PARAMS, "params is an object")
        if method == "openenv/session/create":
            name = str(uuid.uuid4())
            await self.sessions.open(name)
            return {"session_id": name}
        if method == "openenv/session/close":
            self._session(params)
            await self.sessions.close(params["session_id"])
            return {"session_id": params["session_id"], "closed": True}
        if method == "tools/list":
            return {"tools": (self.own or ToolSet([ACT])).mcp_schemas()}
        if method == "tools/call":
            return await self._called(params)
        raise _Wrong(_METHOD, f"there is no method {str(method)[:60]!r}")

    async def _called(self, params: dict[str, Any]) -> dict[str, Any]:
        name, arguments = params.get("name"), params.get("arguments") or {}
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise _Wrong(_PARAMS, "a call has a name, a text, and arguments, an object")
        turn = await self._session(params).step(action(self.own, name, arguments))
        text = reading(turn, commands=self.own is None)
        return {
            "data": text,
            "content": [{"type": "text", "text": text}],
            "structuredContent": {**turn.info, "reward": turn.reward, "done": turn.done},
            "isError": turn.info["action_error"] is not None,
        }

    def _session(self, params: dict[str, Any]) -> Session:
        name = params.get("session_id")
        session = self.sessions.get(name) if isinstance(name, str) else None
        if session is None:
            raise _Wrong(_PARAMS, "no session has that session_id; openenv/session/create opens one")
        return session


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Wrong(_PARSE, f"a request is a JSON object: {error}") from error
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
        raise _Wrong(_INVALID, 'a request is {"jsonrpc": "2.0", "id": ..., "method": ..., "params": {...}}')
    return request
