"""Tasks about all issues that answer a description; finding them is the work."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State
from selfgym.envs.web.sites.tracker.issues import changed, form, listed, people, real_name


def groups(rows: Sequence[Row], key: Callable[[Row], Hashable], least: int = 2, most: int = 5) -> list[list[Row]]:
    """The rows with the same key together, where they are so many."""
    found: dict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return [group for group in found.values() if least <= len(group) <= most]


def _all(state: State, goal: str, rows: list[Row], values: Callable[[Row], dict[str, Any]]) -> Draft:
    def edit(wanted: State) -> None:
        for row in rows:
            changed(row, **values(row))(wanted)

    return Draft(goal, edit, posts=[form(state, row, **values(row)) for row in rows])


def _resolve(state: State, chance: random.Random) -> Draft:
    rows = chance.choice(groups([row for row in state["issue"] if row["assigned"]], lambda row: row["assigned"]))
    open_ones = [row for row in rows if row["status"] != "resolved"]
    who = real_name(state, rows[0]["assigned"])
    return _all(state, f"Resolve all issues that are assigned to {who}.", open_ones, lambda row: {"status": "resolved"})


def _hand_over(state: State, chance: random.Random) -> Draft:
    rows = [row for row in state["issue"] if row["assigned"] and row["status"] != "resolved"]
    rows = chance.choice(groups(rows, lambda row: row["assigned"]))
    old, new = rows[0]["assigned"], chance.choice(people(state, rows[0]["assigned"]))
    goal = f"{real_name(state, old)} is on leave. Assign all issues of theirs that are not resolved to "
    return _all(
        state, f"{goal}{real_name(state, new)}.", rows, lambda row: {"assigned": new, "nosy": listed(row["nosy"], new)}
    )


def _tag(state: State, chance: random.Random) -> Draft:
    rows = chance.choice(groups(state["issue"], lambda row: (row["status"], row["priority"]), 2, 4))
    missing = [
        word["name"]
        for word in state["keyword"]
        if not any(word["name"] in row["keywords"].split(", ") for row in rows)
    ]
    word = chance.choice(missing)
    status, priority = rows[0]["status"], rows[0]["priority"]
    goal = f"Add the keyword “{word}” to all issues with the status “{status}” and the priority “{priority}”."
    return _all(state, goal, rows, lambda row: {"keywords": listed(row["keywords"], word)})


def _raise(state: State, chance: random.Random) -> Draft:
    rows = chance.choice(groups(state["issue"], lambda row: (row["reporter"], row["priority"]), 2, 4))
    reporter, old = rows[0]["reporter"], rows[0]["priority"]
    new = chance.choice([priority for priority in ("urgent", "critical") if priority != old])
    goal = f"Set the priority of all issues that {real_name(state, reporter)} created with the priority “{old}” to "
    return _all(state, f"{goal}“{new}”.", rows, lambda row: {"priority": new})


def _defer(state: State, chance: random.Random) -> Draft:
    rows = [row for row in state["issue"] if not row["assigned"] and row["status"] not in ("deferred", "resolved")]
    rows = chance.choice(groups(rows, lambda row: row["priority"]))
    goal = f"Defer all unassigned, unresolved issues of the priority “{rows[0]['priority']}” (status “deferred”)."
    return _all(state, goal, rows, lambda row: {"status": "deferred"})


KINDS: dict[str, Kind] = {
    "resolve-all": _resolve,
    "hand-over": _hand_over,
    "tag-all": _tag,
    "raise-all": _raise,
    "defer-all": _defer,
}
"""By name."""
