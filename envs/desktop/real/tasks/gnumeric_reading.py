"""Tasks with the spreadsheet Gnumeric: what can be read off a table, for the answer."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key
from selfgym.envs.desktop.looking import Look, find, finished
from selfgym.envs.desktop.real.tasks.gnumeric import stock, to
from selfgym.envs.desktop.real.tasks.task import Task, Template
from selfgym.envs.desktop.real.tasks.workbook import write_book


def _find(rng: Random) -> Task:
    """A number that stands beside a word, for the answer."""
    file, sheet, rows = stock(rng)
    row = rng.randint(2, len(rows))

    def play(look: Look, beside: bool) -> Iterator[Action]:
        yield from to(look, "A2")
        while bar(look) != rows[row - 1][0]:
            yield Key("Down")
        yield Key("Right")
        if not beside:
            yield Key("Up")
        yield finished(bar(look))

    return Task(
        f"How many {rows[row - 1][0]} are there, according to the table? Answer with the number.",
        (("gnumeric", file),),
        lambda look: play(look, True),
        lambda look: play(look, False),
        {file: write_book({sheet: rows})},
        answer=str(rows[row - 1][1]),
    )


def bar(look: Look) -> str:
    """What the bar above the cells says is in the cell that is chosen."""
    icon = find(look, "go-jump", "icon").box
    line = [node for node in look() if node.role == "text" and abs(node.box[1] - icon[1]) < 2 * icon[3]]
    return max(line, key=lambda node: node.box[0]).value


def _total(rng: Random) -> Task:
    """The line below the cells adds up what is selected."""
    file, sheet, rows = stock(rng)
    total = sum(int(row[1]) for row in rows[1:])

    def play(look: Look, cells: str) -> Iterator[Action]:
        yield from to(look, cells)
        line = next(node.name for node in look() if node.role == "label" and node.name.startswith("Sum = "))
        yield finished(line.removeprefix("Sum = "))

    return Task(
        "What do all the counts add up to? Answer with the number, and leave the file as it is.",
        (("gnumeric", file),),
        lambda look: play(look, f"B2:B{len(rows)}"),
        lambda look: play(look, f"B2:B{len(rows) - 1}"),
        {file: write_book({sheet: rows})},
        answer=str(total),
    )


TEMPLATES = (
    Template("gnumeric-find", 2, _find, ("gnumeric",)),
    Template("gnumeric-total", 1, _total, ("gnumeric",)),
)
