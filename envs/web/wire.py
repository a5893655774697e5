"""The Chrome DevTools Protocol over one socket to the browser: for what is done at every step.

Playwright starts and keeps the browser; a call through its driver takes 2.1 ms here where one over this socket takes
0.6 (benchmarks/LOG.md), and a step makes six. The socket listens on this machine only, at a path that Chromium makes
up.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.frames import Frame

Handler = Callable[[dict[str, Any]], None]
_OPEN = 10.0  # seconds
_MESSAGES = (0, 1)  # the opcodes of text and of what continues it


class WireError(RuntimeError):
    """The browser refused a call, or has gone."""


class Channel:
    """The protocol with one page."""

    def __init__(self, wire: Wire, session: str) -> None:
        self._wire, self._session = wire, session
        self.handlers: dict[str, list[Handler]] = defaultdict(list)

    def send(self, method: str, parameters: dict[str, Any] | None = None) -> asyncio.Future[dict[str, Any]]:
        """Make a call at once; the answer is to be awaited, which may raise `WireError`."""
        return self._wire.call(method, parameters or {}, self._session)

    def on(self, event: str, handler: Handler) -> None:
        """Have ``handler`` called with the parameters of every such event."""
        self.handlers[event].append(handler)


class Wire(asyncio.Protocol):
    """The socket. Made by `open`."""

    def __init__(self, socket: ClientProtocol) -> None:
        self._socket = socket
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._channels: dict[str, Channel] = {}
        self._parts: list[bytes] = []  # of a message that has not come whole
        self._count = 0

    @classmethod
    async def open(cls, profile: Path) -> Wire:
        """Connect to the browser whose profile this is: it has written down where it listens."""
        from websockets.client import ClientProtocol
        from websockets.uri import parse_uri

        port, path = (profile / "DevToolsActivePort").read_text().split()
        socket = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}{path}"), max_size=None)
        _, wire = await asyncio.get_running_loop().create_connection(lambda: cls(socket), "127.0.0.1", int(port))
        await asyncio.wait_for(wire._opened, _OPEN)
        return wire

    async def attach(self, target: str) -> Channel:
        """The protocol with the page ``target``."""
        answer = await self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        session = str(answer["sessionId"])
        channel = self._channels[session] = Channel(self, session)
        return channel

    def call(self, method: str, parameters: dict[str, Any], session: str = "") -> asyncio.Future[dict[str, Any]]:
        """Make a call of the browser, or of a page by its session. Calls arrive in the order they are made."""
        self._count += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        if self._lost.done():
            answer.set_exception(WireError("the browser has gone"))
            return answer
        self._waiting[self._count] = answer
        message = {"id": self._count, "method": method, "params": parameters}
        self._socket.send_text(json.dumps(message | ({"sessionId": session} if session else {})).encode())
        self._flush()
        return answer

    def _flush(self) -> None:
        assert self._transport is not None
        for some in self._socket.data_to_send():
            if some:
                self._transport.write(some)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the websocket."""
        self._transport = cast(asyncio.Transport, transport)
        self._socket.send_request(self._socket.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take every message that has come whole."""
        self._socket.receive_data(data)
        for event in self._socket.events_received():
            if self._opened.done():
                self._take_frame(cast("Frame", event))
            elif self._socket.handshake_exc is None:
                self._opened.set_result(None)
            else:
                self._opened.set_exception(WireError(str(self._socket.handshake_exc)))
        self._flush()

    def connection_lost(self, _: Exception | None) -> None:
        """The browser has gone: nobody waits any longer."""
        self._lost.set_result(None)
        if not self._opened.done():
            self._opened.set_exception(WireError("the browser hung up"))
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(WireError("the browser has gone"))
                answer.exception()  # it may be that nobody waits
        self._waiting.clear()

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode not in _MESSAGES:
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            text, self._parts = b"".join(self._parts), []
            self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            answer = self._waiting.pop(message["id"], None)
            if answer is None or answer.done():
                return
            if "error" in message:
                answer.set_exception(WireError(message["error"].get("message", "refused")))
            else:
                answer.set_result(message["result"])
            return
        channel = self._channels.get(message.get("sessionId", ""))
        if message["method"] == "Target.detachedFromTarget":
            self._channels.pop(message["params"].get("sessionId", ""), None)
        elif channel is not None:
            for handler in channel.handlers.get(message["method"], ()):
                handler(message["params"])

    async def close(self) -> None:
        """Hang up."""
        assert self._transport is not None
        self._transport.abort()
        await self._lost
