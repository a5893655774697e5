"""Tasks with the spreadsheet Gnumeric: looks, sheets, other files, and what can be read off a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, finished, press
from selfgym.envs.desktop.real.tasks.gnumeric import Rows, saved, stock, to
from selfgym.envs.desktop.real.tasks.material import folders, names
from selfgym.envs.desktop.real.tasks.pointing import awaited, chosen
from selfgym.envs.desktop.real.tasks.task import Task, Template
from selfgym.envs.desktop.real.tasks.workbook import Sheet, book_where, book_with, cells_of, write_book


def table_in_csv(rows: Sequence[Sequence[object]]) -> Callable[[bytes], bool]:
    """A check of a file: text with these values, however it quotes them."""

    def check(content: bytes) -> bool:
        try:
            found = [row for row in csv.reader(io.StringIO(content.decode("utf-8", "replace"))) if row]
        except csv.Error:
            return False
        return found == [[f"{value}" for value in row] for row in rows]

    return check


def _bold(rng: Random) -> Task:
    file, sheet, rows = stock(rng)

    def play(look: Look, cells: str) -> Iterator[Action]:
        yield from to(look, cells)
        yield press(look, "Bold", "toggle button")
        yield from saved(look)

    def right(book: dict[str, Sheet]) -> bool:
        return list(book) == [sheet] and book[sheet].cells == cells_of(rows) and book[sheet].bold == {"A1", "B1"}

    return Task(
        "Make the two headings in the cells A1 and B1 bold, and nothing else. Save the file.",
        (("gnumeric", file),),
        lambda look: play(look, "A1:B1"),
        lambda look: play(look, "A1"),
        {file: write_book({sheet: rows})},
        {file: book_where(right)},
    )


def _percent(rng: Random) -> Task:
    file, sheet, rows = stock(rng)
    rows[0][1] = "share"
    for row in rows[1:]:
        row[1] = rng.randrange(1, 20) / 20
    numbers = {f"B{at}" for at in range(2, len(rows) + 1)}

    def solution(look: Look) -> Iterator[Action]:
        yield from to(look, f"B2:B{len(rows)}")
        yield press(look, "Percentage", "push button")
        yield from saved(look)

    def mistake(look: Look) -> Iterator[Action]:
        yield from to(look, "B2")
        yield Type("".join(f"{float(row[1]) * 100:g}\n" for row in rows[1:]))
        yield from saved(look)

    def right(book: dict[str, Sheet]) -> bool:
        if list(book) != [sheet] or book[sheet].cells != cells_of(rows):
            return False
        shown = {cell for cell, form in book[sheet].formats.items() if "%" in form}
        return numbers <= shown <= numbers | {"B1"}

    return Task(
        f"Show the numbers in the cells B2 to B{len(rows)} as percentages; the values themselves stay what they are. "
        "Save the file.",
        (("gnumeric", file),),
        solution,
        mistake,
        {file: write_book({sheet: rows})},
        {file: book_where(right)},
    )


def _rename_sheet(rng: Random) -> Task:
    file, _, rows = stock(rng)
    old, other, new = folders(rng, 3)
    more: Rows = [["nothing yet"]]

    def play(look: Look, which: str) -> Iterator[Action]:
        yield press(look, which, "page tab")
        yield from chosen(look, "Format", "Sheet", "Rename...")
        yield Type(new)
        yield press(look, "OK", "push button")
        yield from saved(look)

    return Task(
        f"Rename the sheet {old} to {new} and save the file.",
        (("gnumeric", file),),
        lambda look: play(look, old),
        lambda look: play(look, other),
        {file: write_book({other: more, old: rows})},
        {file: book_with({other: cells_of(more), new: cells_of(rows)})},
    )


def _new_sheet(rng: Random) -> Task:
    """A sheet behind the others, with a name of its own and one cell."""
    file, sheet, rows = stock(rng)
    new = folders(rng, 1)[0]
    number = rng.randint(10, 99)

    def play(look: Look, there: bool) -> Iterator[Action]:
        yield press(look, "Edit", "menu")
        yield press(look, "Sheet", "menu")
        yield press(look, "Append", "menu item")
        if there:  # the old sheet stays in front
            yield press(look, "Sheet1", "page tab")
        yield from to(look, "A1")
        yield Type(f"{number}\n")
        yield from chosen(look, "Format", "Sheet", "Rename...")
        yield Type(f"{new}\n")
        yield from saved(look)

    return Task(
        f"Add a new sheet called {new} behind the sheet {sheet}, put the number {number} into its cell A1, and save "
        "the file.",
        (("gnumeric", file),),
        lambda look: play(look, True),
        lambda look: play(look, False),
        {file: write_book({sheet: rows})},
        {file: book_with({sheet: cells_of(rows), new: {"A1": str(number)}})},
    )


def _csv(rng: Random) -> Task:
    file, sheet, rows = stock(rng)
    name = next(one for one in names(rng, 2, "") if f"{one}.gnumeric" != file)

    def solution(look: Look) -> Iterator[Action]:
        yield from chosen(look, "Data", "Export Data", "Export as CSV File...")
        yield Key("ctrl+a")
        yield Type(f"{name}.csv")
        yield press(look, "Save", "push button")
        yield finished()

    def mistake(look: Look) -> Iterator[Action]:
        yield from chosen(look, "File", "Save As")
        yield Key("ctrl+a")
        yield Type(f"{name}.csv")
        yield press(look, "Save", "push button")
        yield from awaited(look, "Yes", "push button")
        yield press(look, "Yes", "push button")  # the type does not fit the name
        yield finished()

    return Task(
        f"Export the table as a CSV file called {name}.csv, into the same folder. Leave {file} as it is.",
        (("gnumeric", file),),
        solution,
        mistake,
        {file: write_book({sheet: rows})},
        {f"{name}.csv": table_in_csv(rows)},
    )


TEMPLATES = (
    Template("gnumeric-bold", 1, _bold, ("gnumeric",)),
    Template("gnumeric-percent", 1, _percent, ("gnumeric",)),
    Template("gnumeric-rename-sheet", 1, _rename_sheet, ("gnumeric",)),
    Template("gnumeric-new-sheet", 3, _new_sheet, ("gnumeric",)),
    Template("gnumeric-csv", 2, _csv, ("gnumeric",)),
)
