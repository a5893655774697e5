"""Steps that the experts of fields, tables, widgets and games share; no task has its expert here."""

from __future__ import annotations

import re

from selfgym.envs.web.miniwob.experts.scene import Element, Expert, LostError, Scene, call

EXPERTS: dict[str, Expert] = {}


def submit(scene: Scene) -> str:
    """Press the button that is called Submit."""
    return call("click", scene.one("button", "Submit"))


def rows(scene: Scene) -> list[str | Element]:
    """The page line by line: its text, and its elements where they stand in it."""
    known = {one["number"]: one for one in scene.look.elements}
    found: list[str | Element] = []
    for line in scene.text.splitlines():
        number = re.match(r"\[(\d+)\] ", line)
        found.append(known.get(int(number[1]), line) if number else line)
    return found


def prose(scene: Scene) -> list[str]:
    """The lines of the page that are no elements."""
    return [row for row in rows(scene) if isinstance(row, str)]


def part(pattern: str, text: str) -> tuple[str, ...]:
    """What the groups of ``pattern`` hold in ``text``. Raises `LostError`."""
    found = re.search(pattern, text)
    if found is None:
        raise LostError(f"{text[:200]!r} says nothing like {pattern!r}")
    return tuple(found.groups())


def ordinal(text: str) -> int:
    """The first of "1st", "2nd", "3rd", "4th" ... in ``text``, counted from 0."""
    return int(part(r"(\d+)(?:st|nd|rd|th)\b", text)[0]) - 1


def middle(element: Element) -> tuple[float, float]:
    """The point in the middle of an element."""
    left, top, width, height = element["box"]
    return left + width / 2, top + height / 2
