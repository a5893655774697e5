"""A sheet of cells with formulas, kept in files of comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.program import Entry, Menu, Press, Program
from selfgym.envs.desktop.mini.programs.dialogs import Ask, Choose, write_key
from selfgym.envs.desktop.mini.programs.formula import COLUMNS, ROWS, shown
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.mini.world import World
from selfgym.envs.desktop.mini.writing import Writing

_HEAD, _HIGH = 30, 24


def read_csv(text: str) -> dict[str, str]:
    """Cells by their names; what lies outside the sheet is left out."""
    return {
        f"{COLUMNS[column]}{row}": value
        for row, values in enumerate(csv.reader(io.StringIO(text)), 1)
        for column, value in enumerate(values)
        if value and column < len(COLUMNS) and row <= ROWS
    }


def write_csv(cells: dict[str, str]) -> str:
    """The cells as rows, down to the last that holds something; formulas as they were written."""
    return _written(tuple(cells.items()))


@lru_cache(maxsize=256)
def _written(items: tuple[tuple[str, str], ...]) -> str:
    cells = dict(items)
    last = max((int(cell[1:]) for cell, value in cells.items() if value), default=0)
    out = io.StringIO()
    wide = max((COLUMNS.index(cell[0]) + 1 for cell, value in cells.items() if value), default=0)
    rows = [[cells.get(f"{column}{row}", "") for column in COLUMNS[:wide]] for row in range(1, last + 1)]
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


@dataclass(slots=True)
class Sheet(Program):
    """Cells, the one that is selected, and the text that is being written into it."""

    path: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    at: str = "A1"
    writing: Writing | None = None
    saved: str = ""
    kind: Literal["sheet"] = "sheet"

    name = "Sheet"
    size = (560, 420)
    menus = (
        Menu(
            "File",
            (
                Entry("open", "Open...", "ctrl+o"), Entry("save", "Save", "ctrl+s"),
                Entry("save as", "Save as...", "ctrl+shift+s"),
            ),
        ),
        Menu(
            "Edit",
            (
                Entry("clear", "Clear the cell", "Delete"), Entry("copy", "Copy", "ctrl+c"),
                Entry("paste", "Paste", "ctrl+v"),
            ),
        ),
    )  # fmt: skip

    @property
    def title(self) -> str:
        """The file's name, with a star where it is not saved."""
        name = self.path.rpartition("/")[2] or "Untitled"
        return f"{'*' if write_csv(self.cells) != self.saved else ''}{name} - Sheet"

    def view(self, room: Box, world: World) -> list[Widget]:
        """The selected cell's text above the cells."""
        top = Box(room.x + 60, room.y, room.width - 60, 26)
        content = self.writing or Writing(self.cells.get(self.at, ""))
        grid, places = _grid(room)
        cells = list(grid)
        for cell in {*self.cells, self.at} & places.keys():
            states = ("focused",) if cell == self.at else ()
            empty = grid[places[cell]]
            cells[places[cell]] = Widget(empty.id, empty.role, empty.box, cell, shown(self.cells, cell), states)
        return [
            Widget("where", "label", Box(room.x, room.y, 50, 26), self.at),
            content.widget("formula", "entry", top, "Formula", focused=self.writing is not None),
            *cells,
        ]

    def seen(self, world: World) -> Hashable:
        """The cells, the selected one, and what is being written."""
        return self.at, tuple(self.cells.items()), self.writing and self.writing.seen

    def press(self, id: str, at: Press, world: World) -> None:
        """Select a cell; twice writes in it."""
        if id.startswith("cell:"):
            self._take()
            self.at = id.removeprefix("cell:")
            if at.times >= 2:
                self._begin(self.cells.get(self.at, ""))
        elif id == "formula":
            if self.writing is None:
                self._begin(self.cells.get(self.at, ""))
            assert self.writing is not None
            self.writing.click(at.x, at.y, count=at.times)

    def _begin(self, text: str) -> None:
        self.writing = Writing(text, len(text))

    def _take(self) -> None:
        """Put what was written into its cell."""
        if self.writing is not None:
            self._put(self.writing.text)
            self.writing = None

    def _put(self, text: str) -> None:
        if text:
            self.cells[self.at] = text
        else:
            self.cells.pop(self.at, None)

    def key(self, key: str, held: frozenset[str], world: World) -> None:
        """Write, or move to another cell."""
        if key == "Escape":
            self.writing = None
        elif key in ("Return", "Tab"):
            self._take()
            self._move("Down" if key == "Return" else "Right")
        elif self.writing is not None:
            write_key(self.writing, key, held, world, lines=False)
        elif key in ("Up", "Down", "Left", "Right"):
            self._move(key)
        elif key == "F2":
            self._begin(self.cells.get(self.at, ""))
        elif key == "BackSpace":
            self._put("")

    def _move(self, key: str) -> None:
        column, row = COLUMNS.index(self.at[0]), int(self.at[1:])
        row += (key == "Down") - (key == "Up")
        column += (key == "Right") - (key == "Left")
        self.at = f"{COLUMNS[min(max(column, 0), len(COLUMNS) - 1)]}{min(max(row, 1), ROWS)}"

    def write(self, text: str, world: World) -> None:
        """Into the cell, in place of what was there."""
        if self.writing is None:
            self._begin("")
        assert self.writing is not None
        self.writing.put(text)

    def command(self, command: str, world: World) -> None:
        """An entry of a menu."""
        if self.writing is not None and command in ("clear", "copy", "paste"):
            keys = {"clear": "Delete", "copy": "c", "paste": "v"}
            held = frozenset[str]() if command == "clear" else frozenset({"ctrl"})
            write_key(self.writing, keys[command], held, world, lines=False)
            return
        self._take()
        if command == "open" or command == "save as" or (command == "save" and not self.path):
            world.ask(self, Choose("open" if command == "open" else "save"))
        elif command == "save":
            self._save(world)
        elif command == "clear":
            self._put("")
        elif command == "copy":
            world.clipboard = shown(self.cells, self.at)
        elif command == "paste":
            self._put(world.clipboard.replace("\n", " "))

    def answered(self, question: str, button: str, text: str, world: World) -> None:
        """A file was chosen."""
        if button == "Cancel":
            return
        if question == "open":
            if text not in world.files:
                world.ask(self, Ask("missing", f"There is no file {text}", ["Close"]))
                return
            self.path, self.cells, self.at = text, read_csv(world.files[text]), "A1"
            self.saved = write_csv(self.cells)
        elif question == "save":
            self.path = text
            self._save(world)

    def _save(self, world: World) -> None:
        self.saved = write_csv(self.cells)
        world.put(self.path, self.saved)


@lru_cache(maxsize=64)
def _grid(room: Box) -> tuple[tuple[Widget, ...], dict[str, int]]:
    """The names of columns and rows, and cells with nothing in them; and which of these each cell is."""
    widgets, places = [], {}
    width = (room.width - _HEAD) // len(COLUMNS)
    for number, column in enumerate(COLUMNS):
        place = Box(room.x + _HEAD + width * number + width // 2 - 4, room.y + 30, width // 2, 20)
        widgets.append(Widget(f"column {column}", "label", place, column))
    for row in range(1, ROWS + 1):
        y = room.y + 50 + _HIGH * (row - 1)
        widgets.append(Widget(f"row {row}", "label", Box(room.x + 6, y, _HEAD - 6, _HIGH), str(row)))
        for number, column in enumerate(COLUMNS):
            cell = f"{column}{row}"
            places[cell] = len(widgets)
            box = Box(room.x + _HEAD + width * number, y, width + 1, _HIGH + 1)
            widgets.append(Widget(f"cell:{cell}", "table cell", box, cell))
    return tuple(widgets), places
