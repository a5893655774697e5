"""Answers a shop's HTTP requests from a thread of this process, on a port of this machine only."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from selfgym.envs.web.sites.shop.layout import page
from selfgym.envs.web.sites.shop.routes import Reply, read, send
from selfgym.envs.web.sites.shop.store import Store

_LARGEST = 1 << 20
"""Bytes that a form may have."""
_DATE = "Mon, 01 Jan 2024 00:00:00 GMT"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'"


class Server:
    """A running server; `close` ends it.

    Args:
        store: what it shows and changes.
        lock: held while a request is answered.
    """

    def __init__(self, store: Store, lock: threading.RLock) -> None:
        self._http = _Http(store, lock)
        self.address: tuple[str, int] = ("127.0.0.1", self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve, name="selfgym-shop", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the threads and give the sockets back."""
        self._http.ending.set()
        with socket.create_connection(self.address):  # wakes the thread that waits for a connection
            self._thread.join()
        self._http.hang_up()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    """A thread for each connection: browsers open some that they never use."""

    def __init__(self, store: Store, lock: threading.RLock) -> None:
        self.store, self.lock = store, lock
        self.ending = threading.Event()
        self._open: dict[Any, threading.Thread] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind without asking for the name of this machine, which can take seconds."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def serve(self) -> None:
        """Answer until the end."""
        while not self.ending.is_set():
            self.handle_request()

    def hang_up(self) -> None:
        """End the connections that wait for a request."""
        for connection, thread in list(self._open.items()):
            _shut(connection)
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, and answer in a thread of its own."""
        answering = (request, client_address)
        thread = threading.Thread(target=self.process_request_thread, args=answering, daemon=True)
        self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        super().shutdown_request(request)
        self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a failure, unless a browser only went away."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other end was quicker


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Http
    server_version, sys_version = "selfgym-shop", ""

    def do_GET(self) -> None:
        """Show a page."""
        address = urlsplit(self.path)
        with self.server.lock:
            reply = read(self.server.store, _parts(address.path), _fields(address.query))
        self._answer(reply)

    def do_POST(self) -> None:
        """Take a form."""
        size = self.headers.get("Content-Length", "")
        if not size.isdigit() or int(size) > _LARGEST:
            with self.server.lock:
                problem = page("Too large", "", self.server.store.state, problem="This form cannot be read.")
            return self._answer(Reply(400, problem))
        form = self.rfile.read(int(size)).decode("utf-8", "replace")
        with self.server.lock:
            reply = send(self.server.store, _parts(urlsplit(self.path).path), _fields(form))
        return self._answer(reply)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Always the same, since nothing here may depend on the time."""
        return _DATE

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self, reply: Reply) -> None:
        body = reply.html.encode("utf-8", "replace")
        self.send_response(reply.status)
        if reply.to:
            self.send_header("Location", reply.to)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _parts(path: str) -> list[str]:
    return [unquote(part) for part in path.split("/") if part]


def _fields(form: str) -> Mapping[str, str]:
    return dict(parse_qsl(form, keep_blank_values=True))
