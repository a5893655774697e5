"""Files inside a sandbox: reading, writing, listing, and whole trees taken and put back exactly.

It runs as the sandboxed user inside the sandbox, while no program runs, so a link leads to nothing that programs could
not reach themselves. A tree is a list of nodes ``[path, kind, mode, mtime_ns, detail]``, parents first; ``detail`` is
a content hash for a file, a target for a link, the first path for a further hard link. Only contents that the other
side lacks travel. Imports nothing of selfgym.
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
_PIECE = 2**20
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
        self._opened: list[tuple[str, int]] = []

    def serve(self, header: dict[str, Any], body: bytes) -> wire.Frame:
        """The answer to one request. Raises `OSError` or `ValueError` with a sentence.

        Contents come and go in pieces that the host chooses, so that however much there is, little is held here.
        """
        kind = header["kind"]
        if kind == "put":
            for (path, mode, offset), piece in _pieces(header["files"], body):
                self._put(path, piece, mode, offset)
            return {"kind": "done"}, b""
        if kind == "get":
            return self._get(header["path"], header["limit"], header["most"])
        if kind == "read":
            return {"kind": "data"}, b"".join(self._part(self.place(path), *part) for path, *part in header["parts"])
        if kind == "list":
            return {"kind": "entries", "entries": list(self._list(header["path"], header["recursive"]))}, b""
        if kind == "remove":
            self._remove(header["path"])
            return {"kind": "done"}, b""
        if kind == "manifest":
            nodes, sizes = self.nodes()
            return {"kind": "nodes", "nodes": nodes, "sizes": sizes, "opened": bool(self._opened)}, b""
        if kind == "shut":
            _shut(self._opened)
            return {"kind": "done"}, b""
        if kind == "plan":
            self._plan = [[self._base + path, *rest] for path, *rest in header["nodes"]]
            return {"kind": "missing", "paths": [path[len(self._base) :] for path in self._clear()]}, b""
        if kind == "fill":
            for (path, offset), piece in _pieces(header["files"], body):
                self._fill(self._base + path, piece, offset)
            return {"kind": "done"}, b""
        if kind == "settle":
            self._settle()
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

    def _put(self, name: str, data: bytes, mode: int, offset: int) -> None:
        path = self.place(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if offset:
            os.chmod(path, mode | stat.S_IWUSR)  # the piece before may have taken the right away
        with open(self._open(path, os.O_WRONLY | os.O_CREAT), "wb") as file:
            file.truncate(offset)
            file.seek(offset)
            file.write(data)
            os.fchmod(file.fileno(), mode)

    def _get(self, name: str, limit: int, most: int) -> wire.Frame:
        """The size of a file and its first ``most`` bytes."""
        path = self.place(name)
        with open(self._open(path, os.O_RDONLY), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise ValueError(f"{path} has {size} bytes; the limit is {limit}")
            return {"kind": "data", "size": size}, file.read(min(size, most))

    def _part(self, path: str, offset: int, length: int) -> bytes:
        with open(self._open(path, os.O_RDONLY), "rb") as file:
            return os.pread(file.fileno(), length, offset)

    def _remove(self, name: str) -> None:
        path = os.path.normpath(self.place(name))
        if path in self._folders:
            raise ValueError(f"{path} itself cannot be removed, only what is in it")
        erase(path)

    def _list(self, name: str, recursive: bool) -> Iterator[tuple[str, str, int, int]]:
        top = self.place(name)
        if not os.path.isdir(top):
            raise ValueError(f"{top} is not a folder")
        told = 0
        opened: list[tuple[str, int]] = []
        try:
            for path, info in _walk(top, recursive, opened):
                told = _bounded(told, path)
                kind = _KINDS.get(stat.S_IFMT(info.st_mode), "other")
                size = info.st_size if kind == "file" else 0
                yield os.path.relpath(path, top), kind, size, stat.S_IMODE(info.st_mode)
        finally:
            _shut(opened)

    def nodes(self) -> tuple[list[Node], list[int]]:
        """The whole tree, and the sizes of its files. What its owner may not read is opened until ``shut``."""
        _shut(self._opened)
        nodes: list[Node] = []
        sizes: list[int] = []
        first: dict[tuple[int, int], str] = {}
        size = 0
        known = {}
        told = 0
        for path, info in self._all(self._opened):
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
            sizes.append(info.st_size if kind == "file" else 0)
            nodes.append([path[len(self._base) :], kind, stat.S_IMODE(info.st_mode), info.st_mtime_ns, detail])
        self._known = known
        return nodes, sizes

    def _all(self, opened: list[tuple[str, int]]) -> Iterator[tuple[str, os.stat_result]]:
        for folder in self._folders:
            yield folder, os.lstat(folder)
            yield from _walk(folder, True, opened)

    def _hash(self, path: str, info: os.stat_result) -> str:
        mark = (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        before, known = self._known.get(path, ((), ""))
        if before == mark:
            return known
        mode = stat.S_IMODE(info.st_mode)
        if not mode & stat.S_IRUSR:
            os.chmod(path, mode | stat.S_IRUSR)
            self._opened.append((path, mode))
        content, now = blake2b(digest_size=16), time.time_ns()
        with open(self._open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            while piece := file.read(_PIECE):
                content.update(piece)
        name = str(content.hexdigest())
        self._known.pop(path, None)
        if mode & stat.S_IRUSR and now - info.st_ctime_ns > _SETTLED:
            self._known[path] = (mark, name)
        return name

    def _clear(self) -> list[str]:
        """Remove what is not in the plan, make its folders, and say which files have to be filled."""
        kinds = {path: kind for path, kind, *_ in self._plan}
        opened: list[tuple[str, int]] = []  # and never shut: the plan says how they are to be
        for path, info in list(self._all(opened)):
            kind = _KINDS.get(stat.S_IFMT(info.st_mode), "other")
            plain = kind == "folder" or (kind == "file" and info.st_nlink == 1)
            if not (plain and kinds.get(path) == kind) and os.path.lexists(path):
                erase(path)
        missing = []
        for path, kind, _, _, detail in self._plan:
            if kind == "folder":
                if not os.path.isdir(path):
                    os.mkdir(path)
                os.chmod(path, 0o700)
            elif kind == "file" and not (os.path.lexists(path) and self._hash(path, os.lstat(path)) == detail):
                if os.path.lexists(path):
                    os.unlink(path)
                missing.append(path)
        self._opened.clear()
        return missing

    def _fill(self, path: str, data: bytes, offset: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path, flags | (0 if offset else os.O_EXCL), 0o600), "wb") as file:
            file.seek(offset)
            file.write(data)

    def _settle(self) -> None:
        """The rest of the plan: links, modes and times."""
        for path, kind, _, _, detail in self._plan:
            if kind == "link":
                os.symlink(detail, path)
            elif kind == "hard":
                os.link(self._base + detail, path, follow_symlinks=False)
            elif kind == "other":
                os.mknod(path, 0o600 | (stat.S_IFSOCK if detail == "socket" else stat.S_IFIFO))
        for path, kind, mode, mtime, _ in reversed(self._plan):
            if kind == "link":
                os.utime(path, ns=(mtime, mtime), follow_symlinks=False)
            elif kind != "hard":
                _settle(path, mode, mtime)


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


def _pieces(files: list[list[Any]], body: bytes) -> Iterator[tuple[list[Any], bytes]]:
    """What is said of each file, and its part of the body; the length comes first."""
    position = 0
    for length, *about in files:
        yield about, body[position : position + length]
        position += length


def _walk(top: str, recursive: bool, opened: list[tuple[str, int]]) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below ``top``, parents first, not through links and not onto other file systems.

    Folders that their owner may not read are opened, and noted in ``opened`` with the mode that they had.
    """
    device = os.stat(top).st_dev
    stack = [top]
    while stack:
        folder = stack.pop()
        info = os.lstat(folder)
        mode = stat.S_IMODE(info.st_mode)
        if mode & stat.S_IRWXU != stat.S_IRWXU and info.st_uid == os.getuid():
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


def _shut(opened: list[tuple[str, int]]) -> None:
    """Give back the modes of what was opened."""
    while opened:
        path, mode = opened.pop()
        os.chmod(path, mode)


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
