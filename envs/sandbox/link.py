"""What a backend is to a session: a byte stream to the server inside, and the means to end everything there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from selfgym.envs.sandbox.limits import Limits


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


class Link(Protocol):
    """A started server. `Session` is its only user."""

    guarantees: Guarantees

    def send(self, data: bytes) -> None:
        """Send all of it. Raises `OSError` where the server is gone."""

    def receive(self, seconds: float) -> bytes:
        """Some bytes; none where the server is gone. Raises `TimeoutError`."""

    def hits(self) -> Mapping[str, int]:
        """How often the limits ``memory`` and ``processes`` of the whole session were hit so far."""

    def end(self) -> None:
        """End everything inside and leave nothing on the host. May be called twice."""


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
