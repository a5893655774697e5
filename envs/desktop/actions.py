"""What an agent can do at a desktop: one typed set of actions for every world of this room.

Coordinates are pixels of the picture that the agent sees, from its top left corner. An action is given as one of these
dataclasses, as a string such as ``click(120, 45)`` that is read and never run, or as a tool call.

>>> read_action('click(120, 45, button="right")')
Click(x=120, y=45, button='right', count=1, held='')
>>> read_action({"name": "key", "arguments": {"keys": "ctrl+s"}})
Key(keys='ctrl+s')
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from selfgym.envs.calls import read_call
from selfgym.envs.tools import ActionError, Tool, ToolSet

Button = Literal["left", "middle", "right"]


@dataclass(frozen=True, slots=True)
class Move:
    """Move the pointer."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Click:
    """Press and release a button of the mouse, ``count`` times, while keys such as ``ctrl+shift`` are held."""

    x: int
    y: int
    button: Button = "left"
    count: int = 1
    held: str = ""


@dataclass(frozen=True, slots=True)
class Drag:
    """Press the left button at a point and release it at another."""

    x: int
    y: int
    to_x: int
    to_y: int


@dataclass(frozen=True, slots=True)
class Scroll:
    """Turn the wheel at a point by so many notches, down and to the right where positive."""

    x: int
    y: int
    down: int
    right: int = 0


@dataclass(frozen=True, slots=True)
class Type:
    """Type a text where the focus is."""

    text: str


