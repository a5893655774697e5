"""One private screen in a sandbox: an X server, a window manager, message buses and a home folder that nobody shares.

Everything lives in the sandbox's namespaces and memory, so that closing it leaves no process, display, bus or folder.
The host looks at the frame buffer and talks to the servers' sockets through the sandbox's root.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from selfgym.envs.desktop.real.accessibility import Tree, bus_path, programs, read_tree, registry_answers
from selfgym.envs.desktop.real.applications import LANGUAGES
from selfgym.envs.desktop.real.bus import Bus, BusError
from selfgym.envs.desktop.real.cache import Cache
from selfgym.envs.desktop.real.display import Display, DisplayError
from selfgym.envs.desktop.real.hand import Hand
from selfgym.envs.sandbox.limits import Limits, SandboxError
from selfgym.envs.sandbox.opening import open_sandbox

Found = TypeVar("Found")

HOME = "/work"
"""The home folder, as programs see it."""
LIMITS = Limits(memory=3 * 2**29, disk=64 * 2**20, processes=300, open_files=1024)
"""What one screen with its programs may use."""
STARTING = 30.0
"""Seconds that a screen may take to be there."""
_SETTINGS = Path(__file__).parent / "settings"
_NO_LANGUAGES = Path(__file__).parent / "languages"
_SHOWN = (
    "/etc/fonts", "/etc/xdg", "/etc/X11", "/etc/gtk-2.0", "/etc/gtk-3.0", "/etc/machine-id", "/etc/mime.types",
    "/var/cache/fontconfig", "/var/lib/openbox",
)  # fmt: skip
_ENVIRONMENT = {
    "HOME": HOME, "USER": "agent", "DISPLAY": ":0", "XDG_RUNTIME_DIR": "/tmp/run", "LC_ALL": "C.UTF-8", "TZ": "UTC",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/tmp/run/bus", "XDG_SESSION_TYPE": "x11", "GDK_BACKEND": "x11",
    "GSETTINGS_BACKEND": "keyfile", "GIO_USE_VFS": "local", "GIO_USE_VOLUME_MONITOR": "unix", "GSK_RENDERER": "cairo",
    "GTK_OVERLAY_SCROLLING": "0", "GTK_MODULES": "gail:atk-bridge", "QT_QPA_PLATFORM": "xcb", "QT_ACCESSIBILITY": "1",
    "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "QT_XCB_GL_INTEGRATION": "none", "LIBGL_ALWAYS_SOFTWARE": "1",
    "EDITOR": "false", "SHELL": "/bin/bash",
}  # fmt: skip


class ScreenFailure(RuntimeError):
    """The screen, or a program that the episode stands on, is gone: an infrastructure failure."""


class Session:
    """A screen that is up, with nothing on it. Not for several threads."""

    def __init__(self, width: int, height: int) -> None:
        """Start one. Raises `ScreenFailure`, or `SandboxUnavailable` where this machine has no sandbox."""
        self.size = (width, height)
        self.servers: dict[int, str] = {}
        """Names of the programs that a screen is made of, by process id inside."""
        until = time.monotonic() + STARTING
        self.sandbox = open_sandbox(limits=LIMITS, readonly=_shown(), env=_ENVIRONMENT)
        try:
            self._start(until)
        except (SandboxError, DisplayError, BusError, OSError, ValueError) as error:
            self.close()
            raise ScreenFailure(f"the screen does not come up: {error}") from None
        except BaseException:
            self.close()
            raise

    def _start(self, until: float) -> None:
        width, height = self.size
        self.sandbox.put_all({f"/tmp/{name}/ready": b"" for name in ("run", "frames", ".X11-unix")} | _settings())
        options = (
            "-nolisten tcp -ac -noreset -dpi 96 -s 0 -extension GLX -fbdir /tmp/frames"  # GLX: 40 ms, for nobody here
        )
        self._serve(["Xvfb", ":0", "-screen", "0", f"{width}x{height}x24", *options.split()])
        self._serve(["dbus-daemon", f"--config-file={HOME}/.config/session-bus.conf", "--nofork"])
        _waited(until, "the message bus", lambda: os.stat(self.sandbox.outside("/tmp/run/bus")))
        self.display = _waited(until, "the X server", lambda: Display(self.sandbox.outside("/tmp/.X11-unix/X0")))
        self._serve(["/usr/libexec/at-spi-bus-launcher", "--launch-immediately"])  # it tells the X server of the bus
        self._serve(["openbox", "--sm-disable"])
        self.hand = Hand(self.display, self.size)
        with open(self.sandbox.outside("/tmp/frames/Xvfb_screen0"), "rb") as file:
            self._frames = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        fields = struct.unpack_from(">25I", self._frames)
        self._start_of_frame, self._stride = fields[0] + fields[19] * 12, fields[12]
        if (fields[4], fields[5], fields[11]) != (width, height, 32):
            raise ScreenFailure(f"the X server has a screen of {fields[4]} x {fields[5]} x {fields[11]}")
        run = self.sandbox.outside("/tmp/run")
        self.cache = Cache()
        self.bus = _waited(until, "the accessibility bus", lambda: Bus(_there(bus_path(run)), until))
        # programs that come while the registry begins are turned away by it, and Qt's do not try again
        _waited(until, "the registry", lambda: _there("awake" if registry_answers(self.bus, until) else None))
        # where Qt's programs look for it: one that finds nothing there at times stays without elements for ever
        _waited(until, "the address of the accessibility bus", lambda: _there(self.display.property("AT_SPI_BUS")))
        _waited(until, "the window manager", lambda: _there(self.display.property("_NET_SUPPORTING_WM_CHECK")))

    def launch(self, program: Sequence[str]) -> int:
        """Start a program on the screen; its process id inside. Its output is in ``/tmp/NAME.log`` there."""
        return self.sandbox.start(program, cwd=HOME, log=f"/tmp/{os.path.basename(program[0])}.log")

    def _serve(self, program: Sequence[str]) -> None:
        self.servers[self.launch(program)] = os.path.basename(program[0])

    def pixels(self) -> Any:
        """The screen with its pointer, now: a new array of (height, width, 3) bytes."""
        width, height = self.size
        frame = memoryview(self._frames)[self._start_of_frame : self._start_of_frame + self._stride * height]
        return np.asarray(Image.frombuffer("RGB", (width, height), frame, "raw", "BGRX", self._stride, 1))

    def tree(self, most: int, seconds: float) -> Tree:
        """The elements on the screen, as far as they can be read in so many seconds."""
        until = time.monotonic() + seconds
        try:
            return read_tree(self.bus, self.cache, self.size, most, until)
        except BusError:
            self.bus.close()
            try:
                path = _there(bus_path(self.sandbox.outside("/tmp/run")))
                self.bus = Bus(path, time.monotonic() + seconds)
            except BusError as error:
                raise ScreenFailure(f"the accessibility bus is gone: {error}") from None
            return Tree([], ("time",))

    def listed(self, count: int, seconds: float) -> bool:
        """Wait until so many programs are on the accessibility bus; whether they are."""
        until = time.monotonic() + seconds
        with suppress(BusError):
            while len(programs(self.bus, until)) < count:
                time.sleep(0.005)
            return True
        return False

    def close(self) -> None:
        """End everything on the screen and the screen. Doing it again does nothing."""
        self.sandbox.close()
        for name in ("display", "bus"):
            if hasattr(self, name):
                with suppress(OSError):
                    getattr(self, name).close()


def _waited(until: float, what: str, found: Callable[[], Found]) -> Found:
    """What ``found`` returns once it does not fail any more."""
    while True:
        try:
            return found()
        except (OSError, LookupError) as error:
            if time.monotonic() > until:
                raise ScreenFailure(f"{what} does not come up: {error}") from None
            time.sleep(0.001)


def _there(found: str | None) -> str:
    if found is None:
        raise LookupError("it is not there yet")
    return found


def _settings() -> dict[str, bytes]:
    """Files of the home folder that every screen begins with."""
    return {
        f"{HOME}/.config/{path.relative_to(_SETTINGS)}": path.read_bytes()
        for path in _SETTINGS.rglob("*")
        if path.is_file() and path.name != "accessibility.conf"
    }


def _shown() -> dict[str, str]:
    shown = {path: path for path in _SHOWN if os.path.exists(path)}
    if os.path.isdir(LANGUAGES):
        shown[str(_NO_LANGUAGES)] = LANGUAGES
    return shown | {str(_SETTINGS / "accessibility.conf"): "/usr/share/defaults/at-spi2/accessibility.conf"}
