"""An editor of plain text."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

from selfgym.envs.desktop.mini.canvas import LINE, Box
from selfgym.envs.desktop.mini.frames import room_of
from selfgym.envs.desktop.mini.program import Entry, Menu, Press, Program
from selfgym.envs.desktop.mini.programs.dialogs import Ask, Choose, write_key
from selfgym.envs.desktop.mini.widget import PAD, Widget
from selfgym.envs.desktop.mini.world import World
from selfgym.envs.desktop.mini.writing import Writing

_BAR = 14


@dataclass(slots=True)
class Editor(Program):
    """A text, the file it was read from or saved in, and what it was before each change."""

    path: str = ""
    text: Writing = field(default_factory=Writing)
    saved: str = ""
    past: list[str] = field(default_factory=list)
    find: str = ""
    kind: Literal["editor"] = "editor"

    name = "Editor"
    size = (520, 360)
    menus = (
        Menu(
            "File",
            (
                Entry("new", "New", "ctrl+n"), Entry("open", "Open...", "ctrl+o"), Entry("save", "Save", "ctrl+s"),
                Entry("save as", "Save as...", "ctrl+shift+s"), Entry("quit", "Quit", "ctrl+q"),
            ),
        ),
        Menu(
            "Edit",
            (
                Entry("undo", "Undo", "ctrl+z"), Entry("cut", "Cut", "ctrl+x"), Entry("copy", "Copy", "ctrl+c"),
                Entry("paste", "Paste", "ctrl+v"), Entry("all", "Select all", "ctrl+a"),
            ),
        ),
        Menu("Search", (Entry("replace", "Replace all...", "ctrl+h"),)),
    )  # fmt: skip

    @property
    def title(self) -> str:
        """The file's name, with a star where it is not saved."""
        name = self.path.rpartition("/")[2] or "Untitled"
        return f"{'*' if self.text.text != self.saved else ''}{name} - Editor"

    def view(self, room: Box, world: World) -> list[Widget]:
        """The text and its scroll bar."""
        area = Box(room.x, room.y, room.width - _BAR - 2, room.height)
        rows, whole = _rows_in(area), self.text.text.count("\n") + 1
        bar = Box(room.x + room.width - _BAR, room.y, _BAR, room.height)
        return [
            self.text.widget("text", "text", area, "Text", focused=True),
            Widget("bar", "scroll bar", bar, "Lines", f"{self.text.top}/{min(rows, whole)}/{whole}"),
        ]

    def seen(self, world: World) -> Hashable:
        """The text."""
        return self.text.seen

    def press(self, id: str, at: Press, world: World) -> None:
        """Set the caret, or a page up or down."""
        if id == "text":
            self.text.click(at.x, at.y, count=at.times, extend="shift" in at.held)
        elif id == "bar":
            rows = self._rows(world)
            self.text.scroll(rows // 3 if at.y > 100 else -rows // 3, rows)

    def drag(self, id: str, begin: tuple[int, int], end: tuple[int, int], world: World) -> None:
        """Select what the pointer was drawn over."""
        if id == "text":
            self.text.click(*begin, count=1)
            self.text.click(*end, count=1, extend=True)

    def scroll(self, id: str, down: int, world: World) -> None:
        """Through the text."""
        self.text.scroll(down, self._rows(world))

    def key(self, key: str, held: frozenset[str], world: World) -> None:
        """Write."""
        before = self.text.text
        if write_key(self.text, key, held, world, lines=True):
            self._keep(before)
            self.text.show_caret(self._rows(world))

    def write(self, text: str, world: World) -> None:
        """Write."""
        before = self.text.text
        self.text.put(text)
        self._keep(before)
        self.text.show_caret(self._rows(world))

    def _rows(self, world: World) -> int:
        return _rows_in(room_of(world, world.window_of(self)))

    def _keep(self, before: str) -> None:
        if before != self.text.text:
            self.past = [*self.past[-19:], before]

    def command(self, command: str, world: World) -> None:
        """An entry of a menu."""
        if command in ("open", "save as") or (command == "save" and not self.path):
            world.ask(self, Choose("open" if command == "open" else "save"))
        elif command == "save":
            self._save(world)
        elif command == "new":
            world.open(Editor())
        elif command == "quit":
            if self.closing(world):
                world.close(self)
        elif command == "undo":
            if self.past:
                self.text = Writing(self.past.pop())
        elif command == "replace":
            world.ask(self, Ask("find", "Replace what?", ["Next", "Cancel"], Writing()))
        else:
            before = self.text.text
            keys = {"cut": "x", "copy": "c", "paste": "v", "all": "a"}
            write_key(self.text, keys[command], frozenset({"ctrl"}), world, lines=True)
            self._keep(before)

    def answered(self, question: str, button: str, text: str, world: World) -> None:
        """A file was chosen, or a question answered."""
        if button == "Cancel":
            return
        if question == "open":
            if text in world.files:
                self.path, self.text, self.past = text, Writing(world.files[text]), []
                self.saved = self.text.text
            else:
                world.ask(self, Ask("missing", f"There is no file {text}", ["Close"]))
        elif question == "save":
            self.path = text
            self._save(world)
        elif question == "find" and text:
            self.find = text
            world.ask(self, Ask("replace", f"Replace {text[:20]!r} with what?", ["Replace all", "Cancel"], Writing()))
        elif question == "replace":
            self._keep_and_set(self.text.text.replace(self.find, text))
        elif question == "closing":
            if button == "Save" and not self.path:
                world.ask(self, Choose("save"))
                return
            if button == "Save":
                self._save(world)
            world.close(self)

    def _keep_and_set(self, text: str) -> None:
        before = self.text.text
        self.text = Writing(text)
        self._keep(before)

    def _save(self, world: World) -> None:
        self.saved = self.text.text
        world.put(self.path, self.saved)

    def closing(self, world: World) -> bool:
        """Ask first where something is not saved."""
        if self.text.text == self.saved:
            return True
        world.ask(self, Ask("closing", "Save the changes?", ["Save", "Discard", "Cancel"]))
        return False


def _rows_in(area: Box) -> int:
    """How many lines are shown in a box."""
    return max(1, (area.height - 2 * PAD) // LINE)
