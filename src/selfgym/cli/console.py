"""How commands talk: tables and progress for a person, JSON for a script, one line for an error."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the result.")]
OnRay = Annotated[
    bool,
    typer.Option(
        "--ray", help="Play on the actors of a Ray cluster: the one that RAY_ADDRESS names, else one made here."
    ),
]


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
        if not equals or not all(word.isidentifier() for word in key.split(".")):
            raise CommandError(f"an option must look like NAME=VALUE, not {pair!r}")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options


def set_options(settings: dict[str, Any], pairs: Sequence[str]) -> None:
    """Put ``KEY=VALUE`` pairs into nested settings; a dot in a key leads inside.

    >>> settings = {"update": {"steps": 1, "rate": 0.1}}
    >>> set_options(settings, ["update.steps=9", "group.size=4"])
    >>> settings
    {'update': {'steps': 9, 'rate': 0.1}, 'group': {'size': 4}}
    """
    for key, value in parse_options(pairs).items():
        *path, last = key.split(".")
        inner = settings
        for name in path:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise CommandError(f"{name!r} is a single setting; it has no {last!r} inside")
        inner[last] = value


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` with the nearest known name, or nothing."""
    names = {word.lower(): word for word in known}
    near = get_close_matches(name.lower(), names, n=1, cutoff=0.5) or [low for low in names if name.lower() in low]
    return f" Did you mean {names[near[0]]!r}?" if near else ""


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A function (what, done, total) that shows progress on stderr: bars for a person, now and then a line for a log.

    Silent if ``quiet``, and in continuous integration (the variable ``CI``).
    """
    if quiet or os.environ.get("CI"):
        yield lambda what, done, total: None
    elif not sys.stderr.isatty():
        yield _Lines().show
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bars:
            yield _Bars(bars).show


class _Lines:
    """One line for each new piece of work, and one every half minute within it."""

    def __init__(self) -> None:
        self._name, self._next = "", 0.0

    def show(self, what: str, done: int, total: int) -> None:
        name, now = what.partition(" (")[0], time.monotonic()
        if name != self._name or now >= self._next or done == total:
            self._name, self._next = name, now + 30.0
            print(f"{what} {done}/{total}", file=sys.stderr, flush=True)


class _Bars:
    """One bar for each piece of work; the words in brackets of its name may change."""

    def __init__(self, bars: Any) -> None:
        self._bars, self._tasks = bars, dict[str, Any]()

    def show(self, what: str, done: int, total: int) -> None:
        name = what.partition(" (")[0]
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[name], description=what, completed=done, total=total)


def hush_transformers() -> None:
    """Keep transformers from drawing bars of its own between ours; it must be installed."""
    from transformers.utils import logging

    logging.disable_progress_bar()
