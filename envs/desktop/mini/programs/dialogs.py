"""Dialogs: a question with buttons, and the choice of a file."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from selfgym.envs.desktop.mini.canvas import Box, width_of
from selfgym.envs.desktop.mini.frames import room_of
from selfgym.envs.desktop.mini.program import Press, Program
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.mini.world import HOME, World
from selfgym.envs.desktop.mini.writing import Writing

ROW = 22


@dataclass(slots=True)
class Ask(Program):
    """A sentence, a field if ``text`` is given, and buttons; Return presses the first, Escape the last."""

    question: str
    """What the answer is told with."""
    sentence: str
    buttons: list[str]
    text: Writing | None = None
    kind: Literal["ask"] = "ask"

    name = "Question"
    size = (360, 150)

    def view(self, room: Box, world: World) -> list[Widget]:
        """The sentence above the field above the buttons."""
        widgets = [Widget("sentence", "label", Box(room.x, room.y, room.width, ROW), self.sentence)]
        if self.text is not None:
            place = Box(room.x, room.y + 28, room.width, 26)
            widgets.append(self.text.widget("text", "entry", place, "Text", focused=True))
        widgets += buttons(self.buttons, room)
        return widgets

    def seen(self, world: World) -> Hashable:
        """The text."""
        return self.text and self.text.seen

    def press(self, id: str, at: Press, world: World) -> None:
        """A button answers."""
        if id == "text" and self.text is not None:
            self.text.click(at.x, at.y, count=at.times)
        elif id.startswith("button:"):
            self._answer(id.removeprefix("button:"), world)

    def key(self, key: str, held: frozenset[str], world: World) -> None:
        """Keys of the field, Return and Escape."""
        if key == "Return":
            self._answer(self.buttons[0], world)
        elif key == "Escape":
            self._answer(self.buttons[-1], world)
        elif self.text is not None:
            write_key(self.text, key, held, world, lines=False)

    def write(self, text: str, world: World) -> None:
        """Into the field."""
        if self.text is not None:
            self.text.put(text)

    def _answer(self, button: str, world: World) -> None:
        world.answer(self, self.question, button, self.text.text if self.text is not None else "")


@dataclass(slots=True)
class Choose(Program):
    """The choice of a file to open, or of a name to save under; answered with its path."""

    question: str
    """``open`` or ``save``."""
    folder: str = f"{HOME}/"
    text: Writing = field(default_factory=Writing)
    top: int = 0
    kind: Literal["choose"] = "choose"

    size = (440, 320)

    @property
    def title(self) -> str:
        """What it is for."""
        return "Open a file" if self.question == "open" else "Save as"

    def view(self, room: Box, world: World) -> list[Widget]:
        """The folder, what is in it, the name, the buttons."""
        widgets = [Widget("folder", "label", Box(room.x, room.y, room.width - 60, ROW), self.folder)]
        widgets.append(Widget("up", "push button", Box(room.x + room.width - 50, room.y, 50, ROW), "Up"))
        rows, names = self._rows(room), world.listing(self.folder)
        top = first_row(self.top, rows, names)
        for row, name in enumerate(names[top : top + rows]):
            states = ("selected",) if name == self.text.text else ()
            place = Box(room.x, room.y + 26 + ROW * row, room.width, ROW)
            widgets.append(Widget(f"file:{name}", "list item", place, name, "", states))
        place = Box(room.x, room.y + room.height - 60, room.width, 26)
        widgets.append(self.text.widget("text", "entry", place, "Name", focused=True))
        return widgets + buttons([self._verb, "Cancel"], room)

    def seen(self, world: World) -> Hashable:
        """The folder, the name, how far the list is scrolled, and files, which change by edits."""
        return self.folder, self.text.seen, self.top, world.edits

    @staticmethod
    def _rows(room: Box) -> int:
        return (room.height - 90) // ROW

    @property
    def _verb(self) -> str:
        return "Open" if self.question == "open" else "Save"

    def press(self, id: str, at: Press, world: World) -> None:
        """A folder is entered, a file is taken over; twice is also the button."""
        kind, _, rest = id.partition(":")
        if kind == "file" and rest.endswith("/"):
            self.folder, self.top = self.folder + rest, 0
        elif kind == "file":
            self.text = Writing(rest, len(rest))
            if at.times >= 2:
                self._answer(self._verb, world)
        elif id == "up" and self.folder != "/":
            self.folder, self.top = self.folder[:-1].rpartition("/")[0] + "/", 0
        elif id == "text":
            self.text.click(at.x, at.y, count=at.times)
        elif kind == "button":
            self._answer(rest, world)

    def scroll(self, id: str, down: int, world: World) -> None:
        """Through the list."""
        rows, names = self._rows(room_of(world, world.window_of(self))), world.listing(self.folder)
        self.top = first_row(first_row(self.top, rows, names) + down, rows, names)

    def key(self, key: str, held: frozenset[str], world: World) -> None:
        """Keys of the field, Return and Escape."""
        if key in ("Return", "Escape"):
            self._answer(self._verb if key == "Return" else "Cancel", world)
        else:
            write_key(self.text, key, held, world, lines=False)

    def write(self, text: str, world: World) -> None:
        """Into the name."""
        self.text.put(text)

    def _answer(self, button: str, world: World) -> None:
        name = self.text.text.strip()
        path = name if name.startswith("/") else self.folder + name
        if button != "Cancel" and (not name or name.endswith("/")):
            return
        world.answer(self, self.question, button, path)


def first_row(top: int, rows: int, names: Sequence[str]) -> int:
    """Which of some names is shown first where ``rows`` have room, so that none stays empty while names are hidden."""
    return max(0, min(top, len(names) - rows))


def buttons(names: list[str], room: Box) -> list[Widget]:
    """Buttons in the lower right corner, the first one leftmost."""
    widgets: list[Widget] = []
    x = room.x + room.width
    for name in reversed(names):
        width = max(70, width_of(name) + 24)
        x -= width
        widgets.append(Widget(f"button:{name}", "push button", Box(x, room.y + room.height - 26, width, 26), name))
        x -= 8
    return widgets[::-1]


def write_key(text: Writing, key: str, held: frozenset[str], world: World, *, lines: bool) -> bool:
    """What a key does to a text that is being written, clipboard included; whether it meant something."""
    if "ctrl" in held:
        if key == "a":
            text.select_all()
        elif key in ("c", "x") and text.selected:
            world.clipboard = text.selected
            if key == "x":
                text.put("")
        elif key == "v":
            text.put(world.clipboard if lines else world.clipboard.replace("\n", " "))
        else:
            return False
        return True
    if "alt" in held or "super" in held:
        return False
    key = key.upper() if "shift" in held and len(key) == 1 else key
    return text.key(key, shift="shift" in held, lines=lines)
