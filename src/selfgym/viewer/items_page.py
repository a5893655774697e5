"""What an agent keeps: the list of its items with what they were worth."""

from __future__ import annotations

from urllib.parse import urlencode

from selfgym.memory.item import Kind
from selfgym.memory.library import Library, Status
from selfgym.viewer.html import Html, join, tag
from selfgym.viewer.item_table import item_table, menu
from selfgym.viewer.layout import Page
from selfgym.viewer.links import ServedLinks
from selfgym.viewer.snapshots_page import snapshot_form

SIZE = 100
"""Items on a page."""


def items_page(library: Library, links: ServedLinks, query: dict[str, str]) -> Page:
    """The items, filtered by ``status``, ``kind`` and ``q`` (part of a title, condition or body), after a number."""
    chosen = {name: query.get(name, "") for name in ("status", "kind", "q")}
    after = int(query["after"]) if query.get("after", "").isdecimal() else 0
    rows = library.rows(
        "SELECT items.seq, id FROM items JOIN standing ON item = id WHERE (?1 = '' OR status = ?1) AND "
        "(?2 = '' OR kind = ?2) AND (?3 = '' OR instr(lower(title || ' ' || whn || ' ' || body), lower(?3))) "
        "AND items.seq > ?4 ORDER BY items.seq LIMIT ?5",
        (chosen["status"], chosen["kind"], chosen["q"], min(after, 2**62), SIZE + 1),
    )
    more, rows = len(rows) > SIZE, rows[:SIZE]
    items = [library.get(id) for _, id in rows]
    address = f"/{links.number}/items"
    following = f"{address}?{urlencode({**chosen, 'after': rows[-1][0]})}" if more else ""
    body = [
        _form(chosen),
        tag("p", tag("span", f"{len(library):,} items", class_="count"), role="status"),
        item_table(library, items, links) if items else tag("p", "No item matches.", class_="empty"),
        tag("p", tag("a", "Next", href=following, rel="next")) if following else None,
        snapshot_form(library, links),
    ]
    return Page("Memory", join(body), "Memory")


def _form(chosen: dict[str, str]) -> Html:
    fields = [
        tag("label", tag("span", "Search titles and bodies"), tag("input", type="search", name="q", value=chosen["q"]),
            class_="wide"),
        menu("Status", "status", [("", "any"), *((one, one) for one in Status)], chosen["status"]),
        menu("Kind", "kind", [("", "any"), *((one, one) for one in Kind)], chosen["kind"]),
    ]  # fmt: skip
    buttons = tag("div", tag("button", "Show", type="submit"), tag("a", "Clear", href="?"), class_="buttons")
    return tag("form", *fields, buttons, method="get", role="search", aria_label="Items", class_="filters")
