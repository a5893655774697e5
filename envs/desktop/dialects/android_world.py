"""AndroidWorld's actions as JSON, which name a point or the number of an element.

Source: AndroidWorld (arXiv 2405.14573), ``env/json_action.py``. A long press is the right button here, which opens what
a long press opens there; what only a telephone has is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selfgym.envs.desktop.actions import Action, Click, Done, Key, Scroll, Type, Wait
from selfgym.envs.desktop.dialects.foreign import Point, notches, number, words
from selfgym.envs.desktop.node import Node
from selfgym.envs.tools import ActionError

_OPPOSITE = {"up": "down", "down": "up", "left": "right", "right": "left"}
_NOTCHES = 5
_CLICKS = {"click": ("left", 1), "double_tap": ("left", 2), "long_press": ("right", 1)}
_PLAIN: dict[str, Action] = {"keyboard_enter": Key("Return"), "navigate_back": Key("Escape"), "wait": Wait()}


def from_android_world(action: Mapping[str, Any], nodes: Sequence[Node]) -> list[Action]:
    """The actions meant; ``nodes`` are the elements that were shown, in their order.

    >>> from_android_world({"action_type": "click", "index": 0}, [Node("push button", "Save", (10, 20, 60, 24))])
    [Click(x=40, y=32, button='left', count=1, held='')]

    Raises `ActionError` where there is no such action or element.
    """
    name = words(action, "action_type")
    if name in _CLICKS:
        button, count = _CLICKS[name]
        return [Click(*_at(action, nodes), button, count)]  # type: ignore[arg-type]
    if name == "input_text":
        first = [Click(*_at(action, nodes))] if {"x", "index"} & action.keys() else []
        return [*first, Type(words(action, "text")), Key("Return")]
    if name in ("scroll", "swipe"):
        where = _at(action, nodes) if {"x", "index"} & action.keys() else _centre(nodes)
        direction = words(action, "direction")
        direction = _OPPOSITE.get(direction, direction) if name == "swipe" else direction
        return [Scroll(*where, *notches(direction, _NOTCHES))]
    if name == "open_app":
        wanted = words(action, "app_name").lower()
        node = next((node for node in reversed(nodes) if node.name.lower() == wanted), None)
        if node is None:
            raise ActionError(f"no element is called {wanted[:40]!a}.")
        return [Click(*_middle(node))]
    if name == "status":
        return [Done(feasible=words(action, "goal_status") != "infeasible")]
    if name in _PLAIN:
        return [_PLAIN[name]]
    if name == "answer":
        return [Done(words(action, "text"))]
    raise ActionError(f"there is no action {name[:40]!a} at a desktop.")


def _at(action: Mapping[str, Any], nodes: Sequence[Node]) -> Point:
    if "index" not in action:
        return round(number(action, "x")), round(number(action, "y"))
    index = number(action, "index")
    if index != int(index) or not 0 <= index < len(nodes):
        raise ActionError(f"there is no element {index}: they are numbered from 0 to {len(nodes) - 1}.")
    return _middle(nodes[int(index)])


def _middle(node: Node) -> Point:
    x, y, width, height = node.box
    return x + width // 2, y + height // 2


def _centre(nodes: Sequence[Node]) -> Point:
    return _middle(nodes[0]) if nodes else (0, 0)
