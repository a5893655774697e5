"""The pointer and the keyboard of a private X server, moved through its test extension (XTEST 2.2).

Programs cannot tell these events from a person's. A character that is on no key is put on a spare one first.
"""

from __future__ import annotations

import time
from typing import Any

from Xlib import XK, X

from selfgym.envs.desktop.actions import Action, Click, Drag, Key, Move, Scroll, Type, read_held, read_keys
from selfgym.envs.desktop.real.display import Display
from selfgym.envs.tools import ActionError

DOUBLE_CLICK = 0.2
"""Seconds within which programs here take two clicks for one double click; see `applications`."""
_BUTTONS = {"left": 1, "middle": 2, "right": 3}
_HELD = {"ctrl": "Control_L", "shift": "Shift_L", "alt": "Alt_L", "super": "Super_L"}
_TYPED = {"\n": "Return", "\t": "Tab"}
_STEPS = 12  # of a drag: programs want to see the pointer move
_LEVELS = 2  # of a key that are used: as it is, and with shift
_LONGEST = 10_000  # characters typed at once
_PASSED_ON = 3.0
"""Seconds within which the window manager, which sees clicks first, is to pass one on."""


class Hand:
    """What moves pointer and keys of one `Display`."""

    def __init__(self, display: Display, size: tuple[int, int]) -> None:
        """``size``: width and height of the screen, which coordinates must lie in."""
        self._display, self._size = display, size
        self._connection: Any = display.connection
        self.repeat = 0.0
        """Seconds before a key may be pressed once more: some programs miss it while they still show the last time."""
        self._clicked = (0.0, -1, -1)
        self._pressed: dict[int, float] = {}
        self._keys: dict[int, tuple[int, int]] = {}
        self._spare: list[int] = []
        first, last = self._connection.display.info.min_keycode, self._connection.display.info.max_keycode
        mapping = self._connection.get_keyboard_mapping(first, last - first + 1)
        for code, symbols in enumerate(mapping, first):
            if not any(symbols):
                self._spare.append(code)
            for level in range(min(_LEVELS, len(symbols))):
                if symbols[level]:
                    self._keys.setdefault(symbols[level], (code, level))
        self._connection.change_keyboard_control(auto_repeat_mode=X.AutoRepeatModeOff)

    def do(self, action: Action) -> None:
        """Do what moves pointer or keys. Raises `ActionError`, then nothing was done, or `DisplayError`."""
        with self._display.alive():
            self._do(action)
            self._connection.flush()
        for _ in range(action.count if isinstance(action, Click) else 1):  # each click is held back until it is seen
            self._display.ask_manager()
            self._display.managed(time.monotonic() + _PASSED_ON)

    def _do(self, action: Action) -> None:
        match action:
            case Move(x, y):
                self._move(x, y)
            case Click():
                self._click(action)
            case Drag():
                self._drag(action)
            case Scroll():
                self._scroll(action)
            case Type(text):
                self._type(text)
            case Key(keys):
                self._press(keys)

    def _inside(self, x: int, y: int) -> None:
        width, height = self._size
        if not (0 <= x < width and 0 <= y < height):
            raise ActionError(f"({x}, {y}) is not on the screen, which has {width} x {height} pixels.")

    def _move(self, x: int, y: int) -> None:
        self._inside(x, y)
        self._connection.xtest_fake_input(X.MotionNotify, x=x, y=y)

    def _button(self, number: int, down: bool) -> None:
        self._connection.xtest_fake_input(X.ButtonPress if down else X.ButtonRelease, number)

    def _code(self, code: int, down: bool) -> None:
        self._connection.xtest_fake_input(X.KeyPress if down else X.KeyRelease, code)

    def _click(self, click: Click) -> None:
        held = [self._named(_HELD[name]) for name in sorted(read_held(click.held))]
        self._inside(click.x, click.y)
        when, *where = self._clicked
        if abs(click.x - where[0]) <= 8 and abs(click.y - where[1]) <= 8:  # two actions are no double click
            time.sleep(max(0.0, when + DOUBLE_CLICK * 1.2 - time.monotonic()))
        self._move(click.x, click.y)
        for code in held:
            self._code(code, True)
        for _ in range(click.count):
            self._button(_BUTTONS[click.button], True)
            self._button(_BUTTONS[click.button], False)
        for code in reversed(held):
            self._code(code, False)
        self._clicked = (time.monotonic(), click.x, click.y)

    def _drag(self, drag: Drag) -> None:
        self._inside(drag.to_x, drag.to_y)
        self._move(drag.x, drag.y)
        self._button(1, True)
        for step in range(1, _STEPS + 1):
            x = drag.x + (drag.to_x - drag.x) * step // _STEPS
            y = drag.y + (drag.to_y - drag.y) * step // _STEPS
            self._connection.xtest_fake_input(X.MotionNotify, x=x, y=y)
            self._connection.sync()
        self._button(1, False)

    def _scroll(self, scroll: Scroll) -> None:
        self._move(scroll.x, scroll.y)
        for count, forward, back in ((scroll.down, 5, 4), (scroll.right, 7, 6)):
            for _ in range(abs(count)):
                self._button(forward if count > 0 else back, True)
                self._button(forward if count > 0 else back, False)

    def _press(self, keys: str) -> None:
        modifiers, name = read_keys(keys)
        held = [self._named(_HELD[modifier]) for modifier in sorted(modifiers)]
        code, level = self._key(_symbol(name) if len(name) == 1 else XK.string_to_keysym(name))
        if level and "shift" not in modifiers:
            held.append(self._named("Shift_L"))
        for one in held:
            self._code(one, True)
        self._stroke(code)
        for one in reversed(held):
            self._code(one, False)

    def _type(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise ActionError(f"a text of {len(text)} characters is too long to type: {_LONGEST} at most.")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        strokes = [self._key(_symbol(character)) for character in text]
        shift = self._named("Shift_L")
        for code, level in strokes:
            if level:
                self._code(shift, True)
            self._stroke(code)
            if level:
                self._code(shift, False)

    def _stroke(self, code: int) -> None:
        if self.repeat:
            if (left := self._pressed.get(code, 0.0) + self.repeat - time.monotonic()) > 0:
                self._connection.sync()
                time.sleep(left)
            self._pressed[code] = time.monotonic()
        self._code(code, True)
        self._code(code, False)

    def _named(self, name: str) -> int:
        return self._key(XK.string_to_keysym(name))[0]

    def _key(self, symbol: int) -> tuple[int, int]:
        """The key and its level that give a symbol."""
        if symbol not in self._keys:
            if not self._spare:
                raise ActionError("there are no keys left for further characters in this episode.")
            code = self._spare.pop()
            self._connection.change_keyboard_mapping(code, [(symbol, symbol)])
            self._connection.sync()
            self._keys[symbol] = (code, 0)
        return self._keys[symbol]


def _symbol(character: str) -> int:
    """X's number of a character: the same up to U+00FF, above it with a flag."""
    if character in _TYPED:
        return int(XK.string_to_keysym(_TYPED[character]))
    if not character.isprintable():
        raise ActionError(f"{character!a} cannot be typed.")
    return ord(character) if ord(character) < 0x100 else 0x1000000 | ord(character)
