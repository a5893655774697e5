"""Two snapshots of a library side by side: what could be shown in each, and what it scored."""

from __future__ import annotations

from selfgym.memory.library import Library
from selfgym.memory.snapshots import difference, scores, snapshot, snapshots
from selfgym.viewer.html import Html, join, table, tag, words
from selfgym.viewer.item_table import menu, named_items, uplift
from selfgym.viewer.layout import Page, note
from selfgym.viewer.links import ServedLinks

_COMPARED = 300  # differences of each kind that are listed


def snapshot_form(library: Library, links: ServedLinks) -> Html | None:
    """The choice of two snapshots; None where there are none."""
    ids = snapshots(library)
    if not ids:
        return None
    values = [(id, f"{number + 1}: {id}") for number, id in enumerate(ids)]
    return join([
        tag("h2", "Snapshots"),
        tag("form", menu("Before", "left", values, ids[-2] if len(ids) > 1 else ids[0]),
            menu("After", "right", values, ids[-1]),
            tag("div", tag("button", "Compare", type="submit"), class_="buttons"),
            method="get", action=f"/{links.number}/snapshots", class_="filters", aria_label="Two snapshots"),
    ])  # fmt: skip


def snapshots_page(library: Library, links: ServedLinks, left: str, right: str) -> Page:
    """What changed between two snapshots of what could be shown, and what each scored."""
    old, new = snapshot(library, left), snapshot(library, right)
    changes = difference(library, old.id, new.id)
    rows: list[list[object]] = []
    for what, ids, kind in (("added", changes.added, "good"), ("removed", changes.removed, "bad"),
                            ("changed", changes.changed, "")):  # fmt: skip
        for id in ids[:_COMPARED]:
            rows.append([
                named_items(library, [id], links), tag("span", what, class_=f"badge {kind}".rstrip()),
                old.items.get(id, "-"), new.items.get(id, "-"), uplift(library.standing(id)) if id in library else "-",
            ])  # fmt: skip
    total = len(changes.added) + len(changes.removed) + len(changes.changed)
    body = [
        _sides(library, old.id, new.id, len(old.items), len(new.items)),
        tag(
            "p",
            f"{len(changes.added)} added, {len(changes.removed)} removed, {len(changes.changed)} in another status.",
        ),
        note(f"Of each kind of change the first {_COMPARED} are listed.") if total > len(rows) else None,
        table("What changed", ["Item", "Change", "Before", "After", "Uplift now"], rows, numbers=(4,))
        if rows
        else None,
        snapshot_form(library, links),
    ]
    return Page("Two snapshots", join(body), "Memory")


def _sides(library: Library, old: str, new: str, before: int, after: int) -> Html:
    names = sorted({*scores(library, old), *scores(library, new)})
    rows: list[list[object]] = [["Items that could be shown", before, after]]
    for name in names:
        both = [scores(library, id).get(name, []) for id in (old, new)]
        rows.append([words(name) or "score", *(", ".join(f"{value:g}" for value in values) or "-" for values in both)])
    return table("The two snapshots", ["", old, new], rows, numbers=(1, 2))
