"""``selfgym view``: read runs in a browser, or put one into a file."""

from __future__ import annotations

import signal
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfgym.cli.console import CommandError
from selfgym.cli.episodes import OutcomeName, Phase, RunName, chosen

if TYPE_CHECKING:
    from selfgym.viewer.source import Source


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
        raise CommandError("--run, --phase and --outcome are for --export; the pages have filters of their own")
    from selfgym.viewer.server import ViewServer
    from selfgym.viewer.source import open_source

    with ExitStack() as stack:
        sources: list[Source] = []
        for path in runs:
            source = open_source(path)
            stack.callback(source.close)
            twin = any(other.name == source.name for other in sources)
            sources.append(replace(source, name=str(path)) if twin else source)
        indexes = [source.index for source in sources if source.index is not None]
        unindexed = [(left, index.path) for index in indexes if (left := index.left())]
        try:
            server = stack.enter_context(ViewServer(sources, port))
        except OSError as error:
            raise CommandError(f"port {port} cannot be had: {error.strerror}; --port 0 takes a free one") from error
        print(f"{server.url} (Ctrl+C ends it)", flush=True)
        for left, path in unindexed:
            print(f"{left:,} episodes are being indexed for searches, in {path}", flush=True)
        with suppress(KeyboardInterrupt), _signals():
            if not no_open:
                webbrowser.open(server.url)
            threading.Event().wait()


@contextmanager
def _signals() -> Iterator[None]:
    """Ctrl+C and SIGTERM raise KeyboardInterrupt, also in a process that was started with them ignored."""
    before = {one: signal.signal(one, signal.default_int_handler) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _export(path: Path, file: Path, limit: int, filters: dict[str, str]) -> None:
    from selfgym.viewer.export import export_page
    from selfgym.viewer.source import open_source

    with closing(open_source(path, indexed=False)) as source:
        done = export_page(source, file, limit=limit, filters=filters)
    print(f"{file}: {done.episodes} of {done.matching} episodes, {done.bytes / 1e6:.1f} MB")
    if done.episodes < done.matching:
        print("Choose others with --run, --phase and --outcome, or more with --limit.")
