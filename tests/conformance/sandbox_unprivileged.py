"""Become a user without rights, then run a command: ``python sandbox_unprivileged.py pytest ...``, as root.

A Python that lies in root's home cannot be reached by others. So a mount namespace of its own comes first, in which
every closed folder above Python, its packages and this repository is replaced by an open one that holds only those.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
import sysconfig
import tempfile
from pathlib import Path

USER = 54_321
"""A user that no machine has: no name, no groups, no files."""

_NEW_MOUNTS, _BIND, _MOVE, _PRIVATE = 0x20000, 0x1000 | 0x4000, 0x2000, 0x40000 | 0x4000


def needed():
    """Folders that the tests are run from."""
    repository = Path(__file__).resolve().parents[2]
    paths = {sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), str(repository)}
    return sorted(paths | {os.path.realpath(path) for path in paths})


def closed_above(path):
    """The outermost folder above a path that others may not enter, or ``None``."""
    for folder in reversed(Path(path).parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return str(folder)
    return None


def open_up(paths):
    """Make the paths reachable for everyone, in this process and its children only."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source, target, kind, flags, options=None):
        arguments = [None if text is None else text.encode() for text in (source, target, kind)]
        if libc.mount(*arguments, ctypes.c_ulong(flags), options) != 0:
            raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")

    if libc.unshare(_NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace")
    mount(None, "/", None, _PRIVATE)
    for closed in sorted({folder for path in paths if (folder := closed_above(path))}):
        kept = {path: tempfile.mkdtemp() for path in paths if closed_above(path) == closed}
        for path, aside in kept.items():
            mount(path, aside, None, _BIND)
        mount("none", closed, "tmpfs", 0, b"mode=755")
        for path, aside in kept.items():
            os.makedirs(path, exist_ok=True)
            mount(aside, path, None, _MOVE)
            os.rmdir(aside)


def main(command):
    """Become the user and the command."""
    open_up(needed())
    os.umask(0o022)
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
