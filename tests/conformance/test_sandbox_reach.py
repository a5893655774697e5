"""Contained: the host's files, network and devices, and everything of another session."""

# ruff: noqa: SIM115

import os
import random
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from .sandbox_host import REPOSITORY, program, told, until


def read_every_way(path):
    """Print whatever of a file can be read by any of the ways there are to name it."""
    import os
    import subprocess

    up = "../" * 30 + path.lstrip("/")
    names = [path, up, "/proc/self/root" + path, "/proc/1/root" + path, f"/proc/{os.getppid()}/root" + path]
    names += [
        f"/proc/self/cwd/{up}",
        f"/proc/1/cwd/{up}",
        f"file:{path}",
        f"/host{path}",
        f"/mnt{path}",
        f"/.old{path}",
    ]
    for name in names:
        try:
            with open(name, errors="replace") as file:
                print(name, file.read(100_000))
        except OSError:
            pass
    print(subprocess.run(["cat", path], capture_output=True).stdout)


PLACES = {
    "tmp": "/tmp",
    "var tmp": "/var/tmp",
    "home": str(Path.home()),
    "shm": "/dev/shm",
    "run": "/run",
    "repository": str(REPOSITORY),
}


@pytest.mark.parametrize("place", PLACES)
def test_reading_a_file_of_the_host(box, host, place):
    if not os.access(PLACES[place], os.W_OK):
        pytest.skip(f"this user cannot write to {PLACES[place]}")
    path, secret = host.secret_file(PLACES[place])
    assert secret not in box.exec(program(read_every_way, path=path)).text


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/machine-id"])
def test_reading_a_file_of_the_system(box, path):
    try:
        text = Path(path).read_text().strip()
    except OSError:
        pytest.skip(f"this user cannot read {path} on the host either")
    assert text, f"{path} of the host is empty"
    assert text not in box.exec(program(read_every_way, path=path)).text


def test_reading_the_repository(box):
    path = REPOSITORY / "pyproject.toml"
    assert 'name = "selfgym"' not in box.exec(program(read_every_way, path=str(path))).text


def test_no_file_of_the_host_can_be_found(box, host):
    """Look everywhere but in the system's and Python's own folders for files that are named after the marker."""

    def guest(marker, leave_out):
        import json
        import os
        import time

        found, end = [], time.monotonic() + 5
        for top in ("/tmp", "/var/tmp", "/home", "/root", "/run", "/dev/shm", "/mnt", "/opt", "/"):
            for folder, inner, files in os.walk(top):
                if folder.startswith(tuple(leave_out)) or time.monotonic() > end:
                    inner.clear()
                found += [f"{folder}/{name}" for name in files if marker in name]
        print(json.dumps(found))

    for place in PLACES.values():
        if os.access(place, os.W_OK):
            host.secret_file(place)
    leave_out = ["/usr", "/proc", "/sys", sys.prefix, sys.base_prefix]
    assert told(box.exec(program(guest, marker=host.marker, leave_out=leave_out))) == []


def test_writing_to_the_system(box):
    """Nothing outside the workspace can be opened for writing, no unnamed file can be made there."""

    def guest(repository):
        import json
        import os
        import sys
        import sysconfig

        folders = [
            "/",
            "/usr",
            "/usr/bin",
            "/usr/lib",
            "/bin",
            "/lib",
            "/etc",
            "/dev",
            "/var",
            "/run",
            "/opt",
            "/home",
            "/root",
        ]
        folders += [
            sys.prefix,
            sys.base_prefix,
            os.path.dirname(os.__file__),
            sysconfig.get_path("purelib"),
            repository,
        ]
        files = [
            "/etc/passwd",
            "/etc/group",
            "/etc/hosts",
            "/etc/ld.so.cache",
            "/etc/resolv.conf",
            "/usr/bin/env",
            "/bin/sh",
        ]
        files += [sys.executable, os.__file__, os.__file__.replace("os.py", "site.py"), "/proc/self/exe"]
        managed = []
        for folder in folders:
            try:
                os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600))
                managed.append(folder)
            except OSError:
                pass
        for file in files:
            try:
                os.close(os.open(file, os.O_WRONLY))
                managed.append(file)
            except OSError:
                pass
            try:
                mode = os.stat(file).st_mode & 0o7777
                os.chmod(file, mode)
                managed.append(f"chmod {file}")
            except OSError:
                pass
        print(json.dumps(managed))

    assert told(box.exec(program(guest, repository=str(REPOSITORY)))) == []


