"""Experts of tasks with calendars: pages of a month to leaf through, and a day with its half hours."""

from __future__ import annotations

import calendar
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.clicking import press
from selfgym.envs.web.miniwob.experts.scene import Element, Expert, LostError, Scene, call
from selfgym.envs.web.miniwob.experts.steps import middle, part, submit

_MONTHS = list(calendar.month_name)
_TOP = 103  # pixels; where the half hour that is chosen is scrolled to, in the middle of the calendar


def pick_date(scene: Scene, month: int, day: int) -> Iterator[str]:
    """Leaf to the month and click the day; the calendar of the year is open."""
    while (shown := _shown_month(scene)) != month:
        yield press(scene, None, "Next" if shown < month else "Prev")
    yield press(scene, "link", str(day))


def _shown_month(scene: Scene) -> int:
    names = "|".join(_MONTHS[1:])
    return _MONTHS.index(part(rf"({names}) \d{{4}}", scene.text)[0])


def choose_date(scene: Scene) -> Iterator[str]:
    """Open the calendar of the field, pick the day, send."""
    month, day = part(r"(\d\d)/(\d\d)/", scene.goal)
    yield press(scene, "textbox", None)
    yield from pick_date(scene, int(month), int(day))
    yield submit(scene)


def plan_event(scene: Scene) -> Iterator[str]:
    """Drag over free half hours of the day, name the event and create it."""
    amount, unit, name, begin, end = part(
        r"Create a ([\d.]+) (\w+) event named \"(.*)\", between (\w+) and (\w+)", scene.goal
    )
    length = round(float(amount) * 2) if unit.startswith("hour") else int(amount) // 30
    first, last = _half_hour(begin), _half_hour(end)
    slots = scene.all("clickable", "half-hour")
    events = [one["box"] for one in scene.all("graphic")]
    starts = [at for at in range(first, last - length + 1) if not _taken(slots[at : at + length], events)]
    if not starts:
        raise LostError("no half hours are free")
    yield call("scroll", 0, slots[starts[0]]["box"][1] - _TOP, slots[0]["number"])
    slots = scene.all("clickable", "half-hour")
    x, y = middle(slots[starts[0]])
    yield call("mouse_down", x, y)
    yield call("mouse_move", x, middle(slots[starts[0] + length - 1])[1] + 2)
    yield call("mouse_up", *middle(scene.all("clickable", "New event")[0]))  # which need not lie where it was drawn
    yield call("fill", scene.one("textbox", "Event name"), name)
    yield press(scene, "button", "Create")


def _taken(slots: list[Element], events: list[list[int]]) -> bool:
    """Whether an event lies over the middle of one of the half hours."""
    return any(top <= middle(slot)[1] < top + height for slot in slots for _, top, _, height in events)


def _half_hour(time: str) -> int:
    """The half hour of the day that begins at "8AM" or "12PM"."""
    hour = int(time[:-2]) % 12 + (12 if time.endswith("PM") else 0)
    return hour * 2


EXPERTS: dict[str, Expert] = {
    "choose-date": choose_date,
    "choose-date-easy": choose_date,
    "choose-date-medium": choose_date,
    "choose-date-nodelay": choose_date,
    "daily-calendar": plan_event,
}
"""Which tasks of MiniWoB++ have a scripted expert."""
