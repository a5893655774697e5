"""How solutions find what has no name of its own: by the label beside it, or by the window that it lies in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from selfgym.envs.desktop.actions import Action, Click, Wait
from selfgym.envs.desktop.looking import Look, Missing, find, press
from selfgym.envs.desktop.node import Node

_FIELDS = frozenset({"text", "entry", "spin button", "combo box"})
_PATIENCE = 50
_LOOKS = 3  # where a machine is busy, a program may not tell of itself in time


def beside(look: Look, label: str, count: int = 1) -> Click:
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
            frame = next((node for node in nodes if node.role == "frame" and title in node.name), None)
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


def chosen(look: Look, *path: str, role: str = "menu") -> Iterator[Action]:
    """Clicks from a menu in the menu bar, which has this role, down to one of its items."""
    for depth, name in enumerate(path):
        yield press(look, name, role if depth < len(path) - 1 else "menu item")


def until(look: Look, right: Callable[[Sequence[Node]], bool]) -> Iterator[Action]:
    """Waits for what goes on in the background and may last longer than a step: nothing, where it has ended."""
    for _ in range(_PATIENCE):
        if right(look()):
            return
        yield Wait(0.1)


def gone(look: Look, name: str) -> Iterator[Action]:
    """Waits until nothing of this name is there: a file dialog asks the disk before it closes."""
    yield from until(look, lambda nodes: all(node.name != name for node in nodes))


def _across(node: Node, y: int) -> bool:
    return node.box[1] <= y < node.box[1] + node.box[3]
