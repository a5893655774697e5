"""Tasks with two applications side by side: text editors, the wiki, the terminal, the archive manager."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, finished, press
from selfgym.envs.desktop.real.tasks import notebook, sakura
from selfgym.envs.desktop.real.tasks.archives import zipped
from selfgym.envs.desktop.real.tasks.material import folders, holds, lines, names, text, words
from selfgym.envs.desktop.real.tasks.pointing import chosen, into, only, within
from selfgym.envs.desktop.real.tasks.task import Task, Template
from selfgym.envs.desktop.real.tasks.xarchiver import packed

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_LISTED = "In the archive:"


def _written(editor: Look, added: str) -> Iterator[Action]:
    """A text at the end of what Mousepad shows, saved."""
    yield into(only(editor, "text"))
    yield Key("ctrl+End")
    yield Type(added)
    yield from chosen(editor, "File", "Save")


def _from_wiki(rng: Random) -> Task:
    """A line goes from a page into a file, by the clipboard."""
    page, other = notebook.pages(rng, 2)
    name = names(rng, 1)[0]
    told, before = words(rng, 4), lines(rng, 2)
    rows = [f"{rng.randint(2, 19)} {word} by {rng.choice(_DAYS)}" for word in told]
    number = rng.randrange(1, 4)

    def play(look: Look, number: int) -> Iterator[Action]:
        wiki, editor = within(look, "- Notes"), within(look, "- Mousepad")
        yield press(wiki, page, "table cell")
        yield from notebook.at_line(number)
        yield Key("shift+End")
        yield from chosen(wiki, "Edit", "Copy")
        yield into(only(editor, "text"))
        yield Key("ctrl+End")
        yield from chosen(editor, "Edit", "Paste")
        yield from chosen(editor, "File", "Save")
        yield finished()

    return Task(
        f"Copy the line about {told[number - 1]} from the wiki page {page} to the end of {name}, as a line of its own, "
        f"and save {name}.",
        (notebook.OPEN, ("mousepad", name)),
        lambda look: play(look, number),
        lambda look: play(look, number + 1),
        notebook.notebook({page: rows, other: lines(rng, 2)}) | {name: text(before)},
        {name: holds([*before, rows[number - 1]])},
    )


def _list(rng: Random) -> Task:
    """What is in an archive is listed in a file."""
    archive, members = packed(rng, 4)
    listing = f"{folders(rng, 1)[0]}.txt"

    def play(look: Look, inside: list[str]) -> Iterator[Action]:
        yield from _written(within(look, "- Mousepad"), "\n".join(inside))
        yield finished()

    def right(content: bytes) -> bool:
        first, *others = content.decode("utf-8", "replace").splitlines() or [""]
        return first == _LISTED and sorted(row for row in others if row) == sorted(members)

    return Task(
        f"List the files that are in the archive {archive} below the first line of {listing}: each name on a line of "
        f"its own, in any order. Save {listing}.",
        (("xarchiver", archive), ("mousepad", listing)),
        lambda look: play(look, [node.name for node in look() if node.role == "table cell" and node.name in members]),
        lambda look: play(look, list(members)[:-1]),
        {archive: zipped(members), listing: text([_LISTED])},
        {listing: right},
    )


def _folders(rng: Random) -> Task:
    """What a page lists becomes folders, by the shell."""
    page, other = notebook.pages(rng, 2)
    wanted, more = words(rng, 4), lines(rng, 2)

    def play(look: Look, things: list[str]) -> Iterator[Action]:
        yield press(within(look, "- Notes"), page, "table cell")
        shell = within(look, "sakura")
        yield into(only(shell, "terminal"))
        yield from sakura.ran(shell, f"mkdir {' '.join(things)}", "ls")
        yield finished()

    return Task(
        f"For each thing in the list on the wiki page {page}, make an empty folder of that name in the home folder.",
        (notebook.OPEN, sakura.OPEN),
        lambda look: play(look, wanted),
        lambda look: play(look, [*wanted[:-1], "things"]),
        notebook.notebook({page: [f"* {thing}" for thing in wanted], other: more}),
        {f"{thing}/": b"" for thing in wanted},
    )


def _counted(rng: Random) -> Task:
    """What the shell counts is written down in an editor."""
    name, report = names(rng, 2)
    folder = folders(rng, 1)[0]
    word, *others = words(rng, 4)
    counted = {
        f"{folder}/{stem}": text([rng.choice([word, *others]) for _ in range(rng.randrange(5, 40))] + [word])
        for stem in names(rng, 5)
    }
    number = sum(content.decode().split().count(word) for content in counted.values())

    def play(look: Look, pattern: str) -> Iterator[Action]:
        shell, editor = within(look, "sakura"), within(look, "- Mousepad")
        yield into(only(shell, "terminal"))
        yield from sakura.ran(shell, f"cat {folder}/* | grep -c '{pattern}'")
        shown = only(shell, "terminal").value.split()
        yield from _written(editor, next(word for word in reversed(shown) if word.isdigit()))
        yield finished()

    return Task(
        f'Find out in how many lines of all files in the folder {folder} together "{word}" stands, with the terminal, '
        f"and write the number below the first line of {report}. Save {report}.",
        (sakura.OPEN, ("mousepad", report)),
        lambda look: play(look, word),
        lambda look: play(look, ""),
        counted | {report: text(["Lines:"]), name: text(lines(rng, 2))},
        {report: holds(["Lines:", str(number)])},
    )


def _moved(rng: Random) -> Task:
    """A line goes from one file to another, each in an editor of its own."""
    source, goal = names(rng, 2)
    rows, others = lines(rng, 5), lines(rng, 3)
    number = rng.randrange(1, 6)

    def play(look: Look, away: bool) -> Iterator[Action]:
        left, right = within(look, "- Mousepad"), within(look, f"/{goal}")
        yield into(only(left, "text"))
        yield Key("ctrl+Home")
        for _ in range(number - 1):
            yield Key("Down")
        yield Key("shift+Down")
        yield from chosen(left, "Edit", "Cut" if away else "Copy")
        yield from chosen(left, "File", "Save")
        yield into(next(node for node in right() if node.role == "text"))
        yield Key("ctrl+End")
        yield Key("ctrl+v")
        yield Key("ctrl+s")
        yield finished()

    return Task(
        f'Move the line "{rows[number - 1]}" from {source} to the end of {goal}: it is to be gone from {source}. Save '
        "both files.",
        (("mousepad", source), ("featherpad", goal)),
        lambda look: play(look, True),
        lambda look: play(look, False),
        {source: text(rows), goal: text(others)},
        {source: holds(rows[: number - 1] + rows[number:]), goal: holds([*others, rows[number - 1]])},
    )


TEMPLATES = (
    Template("together-wiki-line", 3, _from_wiki, ("zim", "mousepad")),
    Template("together-archive-list", 3, _list, ("xarchiver", "mousepad")),
    Template("together-wiki-folders", 3, _folders, ("zim", "sakura")),
    Template("together-count", 3, _counted, ("sakura", "mousepad")),
    Template("together-move-line", 3, _moved, ("mousepad", "featherpad")),
)
