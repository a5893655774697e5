"""Tasks with the file manager PCManFM: files and folders."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, finished, press
from selfgym.envs.desktop.real.tasks.material import folders, lines, names, text
from selfgym.envs.desktop.real.tasks.pointing import chosen, picked
from selfgym.envs.desktop.real.tasks.task import Task, Template

OPENS = (("pcmanfm", "."),)
"""The home folder."""


def _files(rng: Random, some: list[str]) -> dict[str, bytes]:
    """Files of these names, each with something in it."""
    return {name: text(lines(rng, rng.randint(1, 4))) for name in some}


def _rename(rng: Random) -> Task:
    old, other, new = names(rng, 3)

    def play(look: Look, which: str) -> Iterator[Action]:
        yield press(look, which, "table cell")
        yield from chosen(look, "Edit", "Rename...")
        yield Key("ctrl+a")
        yield Type(new)
        yield press(look, "OK", "push button")
        yield finished()

    files = _files(rng, [old, other])
    return Task(
        f"Rename the file {old} to {new}.",
        OPENS,
        lambda look: play(look, old),
        lambda look: play(look, other),
        files,
        {old: None, new: files[old]},
    )


def _delete(rng: Random) -> Task:
    gone, *others = names(rng, 4)

    def play(look: Look, which: str) -> Iterator[Action]:
        yield press(look, which, "table cell")
        yield Key("Delete")
        yield press(look, "Yes", "push button")
        yield finished()

    return Task(
        f"Delete the file {gone}.",
        OPENS,
        lambda look: play(look, gone),
        lambda look: play(look, others[0]),
        _files(rng, [gone, *others]),
        {gone: None},
    )


def _folder(rng: Random) -> Task:
    new, *old = folders(rng, 3)

    def play(look: Look, name: str) -> Iterator[Action]:
        yield from chosen(look, "File", "Create New...", "Folder")
        yield Key("ctrl+a")
        yield Type(name)
        yield press(look, "OK", "push button")
        yield finished()

    return Task(
        f"Make a new, empty folder called {new} in the folder that is shown.",
        OPENS,
        lambda look: play(look, new),
        lambda look: play(look, new.capitalize()),
        {f"{folder}/": b"" for folder in old} | _files(rng, names(rng, 2)),
        {f"{new}/": b""},
    )


def _copy(rng: Random) -> Task:
    name, *others = names(rng, 3)
    into, other = folders(rng, 2)

    def play(look: Look, folder: str) -> Iterator[Action]:
        yield press(look, name, "table cell")
        yield from chosen(look, "Edit", "Copy")
        yield press(look, folder, "table cell", count=2)
        yield from chosen(look, "Edit", "Paste")
        yield finished()

    files = _files(rng, [name, *others])
    return Task(
        f"Copy {name} into the folder {into}. The original stays where it is.",
        OPENS,
        lambda look: play(look, into),
        lambda look: play(look, other),
        files | {f"{into}/": b"", f"{other}/": b""},
        {f"{into}/{name}": files[name]},
    )


def _move(rng: Random) -> Task:
    """Out of a folder into its parent."""
    name, *others = names(rng, 4)
    inside, other = folders(rng, 2)

    def play(look: Look, cut: str) -> Iterator[Action]:
        yield press(look, inside, "table cell", count=2)
        yield press(look, name, "table cell")
        yield Key(cut)
        yield press(look, "Parent Folder", "push button")
        yield Key("ctrl+v")
        yield finished()

    files = _files(rng, [f"{inside}/{name}", f"{inside}/{others[0]}", *others[1:]]) | {f"{other}/": b""}
    return Task(
        f"Move {name} out of the folder {inside} into the folder above it, the one that is shown now.",
        OPENS,
        lambda look: play(look, "ctrl+x"),
        lambda look: play(look, "ctrl+c"),
        files,
        {f"{inside}/{name}": None, name: files[f"{inside}/{name}"]},
    )


def _several(rng: Random) -> Task:
    """All files of one kind."""
    some = names(rng, 7, "")
    old, kept = [f"{name}.old" for name in sorted(some[:3])], [f"{name}.txt" for name in some[3:]]

    def play(look: Look, which: list[str]) -> Iterator[Action]:
        yield from picked(look, which)
        yield from chosen(look, "Edit", "Remove")
        yield press(look, "Yes", "push button")
        yield finished()

    return Task(
        "Delete all files whose names end with .old, and nothing else.",
        OPENS,
        lambda look: play(look, old),
        lambda look: play(look, [*old, kept[0]]),
        _files(rng, [*old, *kept]),
        dict.fromkeys(old),
    )


def _sort_out(rng: Random) -> Task:
    """A new folder and files into it."""
    *some, left = names(rng, 4)
    new, other = folders(rng, 2)

    def play(look: Look, which: list[str]) -> Iterator[Action]:
        yield from chosen(look, "File", "Create New...", "Folder")
        yield Key("ctrl+a")
        yield Type(f"{new}\n")
        yield from picked(look, which)
        yield from chosen(look, "Edit", "Cut")
        yield press(look, new, "table cell", count=2)
        yield Key("ctrl+v")
        yield finished()

    files = _files(rng, [*some, left])
    return Task(
        f"Make a folder called {new} and move {some[0]}, {some[1]} and {some[2]} into it.",
        OPENS,
        lambda look: play(look, some),
        lambda look: play(look, some[:2]),
        files | {f"{other}/": b""},
        {f"{new}/": b""} | dict.fromkeys(some) | {f"{new}/{name}": files[name] for name in some},
    )


TEMPLATES = (
    Template("pcmanfm-rename", 1, _rename, ("pcmanfm",)),
    Template("pcmanfm-delete", 1, _delete, ("pcmanfm",)),
    Template("pcmanfm-folder", 1, _folder, ("pcmanfm",)),
    Template("pcmanfm-copy", 2, _copy, ("pcmanfm",)),
    Template("pcmanfm-move", 2, _move, ("pcmanfm",)),
    Template("pcmanfm-several", 2, _several, ("pcmanfm",)),
    Template("pcmanfm-sort-out", 3, _sort_out, ("pcmanfm",)),
)
