"""Root becomes nobody, who can still reach the Python he runs on: used by ``serving.py`` before it serves.

A Python below ``/root`` is out of reach for others. There, in a mount namespace of this process alone, an empty folder
takes the place of the closed one, and only what is needed appears in it again.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from pathlib import Path

_NOBODY = 65534
_NEW_MOUNTS = 0x00020000
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_NO_NEW_PRIVILEGES = 38


def become_nobody(*needed: Path, own: Path) -> str:
    """Give up root, keeping what Python needs and ``needed``; ``own`` becomes ours. Returns why not, or nothing."""
    if os.geteuid() != 0:
        return ""
    paths = {path.resolve() for path in (Path(sys.base_prefix), Path(sys.prefix), *needed, own)}
    closed = {path: folder for path in sorted(paths) if (folder := _closed(path))}
    if closed:
        try:
            _call("unshare", _NEW_MOUNTS)
        except PermissionError as problem:
            return f"it runs as root, since others may not enter {next(iter(closed.values()))} ({problem})"
        _hide(closed)
    for path in (own, *own.rglob("*")):
        os.chown(path, _NOBODY, _NOBODY)
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    return ""


def _closed(path: Path) -> Path | None:
    """The outermost folder on the way to it that others may not enter."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def _hide(closed: dict[Path, Path]) -> None:
    _call("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
    opened = {path: os.open(path, os.O_PATH) for path in closed}
    for folder in set(closed.values()):
        _call("mount", b"tmpfs", bytes(folder), b"tmpfs", 0, b"mode=755")
    for path, handle in opened.items():
        path.mkdir(parents=True, exist_ok=True)
        _call("mount", f"/proc/self/fd/{handle}".encode(), bytes(path), None, _BIND | _RECURSIVE, None)
        os.close(handle)


def _call(name: str, *values: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*values):
        problem = ctypes.get_errno()
        raise OSError(problem, f"{name}: {os.strerror(problem)}")
