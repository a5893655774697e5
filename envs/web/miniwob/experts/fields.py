"""Experts of tasks that fill fields by what the goal says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from selfgym.envs.web.miniwob.experts.scene import Expert, Scene, call
from selfgym.envs.web.miniwob.experts.steps import ordinal, part, submit


def enter_date(scene: Scene) -> Iterator[str]:
    """The date of the goal, as a field for dates wants it."""
    month, day, year = part(r"(\d+)/(\d+)/(\d+)", scene.goal)
    yield call("fill", scene.one("date"), f"{year}-{month}-{day}")
    yield submit(scene)


def enter_time(scene: Scene) -> Iterator[str]:
    """The time of the goal, by 24 hours."""
    (time,) = part(r"(\d+:\d+ [AP]M)", scene.goal)
    yield call("fill", scene.one("time"), f"{datetime.strptime(time, '%I:%M %p'):%H:%M}")
    yield submit(scene)


def enter_quoted(scene: Scene) -> Iterator[str]:
    """The quoted text in every field."""
    for field in scene.all("textbox"):
        yield call("fill", field["number"], scene.quoted[0])
    yield submit(scene)


def enter_text_2(scene: Scene) -> Iterator[str]:
    """The quoted text in upper or lower case."""
    text = scene.quoted[0]
    yield call("fill", scene.one("textbox"), text.upper() if "upper case" in scene.goal else text.lower())
    yield submit(scene)


def login(scene: Scene) -> Iterator[str]:
    """Name and password, again where a message came between; it is sent away by its Cancel."""
    fields = [one["number"] for one in scene.all("textbox")]
    button = scene.look.elements[-1]["number"]
    for field, text in zip(fields, scene.quoted, strict=True):
        yield call("fill", field, text)
        if scene.all("button", "Cancel"):
            yield call("click", scene.one("button", "Cancel"))
            yield call("fill", field, text)
    yield call("click", button)


def focus(scene: Scene) -> Iterator[str]:
    """The only field, or the one whose place the goal names."""
    fields = scene.all("textbox")
    yield call("click", fields[ordinal(scene.goal) if len(fields) > 1 else 0]["number"])


def film_search(scene: Scene) -> Iterator[str]:
    """Genre, director and year in fields that stand in any order, with their labels before or after them."""
    genre, director, year = part(r"for (.+) movies directed by (.+) from year (\d+)", scene.goal)
    wanted = {"Genre": genre, "Director": director, "Year": year, "Released": year}
    labels = re.findall("|".join(wanted), scene.text)
    button = scene.look.elements[-1]["number"]
    for field, label in zip(scene.all("textbox"), labels, strict=True):
        yield call("fill", field["number"], wanted[label])
    yield call("click", button)


def form_sequence_2(scene: Scene) -> Iterator[str]:
    """A radio button and a field, both by their place."""
    radio, number, field = part(r"the (\w+) radio .* number \"(-?\d+)\" into the (\w+)", scene.goal)
    yield call("click", scene.all("radio")[ordinal(radio)]["number"])
    yield call("fill", scene.all("textbox")[ordinal(field)]["number"], number)
    yield submit(scene)


def autocomplete(scene: Scene) -> Iterator[str]:
    """Type how the item begins, then choose among what is offered."""
    start, end = [*scene.quoted, ""][:2]
    yield call("fill", scene.one("textbox"), start)
    offered = [one for one in scene.all("clickable") if one["name"].startswith(start) and one["name"].endswith(end)]
    yield call("click", offered[-1]["number"])  # the list itself comes before what it holds
    yield submit(scene)


EXPERTS: dict[str, Expert] = {
    "enter-date": enter_date,
    "enter-password": enter_quoted,
    "enter-text": enter_quoted,
    "enter-text-2": enter_text_2,
    "enter-text-dynamic": enter_quoted,
    "enter-time": enter_time,
    "focus-text": focus,
    "focus-text-2": focus,
    "form-sequence-2": form_sequence_2,
    "login-user": login,
    "login-user-popup": login,
    "multi-layouts": film_search,
    "multi-orderings": film_search,
    "use-autocomplete": autocomplete,
    "use-autocomplete-nodelay": autocomplete,
}
