"""How solutions of tasks find what they click on: by role and name, as it is on the screen at that moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from selfgym.envs.desktop.actions import Click, Done
from selfgym.envs.desktop.node import Node

Look = Callable[[], Sequence[Node]]
"""Reads the screen."""


class Missing(LookupError):
    """A solution looked for something that is not on the screen."""


def find(look: Look, name: str, role: str = "") -> Node:
    """The topmost element with a name. Raises `Missing`."""
    for node in reversed(look()):
        if node.name == name and role in ("", node.role):
            return node
    raise Missing(f"there is no {role or 'element'} {name!r} on the screen")


def press(look: Look, name: str, role: str = "", count: int = 1) -> Click:
    """A click in the middle of the topmost element with a name."""
    x, y, width, height = find(look, name, role).box
    return Click(x + width // 2, y + height // 2, count=count)


def finished(answer: str = "") -> Done:
    """The end of every solution."""
    return Done(answer)
