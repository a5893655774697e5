"""Whole pages for benchmarks/speed/web.py: one of 3,300 nodes, and the sites of selfgym/Web-v0."""

from __future__ import annotations

import random
import statistics
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROWS = 550  # of six nodes
SITES = ("shop", "tracker", "forum", "expenses")


class _Large(BaseHTTPRequestHandler):
    """A table whose every row has a link, a field and two words."""

    def do_GET(self) -> None:
        """The page, whatever was asked for."""
        row = "<tr><td><a href='#{0}'>entry {0}</a></td><td><input value='{0}'></td><td>word</td></tr>"
        body = "<title>Large</title><table>" + "".join(row.format(number) for number in range(ROWS)) + "</table>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


def large_page(makers: dict[str, Callable[[], Any]], runs: int) -> dict[str, float]:
    """Milliseconds of a step that does nothing, at 1280 x 720."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Large)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = "127.0.0.1", server.server_address[1]
    playing = {name: make() for name, make in makers.items() if not name.startswith("farama")}
    for name, player in playing.items():
        if name.startswith("browsergym"):
            player.ask("make", url=f"http://{host}:{port}/")
        else:
            player.ask("make", url="http://large.test/", addresses={"large.test": (host, port)}, max_tokens=40_000)
        player.ask("reset", seed=0)
    taken: dict[str, list[float]] = {name: [] for name in playing}
    for _ in range(runs):
        for name, player in playing.items():
            taken[name].append(player.ask("noop")["ms"])
    for player in playing.values():
        player.close()
    server.shutdown()
    server.server_close()
    return {name: statistics.median(ms) for name, ms in taken.items()}


def sites(makers: dict[str, Callable[[], Any]], runs: int) -> dict[str, dict[str, float]]:
    """Milliseconds of a click on a link, drawn by lot and the same for everybody, on each site that is installed."""
    from selfgym.envs.web.opened import application_of, find_site
    from selfgym.envs.web.sites.installing import installed

    names = [name for name in makers if name in ("selfgym", "browsergym", "browsergym-nowait")]
    found: dict[str, dict[str, float]] = {}
    for site in SITES:
        package = application_of(site)
        if package is not None and installed(package) is None:
            continue
        taken: dict[str, list[float]] = {name: [] for name in names}
        servers = {name: find_site(site) for name in names}
        playing = {name: makers[name]() for name in names}
        for name, player in playing.items():
            host, port = servers[name].start()
            servers[name].reset()
            if name == "selfgym":
                player.ask("make", url=f"http://{site}.test/", addresses={f"{site}.test": (host, port)})
            else:
                player.ask("make", url=f"http://{host}:{port}/")
            player.ask("reset", seed=0)
        draw = random.Random(0)
        for run in range(runs):
            nth = draw.randrange(1, 60)
            for name, player in playing.items():
                if run % 8 == 7:
                    player.ask("reset", seed=0)
                told = player.ask("click", nth=nth)
                if told["error"]:
                    player.ask("reset", seed=0)
                else:
                    taken[name].append(told["ms"])
        for name in names:
            playing[name].close()
            servers[name].close()
        found[site] = {name: statistics.median(ms) for name, ms in taken.items()}
    return found
