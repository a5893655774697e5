"""Snapshots of a library: which items could be shown at a moment, with the snapshot before and scores.

The unit of rollback, and of evolution: a tree of snapshots is what a search over libraries moves in. A snapshot is
never changed; where a library stands and what a snapshot scored are events.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from selfgym.memory.library import ItemNotFoundError, Library, Status
from selfgym.memory.schema import SHOWABLE

_ADMITTED = (Status.TRIAL, Status.ACTIVE, Status.RETIRED)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What could be shown: item id -> ``trial`` or ``active``."""

    id: str
    parent: str
    """The snapshot that the library stood on before; empty for a first one."""
    items: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """How one snapshot differs from another: ids of items."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """In both, in another status."""


def take(library: Library, *, why: str = "") -> str:
    """Keep what can be shown now; the snapshot's id. The same as the one it stands on is that one."""
    with library.transaction() as connection:
        rows = library.rows("SELECT item, status FROM standing WHERE status IN (?, ?) ORDER BY item", SHOWABLE)
        parent = standing_on(library)
        if parent and snapshot(library, parent).items == dict(rows):
            return parent
        items = json.dumps(rows)
        number = library.rows("SELECT COUNT(*) FROM snapshots")[0][0]
        id = hashlib.sha256(f"{number} {parent} {items}".encode()).hexdigest()[:16]
        connection.execute("INSERT INTO snapshots (id, parent, items) VALUES (?, ?, ?)", (id, parent, items))
        library.log(id, "stand", note=why)
        return id


def standing_on(library: Library) -> str:
    """The snapshot that was taken, or gone back to, last; empty where there is none."""
    rows = library.rows("SELECT item FROM events WHERE what = 'stand' ORDER BY seq DESC LIMIT 1")
    return str(rows[0][0]) if rows else ""


def snapshot(library: Library, id: str) -> Snapshot:
    """The snapshot called ``id``, or by its first digits. Raises `ItemNotFoundError`."""
    rows = library.rows("SELECT id, parent, items FROM snapshots WHERE id >= ? AND id < ? LIMIT 2", (id, id + "g"))
    if len(rows) != 1 or not id:
        raise ItemNotFoundError(f"{library.path} has {'several snapshots' if rows else 'no snapshot'} {id!r}.")
    return Snapshot(rows[0][0], rows[0][1], dict(json.loads(rows[0][2])))


def snapshots(library: Library) -> list[str]:
    """The ids of all snapshots, oldest first."""
    return [id for (id,) in library.rows("SELECT id FROM snapshots ORDER BY seq")]


def score(library: Library, id: str, name: str, value: float) -> None:
    """Note what a snapshot scored, e.g. the success on held-out tasks with it."""
    library.log(snapshot(library, id).id, "score", value=value, note=name)


def scores(library: Library, id: str) -> dict[str, list[float]]:
    """Everything a snapshot scored, by name, in order."""
    found: dict[str, list[float]] = {}
    for event in library.events(snapshot(library, id).id, what="score"):
        found.setdefault(event.note, []).append(float(event.value or 0.0))
    return found


def difference(library: Library, old: str, new: str) -> Difference:
    """What changed from snapshot ``old`` to ``new``."""
    before, after = snapshot(library, old).items, snapshot(library, new).items
    return Difference(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(id for id in before.keys() & after.keys() if before[id] != after[id])),
    )


def rollback(library: Library, id: str, *, why: str) -> Difference:
    """Make what can be shown that of a snapshot again; what that changed.

    An item that was quarantined since, or has to prove itself anew, stays out: going back must not bring poison back.
    """
    wanted = snapshot(library, id)
    with library.transaction():
        before = take(library, why="before a rollback")
        now = snapshot(library, before).items
        for item in now.keys() - wanted.items.keys():
            library.move(item, Status.RETIRED, f"rollback to {wanted.id}: {why}")
        for item, status in wanted.items.items():
            standing = library.standing(item).status
            if standing in _ADMITTED and standing != status:
                _bring_back(library, item, standing, Status(status), f"rollback to {wanted.id}: {why}")
        library.log(wanted.id, "stand", note=f"rollback: {why}")
    return difference(library, before, wanted.id)


def _bring_back(library: Library, item: str, now: Status, status: Status, why: str) -> None:
    if now is Status.RETIRED:
        library.move(item, Status.TRIAL, why)
    library.move(item, status, why)
