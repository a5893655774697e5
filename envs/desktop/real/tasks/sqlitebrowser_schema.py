"""Tasks with DB Browser for SQLite: tables, indexes and exports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.real.tasks.database import Table, database_with, write_database
from selfgym.envs.desktop.real.tasks.gnumeric_books import table_in_csv
from selfgym.envs.desktop.real.tasks.material import folders
from selfgym.envs.desktop.real.tasks.sqlitebrowser import stored, things, written
from selfgym.envs.desktop.real.tasks.task import Task, Template

_COLUMNS = ("size", "floor", "windows", "doors", "height", "shelves")


def _table(rng: Random) -> Task:
    file, table = things(rng)
    name = folders(rng, 1)[0]
    columns = rng.sample(_COLUMNS, 2)

    def play(look: Look, some: list[str]) -> Iterator[Action]:
        yield press(look, "Create Table", "push button")
        yield Type(name)
        for column in some:
            yield press(look, "Add", "push button")
            yield Type(f"{column}\n")
        yield press(look, "OK", "push button")
        yield from written(look)

    new = Table(dict.fromkeys(columns, "INTEGER"))
    return Task(
        f"Create a table called {name} with two fields of the type INTEGER, {columns[0]} and then {columns[1]}. "
        "Write the changes to the file.",
        (("sqlitebrowser", file),),
        lambda look: play(look, columns),
        lambda look: play(look, columns[:1]),
        {file: write_database({"things": table})},
        {file: database_with({"things": stored(table), name: new})},
    )


def _index(rng: Random) -> Task:
    file, table = things(rng)
    column, other = rng.sample(["name", "count"], 2)
    name = f"{folders(rng, 1)[0]}_order"

    def play(look: Look, which: str) -> Iterator[Action]:
        yield press(look, "Create Index", "push button")
        yield Type(name)
        yield press(look, which, "cell", count=2)
        yield press(look, "OK", "push button")
        yield from written(look)

    wanted = replace(stored(table), indexes=frozenset({(name, column)}))
    return Task(
        f"Create an index called {name} on the column {column} of the table things. Write the changes to the file.",
        (("sqlitebrowser", file),),
        lambda look: play(look, column),
        lambda look: play(look, other),
        {file: write_database({"things": table})},
        {file: database_with({"things": wanted})},
    )


def _drop(rng: Random) -> Task:
    file, table = things(rng)
    gone, kept = folders(rng, 2)
    tables = {"things": table, gone: Table({"size": "INTEGER"}, [(4,)]), kept: Table({"size": "INTEGER"}, [(7,)])}

    def play(look: Look, which: str) -> Iterator[Action]:
        yield press(look, which, "tree item")
        yield press(look, "Delete Table", "push button")
        yield press(look, "Yes", "push button")
        yield from written(look)

    return Task(
        f"Delete the table {gone} from the database, and write the changes to the file.",
        (("sqlitebrowser", file),),
        lambda look: play(look, gone),
        lambda look: play(look, kept),
        {file: write_database(tables)},
        {file: database_with({name: stored(one) for name, one in tables.items() if name != gone})},
    )


def _csv(rng: Random) -> Task:
    file, table = things(rng)
    other = folders(rng, 1)[0]
    tables = {"things": table, other: Table({"size": "INTEGER"}, [(4,)])}
    name = f"{file.removesuffix('.db')}.csv"

    def play(look: Look, which: str) -> Iterator[Action]:
        yield press(look, "File", "menu item")
        yield press(look, "Export", "menu item")
        yield press(look, "Table(s) as CSV file...", "menu item")
        for one in tables:  # a click selects one more, or one less
            chosen = "selected" in find(look, one, "list item").states
            if chosen != (one == which):
                yield press(look, one, "list item")
        yield press(look, "Save", "push button")
        yield Key("ctrl+a")
        yield Type(f"{name}\n")
        yield press(look, "OK", "push button")
        yield finished()

    header = [*table.columns]
    return Task(
        f"Export the table things as a CSV file called {name}, with the column names in the first line, into the "
        "folder /work, where the database is.",
        (("sqlitebrowser", file),),
        lambda look: play(look, "things"),
        lambda look: play(look, other),
        {file: write_database(tables)},
        {name: table_in_csv([header, *table.rows])},
    )


TEMPLATES = (
    Template("sqlitebrowser-table", 2, _table, ("sqlitebrowser",)),
    Template("sqlitebrowser-index", 1, _index, ("sqlitebrowser",)),
    Template("sqlitebrowser-drop", 1, _drop, ("sqlitebrowser",)),
    Template("sqlitebrowser-csv", 2, _csv, ("sqlitebrowser",)),
)
