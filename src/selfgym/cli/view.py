"""``selfgym view``: read runs in a browser, or put one into a file."""

from __future__ import annotations

import threading
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from selfgym.cli.console import CommandError
from selfgym.cli.episodes import OutcomeName, Phase, RunName, chosen


def view(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="A run's folder or a file of episodes; or two.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the local server; 0 takes a free one.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the address.")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one self-contained HTML file instead.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Episodes in that file at most.")] = 100,
    run: RunName = None,
    phase: Phase = None,
    outcome: OutcomeName = None,
) -> None:
    """Read episodes, search trees, memory and learning curves in a browser.

    A local server answers this machine alone until Ctrl+C.

    Examples:

      selfgym view runs/demo

      selfgym view runs/one runs/other      (side by side, too)

      selfgym view runs/demo --export demo.html --phase eval-3 --limit 20
    """
    filters = chosen(run, phase, outcome)
    if export is not None:
        if len(runs) > 1:
            raise CommandError("one run goes into a file: give --export one RUN")
        _export(runs[0], export, limit, filters)
        return
    if filters:
        raise CommandError("--run, --phase and --outcome choose what is exported; the pages have filters of their own")
    from selfgym.viewer.server import ViewServer
    from selfgym.viewer.source import open_source

    with ExitStack() as stack:
        sources = []
        for path in runs:
            sources.append(open_source(path))
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


def _export(path: Path, file: Path, limit: int, filters: dict[str, str]) -> None:
    from contextlib import closing

    from selfgym.viewer.export import export_page
    from selfgym.viewer.source import open_source

    with closing(open_source(path, indexed=False)) as source:
        done = export_page(source, file, limit=limit, filters=filters)
    print(f"{file}: {done.episodes} of {done.matching} episodes, {done.bytes / 1e6:.1f} MB")
    if done.episodes < done.matching:
        print("Choose others with --run, --phase and --outcome, or more with --limit.")
