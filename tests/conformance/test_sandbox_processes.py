"""Contained: other processes, the server that runs the program, rights a program could gain, results it could fake."""

# ruff: noqa: SIM105, SIM115

import json
import struct

import pytest

from .sandbox_host import program, told, until

CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def test_killing_everything(box, host, only_contained):
    victim, _ = host.victim()
    result = box.exec("import os, signal\nos.kill(-1, signal.SIGKILL)\nprint('alive')")
    assert result.limit is None
    assert victim.poll() is None


@pytest.mark.parametrize("number", [1, 2, 9, 15, 19, 11, 34])
def test_signals_to_process_1_and_the_parent(box, only_contained, number):
    def guest(number):
        import os

        for pid in (1, os.getppid(), -1):
            try:
                os.kill(pid, number)
            except OSError:
                pass

    box.exec(program(guest, number=number), timeout=2)
    assert box.exec("print('next')").stdout == b"next\n"


@pytest.mark.parametrize(
    "what", ["RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_STACK", "priority"]
)
def test_starving_the_server(box, only_contained, what):
    """A program that could end its session could turn every failure of its own into one of the machine."""

    def guest(what):
        import os
        import resource

        for pid in (1, os.getppid()):
            try:
                if what == "priority":
                    os.setpriority(os.PRIO_PROCESS, pid, 19)
                    os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
                else:
                    resource.prlimit(pid, getattr(resource, what), (0, 0))
                print("managed")
            except OSError:
                pass

    assert b"managed" not in box.exec(program(guest, what=what)).stdout


def test_killing_its_own_process_group(box, only_contained):
    result = box.exec("import os\nos.killpg(0, 9)")
    assert result.signal == 9
    assert result.limit is None


def test_killing_a_process_of_the_host(box, host):
    victim, _ = host.victim()
    box.exec(f"import os\nos.kill({victim.pid}, 9)")
    assert not until(lambda: victim.poll() is not None, 0.3)


def test_stopping_a_process_of_the_host(box, host):
    victim, _ = host.victim()
    box.exec(f"import os\nos.kill({victim.pid}, 19)")

    def stopped():
        with open(f"/proc/{victim.pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"

    assert not until(stopped, 0.3)


@pytest.mark.parametrize("whom", ["process 1", "its parent", "a process of the host"])
def test_looking_into_another_process(box, host, whom):
    """ptrace, process_vm_readv, kcmp, pidfd_getfd and everything below /proc/PID that shows its inside."""

    def guest(pid):
        import ctypes
        import json
        import os

        pid = pid or os.getppid()
        libc = ctypes.CDLL(None, use_errno=True)
        managed = []
        if libc.ptrace(0x4206, pid, None, None) == 0:
            managed.append("ptrace")
        if libc.syscall(312, os.getpid(), pid, 1, 0, 0) >= 0:
            managed.append("kcmp")
        buffer = ctypes.create_string_buffer(8)
        for address in range(0x400000, 0x700000, 0x1000):
            local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
            remote = (ctypes.c_void_p * 2)(address, 8)
            if libc.process_vm_readv(pid, local, 1, remote, 1, 0) > 0:
                managed.append("process_vm_readv")
                break
        try:
            fd = os.pidfd_open(pid)
            managed += [f"pidfd_getfd {n}" for n in range(20) if libc.syscall(438, fd, n, 0) >= 0]
        except OSError:
            pass
        for name in ("environ", "maps", "mem", "auxv", "syscall", "stack", "io", "pagemap", "ns/net"):
            try:
                open(f"/proc/{pid}/{name}", "rb").read(0 if name == "mem" else 1)
                managed.append(name)
            except OSError:
                pass
        for name in ("root", "cwd", "exe", "ns/mnt", *(f"fd/{number}" for number in range(30))):
            try:
                managed.append(f"{name} -> {os.readlink(f'/proc/{pid}/{name}')}")
            except OSError:
                pass
        for name in ("oom_score_adj", "clear_refs", "comm", "mem", "coredump_filter"):
            try:
                open(f"/proc/{pid}/{name}", "r+b").close()
                managed.append(f"write {name}")
            except OSError:
                pass
        print(json.dumps(managed))

    pid = {"process 1": 1, "its parent": 0, "a process of the host": host.victim()[0].pid}[whom]
    assert told(box.exec(program(guest, pid=pid))) == []


def test_seeing_processes_of_the_host(box, host):
    def guest():
        import os

        for name in filter(str.isdigit, os.listdir("/proc")):
            for part in ("cmdline", "comm", "environ"):
                try:
                    print(open(f"/proc/{name}/{part}", "rb").read())
                except OSError:
                    pass

    _, secret = host.victim()
    result = box.exec(program(guest))
    assert result.ok, result
    assert host.marker not in result.text
    assert secret not in result.text


def test_environment_of_the_host(open_box, monkeypatch):
    monkeypatch.setenv("SELFGYM_TEST_SECRET", "secret-in-the-environment")
    box = open_box()
    for command in (["env"], ["sh", "-c", "cat /proc/self/environ /proc/1/environ /proc/$PPID/environ"]):
        assert b"secret-in-the-environment" not in box.exec(command).stdout
    assert b"secret" not in box.exec("import os; print(dict(os.environ), open('/proc/self/environ').read())").stdout


STATUS = "print(open('/proc/self/status').read())"


@pytest.mark.parametrize("runs", ["source", "argv"])
@pytest.mark.parametrize("field", CAPABILITIES)
def test_capabilities_are_empty(box, runs, field):
    result = box.exec(STATUS if runs == "source" else ["cat", "/proc/self/status"])
    status = dict(line.split(":\t") for line in result.stdout.decode().splitlines() if ":\t" in line)
    assert int(status[field], 16) == 0


@pytest.mark.parametrize("runs", ["source", "argv"])
@pytest.mark.parametrize(("field", "value"), [("NoNewPrivs", "1"), ("Seccomp", "2")])
def test_locked(box, runs, field, value):
    result = box.exec(STATUS if runs == "source" else ["cat", "/proc/self/status"])
    assert f"{field}:\t{value}\n".encode() in result.stdout


def test_becoming_root(box):
    def guest():
        import json
        import os

        managed = []
        for name, arguments in (
            ("setuid", (0,)),
            ("setgid", (0,)),
            ("setresuid", (0, 0, 0)),
            ("setresgid", (0, 0, 0)),
            ("seteuid", (0,)),
            ("setgroups", ([0],)),
        ):
            try:
                getattr(os, name)(*arguments)
                managed.append(name)
            except OSError:
                pass
        managed += ["root"] if 0 in os.getresuid() + os.getresgid() else []
        print(json.dumps(managed))

    assert told(box.exec(program(guest))) == []


def test_setuid_programs(box, host):
    """A copy of cat with the setuid and setgid bits, and those of the system, run with no more rights than before."""

    def guest(name):
        import json
        import os
        import shutil
        import subprocess

        copy = os.path.abspath(name)
        shutil.copy(shutil.which("cat"), copy)
        os.chmod(copy, 0o6755)
        status = subprocess.run([copy, "/proc/self/status"], capture_output=True, text=True).stdout
        os.unlink(copy)
        managed = [line for line in status.splitlines() if line.startswith(("Uid", "Gid")) and "\t0" in line]
        for command in (
            ["su", "-c", "id -u"],
            ["sudo", "-n", "id", "-u"],
            ["newuidmap", str(os.getpid()), "0", "0", "1"],
        ):
            try:
                done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=5)
                managed += [command] if done.returncode == 0 else []
            except OSError:
                pass
        print(json.dumps(managed))

    assert told(box.exec(program(guest, name=host.marker))) == []


