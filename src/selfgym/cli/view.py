"""``selfgym view``: read runs in a browser, or put one into a file."""

from __future__ import annotations

import threading
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from selfgym.cli.console import CommandError


def view(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="A run's folder or a file of episodes; or two.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the local server; 0 takes a free one.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the address.")] = False,
) -> None:
    """Read episodes, search trees, memory and learning curves in a browser.

    A local server answers this machine alone until Ctrl+C.

    Examples:

      selfgym view runs/demo

      selfgym view runs/one runs/other      (side by side, too)

      selfgym view runs/demo --export demo.html
    """
    from selfgym.viewer.server import ViewServer
    from selfgym.viewer.source import open_source

    with ExitStack() as stack:
        sources = []
        for run in runs:
            sources.append(open_source(run))
            stack.callback(sources[-1].close)
        try:
            server = stack.enter_context(ViewServer(sources, port))
        except OSError as error:
            raise CommandError(f"port {port} cannot be had: {error.strerror}; --port 0 takes a free one") from error
        print(f"{server.url} (Ctrl+C ends it)", flush=True)
        if not no_open:
            webbrowser.open(server.url)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
