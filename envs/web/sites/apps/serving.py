"""Serves one web application to one environment: runs under the application's own Python, imports nothing of ours.

    python serving.py prepare MODULE FOLDER        lays out FOLDER: what is shared, and FOLDER/data, which changes
    python serving.py serve   MODULE FOLDER PLACE  answers HTTP on 127.0.0.1 with the data in PLACE/data

MODULE, a file beside this one, knows the application and has four things:

- ``STATIC``: the beginnings of the paths whose answers never change;
- ``prepare(folder, clock)``: fill the folder, always with the same bytes; ``clock(moment)`` sets the time;
- ``application(folder, data)``: the WSGI application, with the person logged in;
- ``release()``: close whatever is open in the data and forget what was read of it: it is read by others, or replaced.

Requests are answered one at a time, so their order is the whole history. Time stands still within a request and goes on
by a second from one to the next; randomness is drawn anew from the number of the request.

Standard input and output are a conversation with the environment: a line of JSON (``do``, ``size``), then ``size``
bytes. When the input ends, the environment is gone, and so are this process and its folder.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import random
import shutil
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""When every episode begins."""
_LAID = int(START.timestamp()) * 10**9
"""The modification time of every file that was laid out: no later write can give it, however soon it follows."""


class World:
    """What the application takes from its machine: the time and chance. Both follow from the number of the request."""

    def __init__(self) -> None:
        time_machine = importlib.import_module("time_machine")  # of the application's environment, not of ours
        self.requests = 0
        self._travel = time_machine.travel(START, tick=False)
        self._time = self._travel.start()
        self._chance = random.Random(0)
        # uuid and most libraries ask os; random.SystemRandom, and through it secrets, keeps a name of its own
        os.urandom = self._chance.randbytes
        random._urandom = self._chance.randbytes  # type: ignore[attr-defined]

    def clock(self, moment: datetime) -> None:
        """Set the time."""
        self._time.move_to(moment)

    def at(self, requests: int) -> None:
        """Be as after so many requests."""
        self.requests = requests
        self._time.move_to(START.timestamp() + requests)
        self._chance.seed(requests)
        random.setstate(self._chance.getstate())  # the process is the application's alone


