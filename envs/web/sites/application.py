"""A site that is an existing web application: a server process of its own, with data of its own, for each environment.

The process runs under the application's Python (`installing`) and speaks with us over its standard input and output
(``apps/serving.py``); it ends when that input ends, so it dies with us however we die. All data is in the folder
``place/data``; a judge reads the SQLite file there. Where we are root, the server is nobody (``apps/lowering.py``).
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import warnings
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, ClassVar
from urllib.parse import quote

from selfgym.envs.core import SnapshotError
from selfgym.envs.web.sites.installing import Package, environment, installed, template
from selfgym.envs.web.sites.site import Site, SiteError

_MAGIC = b"selfgym-site-1\n"
_PATIENCE = 60.0
"""Seconds after which a server that does not answer is taken for dead."""


class Application(Site):
    """What all such sites share: starting, resetting, saving and reading. A subclass adds the tasks."""

    package: ClassVar[Package]
    """What is installed."""
    database: ClassVar[str]
    """The SQLite file among the data that judges read."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._talking = threading.RLock()

    def start(self) -> tuple[str, int]:
        """Its address; a server that has died is started anew, with the data that every episode begins with."""
        with self._talking:
            if self._server is None or not self._server.running():
                self.close()
                self._server = _Server(self.package)
            return "127.0.0.1", self._server.port

    def reset(self) -> None:
        """Put data and clock back; starts the server if need be."""
        with self._talking:
            if self._server is None or not self._server.running():
                self.start()
            else:
                self._server.ask("reset")

    def save(self) -> bytes:
        """The data and the clock: magic, SHA-256, and what follows compressed."""
        with self._talking:
            state = self._running().ask("save")
        body = zlib.compress(self._label + b"\n" + state, 1)
        return _MAGIC + hashlib.sha256(body).digest() + body

    def load(self, data: bytes) -> None:
        """Put back what `save` gave; starts the server if need be."""
        head, body = data[: len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
        if head != _MAGIC + hashlib.sha256(body).digest():
            raise SnapshotError(f"this is no snapshot of the site {self.name}, or it is damaged")
        try:
            label, _, state = zlib.decompress(body).partition(b"\n")
        except zlib.error as problem:
            raise SnapshotError(f"this snapshot cannot be read: {problem}") from None
        if label != self._label:
            raise SnapshotError(f"this is a snapshot of another site or version: {label[:80]!r}; save it anew")
        _check(state)
        with self._talking:
            self.start()
            self._running().ask("load", state)

    def functions(self, data: Path) -> Mapping[str, Callable[[Any], Any]]:
        """Functions of one value that the queries of judges may call, by name; ``data`` is where the database is."""
        return {}

    def close(self) -> None:
        """End the server and remove its files."""
        with self._talking:
            if self._server is not None:
                self._server.end()
                self._server = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to the application's database that can only read, for judges. Raises `SiteError`.

        No request is answered meanwhile, and the server has closed the file: it holds all that was written.
        """
        with self._talking:
            server = self._running()
            server.ask("hold")
            try:
                with self._read(server.place / "data" / self.database) as connection:
                    yield connection
            finally:
                server.ask("go")

    @contextmanager
    def reading_start(self) -> Iterator[sqlite3.Connection]:
        """The same for the database that every episode begins with."""
        with self._read(template(self.package) / "data" / self.database) as connection:
            yield connection

    @contextmanager
    def _read(self, path: Path) -> Iterator[sqlite3.Connection]:
        try:
            # not only mode=ro, which would leave files of its own beside a database with a write-ahead log
            with closing(sqlite3.connect(f"file:{quote(str(path))}?immutable=1", uri=True)) as connection:
                connection.row_factory = sqlite3.Row
                for name, function in self.functions(path.parent).items():
                    connection.create_function(name, 1, function, deterministic=True)
                yield connection
        except sqlite3.Error as problem:
            raise SiteError(f"the data of the site {self.name} cannot be read: {problem}") from problem

    @property
    def data(self) -> Path:
        """The folder of the data that episodes change. Raises `SiteError` where the server does not run."""
        return self._running().place / "data"

    @property
    def _label(self) -> bytes:
        return json.dumps([self.name, self.package.release, self.version]).encode()

    def _running(self) -> _Server:
        if self._server is None:
            raise SiteError(f"the site {self.name} has not been started")
        if not self._server.running():
            raise SiteError(f"the server of the site {self.name} has ended{self._server.last_words()}; start it anew")
        return self._server


class _Server:
    """One server process and its folder."""

    def __init__(self, package: Package) -> None:
        folder, python = template(package), installed(package)
        assert python is not None, "a template exists only beside its application"
        self.name = package.name
        self.place = Path(tempfile.mkdtemp(prefix=f"selfgym-{package.name}-"))
        command = [
            str(python),
            str(folder / "code" / "serving.py"),
            "serve",
            package.module,
            str(folder),
            str(self.place),
        ]
        with (self.place / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                env={
                    **environment(),
                    "HOME": str(self.place),
                    "TMPDIR": str(self.place),
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                start_new_session=True,
                umask=0o022,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to: IO[bytes] = self._process.stdin
        self._from: IO[bytes] = self._process.stdout
        self._buffer = b""
        self.end = weakref.finalize(self, _end, self._process, self.place, os.getpid())
        told = self._answer()[0]
        if told["warning"]:
            warnings.warn(f"the server of the site {self.name}: {told['warning']}", stacklevel=4)
        self.port: int = told["port"]

    def running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def ask(self, do: str, body: bytes = b"") -> bytes:
        """Have it do something between two requests."""
        try:
            self._to.write(json.dumps({"do": do, "size": len(body)}).encode() + b"\n" + body)
            self._to.flush()
        except BrokenPipeError:
            raise self._dead() from None
        return self._answer()[1]

    def last_words(self) -> str:
        """What it last wrote to its log, as the end of a sentence."""
        log = self.place / "log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return f" ({lines[-1]})" if lines else ""

    def _answer(self) -> tuple[dict[str, Any], bytes]:
        until = time.monotonic() + _PATIENCE
        while b"\n" not in self._buffer:
            self._more(until)
        line, _, self._buffer = self._buffer.partition(b"\n")
        head = json.loads(line)
        parts, missing = [self._buffer], head["size"] - len(self._buffer)
        while missing > 0:
            self._buffer = b""
            self._more(until)
            parts.append(self._buffer)
            missing -= len(self._buffer)
        self._buffer = b""  # it speaks only when asked
        return head, b"".join(parts)

    def _more(self, until: float) -> None:
        waiting = select.poll()  # select.select fails where many files are open
        waiting.register(self._from, select.POLLIN)
        ready = waiting.poll(max(0.0, until - time.monotonic()) * 1000)
        piece = os.read(self._from.fileno(), 1 << 20) if ready else b""
        if not piece:
            raise self._dead()
        self._buffer += piece

    def _dead(self) -> SiteError:
        words = self.last_words()
        self.end()
        return SiteError(f"the server of the site {self.name} has ended or does not answer{words}; start it anew")


def _end(process: subprocess.Popen[bytes], place: Path, owner: int) -> None:
    if os.getpid() != owner:
        return  # a fork of the process that owns it
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            _close(pipe)
    shutil.rmtree(place, ignore_errors=True)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # what was still to be written has no reader any more


def _check(state: bytes) -> None:
    """Refuse files outside the folder of the data."""
    try:
        told = json.loads(state.partition(b"\n")[0])
        names = [name for name, size in told["files"]]
        sizes = sum(size for name, size in told["files"])
        whole = isinstance(told["requests"], int) and len(state.partition(b"\n")[2]) == sizes
    except (ValueError, KeyError, TypeError) as problem:
        raise SnapshotError(f"this snapshot cannot be read: {problem}") from None
    if not whole or any(Path(name).is_absolute() or ".." in Path(name).parts for name in names):
        raise SnapshotError("this snapshot cannot be read: its files do not fit")
