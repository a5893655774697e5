"""``selfgym download``: data that others publish, fetched when asked for and checked."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from selfgym.cli.console import AsJson, CommandError, Quiet, did_you_mean, print_json, progress_bar

_KNOWN = ("alfworld",)


def download(
    what: Annotated[str, typer.Argument(help="What to fetch: alfworld (the genuine games, 36 MB).")],
    to: Annotated[
        Path | None, typer.Option(help="Where to.", show_default="$ALFWORLD_DATA, else ~/.cache/alfworld")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is there already.")] = False,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fetch data from where its authors publish it, resuming what broke off and checking what arrived.

    Example:

      selfgym download alfworld
    """
    from selfgym.envs.household.download import ALFWORLD_GAMES, data_folder, download_alfworld

    if what not in _KNOWN:
        raise CommandError(f"nothing is called {what!r} here.{did_you_mean(what, _KNOWN)} Known: {', '.join(_KNOWN)}")
    with progress_bar(quiet=quiet or json) as progress:
        show = partial(progress, "bytes")
        folder = download_alfworld(
            to, force=force, progress=lambda done, total: show(done, total or ALFWORLD_GAMES.size or done)
        )
    if json:
        print_json({"folder": str(folder)})
        return
    print(f"ALFWorld's games are in {folder}")
    if folder != data_folder() and not quiet:
        print(f"Say so to the environments: export ALFWORLD_DATA={folder.resolve()}")
