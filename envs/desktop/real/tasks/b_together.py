"""Tasks with two applications side by side: what one of them says is needed in the other."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.real.tasks.database import write_database
from selfgym.envs.desktop.real.tasks.galculator import keyed, shows
from selfgym.envs.desktop.real.tasks.gnumeric import Rows, saved, stock, to
from selfgym.envs.desktop.real.tasks.gnumeric_reading import bar
from selfgym.envs.desktop.real.tasks.material import lines, names, text
from selfgym.envs.desktop.real.tasks.pointing import beside, chosen, picked, within
from selfgym.envs.desktop.real.tasks.sqlitebrowser import things
from selfgym.envs.desktop.real.tasks.task import Task, Template
from selfgym.envs.desktop.real.tasks.viewnior import in_png, picture
from selfgym.envs.desktop.real.tasks.workbook import book_with, cells_of, write_book

_CALCULATOR, _SHEET, _DATABASE, _FILES, _PICTURE = "galculator", " - Gnumeric", "DB Browser", "work", ".png - "
"""What is in the titles of the windows."""


def _carry(rng: Random) -> Task:
    """A result of the calculator into a cell."""
    file, sheet, rows = stock(rng)
    one, other, row = rng.randint(12, 98), rng.randint(12, 98), rng.randint(2, len(rows))

    def play(look: Look, sign: str) -> Iterator[Action]:
        left, right = within(look, _CALCULATOR), within(look, _SHEET)
        yield from keyed(left, f"{one}{sign}{other}=")
        yield from chosen(left, "Edit", "Copy Display Value")
        yield from to(right, f"C{row}")
        yield Key("ctrl+v")
        yield from saved(right)

    return Task(
        f"Work out {one} times {other}, put the result into the cell C{row} of {file} and save that file.",
        (("galculator",), ("gnumeric", file)),
        lambda look: play(look, "*"),
        lambda look: play(look, "+"),
        {file: write_book({sheet: rows})},
        {file: book_with({sheet: cells_of(rows) | {f"C{row}": str(one * other)}})},
    )


def _look_up(rng: Random) -> Task:
    """A number from a database into a sheet."""
    base, table = things(rng)
    rows: Rows = [["thing", "count"]]
    rows += [[str(row[1])] for row in rng.sample(list(table.rows), 3)]
    counts = {str(row[1]): int(row[2] or 0) for row in table.rows}
    file = f"{base.removesuffix('.db')}.gnumeric"
    wanted = str(rows[2][0])
    other = next(name for name in counts if name != wanted)

    def play(look: Look, name: str) -> Iterator[Action]:
        left, right = within(look, _DATABASE), within(look, _SHEET)
        yield press(left, "Browse Data", "page tab")
        line = find(left, name, "cell").box[1]
        cells = [node for node in left() if node.role == "cell" and node.box[1] == line]
        count = max(cells, key=lambda node: node.box[0]).name
        yield from to(right, "B3")
        yield Type(f"{count}\n")
        yield from saved(right)

    return Task(
        f"The table things in the database {base} says how many {wanted} there are. Put that number into the cell B3 "
        f"of {file}, beside {wanted}, and save that file. Leave the database as it is.",
        (("sqlitebrowser", base), ("gnumeric", file)),
        lambda look: play(look, wanted),
        lambda look: play(look, other),
        {base: write_database({"things": table}), file: write_book({"stock": rows})},
        {file: book_with({"stock": cells_of(rows) | {"B3": str(counts[wanted])}})},
    )


def _rename(rng: Random) -> Task:
    """A file, after what stands in a sheet."""
    some = names(rng, 6)
    old, new = some[:3], some[3:]
    rows: Rows = [["file", "new name"]]
    rows += [[one, other] for one, other in zip(old, new, strict=True)]
    file = f"{names(rng, 1, '')[0]}.gnumeric"
    at = rng.randrange(3)

    def play(look: Look, row: int) -> Iterator[Action]:
        left, right = within(look, _FILES), within(look, _SHEET)
        yield from to(right, f"B{row}")
        name = bar(right)
        yield press(left, old[at], "table cell")
        yield from chosen(left, "Edit", "Rename...")
        yield Key("ctrl+a")
        yield Type(name)
        yield press(look, "OK", "push button")
        yield finished()

    files = {name: text(lines(rng, 2)) for name in old}
    return Task(
        f"Rename the file {old[at]} to the new name that {file} gives for it in column B.",
        (("pcmanfm", "."), ("gnumeric", file)),
        lambda look: play(look, at + 2),
        lambda look: play(look, (at + 1) % 3 + 2),
        files | {file: write_book({"names": rows})},
        {old[at]: None, new[at]: files[old[at]]},
    )


def _add_sizes(rng: Random) -> Task:
    """Sizes that the file manager shows, added by the calculator."""
    some = names(rng, 4)
    sizes = rng.sample(range(120, 990), 4)
    one, other, third = some[:3]

    def play(look: Look, which: list[str]) -> Iterator[Action]:
        left, right = within(look, _FILES), within(look, _CALCULATOR)
        found = []
        for name in which:
            line = find(left, name, "table cell").box[1]
            found += [node.name for node in left() if node.box[1] == line and node.name.endswith(" bytes")]
        yield from keyed(right, "+".join(size.removesuffix(" bytes") for size in found) + "=")
        yield finished()

    return Task(
        f"How many bytes do {one} and {other} have together? Work it out with the calculator and leave the result on "
        "its display.",
        (("pcmanfm", "."), ("galculator",)),
        lambda look: play(look, [one, other]),
        lambda look: play(look, [one, third]),
        {name: b"x" * (size - 1) + b"\n" for name, size in zip(some, sizes, strict=True)},
        state=shows(str(sizes[0] + sizes[1])),
    )


def _tidy(rng: Random) -> Task:
    """Files that a sheet says are to go."""
    some = sorted(names(rng, 5))
    gone = sorted(rng.sample(some, 2))
    rows: Rows = [["file", "keep"]]
    rows += [[name, "no" if name in gone else "yes"] for name in some]
    file = "overview.gnumeric"

    def play(look: Look, word: str) -> Iterator[Action]:
        left, right = within(look, _FILES), within(look, _SHEET)
        which = []
        for row, name in enumerate(some, 2):
            yield from to(right, f"B{row}")
            which += [name] if bar(right) == word else []
        yield from picked(left, which)
        yield Key("Delete")
        yield press(look, "Yes", "push button")
        yield finished()

    return Task(
        f'Delete the files for which {file} says "no" in the column "keep", and no others.',
        (("pcmanfm", "."), ("gnumeric", file)),
        lambda look: play(look, "no"),
        lambda look: play(look, "yes"),
        {name: text(lines(rng, 2)) for name in some} | {file: write_book({"files": rows})},
        dict.fromkeys(gone),
    )


def _measure(rng: Random) -> Task:
    """The size of a picture into a sheet."""
    name = names(rng, 1, ".png")[0]
    width, height = rng.sample(range(150, 420), 2)
    rows: Rows = [["picture", "width", "height"], [name]]
    file = "pictures.gnumeric"

    def play(look: Look, first: str, second: str) -> Iterator[Action]:
        left, right = within(look, _PICTURE), within(look, _SHEET)
        yield press(left, "Properties", "toggle button")
        yield press(left, "Properties...", "menu item")
        numbers = [beside(look, label).removesuffix(" px") for label in (first, second)]
        yield press(look, "Close", "push button")
        yield from to(right, "B2")
        yield Type("\t".join(numbers) + "\n")
        yield from saved(right)

    measured = cells_of(rows) | {"B2": str(width), "C2": str(height)}
    return Task(
        f"Put the width and the height of the picture {name}, in pixels, into the cells B2 and C2 of {file}, and save "
        "that file.",
        (("viewnior", name), ("gnumeric", file)),
        lambda look: play(look, "Width:", "Height:"),
        lambda look: play(look, "Height:", "Width:"),
        {name: in_png(picture(rng, width, height)), file: write_book({"sizes": rows})},
        {file: book_with({"sizes": measured})},
    )


TEMPLATES = (
    Template("together-carry", 2, _carry, ("galculator", "gnumeric")),
    Template("together-look-up", 3, _look_up, ("sqlitebrowser", "gnumeric")),
    Template("together-rename", 3, _rename, ("pcmanfm", "gnumeric")),
    Template("together-add-sizes", 3, _add_sizes, ("pcmanfm", "galculator")),
    Template("together-tidy", 3, _tidy, ("pcmanfm", "gnumeric")),
    Template("together-measure", 3, _measure, ("viewnior", "gnumeric")),
)
