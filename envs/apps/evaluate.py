"""Whether a task was done: unit tests on how the database differs from the beginning, and on the answer.

Every row that differs must have been expected to; the test ``nothing else changed`` fails on any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.host import Changes

Tests = list[tuple[str, bool]]
NOTHING_ELSE = "nothing else changed"
"""The test that collateral damage fails."""


@dataclass
class Expected:
    """The differences that a task asks for."""

    changed: dict[str, dict[int, Row]] = field(default_factory=lambda: defaultdict(dict))
    added: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    removed: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def change(self, table: str, number: int, **values: object) -> Expected:
        """These columns of a row get these values; the others stay."""
        self.changed[table].setdefault(number, {}).update(values)
        return self

    def add(self, table: str, **values: object) -> Expected:
        """A new row has these values; in its other columns it may have any."""
        self.added[table].append(values)
        return self

    def remove(self, table: str, number: int) -> Expected:
        """A row is deleted."""
        self.removed[table].add(number)
        return self


def evaluate(expected: Expected, wanted: Any, changes: Mapping[str, Changes], answer: Any) -> Tests:
    """The tests by name, and whether each passes. ``wanted`` is the right answer; ``None``: no answer is asked for."""
    tests: Tests = []
    surplus = False
    for table in sorted({*changes, *expected.changed, *expected.added, *expected.removed}):
        found = changes.get(table, Changes())
        changed, added, removed = expected.changed.get(table, {}), expected.added.get(table, []), expected.removed
        gone = removed.get(table, set())
        if changed:
            tests.append((f"{table}: rows changed as asked", _changed_as(found, changed)))
        left = _unmatched(found, added)
        if added:
            tests.append((f"{table}: rows added as asked", len(found.added) - len(left) == len(added)))
        if gone:
            tests.append((f"{table}: rows deleted as asked", gone <= set(found.removed)))
        others = [number for number, rows in found.changed.items() if _differs(rows) - set(changed.get(number, {}))]
        surplus = surplus or bool(left or others or set(found.removed) - gone)
    tests.append((NOTHING_ELSE, not surplus))
    if wanted is not None:
        tests.append(("the answer is right", same_answer(answer, wanted)))
    return tests


def same_answer(given: Any, wanted: Any) -> bool:
    """Whether two answers say the same; the order of a list, case and blanks around do not matter.

    >>> same_answer("12", 12), same_answer([" b", "A"], ["a", "b"]), same_answer(None, 0)
    (True, True, False)
    """
    if isinstance(wanted, list):
        return isinstance(given, list) and sorted(map(_normal, given)) == sorted(map(_normal, wanted))
    return not isinstance(given, list | dict) and _normal(given) == _normal(wanted)


def _normal(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().lower()


def _changed_as(found: Changes, wanted: Mapping[int, Row]) -> bool:
    after = {number: new for number, (_, new) in found.changed.items()}
    return all(
        number in after and all(after[number][name] == value for name, value in values.items())
        for number, values in wanted.items()
    )


def _unmatched(found: Changes, wanted: list[Row]) -> list[Row]:
    """The added rows that are left when each wanted one has taken one that fits it."""
    left = list(found.added.values())
    for values in sorted(wanted, key=len, reverse=True):
        fit = next((row for row in left if all(row[name] == value for name, value in values.items())), None)
        if fit is not None:
            left.remove(fit)
    return left


def _differs(rows: tuple[Row, Row]) -> set[str]:
    old, new = rows
    return {name for name in old if old[name] != new[name]}
