"""The computer-use tools of Anthropic, OpenAI and Google: one call in, our actions out.

Sources: Anthropic, "Computer use tool", versions 2024-10-22 and 2025-01-24; OpenAI, "Computer use", ``computer_call``;
Google, "Computer Use" of the Gemini API, whose points lie on a grid of 1000 by 1000.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfgym.envs.desktop.actions import Action, Click, Done, Drag, Key, Move, Scroll, Type, Wait
from selfgym.envs.desktop.dialects.foreign import Point, notches, number, point, scaled, words
from selfgym.envs.tools import ActionError

_CLICKS = {"left_click": ("left", 1), "right_click": ("right", 1), "middle_click": ("middle", 1)}
_CLICKS |= {"double_click": ("left", 2), "triple_click": ("left", 3)}
_GRID = 1000


def from_anthropic(call: Mapping[str, Any], pointer: Point = (0, 0)) -> list[Action]:
    """The input of a call of the tool ``computer``; ``pointer`` is where the mouse is.

    >>> from_anthropic({"action": "left_click", "coordinate": [10, 20], "text": "ctrl"})
    [Click(x=10, y=20, button='left', count=1, held='ctrl')]

    A screenshot and a zoom are waits of no time. Raises `ActionError` for what there is not, such as pressing a button
    without releasing it.
    """
    name = words(call, "action")
    at = point(call["coordinate"]) if "coordinate" in call else pointer
    if name in _CLICKS:
        button, count = _CLICKS[name]
        return [Click(*at, button, count, words(call, "text", ""))]  # type: ignore[arg-type]
    if name == "mouse_move":
        return [Move(*at)]
    if name == "left_click_drag":
        return [Drag(*(point(call["start_coordinate"]) if "start_coordinate" in call else pointer), *at)]
    if name == "scroll":
        amount = round(number(call, "scroll_amount", 3))
        return [Scroll(*at, *notches(words(call, "scroll_direction"), amount))]
    if name in ("key", "hold_key"):
        return [Key(_xdotool(part)) for part in words(call, "text").split()]
    if name == "type":
        return [Type(words(call, "text"))]
    if name == "wait":
        return [Wait(number(call, "duration"))]
    if name in ("screenshot", "zoom", "cursor_position"):
        return [Wait(0.0)]
    raise ActionError(f"there is no action {name[:40]!a} here: use left_click_drag, left_click, key, type or scroll.")


def _xdotool(keys: str) -> str:
    """A combination as xdotool writes it."""
    return keys.replace("KP_Enter", "Return").replace("Prior", "Page_Up").replace("Next", "Page_Down")


def from_openai(action: Mapping[str, Any], pointer: Point = (0, 0)) -> list[Action]:
    """The ``action`` of a ``computer_call``.

    >>> from_openai({"type": "keypress", "keys": ["CTRL", "S"]})
    [Key(keys='CTRL+s')]
    """
    name = words(action, "type")
    here = {"x": pointer[0], "y": pointer[1], **action}
    at = (round(number(here, "x")), round(number(here, "y")))
    if name in ("click", "double_click"):
        button = words(action, "button", "left").replace("wheel", "middle")
        if button not in ("left", "middle", "right"):
            raise ActionError(f"there is no button {button[:40]!a} here.")
        return [Click(*at, button, 1 if name == "click" else 2)]  # type: ignore[arg-type]
    if name == "move":
        return [Move(*at)]
    if name == "drag":
        path = [point((one.get("x"), one.get("y"))) for one in action.get("path", ()) if isinstance(one, Mapping)]
        if len(path) < 2:
            raise ActionError("a drag needs a path of two points or more.")
        return [Drag(*path[0], *path[-1])]
    if name == "scroll":
        return [Scroll(*at, *(round(number(action, f"scroll_{axis}", 0) / 100) for axis in "yx"))]
    if name == "keypress":
        keys = [str(key) for key in action.get("keys", ())]
        return [Key("+".join(key.lower() if len(key) == 1 else key for key in keys))]
    if name == "type":
        return [Type(words(action, "text"))]
    if name in ("wait", "screenshot"):
        return [Wait(2.0 if name == "wait" else 0.0)]
    raise ActionError(f"there is no action {name[:40]!a} here.")


def from_google(name: str, arguments: Mapping[str, Any], width: int, height: int) -> list[Action]:
    """A function call of Gemini's Computer Use on a screen of so many pixels.

    >>> from_google("click_at", {"x": 500, "y": 250}, 1280, 720)
    [Click(x=640, y=180, button='left', count=1, held='')]
    """
    across, down = width / _GRID, height / _GRID
    return [scaled(action, across, down) for action in _google(name, arguments)]


def _google(name: str, data: Mapping[str, Any]) -> list[Action]:
    if name == "wait_5_seconds":
        return [Wait(5.0)]
    if name == "key_combination":
        return [Key(words(data, "keys"))]
    middle = {"x": _GRID / 2, "y": _GRID / 2, **data}
    at = (round(number(middle, "x")), round(number(middle, "y")))
    if name == "click_at":
        return [Click(*at)]
    if name == "hover_at":
        return [Move(*at)]
    if name == "drag_and_drop":
        return [Drag(*at, round(number(data, "destination_x")), round(number(data, "destination_y")))]
    if name in ("scroll_at", "scroll_document"):
        amount = max(1, round(number(data, "magnitude", 800) / 100))
        return [Scroll(*at, *notches(words(data, "direction"), amount))]
    if name == "type_text_at":
        clear = [Key("ctrl+a"), Key("Delete")] if data.get("clear_before_typing", True) else []
        enter = [Key("Return")] if data.get("press_enter", True) else []
        return [Click(*at), *clear, Type(words(data, "text")), *enter]
    if name == "done":
        return [Done(words(data, "answer", ""))]
    raise ActionError(f"there is no function {name[:40]!a} at a desktop.")
