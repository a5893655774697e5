"""One memory item: what it says, where it comes from, what it was worth, and everything that happened to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from selfgym.memory.item import Check, Item
from selfgym.memory.library import Event, Library, Standing
from selfgym.viewer.episode_page import clipped
from selfgym.viewer.html import Html, join, link, table, tag, text
from selfgym.viewer.item_table import named_items, status_badge, uplift
from selfgym.viewer.layout import note
from selfgym.viewer.links import Links

_EVENTS = 500  # of an item that are listed, the latest


def item_body(library: Library, item: Item, links: Links, *, level: int = 2) -> Html:
    """Everything about an item, its headings beginning at ``level``."""
    standing, head = library.standing(item.id), f"h{level}"
    events = library.events(item.id)
    said = [
        tag("pre", item.body, class_="thought") if item.body else None,
        tag("pre", clipped(item.code.source, whole=False), class_="code") if item.code else None,
        *(_check(check) for check in item.checks),
    ]  # fmt: skip
    return join([
        tag("div",
            tag("aside", tag(head, "About it"), _facts(library, item, standing, links), aria_label="About the item"),
            tag("div", tag(head, "What it says"), *said, tag(head, "What it was worth"), _worth(events, standing),
                tag(head, "History"), _history(events, links), class_="steps"),
            class_="two"),
    ])  # fmt: skip


def _check(check: Check) -> Html:
    program = check.source or f"{check.env}, seeds {list(check.seeds)}"
    return tag("details", tag("summary", f"check by {check.rung}"), tag("pre", program))


def _facts(library: Library, item: Item, standing: Standing, links: Links) -> Html:
    origin, code = item.origin, item.code
    rows: list[tuple[str, object]] = [
        ("Id", tag("code", item.id)), ("Kind", item.kind), ("Status", status_badge(standing.status)),
        ("When", item.when), ("Environment", item.scope.env), ("Task", item.scope.task),
        ("Tags", ", ".join(item.scope.tags)),
        ("Call", f"{code.entry}({', '.join(code.parameters)}), {code.runtime}" if code else ""),
        ("May", ", ".join(code.caps) if code else ""),
        ("Requires", named_items(library, code.requires, links) if code and code.requires else ""),
        ("Learned by", " ".join(filter(None, (origin.method, origin.model)))), ("Run", origin.run),
        ("Split", origin.split), ("Taint", ", ".join(origin.taint)),
        ("Made from", named_items(library, origin.parents, links) if origin.parents else ""),
        ("Episodes", join([link(links.episode(one), one) for one in origin.episodes], ", ") if origin.episodes else ""),
    ]  # fmt: skip
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows if value), class_="facts")


def _worth(events: Sequence[Event], standing: Standing) -> Html:
    """Uplift as it was known after each reward, drawn; and what it stands at."""
    told = f"Uplift {uplift(standing)}: mean reward of {standing.shown_closed} episodes that were shown it minus that "
    told += f"of {standing.withheld_closed} from which it was withheld by lot, with its standard error."
    course = list(_course(events))
    return join([tag("p", told), _course_picture(course) if len(course) > 1 else None])


def _course(events: Sequence[Event]) -> list[float]:
    """Mean reward shown minus withheld after each reward, once both are known."""
    arm = {event.episode: event.what for event in events if event.what in ("shown", "withheld")}
    sums = {"shown": [0.0, 0], "withheld": [0.0, 0]}
    found = []
    for event in events:
        if event.what == "reward" and event.episode in arm:
            side = sums[arm[event.episode]]
            side[0], side[1] = side[0] + (event.value or 0.0), side[1] + 1
            if sums["shown"][1] and sums["withheld"][1]:
                (ours, many), (theirs, few) = sums["shown"], sums["withheld"]
                found.append(ours / many - theirs / few)
    return found


def _course_picture(course: Sequence[float]) -> Html:
    width, height = 480, 120
    top = max(1.0, *map(abs, course))
    points = " ".join(
        f"{8 + (width - 16) * at / (len(course) - 1):.1f},{height / 2 - (height / 2 - 8) * value / top:.1f}"
        for at, value in enumerate(course)
    )
    zero = tag("line", x1=8, x2=width - 8, y1=height / 2, y2=height / 2, class_="grid")
    label = f"Uplift after each of {len(course)} rewards, from {course[0]:+.2f} to {course[-1]:+.2f}"
    svg = tag("svg", tag("title", label), zero, tag("polyline", points=points, class_="line c0"),
              viewBox=f"0 0 {width} {height}", class_="course", role="img")  # fmt: skip
    return tag(
        "figure",
        svg,
        tag("figcaption", label, f"; the line in the middle is 0, the edges are ±{top:g}.", class_="note"),
    )


def _history(events: Sequence[Event], links: Links) -> Html:
    rows: list[list[object]] = [
        [
            f"{datetime.fromtimestamp(event.at, UTC):%Y-%m-%d %H:%M:%S}" if 0 <= event.at < 2**35 else "",
            event.what, "" if event.value is None else f"{event.value:g}", _noted(event.note),
            link(links.episode(event.episode), event.episode) if event.episode else "",
        ]
        for event in events[-_EVENTS:]
    ]  # fmt: skip
    left = len(events) - len(rows)
    columns: list[object] = ["Time (UTC)", "What", "Value", "Why", "Episode"]
    shown = table("What happened to it, oldest first", columns, rows, numbers=(2,))
    return join([note(f"The {left:,} oldest events are left out.") if left else None, shown])


def _noted(said: str) -> Html:
    """An event's note; of a proposal's JSON its reason."""
    try:
        found = json.loads(said) if said.startswith("{") else said
    except ValueError:
        return text(said)
    return text(found.get("why", "") if isinstance(found, dict) else found)