@pytest.mark.parametrize(
    "path",
    [
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/vm/drop_caches",
        "/proc/sys/vm/overcommit_memory",
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/sys/user/max_user_namespaces",
        "/proc/sys/fs/file-max",
        "/proc/irq/default_smp_affinity",
        "/proc/acpi/wakeup",
        "/sys/kernel/uevent_helper",
        "/sys/kernel/mm/transparent_hugepage/enabled",
        "/sys/power/state",
        "/sys/fs/cgroup/cgroup.procs",
        "/sys/fs/cgroup/memory/cgroup.procs",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/unified/cgroup.procs",
    ],
)
def test_opening_a_kernel_file_for_writing(box, path):
    result = box.exec(f"open({path!r}, 'r+b', buffering=0).close()")
    assert result.exit_code == 1, result
    assert b"Error" in result.stderr


def test_kernel_secrets(box):
    def guest():
        import json

        managed = []
        for path in (
            "/proc/kcore",
            "/proc/keys",
            "/proc/timer_list",
            "/proc/sched_debug",
            "/proc/slabinfo",
            "/proc/vmallocinfo",
        ):
            try:
                with open(path, "rb") as file:
                    managed += [path] if file.read(1) else []
            except OSError:
                pass
        with open("/proc/kallsyms") as file:
            managed += ["kallsyms"] if int(file.readline().split()[0], 16) else []
        print(json.dumps(managed))

    assert told(box.exec(program(guest))) == []


DEVICES = (
    "mem kmem kmsg port sda vda nvme0n1 loop0 loop-control fuse kvm net/tun userfaultfd mapper/control "
    "cpu/0/msr nvram hwrng vhost-vsock"
)


@pytest.mark.parametrize("name", DEVICES.split())
def test_opening_a_device(box, name):
    result = box.exec(f"import os\nos.close(os.open('/dev/{name}', os.O_RDONLY | os.O_NONBLOCK))")
    assert result.exit_code == 1, result
    assert b"Error" in result.stderr


@pytest.mark.parametrize(
    ("kind", "major", "minor"), [("c", 1, 1), ("c", 1, 11), ("b", 8, 0), ("b", 7, 0), ("c", 10, 229)]
)
def test_making_a_device(box, host, kind, major, minor):
    def guest(name, kind, major, minor):
        import os
        import stat

        os.mknod(name, 0o666 | (stat.S_IFCHR if kind == "c" else stat.S_IFBLK), os.makedev(major, minor))
        try:
            print("made")
            os.close(os.open(name, os.O_RDONLY | os.O_NONBLOCK))
        finally:
            os.unlink(name)

    result = box.exec(program(guest, name=host.marker, kind=kind, major=major, minor=minor))
    assert result.stdout == b""
    assert b"Error" in result.stderr, result


LOOPBACK = {
    "TCP": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
    "UDP": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
    "TCP, any address": (socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0)),
    "TCP over IPv6": (socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
    "UDP over IPv6": (socket.AF_INET6, socket.SOCK_DGRAM, ("::1", 0)),
    "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, "\0{marker}"),
    "abstract datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, "\0{marker}"),
    "path": (socket.AF_UNIX, socket.SOCK_STREAM, "{folder}/socket"),
}


def call(family, kind, addresses):
    """Say hello to every address, and print what answers."""
    import socket

    for address in addresses:
        try:
            with socket.socket(family, kind) as caller:
                caller.settimeout(1)
                caller.connect(address)
                caller.send(b"hello from the sandbox")
                if kind == socket.SOCK_STREAM:
                    print(caller.recv(100))
        except OSError as error:
            print(error)


def addresses_of_this_machine():
    """What the machine is called by others: no packet is sent for finding out."""
    found = {"172.17.0.1", "10.0.2.2", "192.168.65.2"}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            found.add(probe.getsockname()[0])
        except OSError:
            pass
    return sorted(found)


