"""How commands talk: tables and progress for a person, JSON for a script, one line for an error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the result.")]


class CommandError(Exception):
    """Something the person can put right; the message says what and how."""


def print_json(value: Any) -> None:
    """Print plain data as JSON."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    print()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of plain text under headings."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160  # a pipe has no width; do not fold a script's lines at 80
    console.print(table)


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` pairs as keyword arguments; a value is JSON where it can be, else a string.

    >>> parse_options(["size=tiny", "max_steps=20", "dialect='0.3'"])
    {'size': 'tiny', 'max_steps': 20, 'dialect': "'0.3'"}
    """
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise CommandError(f"an option must look like NAME=VALUE, not {pair!r}")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` with the nearest known name, or nothing."""
    names = {word.lower(): word for word in known}
    near = get_close_matches(name.lower(), names, n=1, cutoff=0.5) or [low for low in names if name.lower() in low]
    return f" Did you mean {names[near[0]]!r}?" if near else ""