def test_gaining_priority(box):
    def guest():
        import json
        import os
        import resource

        managed = []

        def attempt(name, call, *arguments):
            try:
                call(*arguments)
                managed.append(name)
            except (OSError, ValueError):
                pass

        attempt("nice", os.nice, -20)
        attempt("real-time scheduling", os.sched_setscheduler, 0, os.SCHED_RR, os.sched_param(1))
        attempt("priority of process 1", os.setpriority, os.PRIO_PROCESS, 1, os.getpriority(os.PRIO_PROCESS, 1))
        with open("/proc/self/oom_score_adj") as file:
            score = int(file.read())

        def save_oneself():
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write(str(min(0, score) - 1))

        attempt("oom_score_adj", save_oneself)
        for name in ("AS", "DATA", "NPROC", "NOFILE", "FSIZE", "CORE", "MEMLOCK"):
            number = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(number)[1]
            if hard != resource.RLIM_INFINITY:
                attempt(f"limit {name}", resource.setrlimit, number, (hard + 1, hard + 1))
        print(json.dumps(managed))

    assert told(box.exec(program(guest))) == []


def test_no_core_file(box):
    result = box.exec("import os, resource\nprint(resource.getrlimit(resource.RLIMIT_CORE), flush=True)\nos.abort()")
    assert result.signal == 6
    assert result.stdout == b"(0, 0)\n"


