"""Contained: system calls that no program needs and every escape begins with.

Arguments are such that the call does no harm where it is let through: a refusal is EPERM, EACCES or ENOSYS, or the end
of the program by SIGSYS; anything else means that the kernel looked at the arguments. Numbers are those of x86-64.
"""

import os

import pytest

from .sandbox_host import program, told

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="system call numbers of x86-64")

REFUSED = {1, 13, 38}  # EPERM, EACCES, ENOSYS
NEWUSER, NEWNS, NEWPID, NEWNET, NEWIPC, NEWUTS, NEWCGROUP, NEWTIME = (
    0x10000000, 0x20000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000, 0x80,
)  # fmt: skip

CALLS = {
    "mount": (165, b"none", b"/", b"no-such-file-system", 0, None),
    "mount, remount": (165, None, b"/", None, 32, b"no-such-option"),
    "mount, bind": (165, b"/no-such-folder", b"/", None, 4096, None),
    "umount": (166, b"/etc", 0),
    "pivot_root": (155, b"/no-such-folder", b"/no-such-folder"),
    "chroot": (161, b"/"),
    "fsopen": (430, b"tmpfs", 0),
    "fspick": (433, -100, b"/", 0),
    "open_tree": (428, -100, b"/", 1),
    "move_mount": (429, -1, b"", -1, b"", 0),
    "fsmount": (432, -1, 0, 0),
    "mount_setattr": (442, -100, b"/no-such-folder", 0, b"\1" + bytes(31), 32),
    "unshare user namespace": (272, NEWUSER),
    "unshare user and mount namespace": (272, NEWUSER | NEWNS),
    "unshare mount namespace": (272, NEWNS),
    "unshare process namespace": (272, NEWPID),
    "unshare network namespace": (272, NEWNET),
    "unshare IPC namespace": (272, NEWIPC),
    "unshare name namespace": (272, NEWUTS),
    "unshare control group namespace": (272, NEWCGROUP),
    "unshare time namespace": (272, NEWTIME),
    "clone user namespace": (56, NEWUSER | 17, 0, 0, 0, 0),
    "clone mount namespace": (56, NEWNS | 17, 0, 0, 0, 0),
    "clone user namespace, high bits set": (56, NEWUSER | 17 | 1 << 32, 0, 0, 0, 0),
    "io_uring_setup": (425, 4, bytes(120)),
    "io_uring_enter": (426, -1, 0, 0, 0, None, 0),
    "io_uring_register": (427, -1, 0, None, 0),
    "keyctl": (250, 0, -3, 1),
    "keyctl, join a session": (250, 1, None),
    "add_key": (248, b"user", b"selfgym-test", b"x", 1, -1),
    "request_key": (249, b"user", b"selfgym-test", None, -1),
    "bpf, make a map": (321, 0, b"\x02\0\0\0\x04\0\0\0\x08\0\0\0\x01\0\0\0" + bytes(112), 128),
    "perf_event_open": (298, b"\x01\0\0\0\x80\0\0\0" + bytes(120), 0, -1, -1, 0),
    "userfaultfd": (323, 1),
    "userfaultfd, privileged": (323, 0),
    "kexec_load": (246, 0, 0, None, 0),
    "kexec_file_load": (320, -1, -1, 0, None, 0),
    "init_module": (175, None, 0, b""),
    "finit_module": (313, -1, b"", 0),
    "delete_module": (176, b"no-such-module", 0),
    "open_by_handle_at": (304, -100, b"\x08\0\0\0\x01\0\0\0" + b"\x02" + bytes(15), 0),
    "kcmp": (312, 1, 1, 1, 0, 0),
    "ptrace of process 1": (101, 0x4206, 1, 0, 0),
    "syslog, read all": (103, 3, bytes(100), 100),
    "syslog, size": (103, 10, None, 0),
    "swapon": (167, b"/no-such-file", 0),
    "swapoff": (168, b"/no-such-file"),
    "reboot": (169, 0, 0, 0, None),
    "settimeofday": (164, None, b"\0\0\1\0" + bytes(4)),
    "clock_settime": (227, 0, bytes(16)),
    "adjtimex": (159, b"\0\x40" + bytes(206)),
    "clock_adjtime": (305, 0, b"\0\x40" + bytes(206)),
    "quotactl": (179, 0x800002 << 8, b"/no-such-device", 0, None),
    "acct": (163, b"/no-such-folder/file"),
    "sethostname": (170, b"x", -1),
    "setdomainname": (171, b"x", -1),
    "iopl": (172, 3),
    "ioperm": (173, 0x80, 1, 1),
    "fanotify_init": (300, 0, 0),
    "setns": (308, "network namespace", NEWNET),
    "mknod of a device": (133, b"/tmp/selfgym-test-device", 0o020666, 0x0103, "then unlink"),
    "move_pages of another": (279, 1, 0, None, None, None, 0),
    "migrate_pages of another": (256, 1, 0, None, None),
    "capset": (126, b"\x22\x05\x08\x20\0\0\0\0", b"\xff" * 24),
    "prctl, change the memory layout": (157, 35, 1, 0, 0, 0),
    "vhangup": (153,),
}  # fmt: skip
HARMFUL = {"vhangup", "clock_settime", "mount, remount"}


