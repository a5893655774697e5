"""`selfgym/OpenEnv-v0`: any environment behind a server of OpenEnv (Meta PyTorch; its protocol as of openenv-core 0.3).

One WebSocket is one session of the server: JSON messages to reset and to step, and JSON observations. The server says
by a JSON Schema what an action is; here it becomes a typed tool, and where the server offers tools of MCP, those are
the tools. Nothing of OpenEnv has to be installed on this side.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any
from urllib.request import urlopen

from selfgym.envs.adapters.replayed import ReplayedEnv, Seen, limited, load
from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.tools import ActionError, Tool, ToolCall, ToolSet

VERSION = "1"
_MOST = 2**26  # bytes of a message
_OWN = ("metadata", "done", "reward")  # fields of OpenEnv's base classes, which say nothing of an environment


class OpenEnvError(RuntimeError):
    """The server answers something else than was asked, or an error that is not the agent's."""


class OpenEnv(ReplayedEnv):
    """A session of an OpenEnv server.

    An action is a call of one of `tools`, or JSON with the fields of the server's action. An observation is the
    server's, field by field. An episode that the server calls done is a success if its rewards add up to ``success``.
    Snapshots repeat the episode, so the server has to heed the seed of a reset; two of them are compared at first, and
    where they differ, `snapshot` says so.

    Args:
        base_url: of the server, as ``"http://127.0.0.1:8000"``.
        task: in words; by default what the server says of its environment.
        success: the sum of rewards from which an episode that is done succeeded.
        text_field: a field of the action that plain text stands for.
        timeout: seconds to wait for an answer.
        max_steps: after which the episode is truncated.
        max_characters: how long an observation may be.
        render_mode: ``"ansi"`` for the last observation.
        reset_options: further arguments of the server's reset.
    """

    def __init__(
        self,
        base_url: str,
        *,
        task: str | None = None,
        success: float = 1.0,
        text_field: str | None = None,
        timeout: float = 60.0,
        max_steps: int = 50,
        max_characters: int = 16_384,
        render_mode: str | None = None,
        **reset_options: Any,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url should begin with http:// or https://, not {base_url!r}")
        self._url, self._timeout, self._success = base_url.rstrip("/"), timeout, success
        self._options, self._text_field = reset_options, text_field
        about, schema = self._get("metadata"), self._get("schema")["action"]
        self._task = task or str(about.get("description") or f"Do what {about.get('name')} asks.")
        self._connect = load("websockets.sync.client", "websockets").connect
        self._socket: Any = None
        self._session = ExitStack()
        self._total = 0.0
        self._repeats: bool | None = None
        name = f"openenv:{about.get('name')}"
        super().__init__(
            f"{name}{',' + json.dumps(reset_options, sort_keys=True) if reset_options else ''}",
            f"{VERSION}.{about.get('version')}",
            max_steps=max_steps,
            max_characters=max_characters,
            render_mode=render_mode,
        )
        self._mcp = "tool_name" in schema.get("properties", {})
        self.tools = ToolSet(self._offered()) if self._mcp else ToolSet([_tool(schema)])
        fields = [field.alias for tool in self.tools for field in tool.parameters.model_fields.values()]
        if text_field is not None and (self._mcp or text_field not in fields):
            raise ValueError(f"the action of {name} has no field {text_field!r}")

    def begin(self, seed: int) -> tuple[str, Seen]:
        """A reset of the session; the first time two, to see whether the seed decides."""
        first = self._reset(seed)
        if self._repeats is None:
            again = self._reset(seed)
            self._repeats, first = _seen(again) == _seen(first), again
        self._total = 0.0
        return self._task, Seen(_seen(first))

    def read(self, action: Any) -> str:
        """The action's fields, or a call, as JSON. Raises `ActionError`."""
        if self._text_field and isinstance(action, str) and not action.lstrip().startswith("{"):
            action = {"name": "step", "arguments": {self._text_field: limited(action)}}
        elif not self._mcp:
            action = _called(action)
        call = self.tools.parse(action)
        given = {name: one for name, one in call.arguments.items() if one is not None}
        return json.dumps({"type": "call_tool", "tool_name": call.name, "arguments": given} if self._mcp else given)

    def act(self, command: str) -> Seen:
        """A step of the server. Raises `ActionError` where it finds the action invalid."""
        data = self._ask("step", json.loads(command))
        reward = float(data.get("reward") or 0.0)
        self._total += reward
        done = Outcome.SUCCESS if self._total >= self._success else Outcome.FAILURE
        return Seen(_seen(data), reward, done if data.get("done") else Outcome.RUNNING)

    def drop(self) -> None:
        """End the session."""
        self._socket = None
        self._session.close()

    def snapshot(self) -> bytes:
        """As `ReplayedEnv.snapshot`. Raises `SnapshotError` where the server does not begin by the seed."""
        if self._repeats is False:
            raise SnapshotError(f"{self.name} cannot be repeated: two resets with the same seed show different things")
        return super().snapshot()

    def _reset(self, seed: int) -> dict[str, Any]:
        asked = {**self._options, "seed": seed}
        if self._socket is not None:
            try:
                return self._ask("reset", asked)
            except Exception:  # the server may have been started anew since
                self.drop()
        return self._ask("reset", asked)

    def _offered(self) -> list[Tool]:
        """The tools of a server that offers them as MCP does."""
        self._ask("reset", {})
        told = self._ask("step", {"type": "list_tools"})["observation"].get("tools", [])
        self.drop()
        return [Tool.from_schema({**one, "inputSchema": one.get("input_schema") or one["inputSchema"]}) for one in told]

    def _ask(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        if self._socket is None:
            address = f"ws{self._url.removeprefix('http')}/ws"
            connection = self._connect(address, open_timeout=self._timeout, max_size=_MOST)
            self._socket = self._session.enter_context(connection)
        self._socket.send(json.dumps({"type": kind, "data": data}))
        answer = json.loads(self._socket.recv(timeout=self._timeout))
        told = answer.get("data", {})
        if answer.get("type") == "observation":
            return dict(told)
        if kind == "step" and told.get("code") == "VALIDATION_ERROR":
            wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in told.get("errors", []))
            raise ActionError(f"The server finds the action invalid: {wrong}.")
        raise OpenEnvError(f"{self._url}: {told.get('code')}: {told.get('message')}")

    def _get(self, what: str) -> dict[str, Any]:
        try:
            with urlopen(f"{self._url}/{what}", timeout=self._timeout) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError) as error:
            raise OpenEnvError(f"no OpenEnv server answers at {self._url}/{what}: {error}") from error


