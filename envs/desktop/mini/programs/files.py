"""A file manager."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.frames import room_of
from selfgym.envs.desktop.mini.program import Entry, Menu, Press, Program
from selfgym.envs.desktop.mini.programs.dialogs import ROW, Ask, first_row
from selfgym.envs.desktop.mini.programs.editor import Editor
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.mini.world import HOME, World
from selfgym.envs.desktop.mini.writing import Writing


@dataclass(slots=True)
class Files(Program):
    """A folder, what is selected in it, and what was cut or copied."""

    folder: str = f"{HOME}/"
    selected: str = ""
    taken: str = ""
    """The path that was cut or copied."""
    moving: bool = False
    top: int = 0
    kind: Literal["files"] = "files"

    name = "Files"
    size = (460, 340)
    menus = (
        Menu(
            "File",
            (
                Entry("open", "Open"), Entry("folder", "New folder...", "ctrl+shift+n"),
                Entry("rename", "Rename...", "F2"), Entry("delete", "Delete", "Delete"),
            ),
        ),
        Menu(
            "Edit",
            (Entry("cut", "Cut", "ctrl+x"), Entry("copy", "Copy", "ctrl+c"), Entry("paste", "Paste", "ctrl+v")),
        ),
    )  # fmt: skip

    @property
    def title(self) -> str:
        """The folder."""
        return f"{self.folder} - Files"

    def view(self, room: Box, world: World) -> list[Widget]:
        """The folder and what is in it."""
        widgets = [
            Widget("up", "push button", Box(room.x, room.y, 50, ROW), "Up"),
            Widget("path", "label", Box(room.x + 60, room.y, room.width - 60, ROW), self.folder),
        ]
        rows, names = _rows_in(room), world.listing(self.folder)
        top = first_row(self.top, rows, names)
        for row, name in enumerate(names[top : top + rows]):
            states = ("selected",) if name == self.selected else ()
            place = Box(room.x, room.y + 28 + ROW * row, room.width, ROW)
            widgets.append(Widget(f"file:{name}", "list item", place, name, "", states))
        told = f"{len(names)} items" + (f", {self.selected} is selected" if self.selected in names else "")
        widgets.append(Widget("told", "label", Box(room.x, room.y + room.height - ROW, room.width, ROW), told))
        return widgets

    def seen(self, world: World) -> Hashable:
        """The folder, what is selected, how far the list is scrolled, and files, which change by edits."""
        return self.folder, self.selected, self.top, world.edits

    def press(self, id: str, at: Press, world: World) -> None:
        """Select; twice opens."""
        if id == "up":
            if self.folder != "/":
                self._go(self.folder[:-1].rpartition("/")[0] + "/")
        elif id.startswith("file:"):
            self.selected = id.removeprefix("file:")
            if at.times >= 2:
                self.command("open", world)

    def _go(self, folder: str) -> None:
        self.folder, self.selected, self.top = folder, "", 0

    def scroll(self, id: str, down: int, world: World) -> None:
        """Through the list."""
        rows, names = self._rows(world), world.listing(self.folder)
        self.top = first_row(first_row(self.top, rows, names) + down, rows, names)

    def _rows(self, world: World) -> int:
        return _rows_in(room_of(world, world.window_of(self)))

    def key(self, key: str, held: frozenset[str], world: World) -> None:
        """Move the selection, open it, or go up."""
        names = world.listing(self.folder)
        if key == "Return":
            self.command("open", world)
        elif key == "BackSpace":
            self.press("up", Press(0, 0), world)
        elif key in ("Up", "Down") and names:
            at = names.index(self.selected) if self.selected in names else -1
            at = min(max(at + (1 if key == "Down" else -1), 0), len(names) - 1)
            self.selected = names[at]
            rows = self._rows(world)
            self.top = min(max(first_row(self.top, rows, names), at - rows + 1), at)

    def command(self, command: str, world: World) -> None:
        """An entry of a menu; most are for what is selected."""
        if command == "folder":
            world.ask(self, Ask("folder", "Name of the new folder:", ["Create", "Cancel"], Writing()))
        elif command == "paste":
            self._paste(world)
        elif self.selected not in world.listing(self.folder):
            return
        elif command == "open":
            if self.selected.endswith("/"):
                self._go(self.folder + self.selected)
            else:
                path = self.folder + self.selected
                world.open(Editor(path, Writing(world.files[path]), world.files[path]))
        elif command == "rename":
            name = self.selected.rstrip("/")
            text = Writing(name, len(name), 0)
            world.ask(self, Ask("rename", f"New name of {name}:", ["Rename", "Cancel"], text))
        elif command == "delete":
            world.ask(self, Ask("delete", f"Delete {self.selected}?", ["Delete", "Cancel"]))
        else:
            self.taken, self.moving = self.folder + self.selected, command == "cut"

    def answered(self, question: str, button: str, text: str, world: World) -> None:
        """Do what was asked about; a name that is empty, has a slash or is taken changes nothing."""
        name = text.strip()
        taken = {one.rstrip("/") for one in world.listing(self.folder)}
        if button == "Cancel" or (question in ("rename", "folder") and (not name or "/" in name or name in taken)):
            return
        if question == "folder":
            world.put(f"{self.folder}{name}/", "")
            self.selected = f"{name}/"
        elif question == "rename":
            slash = "/" if self.selected.endswith("/") else ""
            world.rename(self.folder + self.selected, self.folder + name + slash)
            self.selected = name + slash
        elif question == "delete":
            world.remove(self.folder + self.selected)
            self.selected = ""

    def _paste(self, world: World) -> None:
        path, folder = self.taken, self.taken.endswith("/")
        name = path.rstrip("/").rpartition("/")[2]
        into_itself = folder and self.folder.startswith(path)
        if into_itself or not (path in world.files or (folder and any(one.startswith(path) for one in world.files))):
            return
        taken = {one.rstrip("/") for one in world.listing(self.folder)}
        target = self.folder + name + ("/" if folder else "")
        if self.moving:
            if name not in taken:
                world.rename(path, target)
                self.taken = ""
            return
        while name in taken:
            name = f"copy of {name}"
        target = self.folder + name + ("/" if folder else "")
        inside = [one for one in world.files if one.startswith(path)] if folder else [path]
        for one in inside:
            world.put(target + one[len(path) :], world.files[one])


def _rows_in(room: Box) -> int:
    """How many names are shown in a window's room."""
    return max(1, (room.height - 54) // ROW)
