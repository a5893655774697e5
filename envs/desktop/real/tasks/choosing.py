"""Ways through menus and lists that solutions for several applications share."""

from __future__ import annotations

from collections.abc import Iterator

from selfgym.envs.desktop.actions import Action, Click, Wait
from selfgym.envs.desktop.looking import Look, Missing, find, press
from selfgym.envs.desktop.node import Node


def inside(look: Look, title: str) -> Look:
    """What is seen of one of several applications: the part of the screen that its window takes. Raises `Missing`."""

    def seen() -> list[Node]:
        nodes = look()
        frames = [node.box for node in nodes if node.role == "frame" and title in node.name]
        if not frames:
            raise Missing(f"there is no window {title!r} on the screen")
        left, top, width, height = frames[-1]
        middles = [(node, node.box[0] + node.box[2] // 2, node.box[1] + node.box[3] // 2) for node in nodes]
        return [node for node, x, y in middles if left <= x < left + width and top <= y < top + height]

    return seen


def chosen(look: Look, *names: str) -> Iterator[Action]:
    """Clicks on a menu, what it shows then, and so on."""
    for name in names:
        yield press(look, name)


def picked(look: Look, names: list[str], role: str = "table cell") -> Iterator[Action]:
    """Clicks that select exactly these rows of a list."""
    for number, name in enumerate(names):
        x, y, width, height = find(look, name, role).box
        yield Click(x + width // 2, y + height // 2, held="ctrl" if number else "")


def beside(look: Look, name: str) -> str:
    """The text on the line of a label, to its right; empty where there is none."""
    left, top, _, height = find(look, name, "label").box
    here = (node for node in look() if node.role == "label" and node.box[0] > left)
    return next((node.name for node in here if abs(node.box[1] - top) < height // 2), "")


def awaited(look: Look, name: str, role: str = "") -> Iterator[Action]:
    """Waits until an element is there: file dialogs of GTK 3 take their time after a click, and draw nothing then."""
    for _ in range(20):
        try:
            find(look, name, role)
        except Missing:
            yield Wait(0.2)
        else:
            return
