"""The local server: answers this machine alone, reads only, and sends nothing a page could misuse.

A page in the same browser may know the port; so a request whose Host is not this server's own name is refused (DNS
rebinding), every answer forbids framing, sniffing and loading from elsewhere, and there is nothing to be changed here.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from selfgym.memory.library import LibraryError
from selfgym.memory.store import StoreError
from selfgym.viewer.html import Html, tag
from selfgym.viewer.layout import Page, asset, dressed
from selfgym.viewer.routes import files, page_at, places, source_number
from selfgym.viewer.source import Source

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ASSETS = {"/view.css": "text/css", "/view.js": "text/javascript"}
_IDLE = 30.0  # seconds after which a connection that says nothing is closed


class ViewServer:
    """Serves ``sources`` on 127.0.0.1 at ``port`` (0: a free one) in threads of its own, and lets their indexes grow.

    Raises OSError where the port is taken. The sources stay the caller's to close, after this.
    """

    def __init__(self, sources: Sequence[Source], port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.sources = tuple(sources)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)]
        self._threads += [threading.Thread(target=self._grow, args=(source,), daemon=True) for source in sources]
        for thread in self._threads:
            thread.start()

    @property
    def url(self) -> str:
        """The address of the first page."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def _grow(self, source: Source) -> None:
        """Index what is there, then what comes: a run may still be writing."""
        pause = 0.0
        while source.index is not None and not self._stopping.wait(pause):
            try:
                pause = 0.002 if source.index.grow() else 2.0
            except StoreError:
                traceback.print_exc()
                return

    def close(self) -> None:
        """Stop answering and indexing."""
        self._stopping.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    def __enter__(self) -> ViewServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    sources: tuple[Source, ...] = ()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "selfgym", ""
    timeout = _IDLE

    def do_GET(self) -> None:
        """Answer with a page."""
        port = self.server.server_address[1]
        if self.headers.get("Host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            self._send(421, "text/plain", f"This server answers to http://127.0.0.1:{port}/ alone.\n")
            return
        if kind := _ASSETS.get(self.path):
            self._send(200, kind, asset(self.path[1:]))
            return
        sources = self.server.sources
        page = self._page(lambda: page_at(sources, self.path))
        if page.moved_to:
            self._send(303, "text/plain", "", Location=page.moved_to)
            return
        at = source_number(self.path, len(sources)) or 0
        document = dressed(page, places(sources, at), sources[at].name, files=files(sources, at))
        self._send(page.status, "text/html", document)

    do_HEAD = do_GET

    def _page(self, make: Callable[[], Page]) -> Page:
        try:
            return make()
        except LookupError as error:
            return Page("Not found", tag("p", str(error) or "There is no such page."), status=404)
        except ValueError as error:
            return Page("No such address", tag("p", str(error)), status=400)
        except (StoreError, LibraryError) as error:
            return Page("This cannot be shown", tag("p", str(error)), status=500)
        except Exception as error:
            traceback.print_exc()
            told = f"A bug of the viewer's: {type(error).__name__}: {error}. The terminal says where."
            return Page("This cannot be shown", tag("p", told), status=500)

    def _send(self, status: int, kind: str, body: str | Html, **headers: str) -> None:
        data = body.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in {**_HEADERS, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the terminal is for the address."""
