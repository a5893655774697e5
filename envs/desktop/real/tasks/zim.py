"""Tasks with the desktop wiki Zim, whose pages are text files."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, finished, press
from selfgym.envs.desktop.real.tasks.material import lines, words
from selfgym.envs.desktop.real.tasks.notebook import OPEN, at_line, notebook, pages, path, reads
from selfgym.envs.desktop.real.tasks.pointing import chosen, field, gone, only
from selfgym.envs.desktop.real.tasks.task import Task, Template


def _append(rng: Random) -> Task:
    page, other = pages(rng, 2)
    rows, new = lines(rng, 3), lines(rng, 1)[0]

    def play(look: Look, page: str) -> Iterator[Action]:
        yield press(look, page, "table cell")
        yield Key("ctrl+End")
        yield Type(f"{new}\n")
        yield Key("ctrl+s")
        yield finished()

    return Task(
        f'Add the line "{new}" at the end of the page {page}, and save it.',
        (OPEN,),
        lambda look: play(look, page),
        lambda look: play(look, other),
        notebook({page: rows, other: lines(rng, 2)}),
        {path(page): reads(page, [*rows, new])},
    )


def _new(rng: Random) -> Task:
    new, other, wrong = pages(rng, 3)
    rows = lines(rng, 2)

    def play(look: Look, name: str) -> Iterator[Action]:
        yield from chosen(look, "File", "New Page...")
        yield field(look, "Page Name:")
        yield Type(name)
        yield press(look, "OK", "push button")
        yield from gone(look, "New Page")
        yield Type("\n".join(rows))
        yield from chosen(look, "File", "Save")
        yield finished()

    return Task(
        f'Create a page called {new} with the two lines "{rows[0]}" and "{rows[1]}" below its title, and save it.',
        (OPEN,),
        lambda look: play(look, new),
        lambda look: play(look, wrong),
        notebook({other: lines(rng, 3)}),
        {path(new): reads(new, rows)},
    )


def _heading(rng: Random) -> Task:
    page, other = pages(rng, 2)
    rows = lines(rng, 4)
    number = rng.randrange(1, 5)
    level, wrong = rng.sample([2, 3, 4], 2)

    def play(look: Look, level: int) -> Iterator[Action]:
        yield press(look, page, "table cell")
        yield from at_line(number)
        yield from chosen(look, "Format", f"Heading {level}")
        yield Key("ctrl+s")
        yield finished()

    marks = "=" * (7 - level)
    wanted = [f"{marks} {row} {marks}" if place == number else row for place, row in enumerate(rows, 1)]
    return Task(
        f'On the page {page}, make the line "{rows[number - 1]}" a heading of level {level}, and save the page.',
        (OPEN,),
        lambda look: play(look, level),
        lambda look: play(look, wrong),
        notebook({page: rows, other: lines(rng, 2)}),
        {path(page): reads(page, wanted)},
    )


def _rename(rng: Random) -> Task:
    old, other, new = pages(rng, 3)
    rows = lines(rng, 3)

    def play(look: Look, old: str) -> Iterator[Action]:
        yield press(look, old, "table cell")
        yield from chosen(look, "File", "Rename or Move Page...")
        yield field(look, "Name:", count=3)
        yield Type(new)
        yield press(look, "OK", "push button")
        yield from gone(look, "Rename or Move Page")
        yield finished()

    return Task(
        f"Rename the page {old} to {new}. Its title may change with it.",
        (OPEN,),
        lambda look: play(look, old),
        lambda look: play(look, other),
        notebook({old: rows, other: lines(rng, 2)}),
        {path(old): None, path(new): reads(new, rows, or_title=old)},
    )


def _delete(rng: Random) -> Task:
    page, other, third = pages(rng, 3)

    def play(look: Look, page: str) -> Iterator[Action]:
        yield press(look, page, "table cell")
        yield from chosen(look, "File", "Delete Page")
        yield press(look, "OK", "push button")
        yield from gone(look, "Delete Page")
        yield finished()

    return Task(
        f"Delete the page {page}.",
        (OPEN,),
        lambda look: play(look, page),
        lambda look: play(look, other),
        notebook({name: lines(rng, 2) for name in (page, other, third)}),
        {path(page): None},
    )


def _tick(rng: Random) -> Task:
    page, other = pages(rng, 2)
    things = words(rng, 6)
    first, second = sorted(rng.sample(range(6), 2))

    def play(look: Look, *places: int) -> Iterator[Action]:
        yield press(look, page, "table cell")
        for place in places:
            yield from at_line(place + 1)
            yield from chosen(look, "Edit", "Checkbox", "Toggle Checkbox 'V'")
        yield Key("ctrl+s")
        yield finished()

    wanted = [f"[{'*' if place in (first, second) else ' '}] {thing}" for place, thing in enumerate(things)]
    return Task(
        f"On the page {page}, tick {things[first]} and {things[second]} off with a check mark (V), and save the page.",
        (OPEN,),
        lambda look: play(look, first, second),
        lambda look: play(look, first),
        notebook({page: [f"[ ] {thing}" for thing in things], other: lines(rng, 2)}),
        {path(page): reads(page, wanted)},
    )


def _which(rng: Random) -> Task:
    """Which page has a line, for the answer."""
    found = pages(rng, 4)
    rows = lines(rng, 12)
    filled = {page: rows[place * 3 : place * 3 + 3] for place, page in enumerate(found)}
    page = rng.choice(found)
    line = rng.choice(filled[page])

    def solution(look: Look) -> Iterator[Action]:
        for name in found:
            yield press(look, name, "table cell")
            if line in only(look, "text").value:
                yield finished(name)
                return

    def mistake(look: Look) -> Iterator[Action]:
        yield press(look, page, "table cell")
        yield finished(next(name for name in found if name != page))

    return Task(
        f'Which page has the line "{line}"? Answer with the name of the page alone.',
        (OPEN,),
        solution,
        mistake,
        notebook(filled),
        answer=page,
    )


TEMPLATES = (
    Template("zim-append", 1, _append, ("zim",)),
    Template("zim-delete", 1, _delete, ("zim",)),
    Template("zim-new", 2, _new, ("zim",)),
    Template("zim-heading", 2, _heading, ("zim",)),
    Template("zim-rename", 2, _rename, ("zim",)),
    Template("zim-tick", 2, _tick, ("zim",)),
    Template("zim-which", 2, _which, ("zim",)),
)
