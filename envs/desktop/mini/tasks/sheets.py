"""Tasks with the sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.mini.programs.sheet import read_csv, write_csv
from selfgym.envs.desktop.mini.tasks.task import Task, Template
from selfgym.envs.desktop.mini.tasks.words import table
from selfgym.envs.desktop.mini.world import HOME


def _opened(look: Look, name: str) -> Iterator[Action]:
    yield press(look, "Sheet")
    yield Key("ctrl+o")
    yield Type(f"{name}\n")


def _changed(text: str, **cells: str) -> str:
    """A table with other cells; an empty text clears one."""
    return write_csv({cell: value for cell, value in (read_csv(text) | cells).items() if value})


def _edit(rng: Random, value: Callable[[int], str], words: str, *, below: bool = False) -> Task:
    """Open a table, put a value into a cell of column B or into the one below them, save; "" empties the cell.

    ``value`` is told how many rows the table has.
    """
    files, name, rows = table(rng)
    cell, new = f"B{rows + 1 if below else rng.randrange(1, rows)}", value(rows)

    def solution(look: Look) -> Iterator[Action]:
        yield from _opened(look, name)
        yield press(look, cell, "table cell")
        yield Type(f"{new}\n") if new else Key("Delete")
        yield Key("ctrl+s")
        yield finished()

    path = f"{HOME}/{name}"
    told = words.format(name=name, cell=cell, value=new)
    return Task(told, solution, files, {**files, path: _changed(files[path], **{cell: new})})


def _cell(rng: Random) -> Task:
    value = str(rng.randrange(100, 999))
    return _edit(rng, lambda rows: value, "Open {name} with the sheet, set the cell {cell} to {value} and save.")


def _formula(rng: Random) -> Task:
    function = rng.choice(["SUM", "AVERAGE", "MAX", "MIN"])
    words = "Open {name} with the sheet, put the formula {value} into the cell {cell} and save."
    return _edit(rng, lambda rows: f"={function}(B1:B{rows})", words, below=True)


def _clear(rng: Random) -> Task:
    return _edit(rng, lambda rows: "", "Open {name} with the sheet, empty the cell {cell} and save.")


def _new(rng: Random) -> Task:
    values = [str(rng.randrange(10, 99)) for _ in range(3)]

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Sheet")
        yield press(look, "A1", "table cell")
        yield Type("".join(f"{value}\n" for value in values))
        yield Key("ctrl+s")
        yield Type("numbers.csv\n")
        yield finished()

    told = f"{values[0]}, {values[1]} and {values[2]}"
    words = f"Make a sheet with {told} in the cells A1, A2 and A3 and save it as numbers.csv in the home folder."
    return Task(words, solution, {}, {f"{HOME}/numbers.csv": "".join(f"{value}\n" for value in values)})


def _sum(rng: Random) -> Task:
    files, name, rows = table(rng)

    def solution(look: Look) -> Iterator[Action]:
        yield from _opened(look, name)
        yield press(look, "C1", "table cell")
        yield Type(f"=SUM(B1:B{rows})\n")
        yield finished(find(look, "C1", "table cell").value)

    cells = read_csv(files[f"{HOME}/{name}"])
    total = sum(int(cells[f"B{row}"]) for row in range(1, rows + 1))
    words = f"What is the sum of column B of {name}? Answer with the number, and change nothing."
    return Task(words, solution, files, answer=str(total))


def _carry(rng: Random) -> Task:
    """A number from the calculator into the sheet."""
    files, name, rows = table(rng)
    cell = f"C{rng.randrange(1, rows + 1)}"
    one, other = rng.randrange(12, 99), rng.randrange(12, 99)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Calculator")
        yield Type(f"{one}*{other}=")
        yield Key("ctrl+c")
        yield from _opened(look, name)
        yield press(look, cell, "table cell")
        yield Key("ctrl+v")
        yield Key("ctrl+s")
        yield finished()

    path = f"{HOME}/{name}"
    words = f"Work out {one} times {other}, put the result into the cell {cell} of {name} and save it."
    return Task(words, solution, files, {**files, path: _changed(files[path], **{cell: str(one * other)})})


TEMPLATES = (
    Template("sheet-new", 1, _new),
    Template("sheet-cell", 2, _cell),
    Template("sheet-formula", 2, _formula),
    Template("sheet-clear", 2, _clear),
    Template("sheet-sum", 2, _sum),
    Template("sheet-carry", 3, _carry),
)
