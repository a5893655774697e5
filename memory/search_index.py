"""Full-text search over the episodes of a store, and who refers to whom: an index in a file of its own.

A store opened for reading is never written into, and its episodes lie compressed; so the index is a file beside it,
``episodes.db.search``, or a temporary one where the folder cannot be written. It is made from the store alone and may
be deleted at any time. As a store only ever grows, `EpisodeIndex.grow` reads what has come since; an index of another
file that once lay there is noticed and made anew. Searching works while it grows, in what is indexed so far.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from selfgym.memory.episode import Episode
from selfgym.memory.store import DamagedEpisodeError, EpisodeStore, StoreError

COLUMNS = ("task", "seen", "done")
"""What is searched: the task, the observations, and the actions with what was said beside them."""
_APPLICATION_ID = 0x53474D32  # "SGM2"
_VERSION = 1
_BATCH = 100  # episodes indexed in one transaction
_SCHEMA = f"""
CREATE VIRTUAL TABLE words USING fts5({", ".join(COLUMNS)}, content='', columnsize=0,
    tokenize='porter unicode61 remove_diacritics 2');
CREATE TABLE links (what TEXT, key TEXT, seq INTEGER, PRIMARY KEY (what, key, seq)) WITHOUT ROWID;
CREATE TABLE reached (seq INTEGER NOT NULL, mark TEXT NOT NULL, number INTEGER NOT NULL);
INSERT INTO reached VALUES (0, '', 0);
"""
_PIECE = re.compile(r'(?:(task|seen|done):)?(?:"([^"]*)"|(\S+))')


class EpisodeIndex:
    """Searches for the episodes of ``store``, which must stay open. May be used from several threads."""

    def __init__(self, store: EpisodeStore) -> None:
        self._store, self._mutex = store, threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.path = store.path.with_name(f"{store.path.name}.search")
        try:
            self._connection = self._open()
        except sqlite3.OperationalError:  # a folder or a file that cannot be written
            self._folder = tempfile.TemporaryDirectory(prefix="selfgym-search-")
            self.path = Path(self._folder.name) / self.path.name
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path} is in the way of a search index: {error}. Remove or rename it.") from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rwc", uri=True, isolation_level=None, check_same_thread=False, timeout=30
        )
        try:
            [(kind,)] = connection.execute("PRAGMA application_id")
            [(tables,)] = connection.execute("SELECT COUNT(*) FROM sqlite_master")
            if kind not in (0, _APPLICATION_ID) or (not kind and tables):
                raise sqlite3.DatabaseError("it is another SQLite file")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # it can be made again
            for mode in ("mode=ro", "immutable=1"):  # the second where SQLite cannot make its side files
                try:
                    connection.execute("ATTACH ? AS store", (f"{self._store.path.as_uri()}?{mode}",))
                    connection.execute("SELECT 1 FROM store.episodes LIMIT 1").fetchall()
                    break
                except sqlite3.OperationalError:
                    if mode == "immutable=1":
                        raise
                    if ("store",) in [(row[1],) for row in connection.execute("PRAGMA database_list")]:
                        connection.execute("DETACH store")
            self._renew(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _renew(self, connection: sqlite3.Connection) -> None:
        """Make the tables, anew where they are of another version or of another file."""
        connection.execute("BEGIN IMMEDIATE")
        [(version,)] = connection.execute("PRAGMA main.user_version")
        if version == _VERSION:
            [(seq, mark)] = connection.execute("SELECT seq, mark FROM reached")
            if mark == self._mark(seq):
                connection.execute("COMMIT")
                return
        for name in ("words", "links", "reached"):
            connection.execute(f"DROP TABLE IF EXISTS main.{name}")
        for statement in _SCHEMA.split(";\n")[:-1]:
            connection.execute(statement)
        connection.execute(f"PRAGMA main.user_version = {_VERSION}")
        connection.execute(f"PRAGMA main.application_id = {_APPLICATION_ID}")
        connection.execute("COMMIT")

    def _mark(self, seq: int) -> str:
        """What tells the episode in row ``seq`` from any other that could stand there."""
        for id, body in self._store.rows("SELECT id, body FROM episodes WHERE seq = ?", (seq,)):
            return hashlib.sha256(id.encode() + body).hexdigest()
        return ""

    def grow(self) -> int:
        """Index the next episodes, some hundred; how many are still left. Call it until it says 0."""
        with self._mutex:
            [(last,)] = self._connection.execute("SELECT seq FROM reached")
        query = "SELECT seq, id FROM episodes WHERE seq > ? ORDER BY seq LIMIT ?"
        rows = self._store.rows(query, (last, _BATCH))
        if not rows:
            return 0
        found = list(self._readable(rows))
        with self._mutex:
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                [(now,)] = connection.execute("SELECT seq FROM reached")
                if now == last:  # nobody else has indexed them meanwhile
                    connection.executemany(
                        f"INSERT INTO words(rowid, {', '.join(COLUMNS)}) VALUES (?, ?, ?, ?)",
                        [(seq, *_texts(episode)) for seq, episode in found],
                    )
                    connection.executemany(
                        "INSERT OR IGNORE INTO links VALUES (?, ?, ?)",
                        [(what, key, seq) for seq, episode in found for what, key in _links(episode)],
                    )
                    reached = rows[-1][0]
                    connection.execute(
                        "UPDATE reached SET seq = ?, mark = ?, number = number + ?",
                        (reached, self._mark(reached), len(rows)),
                    )
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
        return self.left()

    def _readable(self, rows: Sequence[tuple[int, str]]) -> Iterator[tuple[int, Episode]]:
        """What can be read of ``rows``: a damaged episode has no words to be found by."""
        for seq, id in rows:
            try:
                yield seq, self._store.get(id)
            except DamagedEpisodeError:
                continue

    def left(self) -> int:
        """How many episodes of the store are not indexed yet."""
        [(done,)] = self._rows("SELECT number FROM reached")
        return self._store.count() - int(done)  # counting the rest would read the rows themselves

    def find(
        self, query: str, filters: dict[str, str], *, after: int = 0, before: int | None = None, limit: int
    ) -> list[tuple[int, str]]:
        """(number in the store, id) of the episodes that have every word of ``query`` and match every filter.

        In the store's order those after number ``after``, or in the opposite one those before ``before``. Words in
        double quotes are a phrase; ``task:``, ``seen:`` or ``done:`` before a word says where it must stand. Words
        are compared by their stems. A query without words matches nothing.
        """
        sign, order, at = (">", "ASC", after) if before is None else ("<", "DESC", before)
        return self._found("episodes.seq, id", query, filters, f"AND words.rowid {sign} ? ORDER BY words.rowid {order}",
                           (at, limit))  # fmt: skip

    def count(self, query: str, filters: dict[str, str], *, most: int) -> int:
        """How many episodes `find` would find in all, or ``most`` if there are more."""
        return len(self._found("1", query, filters, "", (most,)))

    def _found(self, columns: str, query: str, filters: dict[str, str], rest: str, values: Sequence[Any]) -> list[Any]:
        match = _match(query)
        if not match:
            return []
        where = "".join(f' AND episodes."{name}" = ?' for name in filters)
        # CROSS JOIN: the other way round each episode would be looked up in the full-text index
        return self._rows(
            f"SELECT {columns} FROM words CROSS JOIN store.episodes ON episodes.seq = words.rowid "
            f"WHERE words MATCH ?{where} {rest} LIMIT ?",
            (match, *filters.values(), *values),
        )

    def referring(self, what: str, key: str, *, limit: int) -> list[str]:
        """The ids of the episodes that name ``key`` as their ``parent`` or ``chain`` or among their ``items``."""
        query = (
            "SELECT id FROM links JOIN store.episodes ON episodes.seq = links.seq WHERE what = ? AND key = ? "
            "ORDER BY links.seq LIMIT ?"
        )
        return [id for (id,) in self._rows(query, (what, key, limit))]

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._mutex:
            try:
                return self._connection.execute(query, tuple(values)).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"{self.path} cannot be searched: {error}. It may be removed.") from error

    def close(self) -> None:
        """Close the file, and remove a temporary one."""
        with self._mutex:
            self._connection.close()
        if self._folder is not None:
            self._folder.cleanup()


def _texts(episode: Episode) -> tuple[str, str, str]:
    seen = "\n".join([*(step.observation for step in episode.steps), episode.final_observation])
    return episode.task, seen, "\n".join(f"{step.thought}\n{step.action}" for step in episode.steps)


def _links(episode: Episode) -> Iterator[tuple[str, str]]:
    if episode.parent:
        yield "parent", episode.parent
    if episode.chain:
        yield "chain", episode.chain
    for item in episode.items:
        yield "item", item


def _match(query: str) -> str:
    """The words of a query for FTS5, each quoted: nothing in it is an operator.

    >>> _match('done:open "safe 1" OR *')
    'done : "open" AND "safe 1" AND "OR"'
    """
    pieces = []
    for column, phrase, word in _PIECE.findall(query.replace("\0", " ")):
        said = (phrase or word).replace('"', " ")
        if any(letter.isalnum() for letter in said):
            pieces.append(f'{column} : "{said}"' if column else f'"{said}"')
    return " AND ".join(pieces)
