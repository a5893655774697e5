"""The desktop's settings: switches, choices and a level, kept in the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
        widgets = []
        y = room.y
        for id, label in SWITCHES.items():
            states = ("checked",) if world.settings.get(id) == "on" else ()
            widgets.append(Widget(id, "check box", Box(room.x, y, 200, 24), label, "", states))
            y += _ROW
        for id, (label, _) in CHOICES.items():
            value = world.settings.get(id, "")
            widgets.append(Widget(f"{id} label", "label", Box(room.x, y, 120, 24), label))
            widgets.append(Widget(id, "combo box", Box(room.x + 130, y, 160, 24), value, label))
            y += _ROW
        for id, label in LEVELS.items():
            value = world.settings.get(id, "0")
            widgets.append(Widget(f"{id} label", "label", Box(room.x, y, 120, 24), label))
            widgets.append(Widget(id, "slider", Box(room.x + 130, y, 160, 24), label, value))
            widgets.append(Widget(f"{id} value", "label", Box(room.x + 300, y, 50, 24), value))
            y += _ROW
        return widgets

    def press(self, id: str, at: Press, world: World) -> None:
        """Turn a switch, or set a level where it was clicked."""
        if id in SWITCHES:
            world.set(id, "off" if world.settings.get(id) == "on" else "on")
        elif id in LEVELS:
            self._level(id, at.x, world)

    def drag(self, id: str, begin: tuple[int, int], end: tuple[int, int], world: World) -> None:
        """Draw a level's handle."""
        if id in LEVELS:
            self._level(id, end[0], world)

    def scroll(self, id: str, down: int, world: World) -> None:
        """Five a notch."""
        if id in LEVELS:
            world.set(id, str(min(max(int(world.settings.get(id, "0")) - 5 * down, 0), 100)))

    @staticmethod
    def _level(id: str, x: int, world: World) -> None:
        world.set(id, str(min(max(round((x - 5) / 150 * 100), 0), 100)))

    def options(self, id: str, world: World) -> Sequence[str]:
        """What a choice is among."""
        return CHOICES[id][1] if id in CHOICES else ()

    def choose(self, id: str, option: str, world: World) -> None:
        """Take it."""
        world.set(id, option)
