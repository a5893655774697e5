"""Experts of tasks in which a flight or a ticket is booked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.clicking import press
from selfgym.envs.web.miniwob.experts.dates import pick_date
from selfgym.envs.web.miniwob.experts.scene import Expert, LostError, Scene, call
from selfgym.envs.web.miniwob.experts.steps import part


def buy_ticket(scene: Scene) -> Iterator[str]:
    """The first or last of the tickets by what the goal says."""
    yield _book(scene, part("with the (.*)\\.", scene.goal)[0])


def book_flight(scene: Scene) -> Iterator[str]:
    """Choose both airports among those that the field suggests, pick the day, search, and book."""
    what, origin, destination, month, day = part(
        r"Book the (\w+) one-way flight from: (.*) to: (.*) on (\d+)/(\d+)/", scene.goal
    )
    yield from _fill_airport(scene, "From:", origin)
    yield from _fill_airport(scene, "To:", destination)
    yield call("click", scene.all("textbox")[2]["number"])
    yield from pick_date(scene, int(month), int(day))
    yield press(scene, "button", "Search")
    yield _book(scene, what)


def _fill_airport(scene: Scene, field: str, airport: str) -> Iterator[str]:
    yield call("fill", scene.one("textbox", field), airport)
    city, code = rf"{re.escape(airport)} \(\w+\)", rf"[^()]* \({re.escape(airport)}\)"
    suggested = [one for one in scene.all("clickable") if re.fullmatch(f"{city}|{code}", one["name"])]
    if not suggested:
        raise LostError(f"no airport is suggested for {airport!r}: {scene.text}")
    yield call("click", suggested[0]["number"])


def _book(scene: Scene, what: str) -> str:
    """The click that books the cheapest, shortest ... of the flights on the page."""
    buttons = [one for one in scene.all("button") if one["name"].startswith("Book ")]
    prices = [int(one["name"].split("$")[1]) for one in buttons]
    times = [int(hours) * 60 + int(minutes) for hours, minutes in re.findall(r"\b(\d+)h (\d+)m\b", scene.text)]
    if len(times) != len(prices) or not times:
        raise LostError(f"the flights are not there: {scene.text}")
    values = times if "shortest" in what or "longest" in what else prices
    best = max(values) if "longest" in what or "most" in what else min(values)
    return call("click", buttons[values.index(best)]["number"])


EXPERTS: dict[str, Expert] = {
    "book-flight": book_flight,
    "book-flight-nodelay": book_flight,
    "buy-ticket": buy_ticket,
}
"""Which tasks of MiniWoB++ have a scripted expert."""
