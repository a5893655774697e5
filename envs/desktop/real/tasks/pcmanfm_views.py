"""Tasks with the file manager PCManFM: how it shows files, and what can be read there."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key
from selfgym.envs.desktop.looking import Look, finished, press
from selfgym.envs.desktop.real.room import Room
from selfgym.envs.desktop.real.tasks.material import folders, lines, names, text
from selfgym.envs.desktop.real.tasks.pointing import beside, chosen
from selfgym.envs.desktop.real.tasks.task import Task, Template

_OPENS = (("pcmanfm", "."),)


def _view(room: Room) -> dict[str, str]:
    """How PCManFM shows folders, from its settings file."""
    rows = (room.read(".config/pcmanfm/default/pcmanfm.conf") or b"").decode("utf-8", "replace").splitlines()
    return dict(row.split("=", 1) for row in rows if "=" in row)


def _filler(size: int) -> bytes:
    """So many bytes of text."""
    return (b"word " * (size // 5 + 1))[: size - 1] + b"\n"


def _sort(rng: Random) -> Task:
    order, stored = rng.choice([("By Size", "size"), ("By Modification Time", "mtime"), ("By File Type", "desc")])
    words = {"size": "size", "mtime": "modification time", "desc": "file type"}[stored]

    def play(look: Look, *choices: str) -> Iterator[Action]:
        for choice in choices:
            yield from chosen(look, "View", "Sort Files", choice)
        yield finished()

    def sorted_so(room: Room) -> bool:
        return _view(room).get("sort", "").split(";")[:2] == [stored, "descending"]

    return Task(
        f"Have the files sorted by {words}, in descending order.",
        _OPENS,
        lambda look: play(look, order, "Descending"),
        lambda look: play(look, order),
        {name: _filler(rng.randint(100, 9000)) for name in names(rng, 4)},
        state=sorted_so,
    )


def _hidden(rng: Random) -> Task:
    """A file that is not shown, deleted."""
    gone, kept = (f".{name}" for name in names(rng, 2, ""))

    def play(look: Look, which: str) -> Iterator[Action]:
        yield from chosen(look, "View", "Show Hidden")
        yield press(look, which, "table cell")
        yield Key("Delete")
        yield press(look, "Yes", "push button")
        yield finished()

    def only_one_gone(room: Room) -> bool:
        return room.read(gone) is None and room.read(kept) == hidden[kept]

    hidden = {gone: text(lines(rng, 2)), kept: text(lines(rng, 2))}
    return Task(
        f"Delete the hidden file {gone}, but not {kept}.",
        _OPENS,
        lambda look: play(look, gone),
        lambda look: play(look, kept),
        hidden | {name: text(lines(rng, 2)) for name in names(rng, 3)},
        state=only_one_gone,
    )


def _bytes(rng: Random) -> Task:
    """Only the properties tell a size to the byte."""
    some = names(rng, 4)
    sizes = dict(zip(some, rng.sample(range(1100, 9900), 4), strict=True))

    def play(look: Look, which: str) -> Iterator[Action]:
        yield press(look, which, "table cell")
        yield from chosen(look, "Edit", "Properties")
        size = beside(look, "Total size of files:")  # such as "2.1 KiB (2134 bytes)"
        yield press(look, "Cancel", "push button")
        yield finished(size.partition("(")[2].split()[0])

    return Task(
        f"How many bytes does {some[0]} have, exactly? Answer with the number.",
        _OPENS,
        lambda look: play(look, some[0]),
        lambda look: play(look, some[1]),
        {name: _filler(size) for name, size in sizes.items()},
        answer=str(sizes[some[0]]),
    )


def _largest(rng: Random) -> Task:
    """The largest file of a folder, for the answer."""
    inside = folders(rng, 1)[0]
    some = names(rng, 5)
    sizes = [1024 * factor + rng.randrange(1, 900) for factor in rng.sample(range(1, 60), 5)]
    files = {f"{inside}/{name}": _filler(size) for name, size in zip(some, sizes, strict=True)}
    ordered = sorted(some, key=lambda name: len(files[f"{inside}/{name}"]))

    def play(look: Look, order: str) -> Iterator[Action]:
        yield press(look, inside, "table cell", count=2)
        yield from chosen(look, "View", "Sort Files", "By Size")
        yield from chosen(look, "View", "Sort Files", order)
        first = next(node.name for node in look() if node.role == "table cell" and node.name in some)
        yield finished(first)

    return Task(
        f'Which is the largest file in the folder {inside}? Answer with its name, as in "plan.txt".',
        _OPENS,
        lambda look: play(look, "Descending"),
        lambda look: play(look, "Ascending"),
        files | {name: _filler(90_000) for name in names(rng, 2, ".log")},
        answer=ordered[-1],
    )


TEMPLATES = (
    Template("pcmanfm-sort", 1, _sort, ("pcmanfm",)),
    Template("pcmanfm-hidden", 2, _hidden, ("pcmanfm",)),
    Template("pcmanfm-bytes", 1, _bytes, ("pcmanfm",)),
    Template("pcmanfm-largest", 2, _largest, ("pcmanfm",)),
)
