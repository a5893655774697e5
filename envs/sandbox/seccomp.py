"""The system calls that no program in a sandbox needs, as a seccomp filter and as a Docker profile.

A list of what is refused, not of what is allowed: the first line of defence is that there is nothing to reach (private
root, no network, no capabilities); this closes the doors of the kernel that stay open to everybody. Calls newer than
the list are refused as unknown (ENOSYS). Numbers are those of the kernel's own tables (asm/unistd_64.h for x86-64,
asm-generic/unistd.h for arm64); the tests compare them where the headers are installed.

Sources: seccomp(2), kernel Documentation/userspace-api/seccomp_filter.rst, linux/filter.h, linux/audit.h.
"""

from __future__ import annotations

import errno
import platform
import struct
from typing import Any

REFUSED: dict[str, tuple[int | None, int | None]] = {
    # name: (number on x86-64, number on arm64)
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "get_kernel_syms": (177, None),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "query_module": (178, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "sysfs": (139, None),
    "umount2": (166, 39),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
    "vhangup": (153, 58),
    "vserver": (236, None),
    "_sysctl": (156, None),
}
"""Calls refused with EPERM. System V IPC is among them: its memory outlives the program and counts for nobody."""

NEW_USER = 0x10000000
"""The flag CLONE_NEWUSER."""

NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000 | 0x00000080
"""The CLONE_NEW* flags: mount, cgroup, UTS, IPC, user, process, network, time."""

FAMILIES = (1, 2, 10)
"""Socket families that exist inside: AF_UNIX, AF_INET, AF_INET6, the last two with only loopback to talk to."""

TERMINAL_INJECTION = (0x5412, 0x541C)
"""The ioctl requests TIOCSTI and TIOCLINUX, which type on somebody's terminal."""

SERVER: dict[str, tuple[tuple[int, int], int]] = {
    # name: ((number on x86-64, number on arm64), the argument that names a process)
    "ioprio_set": ((251, 30), 1),
    "prlimit64": ((302, 261), 0),
    "sched_setaffinity": ((203, 122), 0),
    "sched_setattr": ((314, 274), 0),
    "sched_setparam": ((142, 118), 0),
    "sched_setscheduler": ((144, 119), 0),
    "setpriority": ((141, 140), 1),
}
"""Calls by which a process can starve another of the same user; refused where that one is process 1, the server."""

OF_A_USER: dict[str, int] = {"setpriority": 2, "ioprio_set": 3}
"""Calls whose first argument may say that all processes of a user are meant, the server among them."""

NEWEST = 466
"""The last call that was looked at (removexattrat, Linux 6.13); whatever is newer does not exist inside."""

_CALLS = {"x86_64": 0, "aarch64": 1}
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE, _UNSHARE, _SOCKET, _IOCTL = (56, 220), (272, 97), (41, 198), (16, 29)
_CLONE3 = 435
_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16


def supported(machine: str | None = None) -> bool:
    """Whether there is a filter for this processor."""
    return (machine or platform.machine()) in _CALLS


def program(machine: str | None = None) -> bytes:
    """The filter as classic BPF, 8 bytes an instruction. Raises `KeyError` for an unknown processor."""
    machine = machine or platform.machine()
    column = _CALLS[machine]
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_GREATER, 0, 3, NEWEST),
        (_GREATER, 0, 1, 0x3FFFFFFF),  # the x32 calls of x86-64
        (_RETURN, 0, 0, _KILL),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_EQUAL, 0, 1, _CLONE3),  # its flags lie in memory, out of reach; the C library falls back to clone
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for numbers in REFUSED.values():
        if (number := numbers[column]) is not None:
            code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    for number in (_CLONE[column], _UNSHARE[column]):
        code += [
            (_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _ARGUMENTS),
            (_ANY_BIT, 0, 1, NAMESPACES & ~(0xFF if number == _CLONE[column] else 0)),  # clone's low byte is a signal
            (_RETURN, 0, 0, _ERRNO | errno.EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ]
    for name, (numbers, place) in SERVER.items():
        checks = [(_LOAD, 0, 0, _ARGUMENTS + 8 * place), (_EQUAL, 0, 1, 1), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
        if name in OF_A_USER:
            checks += [(_LOAD, 0, 0, _ARGUMENTS), (_EQUAL, 0, 1, OF_A_USER[name])]
            checks += [(_RETURN, 0, 0, _ERRNO | errno.EPERM)]
        code += [(_EQUAL, 0, len(checks) + 1, numbers[column]), *checks, (_RETURN, 0, 0, _ALLOW)]
    code += [(_EQUAL, 0, len(FAMILIES) + 3, _SOCKET[column]), (_LOAD, 0, 0, _ARGUMENTS)]
    code += [(_EQUAL, len(FAMILIES) - place, 0, family) for place, family in enumerate(FAMILIES)]
    code += [(_RETURN, 0, 0, _ERRNO | errno.EAFNOSUPPORT), (_RETURN, 0, 0, _ALLOW)]
    requests = len(TERMINAL_INJECTION)
    code += [(_EQUAL, 0, requests + 3, _IOCTL[column]), (_LOAD, 0, 0, _ARGUMENTS + 8)]
    code += [(_EQUAL, requests - place, 0, request) for place, request in enumerate(TERMINAL_INJECTION)]
    code += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    code += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def docker_profile() -> dict[str, Any]:
    """The same rules as a seccomp profile for Docker's ``--security-opt seccomp=``.

    One thing more is allowed: to enter a user namespace, as the server does before it loads its own filter.
    """
    refuse: dict[str, Any] = {"action": "SCMP_ACT_ERRNO", "errnoRet": errno.EPERM}
    bits = [1 << place for place in range(32) if NAMESPACES >> place & 1]
    rules: list[dict[str, Any]] = [{"names": sorted(REFUSED), **refuse}]
    rules += [
        {"names": [call], "args": [_argument(0, "SCMP_CMP_MASKED_EQ", bit, bit)], **refuse}
        for call, lowest in (("clone", 0x100), ("unshare", 0))
        for bit in bits
        if bit >= lowest and (call, bit) != ("unshare", NEW_USER)
    ]
    others = [_argument(0, "SCMP_CMP_EQ", family) for family in range(max(FAMILIES)) if family not in FAMILIES]
    others.append(_argument(0, "SCMP_CMP_GT", max(FAMILIES)))
    family = {"action": "SCMP_ACT_ERRNO", "errnoRet": errno.EAFNOSUPPORT}
    rules += [{"names": ["socket"], "args": [other], **family} for other in others]
    rules += [
        {"names": ["ioctl"], "args": [_argument(1, "SCMP_CMP_EQ", request)], **refuse} for request in TERMINAL_INJECTION
    ]
    rules += [
        {"names": [name], "args": [_argument(place, "SCMP_CMP_EQ", 1)], **refuse} for name, (_, place) in SERVER.items()
    ]
    rules += [
        {"names": [name], "args": [_argument(0, "SCMP_CMP_EQ", user)], **refuse} for name, user in OF_A_USER.items()
    ]
    rules.append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS})
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
                    {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []}],
        "syscalls": rules,
    }  # fmt: skip


def _argument(index: int, operation: str, value: int, second: int = 0) -> dict[str, Any]:
    return {"index": index, "value": value, "valueTwo": second, "op": operation}
