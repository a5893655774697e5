"""What the server does to itself, once, before it runs anything: it gives up every right it does not need.

Order matters: size the workspace while that is still allowed, become an ordinary user, drop all capabilities, then
close the door with Landlock and seccomp. Every step that was asked for and fails raises; nothing is skipped silently.
Runs inside the sandbox; imports nothing of selfgym.

Sources: user_namespaces(7), capabilities(7), landlock(7), seccomp(2); kernel Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import struct

TYPE_CHECKING = False  # see wire
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 2, 4, 32
_CLONE_NEWUSER = 0x10000000
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 22, 24, 38, 47
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446

USER = 1000
"""The user and group that programs see themselves as, where user namespaces can be had."""


def enter(setup: Mapping[str, Any], seccomp: bytes) -> dict[str, Any]:
    """Give up rights as ``setup`` says and return what is in place. Raises `OSError` naming the step that failed.

    ``mounts``: tmpfs by path with ``[bytes, files]``; ``user``: the id to become, if root; ``user_namespace``: whether
    to map it to `USER`, or ``if allowed``; ``writable``: folders that Landlock leaves writable. ``seccomp``: an
    assembled filter.
    """
    for path, (size, files) in setup["mounts"].items():
        _resize(path, size, files)
    if setup["user"] is not None:
        for path in setup["mounts"]:
            os.chown(path, setup["user"], setup["user"])
        os.setgroups([])
        os.setresgid(setup["user"], setup["user"], setup["user"])
        os.setresuid(setup["user"], setup["user"], setup["user"])
        dumpable(True)  # or the files of /proc/self could not be written
    if setup["user_namespace"]:
        _map_user(setup["user_namespace"] == "if allowed")
    if setup["drop"]:
        _prctl("no_new_privs", _PR_SET_NO_NEW_PRIVS, 1)
        _drop_capabilities()
    abi = _landlock(setup["writable"]) if setup["writable"] else 0
    if seccomp:
        _load(seccomp)
    dumpable(not setup["drop"])
    return {"user": os.getuid(), "landlock": abi, "seccomp": bool(seccomp), "pid": os.getpid()}


def dumpable(yes: bool) -> None:
    """Whether other processes of the same user may look into this one."""
    if _LIBC.prctl(_PR_SET_DUMPABLE, int(yes), 0, 0, 0) != 0:  # every program pays for this call, so it is a plain one
        raise _fail("dumpable")


def _fail(step: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{step}: {os.strerror(code)}")


def _prctl(step: str, *arguments: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:5]]
    if _LIBC.prctl(*padded) != 0:
        raise _fail(step)


def _resize(path: str, size: int, files: int) -> None:
    options = f"size={size},nr_inodes={files + 1}".encode()
    flags = ctypes.c_ulong(_MS_REMOUNT | _MS_NOSUID | _MS_NODEV)
    if _LIBC.mount(None, path.encode(), None, flags, options) != 0:
        raise _fail(f"limit the size of {path}")


def _map_user(only_if_allowed: bool) -> None:
    user, group = os.getuid(), os.getgid()
    if _LIBC.unshare(_CLONE_NEWUSER) != 0:
        if only_if_allowed:
            return
        raise _fail("make a user namespace")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{USER} {user} 1"), ("gid_map", f"{USER} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _drop_capabilities() -> None:
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    if os.getuid() == 0 or _may_drop():
        for capability in range(last + 1):
            _prctl("drop the bounding set", _PR_CAPBSET_DROP, capability)
    _prctl("clear ambient capabilities", _PR_CAP_AMBIENT, 4)
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    if _LIBC.capset(header, bytes(24)) != 0:
        raise _fail("drop capabilities")


def _may_drop() -> bool:
    """Whether the bounding set can be emptied; where it cannot (Docker), the container's maker has emptied it."""
    with open("/proc/self/status") as file:
        effective = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff:"))
    return bool(effective >> 8 & 1)  # CAP_SETPCAP


def _landlock(writable: list[str]) -> int:
    """Read and execute everywhere, write only in ``writable``. Returns the kernel's Landlock version, 0 for none."""
    abi = _LIBC.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if abi < 1:
        return 0
    read, write_file = 0b1101, 0b10  # EXECUTE, READ_FILE, READ_DIR; WRITE_FILE
    handled = (1 << 13) - 1
    for version, bit in ((2, 13), (3, 14), (5, 15)):  # REFER, TRUNCATE, IOCTL_DEV
        if abi >= version:
            handled |= 1 << bit
    attribute = struct.pack("QQQ", handled, 0, 0b11 if abi >= 6 else 0)  # scopes: abstract sockets, signals
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _LIBC.syscall(_LANDLOCK_CREATE_RULESET, attribute, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        raise _fail("make a Landlock ruleset")
    devices = read | write_file | 1 << 14 | 1 << 15
    rules = {"/": read, "/dev": devices, **dict.fromkeys(writable, handled)}
    for path, allowed in rules.items():
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", allowed & handled, folder)
        if _LIBC.syscall(_LANDLOCK_ADD_RULE, ruleset, 1, rule, 0) != 0:
            raise _fail(f"add {path} to the Landlock ruleset")
        os.close(folder)
    if _LIBC.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) != 0:
        raise _fail("enter the Landlock domain")
    os.close(ruleset)
    return int(abi)


def _load(program: bytes) -> None:
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    if _LIBC.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), fprog, 0, 0) != 0:
        raise _fail("load the seccomp filter")
