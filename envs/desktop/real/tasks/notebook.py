"""Notebooks of the desktop wiki Zim: made for the beginning of a task, and read at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from selfgym.envs.desktop.actions import Action, Key
from selfgym.envs.desktop.real.tasks.material import names

_FOLDER = "notes"
_NOTEBOOK = (
    "[Notebook]\nversion=0.4\nname=Notes\ninterwiki=\nhome=Home\nicon=\ndocument_root=\nshared=True\n"
    "endofline=unix\ndisable_trash=True\nprofile=\n"
)
_HEADER = "Content-Type: text/x-zim-wiki\nWiki-Format: zim 0.6\nCreation-Date: 2023-11-14T00:00:00+00:00\n"
OPEN = ("zim", _FOLDER)
"""Zim with its notebook."""


def path(page: str) -> str:
    """The file of a page."""
    return f"{_FOLDER}/{page}.txt"


def notebook(pages: Mapping[str, Sequence[str]]) -> dict[str, bytes]:
    """The files of a notebook with these pages and the lines on them, and a first page called Home."""
    shown = {"Home": ["Welcome."], **pages}
    files = {
        path(page): "".join(f"{row}\n" for row in (_HEADER, _title(page), "", *rows)).encode()
        for page, rows in shown.items()
    }
    return files | {f"{_FOLDER}/notebook.zim": _NOTEBOOK.encode()}


def reads(page: str, rows: Sequence[str], *, or_title: str = "") -> Callable[[bytes], bool]:
    """Whether a page has its title, or that of another, and these lines; empty lines and dates do not count."""

    def right(content: bytes) -> bool:
        body = content.decode("utf-8", "replace").partition("\n\n")[2].splitlines()
        found = [row.rstrip() for row in body if row.strip() and not row.startswith("Created ")]
        return found in ([_title(title), *rows] for title in (page, or_title or page))

    return right


def pages(rng: Random, count: int) -> list[str]:
    """So many names of pages, all different."""
    return [name.capitalize() for name in names(rng, count, ending="")]


def _title(page: str) -> str:
    return f"====== {page} ======"


def at_line(number: int) -> Iterator[Action]:
    """Goes to a line of the page, the title's being 0 and an empty one below it."""
    yield Key("ctrl+Home")
    for _ in range(number + 1 if number else 0):
        yield Key("Down")
