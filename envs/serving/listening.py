"""Where a server listens: an address of this machine unless told otherwise, until Ctrl+C.

A web page in a browser on this machine could talk to it too; so a request that names another host, or comes from a page
of another one, is refused while the server listens to this machine alone (DNS rebinding, cross-site WebSockets).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from gymnasium.error import DependencyNotInstalled

LOCAL = ("127.0.0.1", "localhost", "::1")
MOST_MESSAGE = 2**20
"""Bytes of one message."""
_PATIENCE = 3  # seconds that open connections are given at the end


def needed() -> None:
    """Raise `DependencyNotInstalled` where what serving needs is missing."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise DependencyNotInstalled(f"{error.name} is missing; to serve: pip install 'selfgym[serve]'") from error


def listen(app: Any, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Serve an ASGI application until SIGINT or SIGTERM; ``ready`` is told the port once it is taken.

    Port 0 takes a free one. Raises OSError where the address cannot be had.
    """
    needed()
    import uvicorn

    taken = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    ready(taken.getsockname()[1])
    config = uvicorn.Config(
        OnlyHere(app) if host in LOCAL else app,
        log_level="warning",
        ws="websockets-sansio",
        ws_max_size=MOST_MESSAGE,
        timeout_graceful_shutdown=_PATIENCE,
    )
    server = uvicorn.Server(config)
    # a second signal, which what started this command may send, does not keep environments from being closed
    server.handle_exit = lambda sig, frame: setattr(server, "should_exit", True)  # type: ignore[method-assign]
    with taken:
        server.run(sockets=[taken])


class OnlyHere:
    """An ASGI application that refuses requests to other hosts, and from pages of other hosts."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "lifespan" or _is_local(scope["headers"]):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"this server answers this machine alone\n"})
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})


def _is_local(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the host asked for, and the page that asks if there is one, are this machine.

    >>> _is_local([(b"host", b"127.0.0.1:8000")]), _is_local([(b"host", b"evil.example:8000")])
    (True, False)
    >>> _is_local([(b"host", b"localhost:80"), (b"origin", b"https://evil.example")])
    False
    """
    named = {key: value.decode("latin-1") for key, value in headers if key in (b"host", b"origin")}
    places = ["//" + named.get(b"host", ""), *([named[b"origin"]] if b"origin" in named else [])]
    try:
        return all(urlsplit(place).hostname in LOCAL for place in places)
    except ValueError:
        return False