@pytest.mark.parametrize("what", LOOPBACK)
def test_calling_the_host(box, host, what):
    family, kind, address = LOOPBACK[what]
    if family == socket.AF_UNIX:
        address = address.format(marker=host.marker, folder=host.folder())
    try:
        address = host.listen(family, kind, address)
    except OSError as error:
        pytest.skip(f"this machine has no {what}: {error}")
    addresses = [address]
    if address[0] == "0.0.0.0":
        addresses = [(name, address[1]) for name in ("127.0.0.1", *addresses_of_this_machine())]
    result = box.exec(program(call, family=int(family), kind=int(kind), addresses=addresses))
    assert not until(lambda: host.heard, 0.2)
    assert b"greetings" not in result.stdout
    assert result.exit_code == 0, result


def test_name_resolution(box):
    result = box.exec("import socket\nprint(socket.getaddrinfo('example.com', 80))", timeout=15)
    assert result.exit_code == 1
    assert b"gaierror" in result.stderr, result


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "198.51.100.1", "169.254.169.254", "172.17.0.1", "255.255.255.255", "224.0.0.1"]
)
def test_sending_to_the_outside(box, address):
    def guest(address):
        import socket

        caller = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        caller.sendto(b"hello", (address, 9))

    result = box.exec(program(guest, address=address))
    assert result.exit_code == 1
    assert b"unreachable" in result.stderr or b"not permitted" in result.stderr, result


def test_network_interfaces(box):
    result = box.exec(["cat", "/proc/net/dev"])
    assert {line.split(":")[0].strip() for line in result.stdout.decode().splitlines()[2:]} <= {"lo"}


