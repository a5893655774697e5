"""An episode's applications on a screen: opened with their files, waited for, arranged, watched."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

from selfgym.envs.desktop.actions import Action, Click, Key, Type, Wait
from selfgym.envs.desktop.real.applications import APPLICATIONS, Application
from selfgym.envs.desktop.real.display import Window
from selfgym.envs.desktop.real.session import HOME, ScreenFailure, Session
from selfgym.envs.desktop.real.settling import Settling, settle

_OPENING = 30.0
"""Seconds that an application may take to show its window."""
_LISTED = 5.0
"""Seconds that an application may take to be on the accessibility bus, once it has painted its window."""
_DATE = 1_700_000_000  # when every file of the beginning was changed last: programs show it
_POLL = 0.005
_HELD_DOWN = 0.35
"""GTK shows a button that a key pressed, or a file dialog itself, as held down for 0.25 s before it does anything."""

_COMPLETED = 0.15
"""So long after a key GTK looks for ways to complete what was typed; a button clicked on before that does nothing."""


class Stage:
    """The applications of one episode."""

    def __init__(self, session: Session, opens: Sequence[tuple[str, ...]], files: Mapping[str, bytes]) -> None:
        """Put the files there and open the applications. Raises `ScreenFailure`, `SandboxError` or `OSError`."""
        self.session = session
        self._applications = [APPLICATIONS[name] for name, *_ in opens]
        self._settling = reduce(Settling.joined, (one.settling for one in self._applications))
        session.hand.repeat = max((one.repeat for one in self._applications), default=0.0)
        self._programs = dict(session.servers)
        _furnish(session, files)
        windows = [self._open(one, shown) for one, (_, *shown) in zip(self._applications, opens, strict=True)]
        pause = max(one.opening for one in self._applications)
        opened = Settling("nobody", first=pause, quiet=pause, deadline=5.0)
        if len(windows) > 1:
            self._arrange(windows, opened)
        if not session.listed(len({one.name for one in self._applications}), _LISTED):
            raise ScreenFailure(f"not all of {', '.join(name for name, *_ in opens)} are on the accessibility bus")
        self.settled = settle(session.display, self._settling.joined(opened))

    def do(self, action: Action) -> None:
        """Do one action and wait until the screen rests. Raises `ActionError` where it cannot be done."""
        display, before = self.session.display, self.session.display.focus()
        if isinstance(action, Wait):
            display.sync()
            time.sleep(action.seconds)
        else:
            self.session.hand.do(action)
        self.settled = settle(display, self._settling, keys=isinstance(action, Key | Type))
        delay = _HELD_DOWN if _presses(action) else _COMPLETED if isinstance(action, Key | Type) else 0.0
        if delay and before is not None and display.focus() == before and display.dialog(before):
            self.settled = settle(display, replace(self._settling, first=delay))
        self.watch()

    def linger(self) -> None:
        """Wait for what programs do long after an action."""
        settle(self.session.display, Settling("nobody", first=0.5, quiet=0.2))

    def watch(self) -> None:
        """Raise `ScreenFailure` where a program has failed; one that was quit has not."""
        for process, code in self.session.sandbox.ended().items():
            name = self._programs.get(process)
            if name is not None and (code != 0 or process in self.session.servers):
                how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
                raise ScreenFailure(f"{name} {how}")

    def _open(self, application: Application, files: Sequence[str]) -> Window:
        session, display = self.session, self.session.display
        before = {window.id for window in display.windows()}
        display.drawn()
        if application.keeps:
            kept = {f"{HOME}/{there}": Path(here).read_bytes() for there, here in application.keeps.items()}
            session.sandbox.put_all(kept)
        process = session.launch(application.command([f"{HOME}/{file}" for file in files]))
        self._programs[process] = application.name
        until = time.monotonic() + _OPENING
        while True:
            for window in display.windows():
                if window.id not in before and window.program == application.window and _painted(session, window):
                    return window
            if time.monotonic() > until:
                raise ScreenFailure(f"{application.name} has shown no window after {_OPENING:.0f} seconds")
            if not display.wait(time.monotonic() + _POLL):
                self.watch()

    def _arrange(self, windows: Sequence[Window], opened: Settling) -> None:
        """Side by side, the first one with the focus."""
        display, (width, height) = self.session.display, self.session.size
        each = width // len(windows)
        for window in windows:
            display.maximised(window.id, False)
        settle(display, opened)  # their frames change with that
        for place, window in enumerate(windows):
            display.place(window.id, (place * each, 0, each, height))
        display.activate(windows[0].id)


def _presses(action: Action) -> bool:
    """Whether an action may have pressed a button of a dialog."""
    match action:
        case Click():
            return True
        case Key(keys):
            return keys.rpartition("+")[2].lower() in ("return", "enter", "space", " ") or "alt+" in keys.lower()
        case Type(text):
            return text.endswith(("\n", " "))
        case _:
            return False


def _painted(session: Session, window: Window) -> bool:
    """Whether most of a window has been drawn since `Display.drawn` was asked last: it is then no empty frame."""
    return (
        max((width * height for _, width, height in session.display.peek()), default=0)
        > window.box[2] * window.box[3] // 3
    )


def _furnish(session: Session, files: Mapping[str, bytes]) -> None:
    """Put files and folders there, all of one date."""
    folders = [path for path in files if path.endswith("/")]
    session.sandbox.put_all(
        {f"{HOME}/{path}{'.keep' if path in folders else ''}": content for path, content in files.items()}
    )
    for path in folders:
        session.sandbox.remove(f"{HOME}/{path}.keep")
    for path in files:
        parts = path.rstrip("/").split("/")
        for depth in range(len(parts), 0, -1):
            outside = session.sandbox.outside(f"{HOME}/{'/'.join(parts[:depth])}")
            os.utime(outside, (_DATE, _DATE), follow_symlinks=False)
