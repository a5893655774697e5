"""A library of items and everything that has happened to them: append-only, beside the episodes in one SQLite file.

An item is written once. Its status, exposures, rewards and verifications are events; nothing else is ever written, so
credit can be reckoned anew under another rule and a run can be followed step by step. Any number of processes may write
at the same time. What a call has returned from survives `kill -9`; a power cut may take the last moments with it, and
never more.

This file keeps and adds up. What may be shown is decided in `selfgym.memory.gate`, what is shown in
`selfgym.memory.retrieve`, and whether it was worth it in `selfgym.memory.credit`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from selfgym.memory.item import Item, Kind
from selfgym.memory.schema import REBUILD, SCHEMA, SHOWABLE
from selfgym.memory.store import EpisodeStore, StoreError, StoreLockedError

Split = Literal["train", "valid", "test"]
_VERSION = 1
_REMEMBERED = 5000  # items in memory
_PATIENCE = 30.0  # seconds that a writer waits for another


class Status(StrEnum):
    """Where an item stands; only ``trial`` and ``active`` ones are ever shown."""

    CANDIDATE = "candidate"
    """Written down, nothing more."""
    TRIAL = "trial"
    """Shown to most eligible episodes and withheld from some, drawn by lot, to learn what it is worth."""
    ACTIVE = "active"
    REJECTED = "rejected"
    """It failed its checks. Kept, so that the same is not proposed again."""
    RETIRED = "retired"
    """It was shown and did not pay."""
    QUARANTINED = "quarantined"
    """Suspected; stays out whatever else happens, until somebody takes it back to ``candidate``."""


_MOVES: Mapping[Status, tuple[Status, ...]] = {
    Status.CANDIDATE: (Status.TRIAL, Status.ACTIVE, Status.REJECTED, Status.QUARANTINED),
    Status.TRIAL: (Status.ACTIVE, Status.RETIRED, Status.QUARANTINED),
    Status.ACTIVE: (Status.TRIAL, Status.RETIRED, Status.QUARANTINED),
    Status.RETIRED: (Status.TRIAL, Status.QUARANTINED),
    Status.REJECTED: (Status.QUARANTINED,),
    Status.QUARANTINED: (Status.CANDIDATE,),
}


class LibraryError(RuntimeError):
    """The library cannot do what was asked; the message says why."""


class ItemNotFoundError(LibraryError, LookupError):
    """No item, or no snapshot, has this id."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log."""

    seq: int
    at: float
    """Unix time in seconds."""
    item: str
    episode: str
    what: str
    value: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the events of an item add up to. ``closed`` exposures are those whose episode ended without an error."""

    status: Status
    shown: int
    withheld: int
    used: int
    shown_closed: int
    shown_sum: float
    """Rewards of the episodes it was shown in."""
    withheld_closed: int
    withheld_sum: float

    @property
    def uplift(self) -> float | None:
        """Mean reward shown minus mean reward withheld; None while either was never seen to its end."""
        if not self.shown_closed or not self.withheld_closed:
            return None
        return self.shown_sum / self.shown_closed - self.withheld_sum / self.withheld_closed


class Library:
    """Items, events and snapshots.

    Args:
        path: the SQLite file, an episode store too; made if need be.
        split: whose tasks this library learns from. Items of another split are refused, and never come back from it:
            what was learned on test tasks is out of reach of a claim about training, and the other way round.
        readonly: for evaluation; every write raises `LibraryError`.
        clock: gives the Unix time of an event.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        split: Split = "train",
        readonly: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path, self.split, self.readonly, self._clock = Path(path).resolve(), split, readonly, clock
        self._mutex, self._process = threading.RLock(), os.getpid()
        self._known: dict[int, Item] = {}
        self._counts: dict[str, int] = {}
        self._counted = -1  # the version of the file that they are of
        if not readonly:
            _make(self.path)
        with EpisodeStore(self.path, readonly=True):
            pass  # which says what is wrong with a file that is none
        mode = "ro" if readonly else "rw"
        self._connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False,
            timeout=_PATIENCE,
        )  # fmt: skip
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        if not self.readonly:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self.transaction() as connection:
                for statement in _statements(SCHEMA):
                    connection.execute(statement)
                connection.execute(
                    "INSERT INTO library (version) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM library)", (_VERSION,)
                )
        try:
            [(version,)] = self.rows("SELECT version FROM library")
        except LibraryError:
            raise LibraryError(f"{self.path} has no library of items yet.") from None
        if version != _VERSION:
            raise LibraryError(f"{self.path} has a library of version {version}; this selfgym reads {_VERSION}.")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything written inside is kept together, or not at all if the block raises."""
        if self.readonly:
            raise LibraryError(f"{self.path} was opened with readonly=True: open it without to write.")
        if os.getpid() != self._process:
            raise LibraryError(f"{self.path} was opened in process {self._process}: open it again in this one.")
        with self._mutex:
            nested = self._connection.in_transaction
            try:
                if not nested:
                    self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                if not nested:
                    self._connection.execute("COMMIT")
            except BaseException as error:
                if not nested and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise LibraryError(f"{self.path}: {error}; nothing of this was stored.") from error
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """What a query of the tables of `selfgym.memory.schema` gives. Raises `LibraryError`."""
        with self._mutex:
            try:
                return self._connection.execute(query, tuple(values)).fetchall()
            except sqlite3.Error as error:
                raise LibraryError(f"{self.path} cannot be read: {error}.") from error

    def propose(self, item: Item, *, why: str = "") -> str:
        """Write ``item`` down as a candidate; its id. One that is there already gains another origin, nothing else.

        Raises `LibraryError` where it was learned on another split than this library's, or names a parent or a
        requirement that is not here.
        """
        origin = item.origin
        if origin.split not in (self.split, "none"):
            raise LibraryError(f"this library learns from {self.split!r} tasks; the item comes from {origin.split!r}.")
        for other in (*origin.parents, *(item.code.requires if item.code else ())):
            if other not in self:
                raise LibraryError(f"the item {item.title!r} refers to {other}, which is not in this library.")
        with self.transaction() as connection:
            if item.id not in self:
                connection.execute(
                    "INSERT INTO items (id, kind, env, task, split, source, title, whn, body, code, doc) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        item.id, item.kind, item.scope.env, item.scope.task, origin.split, source_of(item),
                        item.title, item.when, item.body, item.code.source if item.code else "", item.model_dump_json(),
                    ),
                )  # fmt: skip
            note = {"why": why, "origin": origin.model_dump(mode="json")}
            self.log(item.id, "proposed", note=json.dumps(note, ensure_ascii=False))
        return item.id

    def log(self, item: str, what: str, *, episode: str = "", value: float | None = None, note: str = "") -> None:
        """Append an event. ``shown``, ``withheld`` and ``reward`` happen to an item once in an episode."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO events (at, item, episode, what, value, note) VALUES (?, ?, ?, ?, ?, ?)",
                (self._clock(), item, episode, what, value, note),
            )
            if what == "status":
                self._counted = -1

    def move(self, item: str, status: Status, why: str) -> None:
        """Change an item's status. Raises `LibraryError` for a move that no rule knows.

        Whether it is warranted is for `selfgym.memory.gate` to say: callers that let an item be shown go through it.
        """
        now = self.standing(item).status
        if status == now:
            return
        if status not in _MOVES[now]:
            allowed = ", ".join(_MOVES[now])
            raise LibraryError(f"the item {item} is {now}: it can become {allowed}, not {status}.")
        with self.transaction():
            self.log(item, "status", note=f"{status}: {why}")

    def __contains__(self, id: object) -> bool:
        return bool(self.rows("SELECT 1 FROM items WHERE id = ?", (id,))) if isinstance(id, str) else False

    def get(self, id: str) -> Item:
        """The item called ``id``, or by the first digits of one. Raises `ItemNotFoundError`."""
        found = self.rows("SELECT doc FROM items WHERE id >= ? AND id < ? LIMIT 2", (id, id + "g"))
        if len(found) != 1 or not id:
            raise ItemNotFoundError(f"{self.path} has {'several items' if found else 'no item'} {id!r}.")
        return Item.model_validate_json(found[0][0])

    def at(self, seq: int) -> Item:
        """The item in row ``seq``, as searches need it; remembered, for it never changes."""
        item = self._known.get(seq)
        if item is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            [(id, doc)] = self.rows("SELECT id, doc FROM items WHERE seq = ?", (seq,))
            item = self._known[seq] = Item.model_validate_json(doc)
            item.__dict__["id"] = id  # which it would work out anew: as long as reading it takes
        return item

    def document_counts(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many of the items that may be shown each term stands, for those in any.

        A term is what the tokenizer makes of a word. Remembered until a status changes or another connection writes.
        """
        [(version,)] = self.rows("PRAGMA data_version")
        if version != self._counted or len(self._counts) > _REMEMBERED:
            self._counts, self._counted = {}, version
        if new := [term for term in terms if term not in self._counts]:
            marks = ", ".join("?" * len(new))
            found = dict(self.rows(f"SELECT term, doc FROM vocabulary WHERE term IN ({marks})", new))
            self._counts.update({term: found.get(term, 0) for term in new})
        if self._connection.in_transaction:
            self._counted = -1  # what is seen here may be rolled back
        return {term: self._counts[term] for term in terms if self._counts[term]}

    def items(self, *, status: str = "", kind: str = "", env: str = "") -> Iterator[Item]:
        """In the order in which they were proposed, the items that match every filter given."""
        _check("status", status, Status)
        _check("kind", kind, Kind)
        query = (
            "SELECT doc FROM items JOIN standing ON item = id WHERE (? = '' OR status = ?) AND (? = '' OR kind = ?) "
            "AND (? = '' OR env = ?) ORDER BY items.seq"
        )
        for (doc,) in self.rows(query, (status, status, kind, kind, env, env)):
            yield Item.model_validate_json(doc)

    def __len__(self) -> int:
        return int(self.rows("SELECT COUNT(*) FROM items")[0][0])

    def standing(self, id: str) -> Standing:
        """Where an item stands. Raises `ItemNotFoundError`."""
        columns = "status, shown, withheld, used, shown_closed, shown_sum, withheld_closed, withheld_sum"
        for row in self.rows(f"SELECT {columns} FROM standing WHERE item = ?", (id,)):
            return Standing(Status(row[0]), *row[1:])
        raise ItemNotFoundError(f"{self.path} has no item {id!r}.")

    def events(self, item: str = "", *, what: str = "", episode: str = "") -> list[Event]:
        """The log, oldest first, of one item, kind and episode where given."""
        given = {name: value for name, value in (("item", item), ("what", what), ("episode", episode)) if value}
        where = " AND ".join([f"{name} = ?" for name in given] or ["1"])  # only so can an index be used
        query = f"SELECT seq, at, item, episode, what, value, note FROM events WHERE {where} ORDER BY seq"
        return [Event(*row) for row in self.rows(query, tuple(given.values()))]

    def rebuild(self) -> None:
        """Make everything that is derived anew from the log."""
        with self.transaction() as connection:
            for statement in _statements(REBUILD):
                connection.execute(statement)
            connection.execute("INSERT INTO words(words) VALUES ('delete-all')")
            marks = ", ".join("?" * len(SHOWABLE))
            connection.execute(
                "INSERT INTO words(rowid, title, whn, body, code) SELECT items.seq, title, whn, body, code "
                f"FROM items JOIN standing ON item = id WHERE status IN ({marks})", SHOWABLE,
            )  # fmt: skip

    def tidy(self) -> None:
        """Put the pieces of the full-text index together, which searches are faster for."""
        with self.transaction() as connection:
            connection.execute("INSERT INTO words(words) VALUES ('optimize')")

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        if os.getpid() == self._process:
            self._connection.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def source_of(item: Item) -> str:
    """What one origin is for retrieval: the first episode, or the run and method where there is none."""
    origin = item.origin
    return origin.episodes[0] if origin.episodes else f"{origin.run}/{origin.method}/{item.id}"


def _make(path: Path) -> None:
    """Make an empty store unless there is one, or somebody else is making it."""
    while not path.exists() or path.stat().st_size == 0:
        try:
            EpisodeStore(path).close()
        except StoreLockedError:
            time.sleep(0.01)
        except StoreError as error:
            raise LibraryError(str(error)) from error


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit what has been begun."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _check(what: str, name: str, known: type[StrEnum]) -> None:
    names = [str(one) for one in known]
    if name and name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no {what} {name!r}.{hint} Known: {', '.join(names)}.")
