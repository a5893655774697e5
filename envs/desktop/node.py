"""What assistive technology would be told of a screen: a list of elements, bounded, as data and as text.

Roles and states carry the names of AT-SPI (the accessibility interface of free desktops), in both worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Node(NamedTuple):
    """One element that is shown."""

    role: str
    name: str
    box: tuple[int, int, int, int]
    """Left, top, width and height in pixels of the screen."""
    value: str = ""
    """Its text, number or choice, if it holds one."""
    states: tuple[str, ...] = ()


def bounded(lines: Sequence[str], most: int) -> str:
    """A text of at most ``most`` lines and one that says how many were left out."""
    if len(lines) <= most:
        return "\n".join(lines)
    return "\n".join([*lines[:most], f"[{len(lines) - most} more elements are not shown]"])


def line_of(node: Node) -> str:
    """An element in one line; where it is clicked is its middle.

    >>> line_of(Node("push button", "Save", (10, 20, 60, 24), states=("focused",)))
    'push button "Save" at 40,32 size 60x24 focused'
    """
    role, name, (x, y, width, height), value, states = node
    text = role if not name else f'{role} "{name}"'
    if value:
        text += f" = {value!r}"
    text += f" at {x + width // 2},{y + height // 2} size {width}x{height}"
    return f"{text} {' '.join(states)}" if states else text
