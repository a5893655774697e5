"""What a backend is to a session: a byte stream to the server inside, and the means to end everything there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from selfgym.envs.sandbox.guest import wire
from selfgym.envs.sandbox.limits import Limits, SandboxUnavailable

START = 60.0
"""Seconds that a session may take to start, preimports included."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a session is opened with."""

    limits: Limits = Limits()  # noqa: RUF009 (frozen)
    preimport: tuple[str, ...] = ()
    """Modules that the server imports once, so that no program has to."""
    readonly: Mapping[str, str] = field(default_factory=dict)
    """Folders of the host that programs may read, and where they see them."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of every program, beside the usual few."""


@dataclass(frozen=True, slots=True)
class Guarantees:
    """What stands between a program and the host, as it was really put in place."""

    backend: str
    namespaces: tuple[str, ...]
    """Kinds of namespaces of its own: mount, pid, net, ipc, uts, cgroup, user."""
    seccomp: bool
    landlock: int
    """Version of the kernel's Landlock that is in force; 0 for none."""
    cgroup: tuple[str, ...]
    """Controllers that limit the session as a whole."""
    gaps: tuple[str, ...] = ()
    """What is not guaranteed here, in words, and how to get it."""


class Stream(Protocol):
    """Bytes to and from a server."""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises `OSError` where the server is gone."""

    def receive(self, seconds: float) -> bytes:
        """Some bytes; none where the server is gone. Raises `TimeoutError`."""


class Link(Stream, Protocol):
    """A started server. `Sandbox` is its only user."""

    guarantees: Guarantees
    root: str
    """Where the host sees the files inside; empty where it does not."""

    def hits(self) -> Mapping[str, int]:
        """How often the limits ``memory`` and ``processes`` of the whole session were hit so far."""

    def end(self) -> None:
        """End everything inside and leave nothing on the host. May be called twice."""


class SocketLink:
    """The half of a `Link` that is a socket."""

    root = ""

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(START)
        self._socket.sendall(data)

    def receive(self, seconds: float) -> bytes:
        """Some bytes; none where the server is gone."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(wire.READ)
        except ConnectionResetError:
            return b""

    def hang_up(self) -> None:
        """Close the stream, which the server takes as its end."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def begin(link: Stream, setup: dict[str, Any], program: bytes, complaint: Callable[[], str]) -> dict[str, Any]:
    """Hand a started server its setup and system call filter, and return what it says when it is ready.

    Raises `SandboxUnavailable`; where the server just ended, with ``complaint()``, what it or its starter said.
    """
    frames = wire.Frames()
    deadline = time.monotonic() + START
    try:
        link.send(wire.pack(setup, program))
        while (frame := frames.take()) is None:
            data = link.receive(max(0.001, deadline - time.monotonic()))
            if not data:
                raise SandboxUnavailable(f"the server inside ended at once: {complaint()}")
            frames.feed(data)
    except TimeoutError:
        raise SandboxUnavailable(f"the server inside was not ready after {START:.0f} seconds") from None
    except (OSError, wire.WireError) as error:
        raise SandboxUnavailable(f"the server inside cannot be talked to ({error}): {complaint()}") from None
    if frame[0].get("kind") != "ready":
        raise SandboxUnavailable(f"the server inside gave up: {frame[0].get('message')}")
    return frame[0]


def setup_frame(options: Options, **more: Any) -> dict[str, Any]:
    """The first frame that a server is sent; ``more`` is what only the backend knows."""
    size = [options.limits.disk, options.limits.files]
    return {
        "kind": "setup",
        "mounts": {"/work": size, "/tmp": size, "/dev/shm": [options.limits.shared_memory, options.limits.files]},
        "user": None,
        "user_namespace": False,
        "drop": True,
        "writable": ["/work", "/tmp", "/dev/shm"],
        "roots": {"base": "", "folders": ["/work", "/tmp"], "bytes": 2 * options.limits.disk},
        "preimport": list(options.preimport),
        "path": [],
        "hide": [],
        "executable": "",
        "prefix": "",
        **more,
    }
