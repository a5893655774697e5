"""SQLite databases as bytes: made for the beginning of a task, and read again to see what became of them.

They are opened from memory: nothing in a sandbox is touched, and nothing in a database is run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

Value = str | int | None
_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Table:
    """One table."""

    columns: Mapping[str, str]
    """The declared types of its columns, in capitals, by their names."""
    rows: Sequence[tuple[Value, ...]] = ()
    indexes: frozenset[tuple[str, ...]] = field(default=frozenset())
    """The name of each index, and then its columns."""


def write_database(tables: Mapping[str, Table]) -> bytes:
    """A database with these tables; the same bytes for the same tables."""
    with closing(sqlite3.connect(":memory:")) as base:
        for name, table in tables.items():
            columns = ", ".join(f"{column} {kind}" for column, kind in table.columns.items())
            base.execute(f"CREATE TABLE {name} ({columns})")
            marks = ", ".join("?" * len(table.columns))
            base.executemany(f"INSERT INTO {name} VALUES ({marks})", table.rows)
        base.commit()
        return bytes(base.serialize())


def read_database(content: bytes) -> dict[str, Table]:
    """The tables of a database by their names. Raises `ValueError` where the bytes are none."""
    if not content.startswith(_MAGIC):
        raise ValueError("it is no database")
    try:
        with closing(sqlite3.connect(":memory:")) as base:
            base.deserialize(content)
            base.execute("PRAGMA query_only = ON")
            names = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: _read_table(base, name) for name in names}
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise ValueError(f"it is no database: {error}") from None


def _read_table(base: sqlite3.Connection, name: str) -> Table:
    kinds = {
        column: kind.upper() for _, column, kind, *_ in base.execute("SELECT * FROM pragma_table_info(?)", (name,))
    }
    quoted = name.replace('"', '""')
    indexes = set()
    for (index,) in base.execute("SELECT name FROM pragma_index_list(?)", (name,)).fetchall():
        parts = base.execute("SELECT name FROM pragma_index_info(?)", (index,))
        indexes.add((index, *(column for (column,) in parts)))
    return Table(kinds, base.execute(f'SELECT * FROM "{quoted}" LIMIT 1000').fetchall(), frozenset(indexes))


def database_with(tables: Mapping[str, Table]) -> Callable[[bytes], bool]:
    """A check of a file: a database with exactly these tables, their rows in any order."""

    def same(one: Table, other: Table) -> bool:
        rows = sorted(one.rows, key=repr) == sorted(other.rows, key=repr)
        return rows and list(one.columns.items()) == list(other.columns.items()) and one.indexes == other.indexes

    def check(content: bytes) -> bool:
        try:
            found = read_database(content)
        except ValueError:
            return False
        return found.keys() == tables.keys() and all(same(found[name], tables[name]) for name in tables)

    return check
