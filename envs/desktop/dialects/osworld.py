"""OSWorld's two sets of actions: scripts for pyautogui, and the dictionaries of ``computer_13``.

A script is read as syntax and never run: calls of pyautogui with literal arguments, and ``time.sleep``. Source: OSWorld
(arXiv 2404.07972), ``desktop_env/actions.py``; pyautogui's own documentation of the functions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from selfgym.envs.desktop.actions import Action, Click, Done, Drag, Key, Move, Scroll, Type, Wait
from selfgym.envs.desktop.dialects.foreign import Point, number, words
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError

_WORDS: dict[str, list[Action]] = {"WAIT": [Wait(1.0)], "DONE": [Done()], "FAIL": [Done(feasible=False)]}


def from_pyautogui(script: str, pointer: Point = (0, 0)) -> list[Action]:
    """The actions of a script, or of the words WAIT, DONE and FAIL. Raises `ActionError` for anything else.

    >>> from_pyautogui("import pyautogui; pyautogui.moveTo(5, 6); pyautogui.dragTo(7, 8)")
    [Move(x=5, y=6), Drag(x=5, y=6, to_x=7, to_y=8)]
    """
    if script.strip() in _WORDS:
        return list(_WORDS[script.strip()])
    if len(script) > MAX_ACTION_CHARACTERS:
        raise ActionError(f"the script has {len(script)} characters; the limit is {MAX_ACTION_CHARACTERS}.")
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ActionError("the script is not Python.") from None
    hand = _Hand(pointer)
    for line in tree.body:
        if isinstance(line, ast.Import) and all(name.name in ("pyautogui", "time") for name in line.names):
            continue
        if not isinstance(line, ast.Expr) or not isinstance(line.value, ast.Call):
            raise ActionError(f"line {line.lineno} is no call of pyautogui, and nothing else is read.")
        hand.call(line.value)
    if not hand.done:
        raise ActionError("the script does nothing: write a call such as pyautogui.click(10, 20).")
    return hand.done


class _Hand:
    """Where the pointer is and what is held while a script is read."""

    def __init__(self, pointer: Point) -> None:
        self.x, self.y = pointer
        self.held: list[str] = []
        self.done: list[Action] = []

    def call(self, call: ast.Call) -> None:
        """One call of a function with literal arguments."""
        function = call.func
        if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
            raise ActionError("only calls such as pyautogui.click(10, 20) are read.")
        if any(word.arg is None for word in call.keywords):
            raise ActionError("** is not read.")
        try:
            given = [ast.literal_eval(one) for one in call.args]
            named = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise ActionError(f"the arguments of {function.attr} are no literals, and nothing is worked out.") from None
        name = f"{function.value.id}.{function.attr}"
        if name not in _CALLS:
            raise ActionError(f"{name[:60]!a} is not read: there are {', '.join(sorted(_CALLS))}.")
        names, do = _CALLS[name]
        if len(given) > len(names):
            raise ActionError(f"{name} takes {len(names)} arguments at most.")
        do(self, dict(zip(names, given, strict=False)) | named)

    def to(self, data: Mapping[str, Any]) -> None:
        """Go to the point that the arguments name, if they do."""
        here = {"x": self.x, "y": self.y} | {key: data[key] for key in ("x", "y") if data.get(key) is not None}
        self.x, self.y = round(number(here, "x")), round(number(here, "y"))

    def click(self, data: Mapping[str, Any], button: str = "left", count: int = 1) -> None:
        """Click there."""
        self.to(data)
        button = words(data, "button", button)
        if button not in ("left", "middle", "right"):
            raise ActionError(f"there is no button {button[:40]!a}.")
        times = round(number(data, "clicks", count))
        self.done.append(Click(self.x, self.y, button, times, "+".join(self.held)))  # type: ignore[arg-type]

    def move(self, data: Mapping[str, Any]) -> None:
        """Move there."""
        self.to(data)
        self.done.append(Move(self.x, self.y))

    def drag(self, data: Mapping[str, Any]) -> None:
        """Drag from where the pointer is."""
        begin = (self.x, self.y)
        self.to(data)
        self.done.append(Drag(*begin, self.x, self.y))

    def scroll(self, data: Mapping[str, Any]) -> None:
        """Pyautogui counts up."""
        self.to(data)
        self.done.append(Scroll(self.x, self.y, -round(number(data, "clicks"))))

    def scroll_across(self, data: Mapping[str, Any]) -> None:
        """To the right where positive."""
        self.to(data)
        self.done.append(Scroll(self.x, self.y, 0, round(number(data, "clicks"))))

    def write(self, data: Mapping[str, Any]) -> None:
        """A text, or a list of keys."""
        message = data.get("message")
        if isinstance(message, list):
            self.press({"keys": message})
        else:
            self.done.append(Type(words(data, "message")))

    def press(self, data: Mapping[str, Any]) -> None:
        """Keys one after another."""
        keys = data.get("keys")
        for key in keys if isinstance(keys, list) else [keys]:
            combination = "+".join([*self.held, words({"keys": key}, "keys")])
            self.done += [Key(combination)] * max(0, min(round(number(data, "presses", 1)), 100))

    def hotkey(self, data: Mapping[str, Any]) -> None:
        """Keys together."""
        keys = [words(data, name) for name in _KEYS if name in data]
        self.done.append(Key("+".join([*self.held, *keys])))

    def down(self, data: Mapping[str, Any]) -> None:
        """Hold a key."""
        self.held.append(words(data, "key"))

    def up(self, data: Mapping[str, Any]) -> None:
        """Let it go."""
        key = words(data, "key")
        self.held = [one for one in self.held if one != key]

    def sleep(self, data: Mapping[str, Any]) -> None:
        """Wait."""
        self.done.append(Wait(min(max(number(data, "seconds"), 0.0), 60.0)))


_KEYS = tuple(f"key_{place}" for place in range(6))
_CALLS: dict[str, tuple[tuple[str, ...], Callable[[_Hand, Mapping[str, Any]], None]]] = {
    "pyautogui.click": (("x", "y", "clicks", "interval", "button"), _Hand.click),
    "pyautogui.leftClick": (("x", "y"), _Hand.click),
    "pyautogui.rightClick": (("x", "y"), lambda hand, data: hand.click(data, "right")),
    "pyautogui.middleClick": (("x", "y"), lambda hand, data: hand.click(data, "middle")),
    "pyautogui.doubleClick": (("x", "y", "interval", "button"), lambda hand, data: hand.click(data, count=2)),
    "pyautogui.tripleClick": (("x", "y", "interval", "button"), lambda hand, data: hand.click(data, count=3)),
    "pyautogui.moveTo": (("x", "y", "duration"), _Hand.move),
    "pyautogui.dragTo": (("x", "y", "duration", "button"), _Hand.drag),
    "pyautogui.scroll": (("clicks", "x", "y"), _Hand.scroll),
    "pyautogui.vscroll": (("clicks", "x", "y"), _Hand.scroll),
    "pyautogui.hscroll": (("clicks", "x", "y"), _Hand.scroll_across),
    "pyautogui.write": (("message", "interval"), _Hand.write),
    "pyautogui.typewrite": (("message", "interval"), _Hand.write),
    "pyautogui.press": (("keys", "presses", "interval"), _Hand.press),
    "pyautogui.hotkey": (_KEYS, _Hand.hotkey),
    "pyautogui.keyDown": (("key",), _Hand.down),
    "pyautogui.keyUp": (("key",), _Hand.up),
    "pyautogui.sleep": (("seconds",), _Hand.sleep),
    "time.sleep": (("seconds",), _Hand.sleep),
}


def from_computer_13(action: Mapping[str, Any] | str, pointer: Point = (0, 0)) -> list[Action]:
    """A dictionary with ``action_type`` and ``parameters``, or one of the words.

    >>> from_computer_13({"action_type": "CLICK", "parameters": {"x": 3, "y": 4, "button": "right"}})
    [Click(x=3, y=4, button='right', count=1, held='')]
    """
    if isinstance(action, str):
        action = {"action_type": action}
    name, data = words(action, "action_type"), action.get("parameters") or action
    if name in _WORDS:
        return list(_WORDS[name])
    hand = _Hand(pointer)
    if name in ("CLICK", "RIGHT_CLICK", "DOUBLE_CLICK"):
        more = {"clicks": data["num_clicks"]} if "num_clicks" in data else {}
        hand.click({**data, **more}, "right" if name == "RIGHT_CLICK" else "left", 2 if name == "DOUBLE_CLICK" else 1)
    elif name == "MOVE_TO":
        hand.move(data)
    elif name == "DRAG_TO":
        hand.drag(data)
    elif name == "SCROLL":
        hand.done = [Scroll(*pointer, -round(number(data, "dy", 0)), round(number(data, "dx", 0)))]
    elif name == "TYPING":
        hand.write({"message": data.get("text")})
    elif name == "PRESS":
        hand.press({"keys": data.get("key")})
    elif name == "HOTKEY" and isinstance(data.get("keys"), list):
        hand.done = [Key("+".join(words({"key": key}, "key") for key in data["keys"]))]
    else:
        raise ActionError(f"there is no action {name[:40]!a} here.")
    return hand.done