@dataclass(frozen=True, slots=True)
class Key:
    """Press keys together, as in ``ctrl+s``."""

    keys: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass."""

    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Done:
    """End the episode: the task is done, or with ``feasible=False`` cannot be; ``answer`` is for the user."""

    answer: str = ""
    feasible: bool = True


Action = Move | Click | Drag | Scroll | Type | Key | Wait | Done
ACTIONS: dict[str, type[Action]] = {kind.__name__: kind for kind in (Move, Click, Drag, Scroll, Type, Key, Wait, Done)}
"""Every kind of action by its name."""

Pixel = Annotated[int, Field(ge=-100_000, le=100_000)]
"""A coordinate as a call may give it."""
_Notches = Annotated[int, Field(ge=-100, le=100)]


class _At(BaseModel):
    x: Pixel
    y: Pixel


class _Click(_At):
    button: Button = "left"
    held: str = ""


class _Drag(_At):
    to_x: Pixel
    to_y: Pixel


class _Scroll(_At):
    down: _Notches
    right: _Notches = 0


class _Type(BaseModel):
    text: str


class _Key(BaseModel):
    keys: str


class _Wait(BaseModel):
    seconds: Annotated[float, Field(ge=0, le=60)] = 1.0


class _Done(BaseModel):
    answer: str = ""
    feasible: bool = True


DESKTOP_TOOLS = ToolSet(
    [
        Tool("move", "Move the pointer to a point of the picture.", _At),
        Tool("click", "Click at a point of the picture.", _Click),
        Tool("double_click", "Double-click at a point of the picture.", _At),
        Tool("triple_click", "Click three times at a point of the picture.", _At),
        Tool("drag", "Drag with the left button from one point to another.", _Drag),
        Tool("scroll", "Turn the wheel at a point by notches, down and right where positive.", _Scroll),
        Tool("type", "Type a text where the focus is.", _Type),
        Tool("key", "Press keys together, such as Return, ctrl+s or shift+Tab.", _Key),
        Tool("wait", "Let time pass.", _Wait),
        Tool("done", "End the episode: the task is done, or cannot be done (feasible=False).", _Done),
    ]
)
"""Every action."""
_MADE: dict[str, Callable[..., Action]] = {
    "move": Move,
    "click": lambda x, y, button, held: Click(x, y, button, 1, held),
    "double_click": lambda x, y: Click(x, y, count=2),
    "triple_click": lambda x, y: Click(x, y, count=3),
    "drag": Drag,
    "scroll": Scroll,
    "type": Type,
    "key": Key,
    "wait": Wait,
    "done": Done,
}
_COUNTED = {1: "click", 2: "double_click", 3: "triple_click"}
_NAMED = {
    Move: "move", Click: "click", Drag: "drag", Scroll: "scroll", Type: "type", Key: "key", Wait: "wait", Done: "done",
}  # fmt: skip
_NAMES = {
    "enter": "Return", "return": "Return", "esc": "Escape", "escape": "Escape", "del": "Delete", "delete": "Delete",
    "backspace": "BackSpace", "tab": "Tab", "space": "space", "up": "Up", "down": "Down", "left": "Left",
    "right": "Right", "home": "Home", "end": "End", "pageup": "Page_Up", "page_up": "Page_Up", "pgup": "Page_Up",
    "pagedown": "Page_Down", "page_down": "Page_Down", "pgdn": "Page_Down", "insert": "Insert",
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
}  # fmt: skip
_MODIFIERS = {
    "ctrl": "ctrl", "control": "ctrl", "shift": "shift", "alt": "alt",
    "super": "super", "meta": "super", "win": "super", "cmd": "super",
}  # fmt: skip


def read_action(action: Any) -> Action:
    """The action meant. Raises `ActionError`, whatever is wrong with it.

    An `ActionError` in the place of an action is raised: what somebody around the world has refused is refused.
    """
    if isinstance(action, ActionError):
        raise action
    if isinstance(action, Action):
        return action
    call = read_call(action, DESKTOP_TOOLS, example='click(120, 45) or type("text")')
    return _MADE[call.name](**call.arguments)


def written(action: Action) -> str:
    """The call that `read_action` reads as ``action``.

    >>> written(Click(120, 45, count=2)), written(Type("a line\\n")), written(Done("42"))
    ('double_click(120, 45)', "type('a line\\\\n')", "done(answer='42')")

    Raises `ValueError` for a click that no call makes: several with another button or with keys held.
    """
    name, arguments = _NAMED[type(action)], asdict(action)
    if isinstance(action, Click):
        name = _COUNTED.get(arguments.pop("count"), "")
        if not name or (name != "click" and (action.button, action.held) != ("left", "")):
            raise ValueError(f"there is no call for {action}")
    known = next(tool for tool in DESKTOP_TOOLS if tool.name == name).parameters.model_fields
    parts = [
        repr(value) if field.is_required() else f"{key}={value!r}"
        for key, value in arguments.items()
        if (field := known.get(key)) is not None and value != field.default
    ]
    return f"{name}({', '.join(parts)})"


def read_held(held: str) -> frozenset[str]:
    """The modifiers of a combination without a key. Raises `ActionError` where one is none."""
    if not held:
        return frozenset()
    names = [name for name in held.replace(" ", "+").lower().split("+") if name]
    if wrong := next((name for name in names if name not in _MODIFIERS), None):
        raise ActionError(f"{wrong[:60]!a} cannot be held: choose among ctrl, shift, alt and super.")
    return frozenset(_MODIFIERS[name] for name in names)


def read_keys(keys: str) -> tuple[frozenset[str], str]:
    """Modifiers and the key of a combination: X's name of it, or the character.

    >>> held, key = read_keys("Control+Shift+pgup")
    >>> sorted(held), key
    (['ctrl', 'shift'], 'Page_Up')

    Raises `ActionError` where there is no such key.
    """
    *held, key = keys.split("+") if keys != "+" and not keys.endswith("++") else [*keys[:-1].split("+")[:-1], "+"]
    modifiers = [_MODIFIERS.get(name.strip().lower(), "") for name in held]
    named = _NAMES.get(key.strip().lower()) if len(key.strip()) > 1 else key if key == " " else key.strip()
    if not named or not all(modifiers):
        known = ", ".join(sorted({*_NAMES.values()}))
        raise ActionError(
            f"{keys[:60]!a} is no key: write one character or one of {known}, after ctrl+, shift+, alt+ or super+."
        )
    return frozenset(modifiers), named
