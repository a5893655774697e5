"""The Docker backend: a container for each session, with the same server as its only process from the start.

The server speaks over the container's standard input and output, through one attached stream. When this process lets
go of the stream, or dies, the engine closes the server's input, the server ends, and the engine removes the container.
The engine is the one that the docker SDK finds (DOCKER_HOST); what it may be trusted with is up to whoever runs it.

Source: Docker Engine API 1.41 (containers/create, containers/{id}/attach with its stream format, wait).
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

from selfgym.envs.sandbox import cgroups, image, seccomp
from selfgym.envs.sandbox.guest.isolate import USER
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.link import START, Guarantees, Options, begin, setup_frame
from selfgym.envs.sandbox.local import base_environment

_PATIENCE = 3  # seconds between letting go of a container and killing it
_ANSWER = 120  # seconds the engine may take for one request
_OWNER = "selfgym.owner"
_USERS = (2**30, 2**31 - 2)  # user ids that belong to nobody, a new one for each session
_MAPPED_USERS = (2**14, 2**15)  # where the engine maps user ids itself it has but some 65 000 of them
_STARTER = 32  # processes and threads that runc needs for a moment before the server takes its place
_BOOT = "import sys; sys.path.insert(0, '/run'); from selfgym_guest.server import main; main()"
_MASKED = [
    *(f"/proc/{name}" for name in ("acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug")),
    *(f"/proc/{name}" for name in ("scsi", "timer_list", "timer_stats")),
    "/sys",
]
_READ_ONLY = [f"/proc/{name}" for name in ("bus", "fs", "irq", "sys", "sysrq-trigger")]


class DockerLink:
    """A server in a container of its own."""

    root = ""

    def __init__(self, options: Options) -> None:
        """Start it. Raises `SandboxUnavailable` and leaves nothing where that fails."""
        if not seccomp.supported():
            raise SandboxUnavailable(f"no system call filter for this processor ({os.uname().machine})")
        self._client = connect()
        self._container = ""
        self._stream: _Stream | None = None
        self._group: cgroups.Hierarchy | None = None
        try:
            with _said():
                self._start(options)
        except BaseException:
            self.end()
            raise

    def _start(self, options: Options) -> None:
        api = self._client.api
        engine = _engine(self._client)
        tag = image.build_image(self._client, image.distributions(options.preimport))
        low, high = _MAPPED_USERS if engine.maps_users else _USERS
        user = SystemRandom().randint(low, high)
        self._container = api.create_container_from_config(_configuration(options, tag, user, engine))["Id"]
        # before it starts, or the engine would not close its input when this process dies meanwhile
        wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._stream = _Stream(api.attach_socket(self._container, params=wanted))
        api.start(self._container)
        setup = setup_frame(
            options,
            mounts={},
            user_namespace="if allowed",
            env=_environment(options),
            path=[image.PACKAGES],
            hide=["/run", ""],
        )
        ready = begin(self, setup, seccomp.program(), self._complaint)
        self._group = cgroups.watch(api.inspect_container(self._container)["State"]["Pid"], self._container)
        sockets = self._group is not None and self._group.limit_sockets(options.limits.memory // 2)
        self.guarantees = _guarantees(engine, ready, self._group is not None, sockets)

    def _complaint(self) -> str:
        """The last that the container said beside what it was asked."""
        said = self._stream.complaint.decode("utf-8", "replace").strip() if self._stream is not None else ""
        return said.splitlines()[-1] if said else "it says nothing"

    def send(self, data: bytes) -> None:
        """Send all of it."""
        if self._stream is None:
            raise BrokenPipeError("the container is gone")
        self._stream.send(data)

    def receive(self, seconds: float) -> bytes:
        """Some bytes; none where the server is gone."""
        return self._stream.receive(seconds) if self._stream is not None else b""

    def hits(self) -> Mapping[str, int]:
        """What the container's control group has counted; nothing where the engine is on another machine."""
        return self._group.hits() if self._group is not None else {}

    def end(self) -> None:
        """Let go of the container and wait for the engine to remove it; kill it should it not end by itself."""
        from docker.errors import APIError, DockerException
        from requests import RequestException

        if self._stream is not None:
            self._stream.close()
            self._stream = None
        container, self._container = self._container, ""
        if container:
            # the engine may be gone, and the container with it: there is nobody to tell
            with suppress(DockerException, RequestException):
                try:
                    self._client.api.wait(container, timeout=_PATIENCE, condition="removed")
                except (APIError, RequestException):
                    self._client.api.remove_container(container, force=True)
        self._client.close()