def call(arguments):
    """One system call; what it returned and its error number. A child that it made ends at once."""
    import ctypes
    import os

    libc = ctypes.CDLL(None, use_errno=True)
    words = []
    for value in arguments:
        if value == "network namespace":
            value = os.open("/proc/self/ns/net", os.O_RDONLY)
        if not isinstance(value, str):
            words.append(ctypes.create_string_buffer(value) if isinstance(value, bytes) else value)
    words = [ctypes.c_long(value) if isinstance(value, int) else value for value in words]
    libc.syscall.restype = ctypes.c_long
    before = os.getpid()
    answer = libc.syscall(*words)
    error = ctypes.get_errno()
    if arguments[0] == 56 and answer == 0:
        os._exit(0)
    if answer >= 0 and "then unlink" in arguments:
        os.unlink("/tmp/selfgym-test-device")
    assert os.getpid() == before
    print([answer, error])


@pytest.mark.parametrize("name", CALLS)
def test_refused(box, backend, name):
    if backend == "unsafe" and name in HARMFUL:
        pytest.skip("would harm this machine")
    result = box.exec(program(call, arguments=CALLS[name]))
    if result.signal != 31:
        answer, error = told(result)
        assert answer == -1, f"{name} was let through: {answer}"
        assert error in REFUSED, f"the kernel looked at the arguments: {os.strerror(error)}"


@pytest.mark.parametrize("flag", [0, NEWUSER, NEWNS, NEWUSER | NEWPID | NEWNET], ids=hex)
def test_clone3_makes_no_namespace(box, flag):
    """A filter cannot see the flags of clone3, so the call must not be there; C libraries then use clone."""

    def guest(flag):
        import ctypes
        import os
        import struct

        libc = ctypes.CDLL(None, use_errno=True)
        arguments = ctypes.create_string_buffer(struct.pack("8Q", flag, 0, 0, 0, 17, 0, 0, 0))
        answer = libc.syscall(435, arguments, 64)
        if answer == 0:
            os._exit(0)
        print([answer, ctypes.get_errno()])

    answer, error = told(box.exec(program(guest, flag=flag)))
    assert (answer == -1 and error in REFUSED) or flag == 0


def machine_code(code):
    """Run machine code that asks for the process id in a child; whether that was its answer."""
    import ctypes
    import json
    import mmap
    import os

    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        memory.write(code)
        run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
        os.write(write, str(run()).encode())
        os._exit(0)
    os.close(write)
    status = os.waitpid(child, 0)[1]
    answer = int(os.read(read, 100) or 0)
    print(json.dumps(["it ran" if answer == child else "refused", answer, status]))


MACHINE_CODE = {
    "a call of 32-bit programs": bytes.fromhex("53 b814000000 cd80 5b c3"),  # getpid is 20 there
    "a call of x32 programs": bytes.fromhex("b827000040 0f05 c3"),  # getpid is 39, with bit 30 set
}


@pytest.mark.parametrize("what", MACHINE_CODE)
def test_other_ways_into_the_kernel(box, what):
    assert told(box.exec(program(machine_code, code=MACHINE_CODE[what])))[0] == "refused"


def test_the_ordinary_way_into_the_kernel(box):
    """The machine code of the test above is good: an ordinary getpid made in the same way answers."""
    assert told(box.exec(program(machine_code, code=bytes.fromhex("b827000000 0f05 c3"))))[0] == "it ran"


COMMANDS = [
    "unshare -Ur id",
    "unshare -n true",
    "nsenter -t 1 -m true",
    "mount -t tmpfs none /tmp",
    "umount /work",
    "chroot / true",
    "dmesg",
    "hostname other",
    "chown 0 /tmp",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(box, only_contained, command):
    assert not box.exec(command.split()).ok
