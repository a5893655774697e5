"""What a program of the small desktop is: a state of plain data, a view made from it, and answers to events.

A program knows its own state and the `World` (files, clipboard, settings, other windows) and nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.widget import Widget

if TYPE_CHECKING:
    from selfgym.envs.desktop.mini.world import World


class Entry(NamedTuple):
    """An entry of a menu: the command, what it is called, and its keys."""

    command: str
    label: str
    keys: str = ""


class Menu(NamedTuple):
    """A menu of a window's menu bar."""

    name: str
    entries: tuple[Entry, ...]


class Press(NamedTuple):
    """A click, in pixels from the widget's top left corner."""

    x: int
    y: int
    button: str = "left"
    times: int = 1
    held: frozenset[str] = frozenset()


@dataclass(slots=True)
class Program:
    """A program with nothing in it; every event may be ignored."""

    name: ClassVar[str] = "Program"
    menus: ClassVar[tuple[Menu, ...]] = ()
    size: ClassVar[tuple[int, int]] = (420, 300)

    @property
    def title(self) -> str:
        """What the title bar says."""
        return self.name

    def view(self, room: Box, world: World) -> list[Widget]:
        """The widgets, from back to front, in the pixels of the screen that are the window's."""
        raise NotImplementedError

    def seen(self, world: World) -> Hashable:
        """All that `view` depends on besides the room: where this is equal, so is the view."""
        raise NotImplementedError

    def press(self, id: str, at: Press, world: World) -> None:
        """A widget was clicked."""

    def drag(self, id: str, begin: tuple[int, int], end: tuple[int, int], world: World) -> None:
        """The pointer was drawn over a widget, from its first to its second point."""

    def key(self, key: str, held: frozenset[str], world: World) -> None:
        """A key was pressed."""

    def write(self, text: str, world: World) -> None:
        """A text was typed or pasted; one without line ends or tabs."""

    def scroll(self, id: str, down: int, world: World) -> None:
        """The wheel was turned over a widget."""

    def command(self, command: str, world: World) -> None:
        """An entry of a menu was chosen, or its keys pressed."""

    def options(self, id: str, world: World) -> Sequence[str]:
        """What a combo box offers."""
        return ()

    def choose(self, id: str, option: str, world: World) -> None:
        """An option of a combo box was chosen."""

    def answered(self, question: str, button: str, text: str, world: World) -> None:
        """A dialog that this program opened was answered."""

    def closing(self, world: World) -> bool:
        """Whether the window may close now."""
        return True
