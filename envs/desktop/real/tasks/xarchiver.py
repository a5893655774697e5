"""Tasks with the archive manager Xarchiver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, finished, press
from selfgym.envs.desktop.node import Node
from selfgym.envs.desktop.real.session import HOME
from selfgym.envs.desktop.real.tasks.archives import zipped, zips
from selfgym.envs.desktop.real.tasks.material import folders, lines, names, text, words
from selfgym.envs.desktop.real.tasks.pointing import chosen, field, gone, until
from selfgym.envs.desktop.real.tasks.task import Task, Template


def packed(rng: Random, count: int) -> tuple[str, dict[str, bytes]]:
    """The name of an archive, and so many files to be in it."""
    return f"{words(rng, 1)[0]}.zip", {name: text(lines(rng, 2)) for name in names(rng, count)}


def _rested(look: Look) -> Iterator[Action]:
    """Waits until the program that packs and unpacks has ended: then it cannot be stopped any more."""

    def over(nodes: Sequence[Node]) -> bool:
        return all(node.role != "dialog" and (node.name != "Stop" or "disabled" in node.states) for node in nodes)

    yield from until(look, over)


def _extracted(look: Look, folder: str, item: str) -> Iterator[Action]:
    yield press(look, "Extract", "push button")
    yield Key("ctrl+a")
    yield Type(f"{HOME}/{folder}")
    yield press(look, "Ensure a containing directory", "check box")
    yield press(look, item, "radio button")
    yield press(look, "Extract", "push button")
    yield from _rested(look)
    yield finished()


def _extract(rng: Random) -> Task:
    archive, members = packed(rng, 4)
    folder, wrong = folders(rng, 2)
    return Task(
        f"Extract all files of {archive} into a new folder {HOME}/{folder}, so that they lie directly in that folder.",
        (("xarchiver", archive),),
        lambda look: _extracted(look, folder, "All files"),
        lambda look: _extracted(look, wrong, "All files"),
        {archive: zipped(members)},
        {f"{folder}/": b""} | {f"{folder}/{name}": content for name, content in members.items()},
    )


def _extract_one(rng: Random) -> Task:
    archive, members = packed(rng, 5)
    name = rng.choice(list(members))
    folder = folders(rng, 1)[0]

    def play(look: Look, item: str) -> Iterator[Action]:
        yield press(look, name, "table cell")
        yield from _extracted(look, folder, item)

    return Task(
        f"Extract the file {name}, and no other, from {archive} into the folder {HOME}/{folder}, so that it lies "
        "directly in that folder.",
        (("xarchiver", archive),),
        lambda look: play(look, "Selected files"),
        lambda look: play(look, "All files"),
        {archive: zipped(members), f"{folder}/": b""},
        {f"{folder}/{name}": members[name]},
    )


def _added(look: Look, name: str) -> Iterator[Action]:
    yield press(look, "Add", "push button")
    yield press(look, "Home", "label")
    yield press(look, name, "table cell")
    yield press(look, "Add", "push button")
    yield from _rested(look)
    yield finished()


def _add(rng: Random) -> Task:
    new, other, *inside = names(rng, 5)
    archive = f"{words(rng, 1)[0]}.zip"
    members = {name: text(lines(rng, 2)) for name in inside}
    outside = {new: text(lines(rng, 2)), other: text(lines(rng, 2))}

    return Task(
        f"Add the file {new} from the home folder to the archive {archive}. The file itself stays where it is.",
        (("xarchiver", archive),),
        lambda look: _added(look, new),
        lambda look: _added(look, other),
        {archive: zipped(members), **outside},
        {archive: zips(members | {new: outside[new]})},
    )


def _delete(rng: Random) -> Task:
    archive, members = packed(rng, 5)
    name, wrong = rng.sample(list(members), 2)

    def play(look: Look, name: str) -> Iterator[Action]:
        yield press(look, name, "table cell")
        yield from chosen(look, "Action", "Delete")
        yield press(look, "OK", "push button")
        yield from _rested(look)
        yield finished()

    left = {other: content for other, content in members.items() if other != name}
    return Task(
        f"Delete the file {name} from the archive {archive}.",
        (("xarchiver", archive),),
        lambda look: play(look, name),
        lambda look: play(look, wrong),
        {archive: zipped(members)},
        {archive: zips(left)},
    )


def _create(rng: Random) -> Task:
    name, other = names(rng, 2)
    archive = f"{words(rng, 1)[0]}.zip"
    files = {name: text(lines(rng, 3)), other: text(lines(rng, 2))}

    def play(look: Look, name: str) -> Iterator[Action]:
        yield from chosen(look, "Archive", "New")
        yield press(look, "apk", "combo box")
        yield Key("End")  # the list of types is longer than what is shown of it at first
        yield press(look, "zip", "menu item")
        yield field(look, "Name:")
        yield Key("ctrl+a")
        yield Type(archive)
        yield press(look, "Create", "push button")
        yield from gone(look, "Create a new archive")
        yield from _added(look, name)

    return Task(
        f"Create a zip archive {archive} in the home folder, and add the file {name} to it.",
        (("xarchiver",),),
        lambda look: play(look, name),
        lambda look: play(look, other),
        files,
        {archive: zips({name: files[name]})},
    )


TEMPLATES = (
    Template("xarchiver-extract", 2, _extract, ("xarchiver",)),
    Template("xarchiver-extract-one", 2, _extract_one, ("xarchiver",)),
    Template("xarchiver-add", 2, _add, ("xarchiver",)),
    Template("xarchiver-delete", 1, _delete, ("xarchiver",)),
    Template("xarchiver-create", 3, _create, ("xarchiver",)),
)
