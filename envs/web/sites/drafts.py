"""Tasks on an existing application's data, and how they are judged: by the state that is wanted, and no other.

A *state* is the application's database as a person sees it: what the queries of its views give, with names in place of
numbers, without timestamps, counters and sessions. A task says how the initial state should be edited; it is done when
the state found is the state so edited, so anything else that changed counts against it. A question leaves the state
as it is and has an answer.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from selfgym.envs.web.sites.answers import Answer
from selfgym.envs.web.sites.application import Application
from selfgym.envs.web.sites.person import Post, perform
from selfgym.envs.web.sites.site import SiteTask, Verdict

Row = dict[str, Any]
State = dict[str, list[Row]]
"""The rows of each view. Columns that begin with ``_`` are there to find rows by; they are not compared."""
Tally = Counter[tuple[tuple[str, Any], ...]]
"""The rows of a view as they are compared."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One task before it is tied to a running site."""

    goal: str
    """What to do, in words for the agent."""
    edit: Callable[[State], object] | None = None
    """Makes the initial state the wanted one; ``None`` where it should stay as it is."""
    answer: Answer | None = None
    """What has to be answered, if anything."""
    posts: Sequence[Post] = field(default=())
    """The forms that a person would send, in order."""


Kind = Callable[[State, random.Random], Draft]
"""Draws one task of a kind from the initial state."""


class DraftedSite(Application):
    """An application whose tasks are drafts."""

    views: ClassVar[Mapping[str, str]]
    """The queries whose rows make the state."""
    drafts: ClassVar[Mapping[str, Kind]]
    """The kinds of task."""
    home: ClassVar[str] = "/"
    """The path where every episode begins."""

    def task(self, kind: str, seed: int) -> SiteTask:
        """The instance of ``kind`` that ``seed`` draws."""
        draft = self._draft(kind, seed)
        wanted = dict(self._begin.tallies)
        if draft.edit is not None:
            state = {view: [dict(row) for row in rows] for view, rows in self._begin.state.items()}
            draft.edit(state)
            wanted |= {view: tally(rows) for view, rows in state.items() if rows != self._begin.state[view]}
        name = f"{self.name}/{kind}/{seed}"
        return SiteTask(name, draft.goal, lambda answer: self._judge(draft, wanted, answer), self.home)

    def solution(self, task: SiteTask) -> Callable[[], str]:
        """Sends the forms as a browser would, and returns the answer."""
        _, kind, seed = task.id.split("/")
        draft = self._draft(kind, int(seed))

        def act() -> str:
            perform(self.start(), draft.posts)
            return str(draft.answer) if draft.answer else ""

        return act

    def state(self) -> State:
        """The state as it is now."""
        with self.reading() as connection:
            return {view: _rows(*_fetched(connection, query)) for view, query in self.views.items()}

    def _draft(self, kind: str, seed: int) -> Draft:
        if kind not in self.drafts:
            raise ValueError(f"the site {self.name} has no kind {kind!r}; it has {', '.join(self.drafts)}")
        return self.drafts[kind](self._begin.state, random.Random(f"{self.name}/{kind}/{seed}"))

    def _judge(self, draft: Draft, wanted: Mapping[str, Tally], answer: str | None) -> Verdict:
        if draft.answer is not None and answer is None:
            return Verdict(reason="no answer has been given")
        with self.reading() as connection:
            found = {view: self._tally(connection, view) for view in self.views}
        wrong = difference(wanted, found)
        if not wrong and draft.answer is not None and not draft.answer.fits(answer or ""):
            wrong = f"the answer is {answer!r}, not {draft.answer}"
        return Verdict(done=answer is not None, reason=wrong) if wrong else Verdict(1.0, done=True)

    def _tally(self, connection: sqlite3.Connection, view: str) -> Tally:
        """The rows of a view; most are as they were at the beginning, which is seen at a glance."""
        names, rows = _fetched(connection, self.views[view])
        return self._begin.tallies[view] if rows == self._begin.fetched[view] else tally(_rows(names, rows))

    @cached_property
    def _begin(self) -> _Begin:
        with self.reading_start() as connection:
            read = {view: _fetched(connection, query) for view, query in self.views.items()}
        state = {view: _rows(*there) for view, there in read.items()}
        tallies = {view: tally(rows) for view, rows in state.items()}
        return _Begin(state, tallies, {view: rows for view, (_, rows) in read.items()})


@dataclass(frozen=True, slots=True)
class _Begin:
    """The initial state, as rows, counted, and as it came from the database."""

    state: State
    tallies: Mapping[str, Tally]
    fetched: Mapping[str, list[tuple[Any, ...]]]


def difference(wanted: Mapping[str, Tally], found: Mapping[str, Tally]) -> str:
    """What is missing or too much, ``""`` where the two are the same."""
    parts = []
    for view, due in wanted.items():
        there = found[view]
        if due is not there:
            parts += [f"missing {view}: {dict(row)}" for row in (due - there).elements()]
            parts += [f"unwanted {view}: {dict(row)}" for row in (there - due).elements()]
    return "; ".join(parts)


def tally(rows: Sequence[Row]) -> Tally:
    """How often each row is there, whatever the order."""
    names = sorted(name for name in rows[0] if not name.startswith("_")) if rows else []
    return Counter(tuple([(name, row[name]) for name in names]) for row in rows)


def one(rows: Sequence[Row], **values: Any) -> Row:
    """The only row with these values."""
    found = [row for row in rows if all(row[column] == value for column, value in values.items())]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows have {values}")
    return found[0]


def _fetched(connection: sqlite3.Connection, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns, and the rows."""
    connection.row_factory = None
    cursor = connection.execute(query)
    return [column[0] for column in cursor.description], cursor.fetchall()


def _rows(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[Row]:
    return [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in rows]


def _plain(value: Any) -> Any:
    """The value with a text's line ends and outer blanks as they do not matter."""
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value
