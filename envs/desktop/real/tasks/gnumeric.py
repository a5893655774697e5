"""Tasks with the spreadsheet Gnumeric: what is in its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Click, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.real.tasks.material import names, words
from selfgym.envs.desktop.real.tasks.pointing import chosen
from selfgym.envs.desktop.real.tasks.task import Task, Template
from selfgym.envs.desktop.real.tasks.workbook import Value, book_where, book_with, cells_of, computes, write_book

Rows = list[list[Value]]
_FUNCTIONS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "average": lambda values: sum(values) / len(values),
    "largest number": max,
    "smallest number": min,
}
_WRITTEN = {"sum": "SUM", "average": "AVERAGE", "largest number": "MAX", "smallest number": "MIN"}


def stock(rng: Random) -> tuple[str, str, Rows]:
    """A file's name, its sheet's name, and a table of things with how many there are."""
    rows: Rows = [["thing", "count"]]
    things = words(rng, rng.randint(4, 7))
    counts = rng.sample(range(2, 99), len(things))
    rows += [[thing, count] for thing, count in zip(things, counts, strict=True)]
    name = names(rng, 1, "")[0]
    return f"{name}.gnumeric", "stock", rows


def to(look: Look, cells: str) -> Iterator[Action]:
    """Go to a cell, or select cells such as A2:B5, by the box that names the cell: cells are no elements."""
    x, y, width, height = find(look, "go-jump", "icon").box
    yield Click(x - 3 * width, y + height // 2, count=3)
    yield Type(f"{cells}\n")


def saved(look: Look) -> Iterator[Action]:
    """Save under the same name, and end."""
    yield press(look, "Save", "push button")
    yield finished()


def _value(rng: Random) -> Task:
    file, sheet, rows = stock(rng)
    row = rng.randint(2, len(rows) - 1)
    new = rng.randint(100, 999)

    def play(look: Look, cell: str) -> Iterator[Action]:
        yield from to(look, cell)
        yield Type(f"{new}\n")
        yield from saved(look)

    return Task(
        f"Put the number {new} into the cell B{row} and save the file.",
        (("gnumeric", file),),
        lambda look: play(look, f"B{row}"),
        lambda look: play(look, f"B{row + 1}"),
        {file: write_book({sheet: rows})},
        {file: book_with({sheet: cells_of(rows) | {f"B{row}": str(new)}})},
    )


def _formula(rng: Random) -> Task:
    file, sheet, rows = stock(rng)
    what = rng.choice(sorted(_FUNCTIONS))
    last = len(rows)
    inputs, cell = [f"B{row}" for row in range(2, last + 1)], f"B{last + 1}"
    result = _FUNCTIONS[what]([float(row[1]) for row in rows[1:]])

    def play(look: Look, text: str) -> Iterator[Action]:
        yield from to(look, cell)
        yield Type(f"{text}\n")
        yield from saved(look)

    def right(cells: dict[str, str]) -> bool:
        rest = {name: value for name, value in cells.items() if name != cell}
        return rest == cells_of(rows) and computes(cells, cell, inputs, _FUNCTIONS[what])

    return Task(
        f"Put a formula into the cell {cell} that gives the {what} of the cells B2 to B{last}, and save the file.",
        (("gnumeric", file),),
        lambda look: play(look, f"={_WRITTEN[what]}(B2:B{last})"),
        lambda look: play(look, f"{result:g}"),
        {file: write_book({sheet: rows})},
        {file: book_where(lambda book: list(book) == [sheet] and right(book[sheet].cells))},
    )


def _fill(rng: Random) -> Task:
    """A formula for every row."""
    file, sheet, rows = stock(rng)
    rows[0].append("price")
    for row in rows[1:]:
        row.append(rng.randint(2, 30))
    last = len(rows)

    def play(look: Look, end: int) -> Iterator[Action]:
        yield from to(look, "D2")
        yield Type("=B2*C2\n")
        yield from to(look, f"D2:D{end}")
        yield from chosen(look, "Data", "Fill", "Fill Downwards")
        yield from saved(look)

    def right(cells: dict[str, str]) -> bool:
        new = {f"D{row}" for row in range(2, last + 1)}
        rest = {name: value for name, value in cells.items() if name not in new}
        products = all(
            computes(cells, f"D{row}", [f"B{row}", f"C{row}"], lambda pair: pair[0] * pair[1])
            for row in range(2, last + 1)
        )
        return rest == cells_of(rows) and products

    return Task(
        f"In each of the cells D2 to D{last}, put a formula that multiplies the count of its row by the price of its "
        "row. Save the file.",
        (("gnumeric", file),),
        lambda look: play(look, last),
        lambda look: play(look, last - 1),
        {file: write_book({sheet: rows})},
        {file: book_where(lambda book: list(book) == [sheet] and right(book[sheet].cells))},
    )


TEMPLATES = (
    Template("gnumeric-value", 1, _value, ("gnumeric",)),
    Template("gnumeric-formula", 1, _formula, ("gnumeric",)),
    Template("gnumeric-fill", 2, _fill, ("gnumeric",)),
)
