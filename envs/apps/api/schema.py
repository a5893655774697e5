"""The tables behind the apps, and how a database is made, copied and read row by row.

This folder is what runs on both sides: the host keeps the true database, and a copy of folder and database is what the
agent's code sees in its sandbox. So it may import nothing but itself and the standard library, and only relatively.
"""

import json
import sqlite3
from typing import Any

Row = dict[str, Any]

TABLES: dict[str, str] = {
    "profile": "name text, email text, phone text, address text, city text, birthday text",
    "clock": "now text",
    "passwords": "app text, password text",
    "sessions": "app text, token text",
    "contacts": "name text, email text, phone text, birthday text, company text, city text, favorite int",
    "groups": "name text",
    "group_members": "group_id int, contact_id int",
    "mail": "folder text, sender text, recipients text, subject text, body text, at text, read int, starred int, "
    "label text",
    "events": "title text, date text, starts text, ends text, place text, notes text",
    "attendees": "event_id int, email text, status text",
    "notes": "title text, body text, tag text, pinned int, created text",
    "folders": "path text",
    "files": "path text, content text, created text",
    "products": "name text, category text, price int, stock int, rating int",
    "cart": "product_id int, quantity int",
    "wishlist": "product_id int",
    "orders": "status text, total int, placed text, address text",
    "order_items": "order_id int, product_id int, quantity int, price int",
    "reviews": "product_id int, stars int, text text",
    "wallet": "balance int",
    "transactions": "direction text, email text, amount int, note text, at text",
    "requests": "direction text, email text, amount int, note text, status text, at text",
    "songs": "title text, artist text, album text, genre text, seconds int, plays int, liked int",
    "playlists": "name text",
    "playlist_songs": "playlist_id int, song_id int",
    "queue": "song_id int",
    "todo_lists": "name text",
    "tasks": "list_id int, title text, due text, priority text, done int",
    "messages": "phone text, direction text, text text, at text, read int",
    "blocked": "phone text",
    "hotels": "name text, city text, price int, stars int",
    "bookings": "hotel_id int, check_in text, nights int, status text",
    "flights": "origin text, destination text, date text, departs text, price int",
    "tickets": "flight_id int, status text",
    "workouts": "kind text, date text, minutes int, kilometres int",
    "goals": "kind text, minutes int",
    "recipes": "title text, category text, minutes int, servings int, favorite int",
    "ingredients": "recipe_id int, name text, amount int, unit text",
    "meals": "date text, recipe_id int",
}
"""Columns by table; every table has an integer ``id`` too, which says how its rows are ordered."""

UNTOLD = ("clock", "sessions")
"""Tables that every call may change, and that no test looks at."""

COLUMNS: dict[str, tuple[str, ...]] = {
    table: ("id", *(column.split()[0] for column in columns.split(", "))) for table, columns in TABLES.items()
}
_TRUTHS = ("favorite", "read", "starred", "pinned", "liked", "done")


def empty() -> sqlite3.Connection:
    """A database with every table and no row."""
    db = _connection()
    for table, columns in TABLES.items():
        db.execute(f'create table "{table}" (id integer primary key, {columns}) strict')
    return db


def opened(data: bytes) -> sqlite3.Connection:
    """The database that ``serialize`` gave as ``data``, in memory."""
    db = _connection()
    db.deserialize(data)
    return db


def _connection() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("pragma page_size=512")
    return db


def insert(db: sqlite3.Connection, table: str, row: Row) -> None:
    """Add ``row``, which has all columns or gets the next id."""
    if "id" not in row:
        (last,) = db.execute(f'select coalesce(max(id), 0) from "{table}"').fetchone()
        row = {"id": last + 1, **row}
    marks = ", ".join("?" * len(row))
    db.execute(f'insert into "{table}" ({", ".join(row)}) values ({marks})', tuple(row.values()))


def rows(db: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    """Every row of ``table`` in the order of ids, its values in the order of `COLUMNS`."""
    return db.execute(f'select {", ".join(COLUMNS[table])} from "{table}" order by id').fetchall()


def plain(row: Row) -> Row:
    """A row as the agent is shown it: truth values as such, several recipients as a list."""
    shown: Row = {name: bool(value) if name in _TRUTHS else value for name, value in row.items()}
    if "recipients" in shown:
        shown["recipients"] = [one for one in shown["recipients"].split(", ") if one]
    return shown


def as_json(value: Any) -> str:
    """The text that stands for ``value``; the order of keys is kept, as code may depend on it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