class _Stream:
    """The attached stream: what is sent is the container's input, what arrives is its output in labelled pieces."""

    def __init__(self, attached: Any) -> None:
        """``attached``: what the SDK makes of the connection, a file of a socket or, over TLS or SSH, a socket."""
        self._attached = attached
        plain = isinstance(attached, socket.SocketIO)
        self._socket: Any = socket.socket(fileno=os.dup(attached.fileno())) if plain else attached
        self._head = bytearray()
        self._left, self._source = 0, 0
        self.complaint = b""
        """The end of what the container wrote to its standard error."""

    def send(self, data: bytes) -> None:
        self._socket.settimeout(START)
        self._socket.sendall(data)

    def receive(self, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        while True:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self._socket.recv(self._left or 8 - len(self._head))
            except ConnectionResetError:
                return b""
            if not data:
                return b""
            if self._left:
                self._left -= len(data)
                if self._source == 1:
                    return bytes(data)
                self.complaint = (self.complaint + data)[-2000:]
                continue
            self._head += data
            if len(self._head) == 8:
                self._source, self._left = self._head[0], int.from_bytes(self._head[4:], "big")
                self._head.clear()

    def close(self) -> None:
        """Hang up; closing alone would leave the connection to the SDK's own references."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        if (response := getattr(self._attached, "_response", None)) is not None:
            response.close()


@dataclass(frozen=True, slots=True)
class _Engine:
    """What there is to know about an engine."""

    controllers: tuple[str, ...]
    maps_users: bool
    """Whether user ids inside are others outside (a rootless engine, or one with userns-remap)."""


_engines: dict[str, _Engine] = {}


def connect() -> Any:
    """The SDK's client of an engine that answers. Raises `SandboxUnavailable` with what is missing."""
    try:
        import docker
    except ImportError:
        raise SandboxUnavailable("the docker package is not installed: pip install 'selfgym[code]'") from None
    where = _address()
    try:
        if where.startswith("unix://"):
            with socket.socket(socket.AF_UNIX) as trial:  # the SDK says less, and leaves its own socket open
                trial.connect(where.removeprefix("unix://"))
        return docker.from_env(timeout=_ANSWER)
    except PermissionError:
        raise SandboxUnavailable(
            f"this user may not talk to the Docker engine at {where}; is it in the group docker?"
        ) from None
    except (docker.errors.DockerException, OSError) as error:
        raise SandboxUnavailable(
            f"no Docker engine answers at {where}; start one, or say where it is in DOCKER_HOST ({error})"
        ) from None


def _address() -> str:
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


def _is_here() -> bool:
    """Whether the engine is, as far as one can tell, on this machine."""
    return _address().startswith("unix:")


@contextmanager
def _said() -> Iterator[None]:
    """What the engine or the way to it has against something, as `SandboxUnavailable`."""
    from docker.errors import DockerException
    from requests import RequestException

    try:
        yield
    except (DockerException, RequestException, OSError) as error:
        raise SandboxUnavailable(f"the Docker engine makes no container: {error}") from None


def _engine(client: Any) -> _Engine:
    """Asked once in a process, and rid of what killed processes have left there."""
    where = _address()
    if where in _engines:
        return _engines[where]
    info = client.info()
    _sweep(client)
    limited = {"memory": "MemoryLimit", "pids": "PidsLimit", "cpu": "CpuCfsQuota"}
    mapping = ("name=userns", "name=rootless")
    _engines[where] = _Engine(
        controllers=tuple(name for name, key in limited.items() if info.get(key)),
        maps_users=any(option.startswith(mapping) for option in info.get("SecurityOptions") or ()),
    )
    return _engines[where]


def _here() -> str:
    """This start of this machine and this process namespace: where a process id means what it means here."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{os.readlink('/proc/self/ns/pid')}"


def _sweep(client: Any) -> None:
    """Remove the containers of processes of this machine that are no more."""
    from docker.errors import APIError

    owner = re.compile(re.escape(_here()) + r"/(\d+)/(\d+)")
    for container in client.api.containers(all=True, filters={"label": _OWNER}):
        match = owner.fullmatch(container["Labels"][_OWNER])
        if match and cgroups.started(int(match[1])) != int(match[2]):
            # it may be on its way out already, or another process may be sweeping too
            with suppress(APIError):
                client.api.remove_container(container["Id"], force=True)


def _configuration(options: Options, tag: str, user: int, engine: _Engine) -> dict[str, Any]:
    """What the engine is asked to create, in the words of its API."""
    limits = options.limits
    kept = f"nr_inodes={limits.files + 1},uid={user},gid={user},exec,nosuid,nodev"
    host: dict[str, Any] = {
        "AutoRemove": True,
        "CapDrop": ["ALL"],
        "CgroupnsMode": "private",
        "Dns": ["127.0.0.1"],  # or Docker would copy the host's
        "DnsOptions": [],
        "DnsSearch": ["."],
        "ExtraHosts": ["sandbox:127.0.0.1"],
        "IpcMode": "private",
        "LogConfig": {"Type": "none"},
        "MaskedPaths": _MASKED,
        "Memory": limits.total_memory,
        "MemorySwap": limits.total_memory,
        "Mounts": _mounts(options),
        "NetworkMode": "none",
        "PidsLimit": max(limits.processes + 1, _STARTER),
        "ReadonlyPaths": _READ_ONLY,
        "ReadonlyRootfs": True,
        "SecurityOpt": ["no-new-privileges:true", f"seccomp={json.dumps(seccomp.docker_profile())}"],
        "Tmpfs": {
            "/work": f"{kept},size={limits.disk},mode=0755",
            "/tmp": f"{kept},size={limits.disk},mode=1777",
            "/dev/shm": f"{kept},size={limits.shared_memory},mode=1777",
        },
    }
    if limits.cpus is not None and "cpu" in engine.controllers:
        host["NanoCpus"] = int(limits.cpus * 1e9)
    if _is_here() and os.path.exists("/proc/sys/net/ipv6"):
        host["Sysctls"] = {"net.ipv6.conf.all.disable_ipv6": "0"}  # or there would be no ::1
    return {
        "Image": tag,
        "Entrypoint": ["python", "-s", "-S", "-P", "-B", "-X", "utf8", "-c", _BOOT],
        "Cmd": [],
        "Healthcheck": {"Test": ["NONE"]},
        "Env": ["PYTHONHASHSEED=0", "LANG=C.UTF-8"],
        "Hostname": "sandbox",
        "Labels": {_OWNER: f"{_here()}/{os.getpid()}/{cgroups.started(os.getpid())}"},
        "User": f"{user}:{user}",
        "WorkingDir": "/work",
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "HostConfig": host,
    }


def _mounts(options: Options) -> list[dict[str, Any]]:
    """Folders of the host, read-only."""
    if options.readonly and not _is_here():
        raise SandboxUnavailable(
            f"{next(iter(options.readonly))} is to be read inside, but the Docker engine may be on another machine: "
            "only with a DOCKER_HOST that begins with unix:// can it see folders of this one; put the files instead"
        )
    for outside in options.readonly:
        if not os.path.exists(outside):
            raise SandboxUnavailable(f"{outside} is to be read inside, but does not exist")
    return [
        {"Type": "bind", "Source": os.path.abspath(outside), "Target": inside, "ReadOnly": True}
        for outside, inside in options.readonly.items()
    ]


def _environment(options: Options) -> dict[str, str]:
    path = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
    return {**base_environment(options), "PATH": path, **options.env}


def _guarantees(engine: _Engine, ready: Mapping[str, Any], watched: bool, sockets: bool) -> Guarantees:
    """``watched``: whether the container's group can be read; ``sockets``: whether TCP's memory is limited."""
    gaps = []
    landlock, mapped = int(ready["landlock"]), ready["user"] == USER
    if missing := [name for name in ("memory", "pids") if name not in engine.controllers]:
        gaps.append(f"the engine has no control groups for {' and '.join(missing)}: limits are those of each process")
    if landlock == 0:
        gaps.append("no Landlock (the engine's kernel or its seccomp rules refuse it): one layer less over the files")
    if not mapped:
        gaps.append("no user namespace inside the container (the engine's machine refuses it): programs have no name")
    if not watched:
        gaps.append("the container's control group cannot be read from here: a limit that was hit may go unnamed")
    elif not sockets:
        gaps.append(
            "bytes on their way over TCP inside count for nobody (control groups of version 1, not ours to set)"
        )
    return Guarantees(
        backend="docker",
        namespaces=("mount", "pid", "net", "ipc", "uts", "cgroup", *(("user",) if mapped else ())),
        seccomp=True,
        landlock=landlock,
        cgroup=engine.controllers,
        gaps=tuple(gaps),
    )