FAMILIES = {
    "AF_PACKET": (17, 3, 0),
    "raw ICMP": (2, 3, 1),
    "raw IP": (2, 3, 255),
    "raw ICMPv6": (10, 3, 58),
    "AF_VSOCK": (40, 1, 0),
    "AF_VSOCK datagram": (40, 2, 0),
    "AF_ALG": (38, 5, 0),
    "AF_KEY": (15, 3, 2),
    "AF_BLUETOOTH": (31, 3, 1),
    "AF_CAN": (29, 3, 1),
    "AF_TIPC": (30, 1, 0),
    "AF_RDS": (21, 5, 0),
    "AF_XDP": (44, 3, 0),
    "AF_VSOCK in the low half": (40 + 2**32, 1, 0),
    "AF_PACKET in the low half": (17 + 2**32, 3, 0),
    "AF_ALG in the low half": (38 + 2**32, 5, 0),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_sockets_other_than_the_harmless_ones(box, family):
    def guest(arguments):
        import ctypes
        import os

        libc = ctypes.CDLL(None, use_errno=True)
        number = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
        print(libc.syscall(number, *map(ctypes.c_long, arguments)))

    assert told(box.exec(program(guest, arguments=FAMILIES[family]))) == -1


def test_changing_addresses_and_routes(box):
    """RTM_NEWADDR, NEWROUTE and NEWLINK for an interface that does not exist: permission must be what is missing."""

    def guest():
        import json
        import socket
        import struct

        errors = []
        for kind, body in (
            (20, struct.pack("BBBBi", 2, 24, 0, 0, 2**30)),
            (24, bytes([2, 24, 0, 0, 254, 4, 0, 1]) + bytes(4)),
            (16, struct.pack("BxHiII", 0, 0, 2**30, 1, 1)),
        ):
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
                link.settimeout(2)
                link.bind((0, 0))
                link.send(struct.pack("IHHII", 16 + len(body), kind, 5, 1, 0) + body)
                answer = link.recv(4096)
                errors.append(struct.unpack_from("i", answer, 16)[0])
        print(json.dumps(errors))

    result = box.exec(program(guest))
    if result.exit_code == 0:
        assert told(result) == [-1, -1, -1]
    else:
        assert b"PermissionError" in result.stderr or b"not supported" in result.stderr, result


def stay(marker):
    """Leave something everywhere where another session might look, and wait."""
    import ctypes
    import os
    import socket
    import time

    ctypes.CDLL(None).prctl(15, marker.encode(), 0, 0, 0)
    for folder in (".", "/tmp", "/dev/shm"):
        with open(f"{folder}/{marker}", "w") as file:
            file.write(f"left by {marker}")
        os.chmod(f"{folder}/{marker}", 0o666)
    listeners = []
    for family, address in (
        (socket.AF_INET, ("127.0.0.1", 47114)),
        (socket.AF_UNIX, f"\0{marker}"),
        (socket.AF_UNIX, f"/tmp/{marker}.sock"),
    ):
        listeners.append(socket.socket(family))
        listeners[-1].bind(address)
        listeners[-1].listen()
    libc = ctypes.CDLL(None)
    libc.shmget(471147, 4096, 0o1666)
    libc.semget(471147, 1, 0o1666)
    libc.msgget(471147, 0o1666)
    libc.mq_open(f"/{marker}".encode(), os.O_CREAT | os.O_RDWR, 0o666, None)
    print("ready", flush=True)
    time.sleep(8)


def look(marker):
    """What can be seen of a session in which `stay` is running."""
    import ctypes
    import json
    import os
    import socket

    seen = [path for path in (f"/work/{marker}", f"/tmp/{marker}", f"/dev/shm/{marker}") if os.path.exists(path)]
    for family, address in (
        (socket.AF_INET, ("127.0.0.1", 47114)),
        (socket.AF_UNIX, f"\0{marker}"),
        (socket.AF_UNIX, f"/tmp/{marker}.sock"),
    ):
        with socket.socket(family) as caller:
            if caller.connect_ex(address) == 0:
                seen.append(f"socket {address!r}")
    libc = ctypes.CDLL(None)
    seen += ["shared memory"] if libc.shmget(471147, 4096, 0o666) >= 0 else []
    seen += ["semaphore"] if libc.semget(471147, 1, 0o666) >= 0 else []
    seen += ["message queue"] if libc.msgget(471147, 0o666) >= 0 else []
    seen += ["POSIX message queue"] if libc.mq_open(f"/{marker}".encode(), os.O_RDWR) >= 0 else []
    with open("/proc/net/unix") as file:
        seen += ["name of a socket"] if marker in file.read() else []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/comm") as file:
                seen += [f"process {name}"] if marker in file.read() else []
        except OSError:
            pass
    print(json.dumps(seen))


def clear(marker):
    """Take away what `stay` left, wherever that was."""
    import ctypes
    import os

    libc = ctypes.CDLL(None)
    libc.shmctl(libc.shmget(471147, 0, 0), 0, None)
    libc.semctl(libc.semget(471147, 0, 0), 0, 0)
    libc.msgctl(libc.msgget(471147, 0), 0, None)
    libc.mq_unlink(f"/{marker}".encode())
    for path in (f"/tmp/{marker}", f"/dev/shm/{marker}", f"/tmp/{marker}.sock"):
        if os.path.exists(path):
            os.unlink(path)


@pytest.fixture
def neighbour(open_box, host):
    """Another session with `stay` running in it, and the marker it left everywhere."""
    other, ready = open_box(), threading.Event()
    results = []

    def run():
        results.append(other.exec(program(stay, marker=host.marker), on_output=lambda *_: ready.set()))

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10), "the other session's program did not start"
    yield other
    other.interrupt()
    thread.join()
    assert results[0].stdout == b"ready\n", f"the other session was disturbed: {results[0]}"
    other.exec(program(clear, marker=host.marker))


def test_seeing_another_session(box, host, neighbour):
    assert told(box.exec(program(look, marker=host.marker))) == []


def test_seeing_a_session_one_was_forked_from(open_box, host):
    parent = open_box()
    with parent.fork() as child:
        ready = threading.Event()
        source = program(stay, marker=host.marker)
        thread = threading.Thread(target=parent.exec, args=(source,), kwargs={"on_output": lambda *_: ready.set()})
        thread.start()
        assert ready.wait(10)
        seen = told(child.exec(program(look, marker=host.marker)))
        parent.interrupt()
        thread.join()
        parent.exec(program(clear, marker=host.marker))
    assert seen == []


def test_many_sessions_at_once(open_box, only_contained):
    def guest(word, wait):
        import time

        paths = ("/work/me", "/tmp/me", "/dev/shm/me")
        for path in paths:
            open(path, "x").write(word)
        time.sleep(wait)
        print([open(path).read() for path in paths])

    boxes = [open_box() for _ in range(12)]
    results = {}

    def run(number):
        wait = random.Random(number).random()
        results[number] = boxes[number].exec(program(guest, word=f"word {number}", wait=wait))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - start < 20
    for number in range(12):
        assert results[number].stdout.decode() == f"{[f'word {number}'] * 3}\n"
