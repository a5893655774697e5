"""Tasks with DB Browser for SQLite: the rows of tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from selfgym.envs.desktop.actions import Action, Click, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.real.tasks.database import Table, Value, database_with, write_database
from selfgym.envs.desktop.real.tasks.material import names, words
from selfgym.envs.desktop.real.tasks.pointing import awaited
from selfgym.envs.desktop.real.tasks.task import Task, Template

Row = tuple[Value, ...]


def things(rng: Random, most: int = 6) -> tuple[str, Table]:
    """A file's name, and a table of things with how many there are."""
    some = words(rng, rng.randint(4, most))
    counts = rng.sample(range(20, 90), len(some))  # unlike any id
    rows: list[Row] = [(number, *pair) for number, pair in enumerate(zip(some, counts, strict=True), 1)]
    return f"{names(rng, 1, '')[0]}.db", Table({"id": "INTEGER PRIMARY KEY", "name": "TEXT", "count": "INTEGER"}, rows)


def stored(table: Table) -> Table:
    """A table as it is read again."""
    return replace(table, columns={name: kind.removesuffix(" PRIMARY KEY") for name, kind in table.columns.items()})


def with_rows(table: Table, rows: list[Row]) -> Table:
    """A table with other rows, as it is read again."""
    return replace(stored(table), rows=rows)


def written(look: Look) -> Iterator[Action]:
    """Write the changes to the file, and end."""
    yield press(look, "Write Changes", "push button")
    yield finished()


def _update(rng: Random) -> Task:
    file, table = things(rng)
    rows = list(table.rows)
    at = rng.randrange(len(rows))
    number, name, count = rows[at]
    new = 100 + rng.randrange(800)

    def play(look: Look, writes: bool) -> Iterator[Action]:
        yield press(look, "Browse Data", "page tab")
        yield press(look, str(count), "cell")
        yield Type(f"{new}\n")
        yield from written(look) if writes else iter([finished()])

    rows[at] = (number, name, new)
    return Task(
        f"In the table things, change the count of {name} from {count} to {new}, and write the changes to the file.",
        (("sqlitebrowser", file),),
        lambda look: play(look, True),
        lambda look: play(look, False),
        {file: write_database({"things": table})},
        {file: database_with({"things": with_rows(table, rows)})},
    )


def _insert(rng: Random) -> Task:
    file, table = things(rng)
    used = {row[1] for row in table.rows}
    name = next(word for word in words(rng, 8) if word not in used)
    count, number = rng.randint(100, 900), len(table.rows) + 1

    def play(look: Look, columns: list[str]) -> Iterator[Action]:
        yield press(look, "Browse Data", "page tab")
        yield press(look, "New Record", "push button")
        yield from awaited(look, str(number), "cell")  # rows are read in the background
        for column, value in zip(columns, (name, count), strict=True):
            # First the row before, which holds something: the new one is selected, and a click on what is selected
            # begins to edit it half a second later, when all is typed.
            yield press(look, column, "cell")
            above, line = find(look, column, "cell").box, find(look, str(number), "cell").box
            yield Click(above[0] + above[2] // 2, line[1] + line[3] // 2)
            yield Type(f"{value}\n")
        yield from written(look)

    shown = [str(value) for value in table.rows[-1][1:]]
    return Task(
        f"Add a row to the table things: the name is {name} and the count is {count}. Write the changes to the file.",
        (("sqlitebrowser", file),),
        lambda look: play(look, shown),
        lambda look: play(look, shown[::-1]),
        {file: write_database({"things": table})},
        {file: database_with({"things": with_rows(table, [*table.rows, (number, name, count)])})},
    )


def _delete(rng: Random) -> Task:
    file, table = things(rng)
    gone, other = rng.sample(list(table.rows), 2)

    def play(look: Look, row: Row) -> Iterator[Action]:
        yield press(look, "Browse Data", "page tab")
        yield press(look, str(row[1]), "cell")
        yield press(look, "Delete Record", "push button")
        yield from written(look)

    return Task(
        f"Delete the row of {gone[1]} from the table things, and write the changes to the file.",
        (("sqlitebrowser", file),),
        lambda look: play(look, gone),
        lambda look: play(look, other),
        {file: write_database({"things": table})},
        {file: database_with({"things": with_rows(table, [row for row in table.rows if row != gone])})},
    )


def _sql(rng: Random) -> Task:
    """Many rows at once."""
    file, table = things(rng, 10)
    counts = sorted(int(row[2] or 0) for row in table.rows)
    limit, more = counts[len(counts) // 2], rng.randint(3, 30)

    def play(look: Look, sign: str) -> Iterator[Action]:
        yield press(look, "Execute SQL", "page tab")
        editor = min((node.box for node in look() if node.role == "text" and node.box[2] > 600), key=lambda box: box[1])
        yield Click(editor[0] + editor[2] // 2, editor[1] + editor[3] // 2)
        yield Type(f"UPDATE things SET count = count + {more} WHERE count {sign} {limit};")
        yield press(look, "Execute SQL", "push button")
        yield from written(look)

    rows: list[Row] = [(row[0], row[1], int(row[2] or 0) + more * (int(row[2] or 0) < limit)) for row in table.rows]
    return Task(
        f"In the table things, add {more} to every count that is below {limit}. Write the changes to the file.",
        (("sqlitebrowser", file),),
        lambda look: play(look, "<"),
        lambda look: play(look, "<="),
        {file: write_database({"things": table})},
        {file: database_with({"things": with_rows(table, rows)})},
    )


def _find(rng: Random) -> Task:
    """One row of many, for the answer."""
    some = words(rng, 20)
    file = f"{names(rng, 1, '')[0]}.db"
    rows: list[Row] = [
        (number, rng.choice(some[:10]), rng.choice(some[10:]), count)
        for number, count in enumerate(rng.sample(range(100, 999), 60), 1)
    ]
    table = Table({"id": "INTEGER PRIMARY KEY", "name": "TEXT", "beside": "TEXT", "count": "INTEGER"}, rows)
    wanted = rng.randint(31, 60)

    def play(look: Look, number: int) -> Iterator[Action]:
        yield press(look, "Browse Data", "page tab")
        yield press(look, "Go to:", "push button")
        yield from gone_to(look, number)
        line = find(look, str(number), "cell").box[1]
        cells = [node for node in look() if node.role == "cell" and node.box[1] == line]
        yield finished(max(cells, key=lambda node: node.box[0]).name)

    return Task(
        f"What is the count of the row with the id {wanted} in the table things? Answer with the number.",
        (("sqlitebrowser", file),),
        lambda look: play(look, wanted),
        lambda look: play(look, wanted - 1),
        {file: write_database({"things": table})},
        answer=str(rows[wanted - 1][-1]),
    )


def gone_to(look: Look, number: int) -> Iterator[Action]:
    """The row of a number is brought into view."""
    left, top, width, height = find(look, "Go to:", "push button").box
    yield Click(left + 2 * width, top + height // 2, count=3)
    yield Type(f"{number}\n")


TEMPLATES = (
    Template("sqlitebrowser-update", 1, _update, ("sqlitebrowser",)),
    Template("sqlitebrowser-insert", 2, _insert, ("sqlitebrowser",)),
    Template("sqlitebrowser-delete", 1, _delete, ("sqlitebrowser",)),
    Template("sqlitebrowser-sql", 2, _sql, ("sqlitebrowser",)),
    Template("sqlitebrowser-find", 2, _find, ("sqlitebrowser",)),
)