class Data:
    """The files that episodes change, as names and bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._laid: dict[str, tuple[int, bytes]] = {}

    def read(self) -> dict[str, bytes]:
        """All files, by name."""
        return {
            name: self._laid[name][1] if self._untouched(name) else (self.folder / name).read_bytes()
            for name in sorted(self._names())
        }

    def lay(self, files: dict[str, bytes]) -> None:
        """Make these the files; those that nobody touched since they were laid out stay where they are."""
        for name in self._names() - files.keys():
            (self.folder / name).unlink()
            self._laid.pop(name, None)
        for name, content in files.items():
            if self._untouched(name) and self._laid[name][1] == content:
                continue
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(path.name + ".fresh")
            fresh.write_bytes(content)
            os.utime(fresh, ns=(_LAID, _LAID))
            fresh.replace(path)
            self._laid[name] = (path.stat().st_ino, content)

    def _names(self) -> set[str]:
        return {
            os.path.relpath(os.path.join(folder, name), self.folder)
            for folder, _, names in os.walk(self.folder)
            for name in names
        }

    def _untouched(self, name: str) -> bool:
        if name not in self._laid or not (self.folder / name).exists():
            return False
        inode, content = self._laid[name]
        found = (self.folder / name).stat()
        return (found.st_ino, found.st_size, found.st_mtime_ns) == (inode, len(content), _LAID)


def packed(requests: int, files: dict[str, bytes]) -> bytes:
    """The state as bytes: a line of JSON, then the contents."""
    head = {"requests": requests, "files": [[name, len(content)] for name, content in files.items()]}
    return json.dumps(head).encode() + b"\n" + b"".join(files.values())


def unpacked(state: bytes) -> tuple[int, dict[str, bytes]]:
    """What `packed` packed."""
    head, _, rest = state.partition(b"\n")
    told, files, start = json.loads(head), {}, 0
    for name, size in told["files"]:
        files[name] = rest[start : start + size]
        start += size
    return told["requests"], files


class Server:
    """The application and its state."""

    def __init__(self, module: Any, folder: Path, place: Path) -> None:
        self.world = World()
        self.module = module
        self.busy = threading.Lock()
        self.data = Data(place / "data")
        self.data.folder.mkdir()
        self._first = Data(folder / "data").read()
        self.data.lay(self._first)
        self.world.at(0)
        self.wsgi = module.application(folder, self.data.folder)
        self.world.at(0)

    def answer(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status line, headers and body: all of it, so that a browser that reads slowly holds up nobody."""
        begun: list[Any] = []
        written = io.BytesIO()

        def start(status: str, headers: list[tuple[str, str]], problem: Any = None) -> Callable[[bytes], object]:
            begun[:] = [status, headers]
            return written.write

        static = environ["PATH_INFO"].startswith(self.module.STATIC)
        with self.busy:
            if not static:
                self.world.at(self.world.requests + 1)
            parts = self.wsgi(environ, start)
            try:
                for part in parts:
                    written.write(part)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
        status, headers = begun
        if static and status.startswith("200"):
            headers = [(name, value) for name, value in headers if name.lower() not in ("cache-control", "expires")]
            headers.append(("Cache-Control", "public, max-age=31536000, immutable"))
        return status, headers, written.getvalue()

    def command(self, do: str, body: bytes) -> bytes:
        """Do what the environment asks between two requests; after ``hold`` none is answered until ``go``."""
        if do == "go":
            self.busy.release()
            return b""
        self.busy.acquire()
        try:
            self.module.release()
            if do == "save":
                return packed(self.world.requests, self.data.read())
            if do in ("load", "reset"):
                requests, files = unpacked(body) if do == "load" else (0, self._first)
                self.data.lay(files)
                self.world.at(requests)
            return b""
        finally:
            if do != "hold":
                self.busy.release()


class Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    site: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, content = self.site.answer(self._environ(body))
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)  # no Date: the application's would make every page look stale
        for name, value in headers:
            if name.lower() not in ("content-length", "date", "server", "connection"):
                self.send_header(name, value)
        if int(code) not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and int(code) not in (204, 304):
            self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        host, _, port = (self.headers.get("Host") or "127.0.0.1").partition(":")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": host,
            "SERVER_PORT": port or "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: the log is for what goes wrong."""


class Listener(ThreadingHTTPServer):
    """A thread for each connection; connections that a browser breaks off are nothing to report."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong, unless the browser went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(module: Any, folder: Path, place: Path) -> None:
    """Serve until standard input ends."""
    ask, tell = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the application prints is no part of the conversation
    try:
        warning = importlib.import_module("lowering").become_nobody(folder, own=place)
        site = Server(module, folder, place)
        listener = Listener(("127.0.0.1", 0), type("Bound", (Handler,), {"site": site}))
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        _say(tell, {"port": listener.server_port, "warning": warning}, b"")
        while line := ask.readline():
            request = json.loads(line)
            _say(tell, {}, site.command(request["do"], ask.read(request["size"])))
    except BrokenPipeError:
        pass  # as when the input ends: nobody is there any more
    with contextlib.suppress(OSError):  # the environment may be removing it too
        shutil.rmtree(place)
    os._exit(0)  # a request that hangs must not keep us


def _say(tell: BinaryIO, head: dict[str, Any], body: bytes) -> None:
    tell.write(json.dumps({**head, "size": len(body)}).encode() + b"\n" + body)
    tell.flush()


def main() -> None:
    """Do what the arguments say."""
    do, name, *folders = sys.argv[1:]
    module = importlib.import_module(name)
    if do == "prepare":
        world = World()
        world.at(0)
        module.prepare(Path(folders[0]), world.clock)
        module.release()
    else:
        serve(module, Path(folders[0]), Path(folders[1]))


if __name__ == "__main__":
    main()
