"""The desktop's settings: switches, choices and a level, kept in the world."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.program import Press, Program
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.mini.world import World

SWITCHES = {
    "wifi": "Wireless network",
    "bluetooth": "Bluetooth",
    "night": "Night light",
    "updates": "Automatic updates",
}
CHOICES = {
    "language": ("Language", ("English", "Deutsch", "Español", "Français", "Italiano")),
    "theme": ("Theme", ("Light", "Dark", "High contrast")),
    "sleep": ("Sleep after", ("5 minutes", "15 minutes", "30 minutes", "Never")),
}
LEVELS = {"volume": "Volume", "brightness": "Brightness"}
DEFAULTS = {
    "wifi": "on", "bluetooth": "off", "night": "off", "updates": "on", "language": "English", "theme": "Light",
    "sleep": "15 minutes", "volume": "50", "brightness": "80",
}  # fmt: skip
_ROW = 32


@dataclass(slots=True)
class Settings(Program):
    """Every setting takes effect at once."""

    kind: Literal["settings"] = "settings"

    name = "Settings"
    size = (380, 400)

    def view(self, room: Box, world: World) -> list[Widget]:
        """Switches, then choices, then levels."""
        found, y = world.settings.get, room.y
        widgets: list[Widget] = []
        for id in SWITCHES:
            widgets.append(_switch(id, room.x, y, found(id) == "on"))
            y += _ROW
        for id in CHOICES:
            widgets += _choice(id, room.x, y, found(id, ""))
            y += _ROW
        for id in LEVELS:
            widgets += _level(id, room.x, y, found(id, "0"))
            y += _ROW
        return widgets

    def seen(self, world: World) -> Hashable:
        """Settings, which change by edits."""
        return world.edits

    def press(self, id: str, at: Press, world: World) -> None:
        """Turn a switch, or set a level where it was clicked."""
        if id in SWITCHES:
            world.set(id, "off" if world.settings.get(id) == "on" else "on")
        elif id in LEVELS:
            self._set(id, at.x, world)

    def drag(self, id: str, begin: tuple[int, int], end: tuple[int, int], world: World) -> None:
        """Draw a level's handle."""
        if id in LEVELS:
            self._set(id, end[0], world)

    def scroll(self, id: str, down: int, world: World) -> None:
        """Five a notch."""
        if id in LEVELS:
            world.set(id, str(min(max(int(world.settings.get(id, "0")) - 5 * down, 0), 100)))

    @staticmethod
    def _set(id: str, x: int, world: World) -> None:
        world.set(id, str(min(max(round((x - 5) / 150 * 100), 0), 100)))

    def options(self, id: str, world: World) -> Sequence[str]:
        """What a choice is among."""
        return CHOICES[id][1] if id in CHOICES else ()

    def choose(self, id: str, option: str, world: World) -> None:
        """Take it."""
        world.set(id, option)


@lru_cache(maxsize=256)
def _switch(id: str, x: int, y: int, on: bool) -> Widget:
    return Widget(id, "check box", Box(x, y, 200, 24), SWITCHES[id], "", ("checked",) if on else ())


@lru_cache(maxsize=256)
def _choice(id: str, x: int, y: int, value: str) -> tuple[Widget, ...]:
    label = CHOICES[id][0]
    return (
        Widget(f"{id} label", "label", Box(x, y, 120, 24), label),
        Widget(id, "combo box", Box(x + 130, y, 160, 24), value, label),
    )


@lru_cache(maxsize=256)
def _level(id: str, x: int, y: int, value: str) -> tuple[Widget, ...]:
    return (
        Widget(f"{id} label", "label", Box(x, y, 120, 24), LEVELS[id]),
        Widget(id, "slider", Box(x + 130, y, 160, 24), LEVELS[id], value),
        Widget(f"{id} value", "label", Box(x + 300, y, 50, 24), value),
    )
