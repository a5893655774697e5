"""Files inside a sandbox: reading, writing, listing, and whole trees taken and put back exactly.

It runs as the sandboxed user inside the sandbox, while no program runs, so a link leads to nothing that programs could
not reach themselves. A tree is a list of nodes ``[path, kind, mode, mtime_ns, detail]``, parents first; ``detail`` is
a content hash for a file, a target for a link, the first path for a further hard link. Contents travel by hash, and
only those that the other side lacks. Imports nothing of selfgym.
"""

from __future__ import annotations

import os
import posixpath
import stat
import time
from _blake2 import blake2b  # hashlib would bring OpenSSL, a megabyte for every session

TYPE_CHECKING = False  # see wire
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from . import wire

    Node = list[Any]

_SETTLED = 50_000_000
"""Nanoseconds after which a file's change time can be trusted to tell a later change."""
_MOST_NAMES = 2**24
_OUTSIDE = ("/proc", "/sys", "/dev")


def digest(data: bytes) -> str:
    """The hash that names a content."""
    return str(blake2b(data, digest_size=16).hexdigest())


class Tree:
    """Serves requests about files.

    ``roots``: ``base``, put before every path; ``folders`` that the tree is of; ``bytes`` that it may have at most.
    """

    def __init__(self, roots: dict[str, Any]) -> None:
        self._base, self._most = roots["base"], roots["bytes"]
        self._folders = [self._base + folder for folder in roots["folders"]]
        self._known: dict[str, tuple[tuple[int, ...], str]] = {}
        self._plan: list[Node] = []

    def serve(self, header: dict[str, Any], body: bytes) -> wire.Frame:
        """The answer to one request. Raises `OSError` or `ValueError` with a sentence."""
        kind = header["kind"]
        if kind == "put":
            position = 0
            for path, length, mode in header["files"]:
                self._put(path, body[position : position + length], mode)
                position += length
            return {"kind": "done"}, b""
        if kind == "get":
            return {"kind": "data"}, self._get(header["path"], header["limit"])
        if kind == "list":
            return {"kind": "entries", "entries": list(self._list(header["path"], header["recursive"]))}, b""
        if kind == "remove":
            erase(self.place(header["path"]))
            return {"kind": "done"}, b""
        if kind == "manifest":
            return {"kind": "nodes", "nodes": self.nodes()}, b""
        if kind == "blobs":
            wanted = set(header["paths"])
            named = ((path[len(self._base) :], path) for path, _ in self._all())
            contents = {name: self._content(path) for name, path in named if name in wanted}
            return {"kind": "data", "files": [[path, len(one)] for path, one in contents.items()]}, b"".join(
                contents.values()
            )
        if kind == "plan":
            self._plan = [[self._base + path, *rest] for path, *rest in header["nodes"]]
            return {"kind": "missing", "hashes": sorted(self._missing())}, b""
        if kind == "plant":
            self._plant(header["contents"], body)
            return {"kind": "done"}, b""
        raise ValueError(f"no request is called {kind!r}")

    def open_up(self) -> None:
        """Give back the rights to the workspace itself, should a program have taken them away."""
        for folder in self._folders:
            mode = stat.S_IMODE(os.lstat(folder).st_mode)
            if mode & stat.S_IRWXU != stat.S_IRWXU:
                os.chmod(folder, mode | stat.S_IRWXU)

    def place(self, path: str) -> str:
        """Where a path of the sandbox is; a relative one starts in the workspace."""
        return str(self._base + posixpath.join("/work", path))

    def _open(self, path: str, flags: int) -> int:
        """A descriptor of a plain file that is no kernel file."""
        fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        where = os.readlink(f"/proc/self/fd/{fd}")
        if not stat.S_ISREG(os.fstat(fd).st_mode) or (where.startswith(_OUTSIDE) and not where.startswith("/dev/shm/")):
            os.close(fd)
            raise ValueError(f"{path} is not a plain file")
        return fd

    def _put(self, name: str, data: bytes, mode: int) -> None:
        path = self.place(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(self._open(path, os.O_WRONLY | os.O_CREAT), "wb") as file:
            file.truncate(0)
            file.write(data)
            os.fchmod(file.fileno(), mode)

    def _get(self, name: str, limit: int) -> bytes:
        path = self.place(name)
        with open(self._open(path, os.O_RDONLY), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(size + 1) if size <= limit else b""
        if size > limit or len(data) > limit:
            raise ValueError(f"{path} has {max(size, len(data))} bytes; the limit is {limit}")
        return data

    def _list(self, name: str, recursive: bool) -> Iterator[tuple[str, str, int, int]]:
        top = self.place(name)
        if not os.path.isdir(top):
            raise ValueError(f"{top} is not a folder")
        told = 0
        for path, info in _walk(top, recursive):
            told = _bounded(told, path)
            kind = _KINDS.get(stat.S_IFMT(info.st_mode), "other")
            size = info.st_size if kind == "file" else 0
            yield os.path.relpath(path, top), kind, size, stat.S_IMODE(info.st_mode)

    def nodes(self) -> list[Node]:
        """The whole tree."""
        nodes: list[Node] = []
        first: dict[tuple[int, int], str] = {}
        size = 0
        known = {}
        told = 0
        for path, info in self._all():
            told = _bounded(told, path)
            kind, detail = _KINDS.get(stat.S_IFMT(info.st_mode), "other"), ""
            if kind == "link":
                detail = os.readlink(path)
            elif kind != "folder" and info.st_nlink > 1 and (info.st_dev, info.st_ino) in first:
                kind, detail = "hard", first[info.st_dev, info.st_ino][len(self._base) :]
            elif kind == "file":
                size += info.st_size
                if size > self._most:
                    raise ValueError(f"the tree has more than {self._most} bytes of files; some may be sparse")
                detail = self._hash(path, info)
                known[path] = self._known.get(path, ((), ""))
            elif kind == "other":
                detail = {stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}.get(stat.S_IFMT(info.st_mode), "")
            if kind in ("file", "other") and info.st_nlink > 1:
                first[info.st_dev, info.st_ino] = path
            nodes.append([path[len(self._base) :], kind, stat.S_IMODE(info.st_mode), info.st_mtime_ns, detail])
        self._known = known
        return nodes

    def _all(self) -> Iterator[tuple[str, os.stat_result]]:
        for folder in self._folders:
            yield folder, os.lstat(folder)
            yield from _walk(folder, True)

    def _hash(self, path: str, info: os.stat_result) -> str:
        mark = (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        before, known = self._known.get(path, ((), ""))
        if before == mark:
            return known
        now = time.time_ns()
        name = digest(self._content(path))
        info = os.lstat(path)  # reading may have had to change its mode
        if now - info.st_ctime_ns > _SETTLED:
            self._known[path] = ((info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns), name)
        else:
            self._known.pop(path, None)
        return name

    def _content(self, path: str) -> bytes:
        try:
            fd = self._open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except PermissionError:
            mode = stat.S_IMODE(os.lstat(path).st_mode)
            os.chmod(path, mode | stat.S_IRUSR)
            fd = self._open(path, os.O_RDONLY | os.O_NOFOLLOW)
            os.chmod(path, mode)
        with open(fd, "rb") as file:
            return file.read(os.fstat(file.fileno()).st_size + 1)

    def _missing(self) -> set[str]:
        """Contents of the plan that are not in place already."""
        missing = set()
        for path, kind, _, _, detail in self._plan:
            if kind == "file":
                try:
                    info = os.lstat(path)
                    there = stat.S_ISREG(info.st_mode) and info.st_nlink == 1 and self._hash(path, info) == detail
                except OSError:
                    there = False
                if not there:
                    missing.add(detail)
        return missing

    def _plant(self, contents: list[list[Any]], body: bytes) -> None:
        """Make the tree equal to the plan, with the contents that were missing."""
        blobs, position = {}, 0
        for name, length in contents:
            blobs[name] = body[position : position + length]
            position += length
        planned = {path: kind for path, kind, *_ in self._plan}
        there = list(self._all())
        for path, info in there:
            if stat.S_ISDIR(info.st_mode):
                os.chmod(path, 0o700)
        for path, info in there:
            kind = _KINDS.get(stat.S_IFMT(info.st_mode), "other")
            plain = kind == "folder" or (kind == "file" and info.st_nlink == 1)
            if not (plain and planned.get(path) == kind) and os.path.lexists(path):
                erase(path)
        for path, kind, _, _, detail in self._plan:
            if kind == "folder":
                if not os.path.isdir(path):
                    os.mkdir(path, 0o700)
                os.chmod(path, 0o700)
            else:
                self._make(path, kind, detail, blobs)
        for path, kind, mode, mtime, _ in reversed(self._plan):
            if kind == "link":
                os.utime(path, ns=(mtime, mtime), follow_symlinks=False)
            elif kind != "hard":
                _settle(path, mode, mtime)

    def _make(self, path: str, kind: str, detail: str, blobs: dict[str, bytes]) -> None:
        if kind == "link":
            os.symlink(detail, path)
        elif kind == "hard":
            os.link(self._base + detail, path, follow_symlinks=False)
        elif kind == "other":
            os.mknod(path, 0o600 | (stat.S_IFSOCK if detail == "socket" else stat.S_IFIFO))
        elif detail in blobs and not (os.path.lexists(path) and self._hash(path, os.lstat(path)) == detail):
            if os.path.lexists(path):
                os.unlink(path)
            with open(path, "xb") as file:
                file.write(blobs[detail])


_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


def _bounded(told: int, path: str) -> int:
    """The characters of names told so far and of this one. Raises `ValueError` where they are too many to tell."""
    told += len(path)
    if told > _MOST_NAMES:
        raise ValueError(f"the names of the files have more than {_MOST_NAMES} characters in all")
    return told


def _settle(path: str, mode: int, mtime: int) -> None:
    """Mode and modification time, touched only where they differ: a touched file would have to be read again."""
    info = os.lstat(path)
    if stat.S_IMODE(info.st_mode) != mode:
        os.chmod(path, mode)
    if info.st_mtime_ns != mtime:
        os.utime(path, ns=(mtime, mtime))


def _walk(top: str, recursive: bool) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below ``top``, parents first, not through links and not onto other file systems.

    Folders that their owner may not read are opened for the time of the walk.
    """
    device = os.stat(top).st_dev
    stack, opened = [top], []
    try:
        while stack:
            folder = stack.pop()
            mode = stat.S_IMODE(os.lstat(folder).st_mode)
            if mode & stat.S_IRWXU != stat.S_IRWXU and os.lstat(folder).st_uid == os.getuid():
                os.chmod(folder, mode | stat.S_IRWXU)
                opened.append((folder, mode))
            below = []
            for path in sorted(os.path.join(folder, name) for name in os.listdir(folder)):
                info = os.lstat(path)
                if info.st_dev == device:
                    yield path, info
                    if recursive and stat.S_ISDIR(info.st_mode):
                        below.append(path)
            stack.extend(reversed(below))
    finally:
        for folder, mode in reversed(opened):
            os.chmod(folder, mode)


def empty(folder: str) -> None:
    """Remove everything in ``folder``."""
    for name in os.listdir(folder):
        erase(os.path.join(folder, name))


def erase(path: str) -> None:
    """Remove a file or a folder, however deep it is: inner folders are moved up before they are emptied."""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    inner = [path]
    while inner:
        folder = inner.pop()
        os.chmod(folder, 0o700)
        for name in os.listdir(folder):
            inside = os.path.join(folder, name)
            if not stat.S_ISDIR(os.lstat(inside).st_mode):
                os.unlink(inside)
                continue
            os.chmod(inside, 0o700)
            up = f"{path}/.{os.urandom(12).hex()}"  # no name that is there, whatever a program has thought of
            os.rename(inside, up)
            inner.append(up)
        if folder != path:
            os.rmdir(folder)
    os.rmdir(path)
