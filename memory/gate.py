"""What may be shown and what may be run: the one place that lets an item out of ``candidate``.

Pattern scanners do not stop poisoned memories (arXiv 2605.08442). What is asked here does not depend on what a text
looks like: where it comes from, whether independent episodes bore it out, what its code may do, and whether its checks
were run.
"""

from __future__ import annotations

from collections.abc import Iterator

from selfgym.memory.item import Item, Kind, Taint
from selfgym.memory.library import Library, Status
from selfgym.memory.schema import SHOWABLE

WITNESSES = 2
"""By so many must the independent tasks that bear out a tainted item (solved with it, not without) outnumber those that
speak against it (the reverse)."""
MOST_PRINCIPLES = 10
"""That are shown always: more would drown the task."""
CAPS = frozenset({"act"})
"""What a skill without parents may do unless a library's owner allows more."""


class NotAdmittedError(RuntimeError):
    """An item that may not be shown; the message is everything that speaks against it."""


def admit(library: Library, id: str, status: Status, why: str) -> None:
    """Let an item be shown: ``trial`` or ``active``. Raises `NotAdmittedError` with every objection."""
    if said := list(objections(library, library.get(id))):
        raise NotAdmittedError(f"the item {id} is not admitted: {' '.join(said)}")
    library.move(id, status, why)


def objections(library: Library, item: Item) -> Iterator[str]:
    """What speaks against showing an item, a sentence each."""
    status = library.standing(item.id).status
    if status in (Status.QUARANTINED, Status.REJECTED):
        yield f"It is {status}."
    if _needs_witnesses(item):
        known, against = len(witnesses(library, item)), len(witnesses(library, item, "contradicted"))
        if known - against < WITNESSES:
            taint, but = ", ".join(item.origin.taint), f", {against} speak against it" if against else ""
            yield f"It is tainted ({taint}) and {known} of {WITNESSES} independent tasks bear it out{but}."
    if item.kind is Kind.PRINCIPLE and status not in SHOWABLE:
        marks = ", ".join("?" * len(SHOWABLE))
        query = f"SELECT id FROM items JOIN standing ON item = id WHERE kind = ? AND status IN ({marks})"
        shown = {id for (id,) in library.rows(query, (Kind.PRINCIPLE, *SHOWABLE))}
        if len(shown - set(item.origin.parents)) >= MOST_PRINCIPLES:
            yield f"There are {MOST_PRINCIPLES} principles already."
    if item.code is not None:
        yield from _of_skill(library, item)


def _needs_witnesses(item: Item) -> bool:
    """Whether others must bear it out.

    What a model wrote of one task, in words of its own and for that task alone, may be shown there: its reader meets
    again whatever made it write so.
    """
    return item.tainted and not (item.kind is Kind.REFLECTION and set(item.origin.taint) == {Taint.MODEL})


def _of_skill(library: Library, item: Item) -> Iterator[str]:
    assert item.code is not None
    parents = [library.get(parent).code for parent in item.origin.parents]
    allowed = {cap for code in parents if code for cap in code.caps} if any(parents) else CAPS
    if wider := sorted(set(item.code.caps) - allowed):
        yield f"It wants the capability '{wider[0]}', which {'its parents lack' if any(parents) else 'nobody gave it'}."
    for other in item.code.requires:
        if (status := library.standing(other).status) not in SHOWABLE:
            yield f"It requires {other}, which is {status}."
    if not item.checks and not item.tainted:
        yield "It has no checks, so nothing is known of it."
    wanted = {"static", *(check.rung for check in item.checks)}
    for rung in sorted(wanted - passed(library, item.id)):
        yield f"Its {rung} check has not been passed."


def passed(library: Library, id: str) -> set[str]:
    """The rungs whose latest verdict was that the item passes."""
    latest: dict[str, bool] = {}
    for event in library.events(id, what="verified"):
        latest[event.note.partition(":")[0]] = event.value == 1.0
    return {rung for rung, good in latest.items() if good}


def witnesses(library: Library, item: Item, what: str = "corroborated") -> set[str]:
    """The independent tasks that bore an item out, or ``contradicted`` it, noted by `selfgym.memory.verify`."""
    return {event.note for event in library.events(item.id, what=what)} - {""}
