"""The state of the small desktop: files, clipboard, settings and windows, all of it plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from selfgym.envs.desktop.mini.program import Program

HOME = "/home/user"
MOST_WINDOWS = 10


@dataclass(slots=True)
class Window:
    """A window; the last of a list lies on top."""

    id: int
    program: Program
    x: int
    y: int
    width: int
    height: int
    owner: int = 0
    """The window that waits for this dialog; 0: none."""
    maximised: bool = False
    minimised: bool = False
    menu: str = ""
    """The menu, or the combo box, that is open."""


@dataclass(slots=True)
class World:
    """Everything there is. Paths are absolute; a folder is a path that ends in a slash, and has no text."""

    width: int
    height: int
    files: dict[str, str] = field(default_factory=dict)
    clipboard: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    records: list[dict[str, str]] = field(default_factory=list)
    """What forms have sent."""
    opened: int = 0
    """Windows opened so far."""
    pointer: tuple[int, int] = (0, 0)
    edits: int = 0
    """How often files or settings have changed."""

    @property
    def active(self) -> Window | None:
        """The window that keys go to."""
        for window in reversed(self.windows):
            if not window.minimised:
                return window
        return None

    def waits(self, window: Window) -> bool:
        """Whether a window waits for a dialog of its own."""
        for one in self.windows:  # noqa: SIM110 - asked at every click
            if one.owner == window.id:
                return True
        return False

    def open(self, program: Program, owner: int = 0) -> None:
        """Open a window on top of the others; with `MOST_WINDOWS` open already, only a dialog."""
        if len(self.windows) >= MOST_WINDOWS and not owner:
            return
        width, height = min(program.size[0], self.width - 20), min(program.size[1], self.height - 60)
        step = 28 * (self.opened % 6)
        x = max(0, min(40 + step, self.width - width))
        y = max(0, min(20 + step, self.height - 36 - height))
        if owner:
            x, y = (self.width - width) // 2, (self.height - height) // 3
        self.opened += 1
        self.windows.append(Window(self.opened, program, x, y, width, height, owner))

    def window_of(self, program: Program) -> Window:
        """The window of a program that is running."""
        return next(window for window in self.windows if window.program is program)

    def ask(self, asker: Program, dialog: Program) -> None:
        """Open a dialog that the asker's window waits for."""
        self.open(dialog, owner=self.window_of(asker).id)

    def close(self, program: Program) -> None:
        """Close a program's window and the dialogs that belong to it."""
        gone = {self.window_of(program).id}
        gone |= {window.id for window in self.windows if window.owner in gone}
        self.windows = [window for window in self.windows if window.id not in gone]

    def answer(self, dialog: Program, question: str, button: str, text: str) -> None:
        """Close a dialog and tell its owner."""
        owner = self.window_of(dialog).owner
        self.close(dialog)
        asker = next(window for window in self.windows if window.id == owner)
        asker.program.answered(question, button, text, self)

    def raised(self, window: Window) -> None:
        """Bring a window, and the dialogs it waits for, to the top."""
        window.minimised = False
        above = [one for one in self.windows if one.owner == window.id]
        rest = [one for one in self.windows if one is not window and one.owner != window.id]
        self.windows = [*rest, window, *above]

    def listing(self, folder: str) -> list[str]:
        """The names in a folder, folders first and with a slash."""
        inside = {path[len(folder) :] for path in self.files if path.startswith(folder) and path != folder}
        direct = {name.split("/")[0] + ("/" if "/" in name else "") for name in inside}
        return sorted(direct, key=lambda name: (not name.endswith("/"), name))

    def put(self, path: str, text: str) -> None:
        """Write a file, or make a folder."""
        self.files[path] = text
        self.edits += 1

    def set(self, name: str, value: str) -> None:
        """Change a setting."""
        self.settings[name] = value
        self.edits += 1

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all in it."""
        self.edits += 1
        self.files = {
            one: text
            for one, text in self.files.items()
            if one != path and not (path[-1] == "/" and one.startswith(path))
        }

    def rename(self, path: str, new: str) -> None:
        """Give a file or a folder another path."""
        self.edits += 1
        self.files = {
            new + one[len(path) :] if one == path or (path[-1] == "/" and one.startswith(path)) else one: text
            for one, text in self.files.items()
        }
