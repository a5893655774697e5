"""Tasks with the text editor FeatherPad."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.real.tasks.material import holds, lines, names, text, words
from selfgym.envs.desktop.real.tasks.pointing import awaited, chosen, field, gone, into
from selfgym.envs.desktop.real.tasks.task import Task, Template


def _saved(look: Look) -> Iterator[Action]:
    yield press(look, "Save", "push button")
    yield finished()


def _insert(rng: Random) -> Task:
    name, other = names(rng, 2)
    rows, new = lines(rng, 5), lines(rng, 1)[0]
    after = rng.randrange(1, 5)

    def play(look: Look, after: int) -> Iterator[Action]:
        yield Key("ctrl+Home")
        for _ in range(after):
            yield Key("Down")
        yield Type(f"{new}\n")
        yield from _saved(look)

    return Task(
        f'In {name}, insert the line "{new}" below the line "{rows[after - 1]}", and save the file.',
        (("featherpad", name),),
        lambda look: play(look, after),
        lambda look: play(look, after - 1),
        {name: text(rows), other: text(lines(rng, 2))},
        {name: holds([*rows[:after], new, *rows[after:]])},
    )


def _replace(rng: Random) -> Task:
    name = names(rng, 1)[0]
    old, new, *rest = words(rng, 6)
    rows = [f"{rng.randint(2, 19)} {word} and {rng.randint(2, 19)} {old}" for word in rest]

    def play(look: Look, old: str) -> Iterator[Action]:
        yield from chosen(look, "Search", "Replace")
        yield field(look, "Find:")
        yield Type(old)
        yield field(look, "Replace with:")
        yield Type(new)
        row = find(look, "Replace with:", "label").box[1]
        buttons = [node for node in look() if node.role == "push button" and abs(node.box[1] - row) < node.box[3]]
        yield into(max(buttons, key=lambda node: node.box[0]))  # the last one in the row replaces everywhere
        yield from _saved(look)

    return Task(
        f'In {name}, replace "{old}" by "{new}" everywhere, and save the file.',
        (("featherpad", name),),
        lambda look: play(look, old),
        lambda look: play(look, rest[0]),
        {name: text(rows)},
        {name: holds([row.replace(old, new) for row in rows])},
    )


def _sort(rng: Random) -> Task:
    name = names(rng, 1)[0]
    rows = rng.sample(words(rng, 8), 7)
    backwards = rng.random() < 0.5
    item, wrong = ("Sort Lines Reversely", "Sort Lines") if backwards else ("Sort Lines", "Sort Lines Reversely")

    def play(look: Look, item: str) -> Iterator[Action]:
        yield Key("ctrl+Home")
        for _ in rows[1:]:
            yield Key("shift+Down")
        yield Key("shift+End")
        yield from chosen(look, "Edit", item)
        yield from _saved(look)

    order = "backwards, from z to a" if backwards else "by the alphabet, from a to z"
    return Task(
        f"Sort the lines of {name} {order}, and save the file.",
        (("featherpad", name),),
        lambda look: play(look, item),
        lambda look: play(look, wrong),
        {name: text(rows)},
        {name: holds(sorted(rows, reverse=backwards))},
    )


def _save_as(rng: Random) -> Task:
    name, new = names(rng, 2)
    rows = lines(rng, 4)

    def play(look: Look, new: str) -> Iterator[Action]:
        yield from chosen(look, "File", "Save As")
        yield from awaited(look, "Save as...")
        yield Key("ctrl+a")
        yield Type(new)
        yield press(look, "Save", "push button")
        yield from gone(look, "Save as...")
        yield finished()

    return Task(
        f"Save the text of {name} once more, under the name {new} in the home folder.",
        (("featherpad", name),),
        lambda look: play(look, new),
        lambda look: play(look, f"copy-{new}"),
        {name: text(rows)},
        {new: holds(rows)},
    )


def _case(rng: Random) -> Task:
    name = names(rng, 1)[0]
    rows = [row.title() for row in lines(rng, 4)]
    number = rng.randrange(1, 5)
    how, wrong = rng.sample(["To Upper Case", "To Lower Case"], 2)
    changed = rows[number - 1].upper() if how == "To Upper Case" else rows[number - 1].lower()

    def play(look: Look, how: str) -> Iterator[Action]:
        yield Key("ctrl+Home")
        for _ in range(number - 1):
            yield Key("Down")
        yield Key("shift+End")
        yield from chosen(look, "Edit", how)
        yield from _saved(look)

    letters = "capital letters" if how == "To Upper Case" else "small letters"
    return Task(
        f'In {name}, put the line "{rows[number - 1]}" into {letters}, all of it, and save the file.',
        (("featherpad", name),),
        lambda look: play(look, how),
        lambda look: play(look, wrong),
        {name: text(rows)},
        {name: holds([*rows[: number - 1], changed, *rows[number:]])},
    )


def _join(rng: Random) -> Task:
    """What is in a second file goes to the end of the first."""
    name, second, other = names(rng, 3)
    rows, more = lines(rng, 3), lines(rng, 3)

    def play(look: Look, whole: bool) -> Iterator[Action]:
        yield press(look, "Open", "push button")
        yield press(look, second, "tree item", count=2)
        yield from gone(look, "Open file...")
        yield Key("ctrl+a" if whole else "shift+End")
        yield Key("ctrl+c")
        yield press(look, name, "page tab")
        yield Key("ctrl+End")
        yield Key("ctrl+v")
        yield from _saved(look)

    return Task(
        f"Copy everything that is in {second} to the end of {name}, and save {name}; {second} stays as it is.",
        (("featherpad", name),),
        lambda look: play(look, True),
        lambda look: play(look, False),
        {name: text(rows), second: text(more), other: text(lines(rng, 1))},
        {name: holds([*rows, *more])},
    )


TEMPLATES = (
    Template("featherpad-insert", 1, _insert, ("featherpad",)),
    Template("featherpad-replace", 2, _replace, ("featherpad",)),
    Template("featherpad-sort", 2, _sort, ("featherpad",)),
    Template("featherpad-save-as", 2, _save_as, ("featherpad",)),
    Template("featherpad-case", 2, _case, ("featherpad",)),
    Template("featherpad-join", 3, _join, ("featherpad",)),
)
