"""What every page about memory items shows of them: status, uplift, links, a table."""

from __future__ import annotations

from collections.abc import Sequence

from selfgym.memory.credit import error_of
from selfgym.memory.item import Item
from selfgym.memory.library import Library, Standing, Status
from selfgym.viewer.html import Html, join, link, table, tag
from selfgym.viewer.links import Links

_WORTH = {Status.ACTIVE: "good", Status.REJECTED: "bad", Status.RETIRED: "bad", Status.QUARANTINED: "odd-end"}


def status_badge(status: Status) -> Html:
    """Where an item stands."""
    return tag("span", status, class_=f"badge {_WORTH.get(status, '')}".rstrip())


def menu(label: str, name: str, values: Sequence[tuple[str, str]], chosen: str) -> Html:
    """A labelled choice among (value, what is shown)."""
    options = [tag("option", shown, value=value, selected=value == chosen) for value, shown in values]
    return tag("label", tag("span", label), tag("select", *options, name=name))


def item_table(library: Library, items: Sequence[Item], links: Links) -> Html:
    """A row an item, with what it was worth."""
    rows: list[list[object]] = []
    for item in items:
        standing = library.standing(item.id)
        rows.append([
            link(links.item(item.id), item.title), item.kind, status_badge(standing.status), uplift(standing),
            standing.shown, standing.withheld, standing.used, item.scope.env,
        ])  # fmt: skip
    columns: list[object] = [
        "Title", "Kind", "Status", "Uplift", "Shown", ("Withheld", "wide-only"), ("Used", "wide-only"),
        ("Environment", "widest-only"),
    ]  # fmt: skip
    return table("Items, in the order in which they were proposed", columns, rows, numbers=(3, 4, 5, 6))


def uplift(standing: Standing) -> str:
    """Uplift with its standard error; a hyphen while nothing could be compared."""
    return "-" if standing.uplift is None else f"{standing.uplift:+.2f} ± {error_of(standing):.2f}"


def named_items(library: Library, ids: Sequence[str], links: Links) -> Html:
    """Links to items by their titles."""
    return join([link(links.item(id), library.get(id).title if id in library else id) for id in ids], ", ")
