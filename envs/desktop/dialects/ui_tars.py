"""What UI-TARS models write: ``Thought: ...`` and ``Action: click(start_box='(x,y)')``.

Source: UI-TARS (arXiv 2501.12326) and its repository's prompts for computers. Points are those of the picture that the
model saw: give its ``size``; UI-TARS 1.0 counts on a grid of 1000 by 1000, which is the default.
"""

from __future__ import annotations

import ast
import re

from selfgym.envs.desktop.actions import Action, Click, Done, Drag, Key, Scroll, Type, Wait
from selfgym.envs.desktop.dialects.foreign import Point, notches, scaled, words
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError

_POINT = re.compile(r"-?\d+(?:\.\d+)?")
_CLICKS = {"click": ("left", 1), "left_single": ("left", 1), "left_double": ("left", 2), "right_single": ("right", 1)}
_NOTCHES = 5


def from_ui_tars(text: str, screen: Point, size: Point = (1000, 1000)) -> list[Action]:
    """The actions of an answer on a screen of so many pixels. Raises `ActionError`, whatever is wrong with it.

    >>> from_ui_tars("Thought: Save it.\\nAction: hotkey(key='ctrl s')", (1280, 720))
    [Key(keys='ctrl+s')]
    >>> from_ui_tars("Action: click(start_box='<|box_start|>(500,250)<|box_end|>')", (1280, 720))
    [Click(x=640, y=180, button='left', count=1, held='')]
    """
    across, down = screen[0] / size[0], screen[1] / size[1]
    found = text.rpartition("Action:")[2].strip()
    if len(found) > MAX_ACTION_CHARACTERS:
        raise ActionError(f"the action has {len(found)} characters; the limit is {MAX_ACTION_CHARACTERS}.")
    return [scaled(action, across, down) for call in found.split("\n\n") for action in _one(call.strip())]


def _one(text: str) -> list[Action]:
    try:
        call = ast.parse(text.replace("\n", "\\n"), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise ValueError("no call")
        name, data = call.func.id, {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise ActionError(f"{text[:60]!a} is not one action such as click(start_box='(10,20)').") from None
    if name in _CLICKS:
        button, count = _CLICKS[name]
        return [Click(*_middle(words(data, "start_box")), button, count)]  # type: ignore[arg-type]
    if name == "drag":
        return [Drag(*_middle(words(data, "start_box")), *_middle(words(data, "end_box")))]
    if name == "hotkey":
        return [Key("+".join(words(data, "key").replace("+", " ").split()))]
    if name == "type":
        return [Type(words(data, "content"))]
    if name == "scroll":
        return [Scroll(*_middle(words(data, "start_box")), *notches(words(data, "direction"), _NOTCHES))]
    if name == "wait":
        return [Wait(5.0)]
    if name in ("finished", "call_user"):
        return [Done(words(data, "content", ""), feasible=name == "finished")]
    raise ActionError(f"there is no action {name[:40]!a}.")


def _middle(box: str) -> Point:
    """A point, or the middle of a box of four numbers."""
    numbers = [float(one) for one in _POINT.findall(box)]
    if len(numbers) not in (2, 4):
        raise ActionError(f"{box[:60]!a} is neither a point nor a box.")
    return round((numbers[0] + numbers[-2]) / 2), round((numbers[1] + numbers[-1]) / 2)
