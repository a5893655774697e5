"""Control groups: one per session where this process may make them, version 1 or 2, and nothing where it may not.

They hold what resource limits cannot: the memory of all processes and files together, and processor cores. A group is
named after the process that made it, so that groups left by a killed one are found and removed by the next.

Sources: kernel Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from selfgym.envs.sandbox.limits import Limits

_PERIOD = 100_000  # microseconds
_SOCKETS = "memory.kmem.tcp.limit_in_bytes"
_NAME = re.compile(r"selfgym-(\d+)-(\d+)-\d+")
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A group by its folder for each controller (all the same in version 2)."""

    version: int
    folders: dict[str, Path]

    def hits(self) -> dict[str, int]:
        """How often memory ran out (a process was killed) and how often a process could not be made, so far."""
        files = {
            "memory": ("memory.oom_control" if self.version == 1 else "memory.events", "oom_kill"),
            "processes": ("pids.events", "max"),
        }
        counts = {}
        for what, (file, key) in files.items():
            controller = "memory" if what == "memory" else "pids"
            counts[what] = 0
            if controller in self.folders:
                with suppress(OSError):
                    lines = (self.folders[controller] / file).read_text().splitlines()
                    counts[what] = next((int(line.split()[1]) for line in lines if line.split()[0] == key), 0)
        return counts

    def limit_sockets(self, size: int) -> bool:
        """Limit what is on its way over TCP, which version 1 counts only if asked to; whether it is limited now."""
        if self.version == 1:
            try:
                (self.folders["memory"] / _SOCKETS).write_text(str(size))
            except OSError:
                return False
        return True


class Cgroup:
    """The group of one session."""

    def __init__(self, hierarchy: Hierarchy, limits: Limits, processes: int) -> None:
        """Make it. ``processes`` beside the server. Raises `OSError` and leaves nothing where that fails."""
        self._version = hierarchy.version
        name = f"selfgym-{os.getpid()}-{started(os.getpid())}-{next(_numbers)}"
        self._folders = {controller: folder / name for controller, folder in hierarchy.folders.items()}
        try:
            for folder in dict.fromkeys(self._folders.values()):
                folder.mkdir()
            for controller, file, value in self._settings(limits, processes):
                (self._folders[controller] / file).write_text(value)
        except OSError:
            self.remove()
            raise

    def _settings(self, limits: Limits, processes: int) -> list[tuple[str, str, str]]:
        old = self._version == 1
        settings = [
            ("memory", "memory.limit_in_bytes" if old else "memory.max", str(limits.total_memory)),
            ("pids", "pids.max", str(processes)),
        ]
        if limits.cpus is not None:
            quota = int(limits.cpus * _PERIOD)
            settings.append(
                ("cpu", "cpu.cfs_quota_us", str(quota)) if old else ("cpu", "cpu.max", f"{quota} {_PERIOD}")
            )
        if old and (self._folders["memory"] / _SOCKETS).exists():
            settings.append(("memory", _SOCKETS, str(limits.memory // 2)))
        return [setting for setting in settings if setting[0] in self._folders]

    @property
    def controllers(self) -> tuple[str, ...]:
        """What is limited."""
        return tuple(self._folders)

    def add(self, pid: int) -> None:
        """Put a process, and every later child of it, into the group."""
        for folder in dict.fromkeys(self._folders.values()):
            (folder / "cgroup.procs").write_text(str(pid))

    def hits(self) -> dict[str, int]:
        """What `Hierarchy.hits` says of this group."""
        return Hierarchy(self._version, self._folders).hits()

    def remove(self) -> None:
        """Remove it once its processes are gone; waits for up to a second for the kernel to let go of them."""
        for folder in dict.fromkeys(self._folders.values()):
            _remove(folder)


def hierarchy() -> Hierarchy | None:
    """Where this process may make groups that limit memory and processes, or ``None``."""
    own = dict(_groups("self"))
    mounts = list(_mounts())
    folders: dict[str, Path] = {}
    version = 1
    for controller in ("memory", "pids", "cpu"):
        for root, point, kind, options in mounts:
            if kind == "cgroup" and controller in options and controller in own:
                folders[controller] = point / _below(own[controller], root)
    if not folders:
        version = 2
        for root, point, kind, _ in mounts:
            if kind == "cgroup2" and "" in own:
                # beside this process, not below it: a group with processes of its own cannot divide its resources
                beside = (point / _below(own[""], root)).parent if own[""] != root else point
                with suppress(OSError):
                    offered = set((beside / "cgroup.subtree_control").read_text().split())
                    folders = dict.fromkeys({"memory", "pids", "cpu"} & offered, beside)
    folders = {controller: folder for controller, folder in folders.items() if os.access(folder, os.W_OK)}
    return Hierarchy(version, folders) if "memory" in folders else None


def watch(pid: int, name: str) -> Hierarchy | None:
    """The group that somebody else put a process into, if its name has ``name`` in it and it can be read from here."""
    groups = {controller: path for controller, path in _groups(str(pid)) if name in path}
    version = 1 if "memory" in groups else 2
    folders: dict[str, Path] = {}
    for root, point, kind, options in _mounts():
        for controller in ("memory", "pids"):
            path = groups.get(controller if version == 1 else "")
            if path is not None and (kind == "cgroup2" if version == 2 else controller in options):
                folders[controller] = point / _below(path, root)
    return Hierarchy(version, folders) if "memory" in folders and folders["memory"].is_dir() else None


def sweep(where: Hierarchy) -> int:
    """Remove the groups of processes that are no more, and return how many."""
    removed = 0
    for folder in dict.fromkeys(where.folders.values()):
        for group in folder.glob("selfgym-*"):
            match = _NAME.fullmatch(group.name)
            if match and started(int(match[1])) != int(match[2]):
                _remove(group)
                removed += 1
    return removed


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + 1
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(0.002)


def started(pid: int) -> int:
    """When a process started, in ticks since boot; -1 for one that is no more."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError):
        return -1


def _groups(pid: str) -> list[tuple[str, str]]:
    """The group of a process by controller; the controller of version 2 is the empty word."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return []
    return [(name, path) for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")]


def _mounts() -> list[tuple[str, Path, str, list[str]]]:
    """Root, mount point, type and super options of every cgroup mount."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            found.append((fields.split()[3], Path(fields.split()[4]), kind, options.split(",")))
    return found


def _below(path: str, root: str) -> str:
    """A group's path relative to the root of the mount that shows it."""
    return path.removeprefix(root if root != "/" else "").lstrip("/")
