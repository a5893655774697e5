"""``selfgym view``: read runs in a browser, or put one into a file."""

from __future__ import annotations

import signal
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfgym.cli.console import CommandError
from selfgym.cli.episodes import OutcomeName, Phase, RunName, chosen

if TYPE_CHECKING:
    from selfgym.viewer.source import Source


def view(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="A run's folder, a file of episodes or a memory; or several, which are linked."
        ),
    ],
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

      selfgym view mine.db memory.db        (what its episodes were shown lies in the second)

      selfgym view runs/demo --export demo.html --phase eval-3 --limit 20
    """
    filters = chosen(run, phase, outcome)
    if export is not None:
        _export(runs, export, limit, filters)
        return
    if filters:
        raise CommandError("--run, --phase and --outcome are for --export; the pages have filters of their own")
    from selfgym.viewer.server import ViewServer

    with ExitStack() as stack:
        sources = _opened(runs, stack, indexed=True)
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


def _opened(runs: list[Path], stack: ExitStack, *, indexed: bool) -> list[Source]:
    """The runs, then what they remembered, where that lies in their folders."""
    from selfgym.viewer.source import memories_beside, open_source

    sources: list[Source] = []
    memories = [path for run in runs for path in memories_beside(run)]
    given = {path.resolve() for path in runs}
    for path in (*runs, *(path for path in memories if path not in given)):
        source = open_source(path, indexed=indexed)
        stack.callback(source.close)
        twin = any(other.name == source.name for other in sources)
        sources.append(replace(source, name=str(path)) if twin else source)
    return sources


def _export(runs: list[Path], file: Path, limit: int, filters: dict[str, str]) -> None:
    from selfgym.viewer.export import export_page

    with ExitStack() as stack:
        sources = _opened(runs, stack, indexed=False)
        if any(len(source.store) for source in sources[1:]):
            raise CommandError("one run goes into a file, with the memories it was shown: give --export one RUN")
        done = export_page(sources, file, limit=limit, filters=filters)
    print(f"{file}: {done.episodes} of {done.matching} episodes, {done.bytes / 1e6:.1f} MB")
    if done.episodes < done.matching:
        print("Choose others with --run, --phase and --outcome, or more with --limit.")
