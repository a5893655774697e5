"""The Chrome DevTools Protocol over one socket to the browser: for what is done at every step.

Playwright starts and keeps the browser; a call through its driver takes 2.1 ms here where one over this socket takes
0.75 (benchmarks/LOG.md), and a step makes six. The socket listens on this machine only, at a path that Chromium makes
up.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

Handler = Callable[[dict[str, Any]], None]
_OPEN = 10.0  # seconds


class WireError(RuntimeError):
    """The browser refused a call, or has gone."""


class Channel:
    """The protocol with one page."""

    def __init__(self, wire: Wire, session: str) -> None:
        self._wire, self._session = wire, session
        self.handlers: dict[str, list[Handler]] = defaultdict(list)

    def send(self, method: str, parameters: dict[str, Any] | None = None) -> asyncio.Future[dict[str, Any]]:
        """Make a call at once; the answer is to be awaited. Raises `WireError`, then or now."""
        return self._wire.call(method, parameters or {}, self._session)

    def on(self, event: str, handler: Handler) -> None:
        """Have ``handler`` called with the parameters of every such event."""
        self.handlers[event].append(handler)


class Wire:
    """The socket. Made by `open`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._channels: dict[str, Channel] = {}
        self._count = 0
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]

    @classmethod
    async def open(cls, profile: Path) -> Wire:
        """Connect to the browser whose profile this is: it has written down where it listens."""
        from websockets.asyncio.client import connect

        port, path = (profile / "DevToolsActivePort").read_text().split()
        socket = await connect(
            f"ws://127.0.0.1:{port}{path}", max_size=None, compression=None, proxy=None, ping_interval=None,
            open_timeout=_OPEN,
        )  # fmt: skip
        return cls(socket)

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
        if self._tasks[0].done():
            answer.set_exception(WireError("the browser has gone"))
            return answer
        self._waiting[self._count] = answer
        message = {"id": self._count, "method": method, "params": parameters}
        self._outgoing.put_nowait(json.dumps(message | ({"sessionId": session} if session else {})))
        return answer

    async def _write(self) -> None:
        while True:
            await self._socket.send(await self._outgoing.get())

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                self._take(json.loads(text))
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(WireError("the browser has gone"))
                    answer.exception()  # it may be that nobody waits
            self._waiting.clear()

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
        await self._socket.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