def _tool(schema: dict[str, Any]) -> Tool:
    """The server's action as a tool called ``step``."""
    properties = {name: one for name, one in schema.get("properties", {}).items() if name not in _OWN}
    parameters = {**schema, "type": "object", "properties": properties}
    description = schema.get("description") or "Do one action."
    return Tool.from_schema({"name": "step", "description": description, "parameters": parameters})


def _called(action: Any) -> Any:
    """JSON with an action's fields as a call of ``step``; anything else as it is."""
    if isinstance(action, ToolCall):
        return action
    if isinstance(action, str):
        try:
            action = json.loads(limited(action))
        except (ValueError, RecursionError) as error:
            raise ActionError('That is no JSON. Write the fields of an action, as {"name": value, ...}.') from error
    if isinstance(action, dict) and not {"name", "arguments"} <= set(map(str, action)) and "function" not in action:
        return {"name": "step", "arguments": action}
    return action


def _seen(data: dict[str, Any]) -> str:
    """An observation in words: a line for each field."""
    fields = {name: one for name, one in data.get("observation", {}).items() if name not in _OWN}
    told = {name: one if isinstance(one, str) else json.dumps(one) for name, one in fields.items()}
    return next(iter(told.values())) if len(told) == 1 else "\n".join(f"{name}: {one}" for name, one in told.items())
