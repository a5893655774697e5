"""A pocket calculator: what is typed is worked out at the equals sign, from left to right."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.program import Press, Program
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.mini.world import World

_KEYS = ("7", "8", "9", "/", "4", "5", "6", "*", "1", "2", "3", "-", "0", ".", "=", "+", "C", "<", "M", "R")
_MOST_DIGITS = 12


@dataclass(slots=True)
class Calculator(Program):
    """A number that is being typed, the one before it, and what is to be done with both."""

    shown: str = "0"
    held: float = 0.0
    operation: str = ""
    fresh: bool = True
    """Whether the next digit begins a number."""
    memory: str = "0"
    kind: Literal["calculator"] = "calculator"

    name = "Calculator"
    size = (230, 300)

    def view(self, room: Box, world: World) -> list[Widget]:
        """The display above the keys."""
        display = Widget("display", "text", Box(room.x, room.y, room.width, 30), "Display", self.shown)
        return [display, *_keys(room)]

    def seen(self, world: World) -> Hashable:
        """The display."""
        return self.shown

    def press(self, id: str, at: Press, world: World) -> None:
        """A key of the calculator."""
        if id.startswith("key:"):
            self._press(id.removeprefix("key:"))

    def key(self, key: str, held: frozenset[str], world: World) -> None:
        """A key of the keyboard."""
        if held == frozenset({"ctrl"}) and key == "c":
            world.clipboard = self.shown
        else:
            self._press({"Return": "=", "BackSpace": "<", "Escape": "C"}.get(key, key))

    def write(self, text: str, world: World) -> None:
        """Digits and signs."""
        for character in text:
            self._press(character)

    def _press(self, key: str) -> None:
        if key.isdigit() and key.isascii():
            self.shown = key if self.fresh or self.shown == "0" else (self.shown + key)[:_MOST_DIGITS]
            self.fresh = False
        elif key == ".":
            self.shown = "0." if self.fresh else self.shown + ("" if "." in self.shown else ".")
            self.fresh = False
        elif key in ("+", "-", "*", "/", "="):
            self._work_out()
            self.operation, self.fresh = key.replace("=", ""), True
        elif key == "<":
            self.shown = "0" if self.fresh else self.shown[:-1] or "0"
        elif key in ("C", "c"):
            self.shown, self.held, self.operation, self.fresh = "0", 0.0, "", True
        elif key in ("M", "m"):
            self.memory = self.shown
        elif key in ("R", "r"):
            self.shown, self.fresh = self.memory, True

    def _work_out(self) -> None:
        number = float(self.shown) if self.shown != "Error" else 0.0
        if self.operation and not self.fresh:
            if self.operation == "/" and number == 0:
                self.shown, self.held, self.operation = "Error", 0.0, ""
                return
            number = {
                "+": self.held + number, "-": self.held - number, "*": self.held * number,
                "/": self.held / number if number else 0.0,
            }[self.operation]  # fmt: skip
        self.held = number
        self.shown = f"{number:.10g}"


@lru_cache(maxsize=64)
def _keys(room: Box) -> tuple[Widget, ...]:
    """The buttons."""
    width, height = room.width // 4, (room.height - 36) // 5
    keys = []
    for place, key in enumerate(_KEYS):
        box = Box(room.x + width * (place % 4), room.y + 36 + height * (place // 4), width - 4, height - 4)
        keys.append(Widget(f"key:{key}", "push button", box, key))
    return tuple(keys)
