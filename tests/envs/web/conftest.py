"""Sites for the tests: a test that needs an application which is not installed is skipped, and says so."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the ids)
from selfgym.envs.web.background import run
from selfgym.envs.web.browser import shared_browser
from selfgym.envs.web.finding import BrowserUnavailable
from selfgym.envs.web.sites.application import Application
from selfgym.envs.web.sites.installing import installed


@pytest.fixture(scope="session")
def started() -> Iterator[Callable[[type[Application]], Application]]:
    """Gives the running site of a class, the same one to all tests; each test begins with ``reset``."""
    sites: dict[type[Application], Application] = {}

    def start(kind: type[Application]) -> Application:
        if installed(kind.package) is None:
            pytest.skip(f"{kind.package.name} {kind.package.release} is not installed: run: selfgym download sites")
        if kind not in sites:
            sites[kind] = kind()
        sites[kind].reset()
        return sites[kind]

    yield start
    for site in sites.values():
        site.close()


class _Pages(BaseHTTPRequestHandler):
    """Serves the texts of ``server.pages`` by path, and remembers what was posted."""

    def do_GET(self):
        page = self.server.pages.get(self.path.partition("?")[0])
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write((page or "nothing here").encode())

    def do_POST(self):
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.do_GET()

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def browser():
    """Skips a test where no Chromium can be started."""
    try:
        return run(shared_browser())
    except BrowserUnavailable as error:
        pytest.skip(f"NO BROWSER: {error}")


@pytest.fixture
def visit(browser):
    """Opens pages given as HTML, by path, in a `selfgym/Web-v0` of its own; returns it and the first observation."""
    with contextlib.ExitStack() as stack:

        def opened(html, *, at="/", hosts=(), reset=True, **options):
            server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
            server.pages, server.posted = {"/": html} if isinstance(html, str) else html, []
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            addresses = dict.fromkeys(("page.test", *hosts), ("127.0.0.1", server.server_address[1]))
            env = gymnasium.make(
                "selfgym/Web-v0",
                url=f"http://page.test{at}",
                addresses=addresses,
                **{"width": 800, "height": 600, **options},
            ).unwrapped
            stack.callback(env.close)
            env.server = server
            return (env, env.reset(seed=0)[0]) if reset else (env, "")

        yield opened


def number_of(env, name, role=None):
    """The number of the element that is called so."""
    return next(one["number"] for one in env.look.elements if one["name"] == name and role in (None, one["role"]))
