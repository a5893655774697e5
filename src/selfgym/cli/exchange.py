"""``selfgym export`` and ``selfgym import``: episodes out of a store in other people's formats, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfgym.cli.console import AsJson, CommandError, Quiet, print_json, print_table
from selfgym.cli.episodes import OutcomeName, Phase, RunName, chosen


def export(
    store: Annotated[Path | None, typer.Argument(metavar="STORE", help="A file of episodes.")] = None,
    format: Annotated[str, typer.Option(help="What to write; --formats lists them.")] = "jsonl",
    out: Annotated[Path | None, typer.Option(help="The file (or folder) to write.")] = None,
    run: RunName = None,
    phase: Phase = None,
    outcome: OutcomeName = None,
    formats: Annotated[bool, typer.Option("--formats", help="List the formats and stop.")] = False,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write episodes of a store to a file: JSONL, Parquet, ShareGPT, chat messages, ATIF, Minari.

    Examples:

      selfgym export runs/episodes.db --out episodes.jsonl

      selfgym export runs/demo/episodes.db --phase demo --format messages --out sft.jsonl

      selfgym export --formats
    """
    from selfgym.memory.exchange.formats import export_episodes
    from selfgym.memory.store import EpisodeStore

    if formats:
        _list_formats(json)
        return
    if store is None or out is None:
        raise typer.BadParameter("say which store to export and where to: selfgym export STORE --out FILE")
    with EpisodeStore(store, readonly=True) as opened:
        number = export_episodes(opened.episodes(**chosen(run, phase, outcome)), out, format)
    if json:
        print_json({"episodes": number, "format": format, "out": str(out)})
    elif not quiet:
        print(f"{number} episodes written to {out} ({format})")


def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What to read.")],
    store: Annotated[Path, typer.Option(help="The store to append to; made if need be.")],
    format: Annotated[str, typer.Option(help="What FILE is; `selfgym export --formats` lists them.")] = "jsonl",
    run: Annotated[str | None, typer.Option(help="The run's name to give the episodes.")] = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Append the episodes of a file to a store; all of them, or none where the file is damaged.

    Example:

      selfgym import alfworld_train.json --format agentgym --store experts.db --run experts
    """
    from selfgym.memory.exchange.formats import import_episodes
    from selfgym.memory.store import EpisodeStore

    episodes = import_episodes(source, format, **({"run": run} if run else {}))
    if not store.parent.is_dir():
        raise CommandError(f"the folder {store.parent} does not exist")
    with EpisodeStore(store) as opened:
        number = opened.append(episodes)
    if json:
        print_json({"new_episodes": number, "format": format, "store": str(store)})
    elif not quiet:
        print(f"{number} new episodes in {store}")


def _list_formats(json: bool) -> None:
    from selfgym.memory.exchange.formats import FORMATS

    found = [
        {"name": one.name, "about": one.description, "export": one.write is not None, "import": one.read is not None}
        for one in FORMATS.values()
    ]
    if json:
        print_json(found)
        return
    rows = [
        (str(one["name"]), str(one["about"]), "yes" if one["export"] else "no", "yes" if one["import"] else "no")
        for one in found
    ]
    print_table(("format", "what it is", "export", "import"), rows)
