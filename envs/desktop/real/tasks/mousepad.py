"""Tasks with the text editor Mousepad: what becomes of a text."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, finished, press
from selfgym.envs.desktop.real.tasks.material import holds, lines, names, text, words
from selfgym.envs.desktop.real.tasks.pointing import awaited, chosen, field, gone
from selfgym.envs.desktop.real.tasks.task import Task, Template


def _append(rng: Random) -> Task:
    name, other = names(rng, 2)
    rows, new = lines(rng, 4), lines(rng, 1)[0]

    def play(added: str) -> Iterator[Action]:
        yield Key("ctrl+End")
        yield Type(f"{added}\n")
        yield Key("ctrl+s")
        yield finished()

    return Task(
        f'Add the line "{new}" at the end of {name} and save it.',
        (("mousepad", name),),
        lambda look: play(new),
        lambda look: play(new.upper()),
        {name: text(rows), other: text(lines(rng, 2))},
        {name: holds([*rows, new])},
    )


def _replace(rng: Random) -> Task:
    name, other = names(rng, 2)
    old, new, *rest = words(rng, 7)
    rows = [f"{rng.randint(2, 19)} {word} and {rng.randint(2, 19)} {old}" for word in rest]

    def play(look: Look, everywhere: bool) -> Iterator[Action]:
        yield from chosen(look, "Search", "Find and Replace...")
        yield field(look, "Search for:")
        yield Type(old)
        yield field(look, "Replace with:")
        yield Type(new)
        if everywhere:
            yield press(look, "Replace all in:", "check box")
        yield press(look, "Replace All" if everywhere else "Replace", "push button")
        yield press(look, "Close", "push button")
        yield from chosen(look, "File", "Save")
        yield finished()

    return Task(
        f'In {name}, replace "{old}" by "{new}" everywhere, and save the file.',
        (("mousepad", name),),
        lambda look: play(look, True),
        lambda look: play(look, False),
        {name: text(rows), other: text([f"5 {old}"])},
        {name: holds([row.replace(old, new) for row in rows])},
    )


def _delete_line(rng: Random) -> Task:
    name = names(rng, 1)[0]
    rows = lines(rng, 7)
    number = rng.randrange(2, 7)

    def play(look: Look, number: int) -> Iterator[Action]:
        yield from chosen(look, "Search", "Go to...")
        yield field(look, "Line number:", count=3)
        yield Type(str(number))
        yield press(look, "Jump to", "push button")
        yield from chosen(look, "Edit", "Delete Line")
        yield Key("ctrl+s")
        yield finished()

    return Task(
        f'Delete the line "{rows[number - 1]}" from {name}, and save the file.',
        (("mousepad", name),),
        lambda look: play(look, number),
        lambda look: play(look, number + 1),
        {name: text(rows)},
        {name: holds(rows[: number - 1] + rows[number:])},
    )


def _save_as(rng: Random) -> Task:
    name, new = names(rng, 2)
    rows, added = lines(rng, 3), lines(rng, 1)[0]

    def play(look: Look, copy: bool) -> Iterator[Action]:
        yield Key("ctrl+Home")
        yield Type(f"{added}\n")
        if copy:
            yield from chosen(look, "File", "Save As...")
            yield from awaited(look, "Save As", "file chooser")
            yield Key("ctrl+a")
            yield Type(new)
            yield press(look, "Save", "push button")
            yield from gone(look, "Save As")
        else:
            yield Key("ctrl+s")
        yield finished()

    return Task(
        f'Add the line "{added}" at the top of the text of {name}, and save the result under the name {new} in the '
        f"home folder; {name} itself stays as it is.",
        (("mousepad", name),),
        lambda look: play(look, True),
        lambda look: play(look, False),
        {name: text(rows)},
        {new: holds([added, *rows])},
    )


def _new(rng: Random) -> Task:
    name, new = names(rng, 2)
    rows = lines(rng, 2)

    def play(look: Look, rows: list[str]) -> Iterator[Action]:
        yield from chosen(look, "File", "New")
        yield from awaited(look, "Untitled 1", "page tab")
        yield Type("\n".join(rows))
        yield Key("ctrl+s")
        yield from awaited(look, "Save As", "file chooser")
        yield Key("ctrl+a")
        yield Type(new)
        yield press(look, "Save", "push button")
        yield from gone(look, "Save As")
        yield finished()

    return Task(
        f'Write a new file {new} in the home folder, with the two lines "{rows[0]}" and "{rows[1]}".',
        (("mousepad", name),),
        lambda look: play(look, rows),
        lambda look: play(look, rows[::-1]),
        {name: text(lines(rng, 3))},
        {new: holds(rows)},
    )


def _upper(rng: Random) -> Task:
    name = names(rng, 1)[0]
    rows = lines(rng, 5)
    number = rng.randrange(1, 5)

    def play(look: Look, how: str) -> Iterator[Action]:
        yield Key("ctrl+Home")
        for _ in range(number - 1):
            yield Key("Down")
        yield Key("shift+End")
        yield from chosen(look, "Edit", "Convert", how)
        yield from chosen(look, "File", "Save")
        yield finished()

    wanted = [row.upper() if place == number else row for place, row in enumerate(rows, 1)]
    return Task(
        f'In {name}, put the line "{rows[number - 1]}" into capital letters, and save the file.',
        (("mousepad", name),),
        lambda look: play(look, "To Uppercase"),
        lambda look: play(look, "To Title Case"),
        {name: text(rows)},
        {name: holds(wanted)},
    )


def _move_line(rng: Random) -> Task:
    name = names(rng, 1)[0]
    rows = lines(rng, 5)
    moved = rng.randrange(3, 6)

    def play(look: Look, times: int) -> Iterator[Action]:
        yield Key("ctrl+Home")
        for _ in range(moved - 1):
            yield Key("Down")
        for _ in range(times):
            yield from chosen(look, "Edit", "Move", "Line Up")
        yield Key("ctrl+s")
        yield finished()

    return Task(
        f'In {name}, move the line "{rows[moved - 1]}" to the very top, and save the file.',
        (("mousepad", name),),
        lambda look: play(look, moved - 1),
        lambda look: play(look, moved - 2),
        {name: text(rows)},
        {name: holds([rows[moved - 1], *rows[: moved - 1], *rows[moved:]])},
    )


TEMPLATES = (
    Template("mousepad-append", 1, _append, ("mousepad",)),
    Template("mousepad-replace", 2, _replace, ("mousepad",)),
    Template("mousepad-delete-line", 2, _delete_line, ("mousepad",)),
    Template("mousepad-save-as", 2, _save_as, ("mousepad",)),
    Template("mousepad-new", 2, _new, ("mousepad",)),
    Template("mousepad-upper", 2, _upper, ("mousepad",)),
    Template("mousepad-move-line", 2, _move_line, ("mousepad",)),
)
