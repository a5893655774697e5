"""What a sandbox promises and what it reports: limits, results, directory entries, errors. Plain data, no behaviour.

Errors, all of them `SandboxError`::

    SandboxError            the session is gone, or a request to it cannot be met
    ├── SandboxUnavailable  no session can be opened on this machine; the text says what is missing
    └── SandboxFileError    one file or folder inside the sandbox: absent, too large, not a plain file ...

An infrastructure failure is always one of these, never a result of the program that was run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Limit = Literal["timeout", "cpu", "memory", "processes", "disk", "output", "interrupted"]
"""Why a program was stopped or short of something; see `Result.limit`."""

WORK = "/work"
"""The workspace: where programs start, and what relative paths are relative to."""

SCRATCH = "/tmp"
"""Scratch space. Like `WORK` it is kept from one execution to the next and is part of every snapshot."""


class SandboxError(RuntimeError):
    """The session is gone, or it cannot do what was asked. Says nothing about the program that was run."""


class SandboxUnavailable(SandboxError):
    """No session with these guarantees can be opened on this machine."""


class SandboxFileError(SandboxError):
    """A file inside the sandbox that cannot be read, written or listed. The session goes on."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may use."""

    timeout: float = 30.0
    """Seconds of wall time one execution may take, unless `Sandbox.exec` is told otherwise."""
    cpu: float | None = None
    """Seconds of processor time one process may take; ``None``: only ``timeout`` counts."""
    cpus: float | None = None
    """Processor cores all processes may use together; needs control groups, ignored without."""
    memory: int = 512 * 2**20
    """Bytes of memory: of all processes together where control groups can be had, of each process without. The files of
    `WORK` and `SCRATCH` are memory too, but have a limit of their own, ``disk``; other shared memory counts here."""
    processes: int = 64
    """Processes and threads alive at once."""
    disk: int = 128 * 2**20
    """Bytes of files in `WORK`, and as many again in `SCRATCH`."""
    files: int = 20_000
    """Files and folders in `WORK`, and as many again in `SCRATCH`."""
    output: int = 2**20
    """Bytes kept of standard output, and as many of standard error; of more, the beginning and the end are kept."""
    open_files: int = 512
    """File descriptors of one process."""

    @property
    def shared_memory(self) -> int:
        """Bytes of files in ``/dev/shm``, which do not outlive a program."""
        return min(self.disk, self.memory // 2)

    @property
    def total_memory(self) -> int:
        """Bytes of memory for a whole session. More than files alone can fill, so that its server always has some."""
        return self.memory + 2 * self.disk

    def __post_init__(self) -> None:
        for name in ("timeout", "memory", "processes", "disk", "files", "output", "open_files"):
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"the limit {name} must be above 0, not {value!r}")
        for name in ("cpu", "cpus"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"the limit {name} must be None or above 0, not {value!r}")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one execution."""

    stdout: bytes
    """Standard output; where bytes were dropped from its middle, a line there says how many."""
    stderr: bytes
    """Standard error, likewise."""
    exit_code: int | None
    """The program's exit code; ``None`` if a signal ended it."""
    signal: int | None
    """The signal that ended the program, or ``None``."""
    seconds: float
    """Wall time from its start to the end of its last process."""
    cpu_seconds: float
    """Processor time of the program and of the children it waited for."""
    peak_memory: int
    """Bytes of resident memory of its largest process at its largest."""
    dropped: tuple[int, int] = (0, 0)
    """Bytes left out of standard output and of standard error."""
    limit: Limit | None = None
    """The limit that was hit, if one is known to have been. ``timeout``, ``cpu``, ``memory`` and ``interrupted`` ended
    the program; ``processes``, ``disk`` and ``output`` made something in it fail or be left out."""

    @property
    def ok(self) -> bool:
        """Whether the program ended by itself with exit code 0."""
        return self.exit_code == 0

    @property
    def text(self) -> str:
        """Standard output and then standard error as text; bytes that are not UTF-8 become U+FFFD."""
        return (self.stdout + self.stderr).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or folder inside the sandbox."""

    path: str
    """Relative to the folder that was listed; bytes that are not UTF-8 as surrogates (see `os.fsdecode`)."""
    kind: Literal["file", "folder", "link", "other"]
    size: int
    """Bytes; 0 for what is not a file."""
    mode: int
    """Permission bits."""
