"""The pages of MiniWoB++: which there are, where they lie, and the server that the browser gets them from.

They come with the package ``miniwob`` (Farama Foundation; Shi et al. 2017, Liu et al. 2018, arXiv 1802.08802) and are
used as they are.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from selfgym.envs.web.miniwob.names import FLIGHTS

HOST = "miniwob.test"


class MiniWobMissing(RuntimeError):
    """The package with the pages is not installed."""


@lru_cache
def folder() -> Path:
    """Where the pages lie. Raises `MiniWobMissing`."""
    spec = find_spec("miniwob")  # not imported: it would import selenium
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise MiniWobMissing("the pages of MiniWoB++ are not installed: pip install 'selfgym[web]'")
    return Path(next(iter(places))) / "html"


def path_of(task: str) -> str:
    """The path of a task's page on the server."""
    if task in FLIGHTS:
        return f"/flight/{task.removeprefix('flight.')}/wrapper.html"
    return f"/miniwob/{task}.html"


class _Quiet(SimpleHTTPRequestHandler):
    def guess_type(self, path: Any) -> str:
        """The pages are UTF-8, and most do not say so."""
        kind = super().guess_type(path)
        return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind.endswith("javascript") else kind

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


_servers: dict[int, ThreadingHTTPServer] = {}  # by process: a fork has no thread of its parent's
_starting = threading.Lock()


def serve() -> tuple[str, int]:
    """The address at which the pages are served to this process's browsers, from a thread that ends with it."""
    with _starting:
        here = os.getpid()
        if here not in _servers:
            _servers[here] = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder())))
            threading.Thread(target=_servers[here].serve_forever, name="selfgym-miniwob", daemon=True).start()
        host, port = _servers[here].server_address[:2]
        return str(host), int(port)