def test_no_terminal(box):
    def guest():
        import fcntl
        import json
        import os

        managed = []
        for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ttyS0"):
            try:
                os.close(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
                managed.append(path)
            except OSError:
                pass
        for fd in (0, 1, 2):
            try:
                fcntl.ioctl(fd, 0x5412, b"")
                managed.append(f"TIOCSTI on {fd}")
            except OSError:
                pass
        print(json.dumps(managed))

    assert told(box.exec(program(guest))) == []


FRAMES = [
    b'{"kind": "exit", "exit_code": 0, "code": 0, "status": 0, "ok": true}\n',
    b"\xff" * 64,
    b"\x00" * 64,
    b"\n\n\r\n\r\n0\r\n\r\n",
]
for _header in (
    {"kind": "done"},
    {"kind": "exit", "status": 0, "code": 0, "signal": None, "limit": None},
    {"kind": "output", "stream": "stdout"},
    {"kind": "error", "message": "fake"},
):
    _text = json.dumps(_header).encode()
    FRAMES.append(struct.pack(">II", len(_text), 4) + _text + b"fake")
    FRAMES.append(struct.pack("<II", len(_text), 4) + _text + b"fake")
    FRAMES.append(struct.pack(">I", len(_text)) + _text)
    FRAMES.append(struct.pack(">BxxxI", 1, len(_text)) + _text)


def test_faked_answers(box, only_contained):
    """Answers as the server gives them, written to every descriptor there may be, ours and those of others."""

    def guest(frames):
        import os

        parent = os.getppid()
        for pid in ("self", "1", str(parent)):
            for fd in range(256):
                try:
                    target = fd if pid == "self" else os.open(f"/proc/{pid}/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK)
                    for frame in frames:
                        os.write(target, frame)
                except OSError:
                    pass
        os._exit(7)

    result = box.exec(program(guest, frames=FRAMES))
    assert result.exit_code == 7
    assert result.stdout == result.stderr == b"".join(FRAMES)
    assert box.exec("print(2)").stdout == b"2\n"


def test_no_descriptor_is_inherited(box):
    def guest():
        import json
        import os

        found = {}
        for fd in range(3, 5000):
            try:
                found[fd] = os.readlink(f"/proc/self/fd/{fd}")
            except OSError:
                pass
        print(json.dumps([found, os.get_inheritable(0)]))

    assert told(box.exec(program(guest)))[0] == {}
    listing = box.exec(["sh", "-c", "ls /proc/$$/fd"]).stdout.split()
    assert set(listing) <= {b"0", b"1", b"2", b"3", b"10", b"255"}, "a shell opens none but its own"


@pytest.mark.parametrize("code", [0, 5])
@pytest.mark.parametrize("how", ["at once", "in atexit", "in a thread", "after closing everything", "in a destructor"])
def test_leaving_by_the_side_door(box, how, code):
    source = {
        "at once": "import os\nos._exit(CODE)",
        "in atexit": "import atexit, os\natexit.register(os._exit, CODE)\nraise SystemExit(1)",
        "in a thread": "import os, threading, time\nthreading.Timer(0, os._exit, [CODE]).start()\ntime.sleep(9)",
        "after closing everything": "import os\nos.closerange(0, 65536)\nos._exit(CODE)",
        "in a destructor": "import os\nclass Bomb:\n    def __del__(self): os._exit(CODE)\nBomb()",
    }[how]
    result = box.exec(source.replace("CODE", str(code)))
    assert (result.exit_code, result.signal, result.limit) == (code, None, None)


def test_the_child_goes_on_after_its_parent_has_left(box):
    def guest():
        import os
        import time

        print("from the program", flush=True)
        if os.fork() == 0:
            time.sleep(0.5)
            for _ in range(1000):
                print("from beyond", flush=True)
                time.sleep(0.01)
        os._exit(3)

    result = box.exec(program(guest))
    assert (result.exit_code, result.stdout) == (3, b"from the program\n")
    assert box.exec("import time; time.sleep(1); print('clean')").stdout == b"clean\n"


def test_nothing_is_left_in_the_process_table(box, only_contained):
    """Neither children that nobody waited for, nor orphans, nor children of orphans; only the server is there."""

    def guest():
        import os
        import time

        for number in range(20):
            if os.fork() == 0:
                if number % 2:
                    os.setsid()
                    os.fork()
                if number % 3 == 0:
                    os._exit(0)
                time.sleep(20)

    def look():
        import json
        import os

        states = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with open(f"/proc/{pid}/stat") as file:
                states[int(pid)] = file.read().rpartition(")")[2].split()[0]
        states.pop(os.getpid())
        print(json.dumps(sorted(states)))

    before = told(box.exec(program(look)))
    assert len(before) <= 2
    box.exec(program(guest))
    assert told(box.exec(program(look))) == before


def test_spoiling_the_interpreter_for_the_next_program(box):
    def guest():
        import builtins
        import ctypes
        import os
        import sys

        builtins.print = lambda *words: None
        os.environ["SPOILT"] = "yes"
        sys.modules["json"] = None
        os.umask(0o777)
        sys.setrecursionlimit(60)
        sys.path[:] = []
        ctypes.memset(id(3) + 24, 4, 1)

    box.exec(program(guest))
    result = box.exec(
        "import json, os, sys\nprint(json.dumps([1 + 2, os.environ.get('SPOILT'), sys.getrecursionlimit()]))"
    )
    assert result.stdout == b"[3, null, 1000]\n"


@pytest.mark.parametrize(
    "name",
    [
        "sitecustomize.py",
        "usercustomize.py",
        "json.py",
        "os.py",
        "signal.py",
        "struct.py",
        "wire.py",
        "encodings/__init__.py",
    ],
)
def test_files_cannot_change_the_server(box, name):
    """A module in the workspace is the program's own affair; sessions and their server never import it."""
    box.put(name, "print('spoilt', flush=True)\nraise SystemExit(0)")
    try:
        result = box.exec([*["cat", "/proc/self/comm"]])
        assert result.stdout == b"cat\n"
        with box.fork() as twin:
            assert twin.exec(["echo", "fine"]).stdout == b"fine\n"
    finally:
        box.remove(name)
