"""Ways that solutions share: through menus and lists, to fields by their labels, and waiting for what is slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from selfgym.envs.desktop.actions import Action, Click, Wait
from selfgym.envs.desktop.looking import Look, Missing, find, press
from selfgym.envs.desktop.node import Node

_FIELDS = frozenset({"text", "entry", "spin button", "combo box"})
_PATIENCE = 50
_LOOKS = 3  # where a machine is busy, a program may not tell of itself in time


def field(look: Look, label: str, count: int = 1) -> Click:
    """A click into the field right of a label. Raises `Missing`."""
    left, top, width, height = find(look, label, "label").box
    found = [
        node
        for node in look()
        if node.role in _FIELDS and node.box[0] >= left + width // 2 and _across(node, top + height // 2)
    ]
    if not found:
        raise Missing(f"there is no field beside {label!r}")
    return into(min(found, key=lambda node: (node.box[0], node.box[2])), count)


def beside(look: Look, label: str) -> str:
    """The text on the line of a label, to its right; empty where there is none."""
    left, top, _, height = find(look, label, "label").box
    here = (node for node in look() if node.role == "label" and node.box[0] > left)
    return next((node.name for node in here if abs(node.box[1] - top) < height // 2), "")


def into(node: Node, count: int = 1) -> Click:
    """A click in the middle of an element."""
    x, y, width, height = node.box
    return Click(x + width // 2, y + height // 2, count=count)


def only(look: Look, role: str) -> Node:
    """The topmost element of a role. Raises `Missing`."""
    for node in reversed(look()):
        if node.role == role:
            return node
    raise Missing(f"there is no {role} on the screen")


def within(look: Look, title: str) -> Look:
    """Reads only what lies in the window whose title has these words."""

    def seen() -> list[Node]:
        for _ in range(_LOOKS):
            nodes = list(look())
            frame = next((node for node in reversed(nodes) if node.role == "frame" and title in node.name), None)
            if frame is not None:
                break
        else:
            raise Missing(f"there is no window {title!r}")
        left, top, width, height = frame.box
        return [
            node
            for node in nodes
            if left <= node.box[0] + node.box[2] // 2 < left + width and top <= node.box[1] < top + height
        ]

    return seen


def chosen(look: Look, *names: str) -> Iterator[Action]:
    """Clicks on a menu or button, on what it shows then, which is waited for, and so on. Raises `Missing`."""
    for name in names:
        yield from awaited(look, name)
        items = [node for node in look() if node.name == name and "menu" in node.role]
        yield into(items[-1]) if items else press(look, name)


def picked(look: Look, names: list[str], role: str = "table cell") -> Iterator[Action]:
    """Clicks that select exactly these rows of a list."""
    for number, name in enumerate(names):
        x, y, width, height = find(look, name, role).box
        yield Click(x + width // 2, y + height // 2, held="ctrl" if number else "")


def until(look: Look, right: Callable[[Sequence[Node]], bool]) -> Iterator[Action]:
    """Waits for what goes on in the background and may last longer than a step: nothing, where it has ended."""
    for _ in range(_PATIENCE):
        if right(look()):
            return
        yield Wait(0.1)


def gone(look: Look, name: str) -> Iterator[Action]:
    """Waits until nothing of this name is there: a file dialog asks the disk before it closes."""
    yield from until(look, lambda nodes: all(node.name != name for node in nodes))


def awaited(look: Look, name: str, role: str = "") -> Iterator[Action]:
    """Waits until an element is there: file dialogs of GTK 3 take their time after a click, and draw nothing then."""
    yield from until(look, lambda nodes: any(node.name == name and role in ("", node.role) for node in nodes))


def _across(node: Node, y: int) -> bool:
    return node.box[1] <= y < node.box[1] + node.box[3]
