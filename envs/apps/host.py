"""The true state of an episode: the database that only calls can change, and what lasts of the agent's code.

A step's report comes out of the sandbox, written by a process that the agent's code controls. Its calls are data: they
are checked one by one and done again here. What it says about their results is only compared.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from selfgym.envs.apps.api.endpoint import ApiError
from selfgym.envs.apps.api.schema import COLUMNS, TABLES, UNTOLD, Row, as_json, insert, opened, rows
from selfgym.envs.apps.api.session import MOST_CALLS, MOST_KEPT, CallLog
from selfgym.envs.apps.world import World

MOST_REPORT = 2**20
"""Bytes of a report."""
_MOST_VALUES = 2 * MOST_KEPT

_KEPT = TypeAdapter(list[tuple[str, str]])
_VARIABLES = TypeAdapter(dict[str, Any])

Scalar = str | int | float | bool | None
Answer = Scalar | list[Any] | dict[str, Any]


class ReportError(ValueError):
    """A report that no honest step writes."""


class Report(BaseModel):
    """What a step says of itself; see `selfgym.envs.apps.api.session.run`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    output: str
    error: str | None
    calls: Annotated[list[tuple[Annotated[str, Field(max_length=100)], dict[str, Any]]], Field(max_length=MOST_CALLS)]
    digest: str
    finished: bool
    answer: Answer
    kept: list[tuple[str, str]]
    variables: dict[str, Any]


def read_report(data: bytes) -> Report:
    """The report that ``data`` is. Raises `ReportError` for anything else, whatever it is."""
    if len(data) > MOST_REPORT:
        raise ReportError(f"it has {len(data)} bytes")
    try:
        as_json(json.loads(data, parse_constant=_refuse))  # which refuses 1e999 too
        report = Report.model_validate_json(data)
        sizes = sum(len(name) + len(source) for name, source in report.kept), len(as_json(report.variables))
    except (ValidationError, ValueError, RecursionError) as error:
        raise ReportError(f"it is malformed ({type(error).__name__})") from None
    if sizes[0] > 2 * MOST_KEPT or sizes[1] > _MOST_VALUES:
        raise ReportError("it wants more to be kept than there is room for")
    return report


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@dataclass(frozen=True)
class Changes:
    """How a table differs from the beginning."""

    added: dict[int, Row] = field(default_factory=dict)
    removed: dict[int, Row] = field(default_factory=dict)
    changed: dict[int, tuple[Row, Row]] = field(default_factory=dict)
    """Rows before and after."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


class Host:
    """One episode's database, with the definitions and values that last from step to step."""

    def __init__(self, world: World, kept: list[tuple[str, str]] | None = None) -> None:
        """``kept``: names and sources of definitions that are there from the beginning."""
        self.world = world
        self.kept = kept or []
        self.variables: dict[str, Any] = {}
        self._db = opened(world.data)

    def close(self) -> None:
        """Let the database go."""
        self._db.close()

    def job(self, code: str, most: int) -> tuple[dict[str, Any], bytes]:
        """What a step is given: the code with all that lasts, and a copy of the database.

        ``most``: how many characters of output are wanted.
        """
        fields = {"code": code, "most": most, "kept": self.kept, "variables": self.variables}
        return fields, bytes(self._db.serialize())

    def apply(self, report: Report) -> bool:
        """Do a step's calls on the true database; whether they gave what the report says that they gave."""
        log = CallLog(self._db)
        self._db.execute("begin")
        for name, arguments in report.calls:
            try:
                log.perform(name, arguments)
            except ApiError:
                continue  # as it was for the agent, who may have caught it
        self._db.execute("commit")
        self.kept, self.variables = report.kept, report.variables
        return log.digest() == report.digest

    def changes(self, table: str) -> Changes:
        """How ``table`` differs from the beginning."""
        found, now = Changes(), rows(self._db, table)
        if now == self.world.values[table]:
            return found
        missing = dict(self.world.tables[table])
        for values in now:
            row = dict(zip(COLUMNS[table], values, strict=True))
            old = missing.pop(row["id"], None)
            if old is None:
                found.added[row["id"]] = row
            elif old != row:
                found.changed[row["id"]] = (old, row)
        found.removed.update(missing)
        return found

    def all_changes(self, told: bool = True) -> dict[str, Changes]:
        """The tables that differ; ``told`` leaves out those that no test looks at."""
        found = {table: self.changes(table) for table in TABLES if not (told and table in UNTOLD)}
        return {table: changes for table, changes in found.items() if changes}

    def state(self) -> dict[str, Any]:
        """All that differs from the beginning, as plain data."""
        rows_by_table = {
            table: [
                sorted(changes.removed),
                [list(row.values()) for row in changes.added.values()],
                [list(new.values()) for _, new in changes.changed.values()],
            ]
            for table, changes in self.all_changes(told=False).items()
        }
        return {"rows": rows_by_table, "kept": self.kept, "variables": self.variables}

    @classmethod
    def from_state(cls, world: World, state: dict[str, Any]) -> Host:
        """The host that `state` describes. Raises `ValueError`, `TypeError` or `KeyError` where it cannot."""
        host = cls(world)
        try:
            host._fill(state)
            host.kept = _KEPT.validate_python(state["kept"])
            host.variables = _VARIABLES.validate_python(state["variables"])
        except sqlite3.Error as error:
            host.close()
            raise ValueError(f"the rows do not fit the tables: {error}") from None
        except BaseException:
            host.close()
            raise
        return host

    def _fill(self, state: dict[str, Any]) -> None:
        self._db.execute("begin")
        for table, (removed, added, changed) in state["rows"].items():
            names = COLUMNS[table]
            for number in [*removed, *(row[0] for row in changed)]:
                self._db.execute(f'delete from "{table}" where id = ?', (number,))
            for row in [*added, *changed]:
                insert(self._db, table, dict(zip(names, row, strict=True)))
        self._db.execute("commit")
