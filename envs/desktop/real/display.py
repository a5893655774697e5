"""A connection to a private X server: its windows, what is drawn, and whether a program still listens.

python-xlib speaks the protocol. Specifications: X11 core, Extended Window Manager Hints 1.5, Damage 1.1.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from gymnasium.error import DependencyNotInstalled

try:
    from Xlib import X, error
    from Xlib.display import Display as Connection
    from Xlib.ext import damage
    from Xlib.protocol.event import ClientMessage
    from Xlib.support import connect
except ImportError:
    raise DependencyNotInstalled("the desktop needs python-xlib: pip install 'selfgym[desktop]'") from None

_CONNECTING = threading.Lock()
_GONE = (error.ConnectionClosedError, error.DisplayError, OSError, struct.error)


class DisplayError(OSError):
    """The X server is gone or does not answer."""


class Window(NamedTuple):
    """A top-level window, as its window manager sees it."""

    id: int
    title: str
    program: str
    """The class that its program gave it."""
    box: tuple[int, int, int, int]
    """Left, top, width and height of what is inside its frame."""


class Display:
    """A connection. Not for several threads. After `DisplayError` it should be closed."""

    def __init__(self, path: str) -> None:
        """Connect to the socket at ``path``. Raises `DisplayError`."""
        self.connection = _connected(path)
        try:
            self.root: Any = self.connection.screen().root
            self._atoms: dict[str, int] = {}
            self.connection.damage_query_version()
            self._damage: Any = self.root.damage_create(damage.DamageReportRawRectangles)
            # answers to pings go to those who want notifications: GTK's of what is inside the root, Qt's of itself
            mask = X.SubstructureNotifyMask | X.StructureNotifyMask | X.PropertyChangeMask
            self.root.change_attributes(event_mask=mask)
            self._own: Any = self.root.create_window(0, 0, 1, 1, 0, X.CopyFromParent, event_mask=X.PropertyChangeMask)
            self.connection.sync()
        except _GONE as gone:
            self.close()
            raise DisplayError(f"the X server does not answer: {gone}") from None
        self._pinged: set[int] = set()
        self._framed = False
        self._drawn: list[tuple[float, int, int]] = []
        self._copied: bool | None = None

    def close(self) -> None:
        """Hang up."""
        self.connection.display.socket.close()

    def pointer(self) -> tuple[int, int]:
        """Where the pointer is."""
        found = self._do(self.root.query_pointer)
        return int(found.root_x), int(found.root_y)

    def focus(self) -> int | None:
        """The number of the window that has the focus."""
        number = self._do(self._numbers, self.root, "_NET_ACTIVE_WINDOW")
        return number[0] if number and number[0] else None

    def active(self) -> Window | None:
        """The window that has the focus."""
        number = self.focus()
        return None if number is None else self._do(self._window, number)

    def windows(self) -> list[Window]:
        """All windows, from back to front."""
        numbers = self._do(self._numbers, self.root, "_NET_CLIENT_LIST_STACKING")
        found = [self._do(self._window, number) for number in numbers]
        return [window for window in found if window is not None]

    def property(self, name: str) -> str | None:
        """A property of the root window, as text."""
        found = self._do(self.root.get_full_property, self.atom(name), X.AnyPropertyType)
        return None if found is None else bytes(found.value).decode("utf-8", "replace")

    def states(self, window: int) -> set[str]:
        """What the window manager says of a window, such as ``_NET_WM_STATE_MAXIMIZED_VERT``."""
        numbers = self._do(self._numbers, self.connection.create_resource_object("window", window), "_NET_WM_STATE")
        return {str(self._do(self.connection.get_atom_name, number)) for number in numbers}

    def dialog(self, window: int) -> bool:
        """Whether a window says that it is a dialog."""
        kinds = self._do(self._numbers, self.connection.create_resource_object("window", window), "_NET_WM_WINDOW_TYPE")
        return self.atom("_NET_WM_WINDOW_TYPE_DIALOG") in kinds

    def clipboard(self, seconds: float) -> str | None:
        """The text that a program holds for pasting; ``None`` where none does, or in so many seconds."""
        names = ("CLIPBOARD", "UTF8_STRING", "SELFGYM_COPY")
        clipboard, text, here = (self.atom(name) for name in names)
        window = self._do(self.root.create_window, 0, 0, 1, 1, 0, X.CopyFromParent)
        self._do(window.convert_selection, clipboard, text, here, X.CurrentTime)
        until, self._copied = time.monotonic() + seconds, None
        while self._copied is None and time.monotonic() < until:
            self.wait(until)
        found = self._do(window.get_full_property, here, X.AnyPropertyType) if self._copied else None
        self._do(window.destroy)
        return None if found is None else bytes(found.value).decode("utf-8", "replace")

    def maximised(self, window: int, yes: bool) -> None:
        """Ask the window manager to make a window as large as the screen, or not."""
        names = ("_NET_WM_STATE_MAXIMIZED_HORZ", "_NET_WM_STATE_MAXIMIZED_VERT")
        self._tell(window, "_NET_WM_STATE", [int(yes), *map(self.atom, names), 2, 0])

    def place(self, window: int, box: tuple[int, int, int, int]) -> None:
        """Ask the window manager to put a window somewhere, its frame included."""
        everything, from_a_pager = 0b1111 << 8, 2 << 12
        target = self.connection.create_resource_object("window", window)
        frame = self._do(self._numbers, target, "_NET_FRAME_EXTENTS") or [0, 0, 0, 0]  # left, right, top, bottom
        left, top, width, height = box
        inner = (width - frame[0] - frame[1], height - frame[2] - frame[3])
        self._tell(window, "_NET_MOVERESIZE_WINDOW", [1 | everything | from_a_pager, left, top, *inner])

    def activate(self, window: int) -> None:
        """Ask the window manager to give a window the focus."""
        self._tell(window, "_NET_ACTIVE_WINDOW", [2, X.CurrentTime, 0, 0, 0])

    def _tell(self, window: int, what: str, data: list[int]) -> None:
        target = self.connection.create_resource_object("window", window)
        event = ClientMessage(window=target, client_type=self.atom(what), data=(32, data))
        mask = X.SubstructureRedirectMask | X.SubstructureNotifyMask
        self._do(lambda: self.root.send_event(event, event_mask=mask))
        self._do(self.connection.sync)

    def sync(self) -> None:
        """Wait until the server has done what it was asked."""
        self._do(self.connection.sync)

    def ask_manager(self) -> None:
        """Ask the window manager what frame it would give a window: `managed` tells that it came to that."""
        self._framed = False
        event = ClientMessage(window=self._own, client_type=self.atom("_NET_REQUEST_FRAME_EXTENTS"), data=(32, [0] * 5))
        self._do(lambda: self.root.send_event(event, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask))
        self._do(self.connection.flush)

    def managed(self, until: float) -> bool:
        """Wait until the window manager has dealt with what came before `ask_manager`, or ``until``; whether it has.

        It sees a click before the program below does and passes it on, and it puts new windows on the screen.
        """
        while not self._framed and time.monotonic() < until:
            self.wait(until)
        return self._framed

    def ping(self, window: int) -> bool:
        """Ask a window's program whether it listens; whether it said that it can be asked. `wait` tells of answers."""
        target = self.connection.create_resource_object("window", window)
        if self.atom("_NET_WM_PING") not in self._do(self._numbers, target, "WM_PROTOCOLS"):
            return False
        self._pinged.discard(window)
        data = (32, [self.atom("_NET_WM_PING"), X.CurrentTime, window, 0, 0])
        event = ClientMessage(window=target, client_type=self.atom("WM_PROTOCOLS"), data=data)
        self._do(lambda: target.send_event(event, onerror=error.CatchError()))  # it may have been closed meanwhile
        self._do(self.connection.flush)
        return True

    def answered(self, window: int) -> bool:
        """Whether the last `ping` of a window was answered."""
        return window in self._pinged

    def drawn(self) -> list[tuple[float, int, int]]:
        """What was drawn since the last call: when (`time.monotonic`), and how wide and high it was."""
        drawn, self._drawn = self._drawn, []
        return drawn

    def peek(self) -> list[tuple[float, int, int]]:
        """What `drawn` would return, which is kept."""
        while self._do(self.connection.pending_events):
            self._take(self._do(self.connection.next_event))
        return self._drawn

    def wait(self, until: float) -> bool:
        """Take the next events in, waiting no longer than ``until``; whether there were any."""
        if not self._do(self.connection.pending_events):
            left = max(0.0, until - time.monotonic())
            if not select.select([self.connection.fileno()], [], [], left)[0]:
                return False
        for _ in range(self._do(self.connection.pending_events)):
            self._take(self._do(self.connection.next_event))
        return True

    def atom(self, name: str) -> int:
        """X's number for a name."""
        if name not in self._atoms:
            self._atoms[name] = int(self._do(self.connection.intern_atom, name))
        return self._atoms[name]

    def _take(self, event: Any) -> None:
        if event.type == self.connection.extension_event.DamageNotify:
            self._drawn.append((time.monotonic(), event.area.width, event.area.height))
        elif event.type == X.SelectionNotify:
            self._copied = event.property != X.NONE
        elif event.type == X.PropertyNotify and event.window == self._own:
            self._framed = True
        elif event.type == X.ClientMessage and event.client_type == self.atom("WM_PROTOCOLS"):
            self._pinged.add(event.data[1][2])

    def _numbers(self, window: Any, name: str) -> list[int]:
        try:
            found = window.get_full_property(self.atom(name), X.AnyPropertyType)
        except (error.BadWindow, error.BadDrawable):  # it was closed meanwhile
            return []
        return [] if found is None else [int(number) for number in found.value]

    def _window(self, number: int) -> Window | None:
        window = self.connection.create_resource_object("window", number)
        try:
            title = window.get_full_property(self.atom("_NET_WM_NAME"), X.AnyPropertyType)
            names = window.get_wm_class() or ("", "")
            size = window.get_geometry()
            corner = window.translate_coords(self.root, 0, 0)
        except (error.BadWindow, error.BadDrawable):
            return None
        text = "" if title is None else bytes(title.value).decode("utf-8", "replace")
        return Window(number, text, str(names[1]), (-corner.x, -corner.y, size.width, size.height))

    @contextmanager
    def alive(self) -> Iterator[None]:
        """For what is asked of the `connection` itself: raises `DisplayError` where the server is gone."""
        try:
            yield
        except _GONE as gone:
            raise DisplayError(f"the X server is gone: {gone}") from None

    def _do(self, call: Any, *arguments: Any) -> Any:
        with self.alive():
            return call(*arguments)


def _connected(path: str) -> Any:
    """python-xlib knows displays by number only: it is handed the socket."""
    ours = socket.socket(socket.AF_UNIX)
    try:
        ours.connect(path)
        with _CONNECTING:
            before = connect.get_socket, connect.get_auth
            connect.get_socket, connect.get_auth = lambda *_: ours, lambda *_: (b"", b"")
            try:
                return Connection(":0")
            finally:
                connect.get_socket, connect.get_auth = before
    except _GONE as gone:
        ours.close()
        raise DisplayError(f"the X server cannot be reached: {gone}") from None
