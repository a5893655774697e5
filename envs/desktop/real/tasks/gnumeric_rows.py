"""Tasks with the spreadsheet Gnumeric: rows that are sorted, deleted and inserted."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, press
from selfgym.envs.desktop.real.tasks.gnumeric import Rows, saved, stock, to
from selfgym.envs.desktop.real.tasks.material import words
from selfgym.envs.desktop.real.tasks.pointing import chosen
from selfgym.envs.desktop.real.tasks.task import Task, Template
from selfgym.envs.desktop.real.tasks.workbook import book_with, cells_of, write_book


def _sort(rng: Random) -> Task:
    """By the first column, without the header."""
    file, sheet, rows = stock(rng)
    down = rng.random() < 0.5
    ordered = sorted(rows[1:], key=lambda row: str(row[0]), reverse=down)
    if rows[1:] == ordered:
        rows[1], rows[2] = rows[2], rows[1]
    order, button = ("Z to A", "Sort Descending") if down else ("A to Z", "Sort Ascending")

    def play(look: Look, cells: str) -> Iterator[Action]:
        yield from to(look, cells)
        yield press(look, button, "push button")
        yield from saved(look)

    return Task(
        f"Sort the rows below the header by the name of the thing, {order}; each count stays with its thing. "
        "Save the file.",
        (("gnumeric", file),),
        lambda look: play(look, f"A2:B{len(rows)}"),
        lambda look: play(look, f"A2:A{len(rows)}"),
        {file: write_book({sheet: rows})},
        {file: book_with({sheet: cells_of([rows[0], *ordered])})},
    )


def _sort_counts(rng: Random) -> Task:
    """By the second column, in a dialog."""
    file, sheet, rows = stock(rng)
    ordered = sorted(rows[1:], key=lambda row: float(row[1]))
    if ordered == sorted(ordered, key=lambda row: str(row[0])):  # the same by name: then nobody could do it wrong
        ordered[0][0], ordered[1][0] = ordered[1][0], ordered[0][0]
    if rows[1:] == ordered:
        rows[1], rows[2] = rows[2], rows[1]

    def play(look: Look, sorts_by: str) -> Iterator[Action]:
        yield from to(look, f"A1:B{len(rows)}")
        yield from chosen(look, "Data", "Sort...")
        yield press(look, "count" if sorts_by == "thing" else "thing", "table cell")
        yield press(look, "Remove", "push button")
        yield press(look, "OK", "push button")
        yield from saved(look)

    return Task(
        "Sort the rows below the header by their counts, the smallest first; each count stays with its thing. "
        "Save the file.",
        (("gnumeric", file),),
        lambda look: play(look, "count"),
        lambda look: play(look, "thing"),
        {file: write_book({sheet: rows})},
        {file: book_with({sheet: cells_of([rows[0], *ordered])})},
    )


def _delete_row(rng: Random) -> Task:
    file, sheet, rows = stock(rng)
    row = rng.randint(2, len(rows) - 1)

    def solution(look: Look) -> Iterator[Action]:
        yield from to(look, f"A{row}")
        yield from chosen(look, "Edit", "Delete", "Rows")
        yield from saved(look)

    def mistake(look: Look) -> Iterator[Action]:
        yield from to(look, f"A{row}:B{row}")
        yield Key("Delete")
        yield from saved(look)

    return Task(
        f"Delete row {row}, the one of {rows[row - 1][0]}, so that the rows below it move up. Save the file.",
        (("gnumeric", file),),
        solution,
        mistake,
        {file: write_book({sheet: rows})},
        {file: book_with({sheet: cells_of([*rows[: row - 1], *rows[row:]])})},
    )


def _insert_row(rng: Random) -> Task:
    file, sheet, rows = stock(rng)
    row = rng.randint(2, len(rows))
    used = {values[0] for values in rows}
    thing = next(word for word in words(rng, 8) if word not in used)
    count = rng.randint(2, 99)

    def play(look: Look, at: int) -> Iterator[Action]:
        yield from to(look, f"A{at}")
        yield from chosen(look, "Insert", "Rows")
        yield Type(f"{thing}\t{count}\n")
        yield from saved(look)

    wanted: Rows = [*rows[: row - 1], [thing, count], *rows[row - 1 :]]
    return Task(
        f"Insert a row above row {row}, the one of {rows[row - 1][0]}, with {thing} in column A and {count} in column "
        "B. Save the file.",
        (("gnumeric", file),),
        lambda look: play(look, row),
        lambda look: play(look, row + 1),
        {file: write_book({sheet: rows})},
        {file: book_with({sheet: cells_of(wanted)})},
    )


TEMPLATES = (
    Template("gnumeric-sort", 1, _sort, ("gnumeric",)),
    Template("gnumeric-sort-counts", 2, _sort_counts, ("gnumeric",)),
    Template("gnumeric-delete-row", 2, _delete_row, ("gnumeric",)),
    Template("gnumeric-insert-row", 2, _insert_row, ("gnumeric",)),
)
