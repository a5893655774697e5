"""A session in a sandbox: programs run in it one after the other, and the files they leave stay from one to the next.

    with open_sandbox() as sandbox:
        sandbox.put("data.txt", "4 5 6")
        result = sandbox.exec("print(sum(map(int, open('data.txt').read().split())))")
        print(result.text)

This file is the same for every backend; it speaks to the server inside (see `guest`) over a `Link`. It trusts nothing
that comes back: sizes are bounded, types are checked, and no bytes from inside are ever executed or unpacked here.
"""

from __future__ import annotations

import builtins
import os
import re
import signal
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from types import TracebackType
from typing import Any, Literal, Self

from selfgym.envs.sandbox.guest import wire
from selfgym.envs.sandbox.limits import WORK, Entry, Limit, Limits, Result, SandboxError, SandboxFileError
from selfgym.envs.sandbox.link import Guarantees, Link, Options
from selfgym.envs.sandbox.snapshot import Snapshot, checked

OnOutput = Callable[[Literal["stdout", "stderr"], bytes], None]

_GRACE = 15.0  # seconds that the server may be late before the session is given up
_WAIT = 3600.0  # seconds; a socket cannot wait much longer than this at once
_FILES = 120.0  # seconds for a request about files
_MAPPED = 256 * 2**20  # bytes of address space beside the memory that a process may use: code, files, reservations
_PIECE = 2**22  # bytes of contents in one frame
_STACK = 8 * 2**20  # bytes of a thread's stack
_LAST_WORDS: tuple[tuple[Limit, re.Pattern[bytes]], ...] = (
    ("memory", re.compile(rb"MemoryError|Cannot allocate memory|\[Errno 12\]")),
    ("disk", re.compile(rb"No space left on device|File too large|\[Errno (28|27|122)\]")),
    ("processes", re.compile(rb"Resource temporarily unavailable|can't start new thread|\[Errno 11\]")),
)


class Sandbox:
    """One session. Made by `open_sandbox`; closed by `close`, by leaving a ``with`` block, or when nobody holds it.

    Methods may be called from any thread; they wait for one another, except `interrupt`. After `SandboxError` (but not
    `SandboxFileError`) the session is closed.
    """

    def __init__(self, link: Link, options: Options, again: Callable[[], Sandbox]) -> None:
        """``link`` to a server that is ready; ``again`` opens another session like this one."""
        self._link, self._options, self._again = link, options, again
        self._frames = wire.Frames()
        self._busy, self._sending = threading.Lock(), threading.Lock()
        self._running = False
        self._hits: dict[str, int] = {"memory": 0, "processes": 0}
        self._blobs: Mapping[str, bytes] = {}
        self._gone = ""
        self._finalizer = weakref.finalize(self, _end, link, os.getpid())

    @property
    def limits(self) -> Limits:
        """What this session may use."""
        return self._options.limits

    @property
    def guarantees(self) -> Guarantees:
        """What was put in place for this session."""
        return self._link.guarantees

    def exec(
        self,
        program: str | Sequence[str],
        *,
        stdin: bytes | str = b"",
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str = WORK,
        on_output: OnOutput | None = None,
    ) -> Result:
        """Run a program to its end and end every process it left behind.

        ``program`` is Python source, run as ``python -c`` would in a fork of the warm server, or an argument vector
        such as ``["bash", "-c", "ls | wc -l"]``. ``timeout`` in seconds replaces `Limits.timeout`; ``env`` is added to
        the environment; ``on_output`` is called with each piece of output as it arrives, up to `Limits.output` of each
        stream. Whatever the program does is a `Result`, one that cannot be started too: exit code 127 (126 where it
        may not be executed) and a line on standard error, as from a shell. Raises `ValueError` for arguments that
        cannot be meant, `SandboxError` where the session is gone.
        """
        seconds = self.limits.timeout if timeout is None else timeout
        if not seconds > 0:
            raise ValueError(f"the timeout must be above 0 seconds, not {timeout!r}")
        source, argv = (_source(program), []) if isinstance(program, str) else (None, _argv(program))
        given = stdin.encode() if isinstance(stdin, str) else bytes(stdin)
        header = {
            "kind": "exec",
            "source": None if source is None else len(source),
            **self._program(argv, cwd, env),
            "timeout": seconds,
            "output": self.limits.output,
        }
        with self._busy:
            self._send(header, (source or b"") + given)
            self._running = True
            try:
                return self._result(seconds, on_output)
            except BaseException:
                # an exception of ``on_output`` or Ctrl-C: what runs inside must not go on unattended
                self.close()
                raise
            finally:
                self._running = False

    def start(
        self, program: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str = WORK, log: str = ""
    ) -> int:
        """Start a program that goes on by itself until it ends, `exec` is called or the session is closed.

        Its output is appended to the file ``log`` inside, or dropped. Returns its process id inside; `ended` says what
        became of it, and is 127 for one that cannot be started.
        """
        request = {"kind": "start", **self._program(_argv(program), cwd, env), "log": log and _path(log)}
        pid = self._ask(request)[0].get("pid")
        if not isinstance(pid, int):
            raise self._fail(f"the server started a process without a number: {pid!r}")
        return pid

    def ended(self) -> dict[int, int]:
        """Process ids inside that have ended since the last call, with the exit code or minus the signal."""
        header, _ = self._ask({"kind": "reap"})
        try:
            return {int(pid): int(code) for pid, code in header["processes"]}
        except (KeyError, TypeError, ValueError) as error:
            raise self._fail(f"the server's list is malformed: {error}") from None

    def outside(self, path: str) -> str:
        """Where the host finds a file of the session, for sockets and shared memory; what is there is not trusted.

        Links inside lead astray: only for paths that no program inside could have changed. Only the local backend has
        such paths; elsewhere raises `SandboxError`.
        """
        if not self._link.root or self._gone:
            raise SandboxError("there is no way into this session from outside")
        return f"{self._link.root}{os.path.join(WORK, _path(path))}"

    def interrupt(self) -> None:
        """End the program that is running, if one is; its result says ``interrupted``. For another thread to call."""
        if self._running:
            self._send({"kind": "interrupt"})

    def put(self, path: str, data: bytes | str, mode: int = 0o644) -> None:
        """Write a file, and the folders above it. Relative paths start in `WORK`. Raises `SandboxFileError`."""
        self._put([(path, data.encode() if isinstance(data, str) else bytes(data), mode)])

    def put_all(self, files: Mapping[str, bytes | str]) -> None:
        """Write many files at once. Raises `SandboxFileError`; files before the one that failed are written."""
        self._put([(path, data.encode() if isinstance(data, str) else data, 0o644) for path, data in files.items()])

    def get(self, path: str, limit: int = 2**26) -> bytes:
        """The bytes of a file, at most ``limit``. Links are followed inside the sandbox. Raises `SandboxFileError`."""
        where = _path(path)
        with self._busy:
            header, data = self._answer({"kind": "get", "path": where, "limit": limit, "most": _PIECE})
            size = header.get("size")
            if not isinstance(size, int) or not len(data) <= size <= limit:
                raise self._fail(f"the server's file is malformed: {size!r} bytes")
            return data if len(data) == size else self._read([(where, size)])[0]

    def list(self, path: str = ".", recursive: bool = False) -> list[Entry]:
        """What is in a folder, sorted, folders before what is in them. Raises `SandboxFileError`."""
        header, _ = self._ask({"kind": "list", "path": _path(path), "recursive": recursive})
        try:
            return [Entry(str(name), kind, int(size), int(mode)) for name, kind, size, mode in header["entries"]]
        except (KeyError, TypeError, ValueError) as error:
            raise self._fail(f"the server's list is malformed: {error}") from None

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with everything in it. Raises `SandboxFileError`."""
        self._ask({"kind": "remove", "path": _path(path)})

    def snapshot(self) -> Snapshot:
        """The files in `WORK` and `SCRATCH` as they are now; only contents that changed since the last are read."""
        with self._busy:
            header, _ = self._answer({"kind": "manifest"})
            try:
                nodes = checked(header["nodes"])
                where = {
                    node[4]: (node[0], int(size))
                    for node, size in zip(nodes, header["sizes"], strict=True)
                    if node[1] == "file"
                }
            except (KeyError, TypeError, ValueError) as error:
                raise self._fail(f"the server's tree is malformed: {error}") from None
            lacking = [name for name in where if name not in self._blobs]
            fresh: dict[str, bytes] = dict(zip(lacking, self._read([where[name] for name in lacking]), strict=True))
            if header.get("opened"):
                self._answer({"kind": "shut"})
            self._blobs = {name: fresh[name] if name in fresh else self._blobs[name] for name in where}
            return Snapshot(nodes, self._blobs)

    def restore(self, snapshot: Snapshot) -> None:
        """Make the files those of ``snapshot``, of this session or another, exactly."""
        names = {path: detail for path, kind, _, _, detail in snapshot.nodes if kind == "file"}
        with self._busy:
            header, _ = self._answer({"kind": "plan", "nodes": snapshot.nodes})
            try:
                missing = {path: snapshot.blobs[names[path]] for path in header["paths"]}
            except (KeyError, TypeError) as error:
                raise self._fail(f"the server wants a file that is none: {error}") from None
            self._write("fill", [((path,), data) for path, data in missing.items()])
            self._answer({"kind": "settle"})
            self._blobs = snapshot.blobs

    def fork(self) -> Sandbox:
        """Another session, opened like this one, with the same files."""
        snapshot = self.snapshot()
        other = self._again()
        try:
            other.restore(snapshot)
        except BaseException:
            other.close()
            raise
        return other

    def close(self) -> None:
        """End everything inside. The session cannot be used any more; closing again does nothing."""
        self._gone = self._gone or "it was closed"
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, files: Sequence[tuple[str, bytes, int]]) -> None:
        with self._busy:
            self._write("put", [((_path(path), mode), data) for path, data, mode in files])

    def _write(self, kind: str, files: Sequence[tuple[tuple[Any, ...], bytes]]) -> None:
        """Send contents, each with what is said of its file, in frames of about `_PIECE` bytes."""
        frame: list[list[Any]] = []
        pieces: list[bytes] = []
        room = _PIECE
        for about, data in files:
            for offset in range(0, len(data), _PIECE) or (0,):
                piece = data[offset : offset + _PIECE]
                if frame and len(piece) > room:
                    self._answer({"kind": kind, "files": frame}, b"".join(pieces))
                    frame, pieces, room = [], [], _PIECE
                frame.append([len(piece), *about, offset])
                pieces.append(piece)
                room -= len(piece)
        if frame:
            self._answer({"kind": kind, "files": frame}, b"".join(pieces))

    def _read(self, files: Sequence[tuple[str, int]]) -> builtins.list[bytes]:
        """The contents of files of known sizes, asked for in frames of about `_PIECE` bytes."""
        wanted: list[tuple[int, str, int, int]] = []
        for number, (path, size) in enumerate(files):
            wanted += [
                (number, path, offset, min(_PIECE, size - offset)) for offset in range(0, size, _PIECE)
            ]  # an empty file is asked for nothing
        contents = [bytearray() for _ in files]
        while wanted:
            count, room = 0, _PIECE
            while count < len(wanted) and (count == 0 or wanted[count][3] <= room):
                room -= wanted[count][3]
                count += 1
            batch, wanted = wanted[:count], wanted[count:]
            _, body = self._answer({"kind": "read", "parts": [part[1:] for part in batch]})
            if len(body) != sum(part[3] for part in batch):
                raise self._fail("the server's files are not as long as it said")
            position = 0
            for number, _, _, length in batch:
                contents[number] += body[position : position + length]
                position += length
        return [bytes(content) for content in contents]

    def _ask(self, header: dict[str, Any], body: bytes = b"") -> wire.Frame:
        with self._busy:
            return self._answer(header, body)

    def _answer(self, header: dict[str, Any], body: bytes = b"") -> wire.Frame:
        self._send(header, body)
        answer = self._receive(time.monotonic() + _FILES)
        if answer[0].get("kind") == "refused":
            raise SandboxFileError(str(answer[0].get("message")))
        return answer

    def _send(self, header: dict[str, Any], body: bytes = b"") -> None:
        if self._gone:
            raise SandboxError(f"the sandbox is gone: {self._gone}")
        try:
            with self._sending:
                self._link.send(wire.pack(header, body))
        except OSError as error:
            raise self._fail(f"its server does not listen ({error})") from None

    def _receive(self, deadline: float) -> wire.Frame:
        try:
            while (frame := self._frames.take()) is None:
                try:
                    data = self._link.receive(min(max(0.001, deadline - time.monotonic()), _WAIT))
                except TimeoutError:
                    if time.monotonic() < deadline:
                        continue
                    raise
                if not data:
                    raise self._fail("its server has ended")
                self._frames.feed(data)
            if frame[0].get("kind") == "failed":
                raise self._fail(f"its server has failed: {frame[0].get('message')}")
            return frame
        except TimeoutError:
            raise self._fail("its server does not answer") from None
        except (OSError, wire.WireError) as error:
            raise self._fail(f"its server cannot be understood ({error})") from None

    def _fail(self, why: str) -> SandboxError:
        self._gone = self._gone or why
        self.close()
        return SandboxError(f"the sandbox is gone: {self._gone}")

    def _program(self, argv: Sequence[str], cwd: str, env: Mapping[str, str] | None) -> dict[str, Any]:
        return {"argv": argv, "cwd": _path(cwd), "env": _environment(env or {}), "rlimits": self._rlimits()}

    def _rlimits(self) -> dict[str, int]:
        limits = self.limits
        values = {
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": limits.disk,
            "RLIMIT_NOFILE": limits.open_files,
            # one more than the group's, where there is one: the group counts what it refuses
            "RLIMIT_NPROC": limits.processes + (2 if "pids" in self.guarantees.cgroup else 1),
            "RLIMIT_MEMLOCK": 2**16,
            "RLIMIT_MSGQUEUE": 2**16,
            # threads' stacks count as data although hardly any of one is used
            "RLIMIT_DATA": limits.memory + (limits.processes * _STACK if self.guarantees.cgroup else 0),
        }
        if not self.guarantees.cgroup:
            values["RLIMIT_AS"] = limits.memory + _MAPPED
        if limits.cpu is not None:
            values["RLIMIT_CPU"] = ceil(limits.cpu)
        return values

    def _result(self, seconds: float, on_output: OnOutput | None) -> Result:
        deadline = time.monotonic() + seconds + _GRACE
        pieces: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        while True:
            header, body = self._receive(deadline)
            if header.get("kind") == "done":
                break
            stream = header.get("stream")
            if stream not in pieces or len(pieces[stream]) + len(body) > self.limits.output:
                raise self._fail("its server sends what was not asked for")
            pieces[stream] += body
            if on_output is not None:
                on_output(stream, body)
        try:
            cut = int(header["tail"])
            totals = [int(total) for total in header["totals"]]
            tails = (body[:cut], body[cut:])
            outputs = [self._output(*one) for one in zip(pieces.values(), tails, totals, strict=True)]
            code, number = header["exit_code"], header["signal"]
            result = Result(
                stdout=outputs[0][0],
                stderr=outputs[1][0],
                exit_code=None if code is None else int(code),
                signal=None if number is None else int(number),
                seconds=float(header["seconds"]),
                cpu_seconds=float(header["cpu_seconds"]),
                peak_memory=int(header["peak_memory"]),
                dropped=(outputs[0][1], outputs[1][1]),
                limit=self._limit(header, outputs[1][0], outputs[0][1] + outputs[1][1]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise self._fail(f"the server's report is malformed: {error}") from None
        return result

    def _output(self, head: bytearray, tail: bytes, total: int) -> tuple[bytes, int]:
        """What is kept of one stream, and how many bytes are not."""
        cap = self.limits.output
        if total <= cap:
            return bytes(head), 0
        half = cap // 2
        end = (bytes(head[half:]) + tail)[-(cap - half) :]
        dropped = total - half - len(end)
        return bytes(head[:half]) + b"\n[%d bytes left out]\n" % dropped + end, dropped

    def _limit(self, header: dict[str, Any], stderr: bytes, dropped: int) -> Limit | None:
        hits = self._link.hits()
        more = {what: hits.get(what, 0) > count for what, count in self._hits.items()}
        self._hits.update(hits)
        limit = header["limit"]
        if limit in ("timeout", "interrupted"):
            return "timeout" if limit == "timeout" else "interrupted"
        if more["memory"]:
            return "memory"
        if header["signal"] in (signal.SIGXCPU, signal.SIGXFSZ):
            return "cpu" if header["signal"] == signal.SIGXCPU else "disk"
        if more["processes"]:
            return "processes"
        if header["exit_code"] != 0:
            last = stderr.rstrip().rpartition(b"\n")[2]
            for name, words in _LAST_WORDS:
                if words.search(last):
                    return name
        return "output" if dropped else None


def _end(link: Link, owner: int) -> None:
    """End the session, unless this is a fork of the process that it belongs to."""
    if os.getpid() == owner:
        link.end()


def _source(program: str) -> bytes:
    try:
        return program.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the program is not text that can be encoded: {error}") from None


def _argv(program: Sequence[str]) -> list[str]:
    argv = list(program)
    if not argv or not all(_can_be_bytes(word) for word in argv) or not argv[0]:
        raise ValueError(f"an argument vector is a non-empty list of texts without NUL characters, not {program!r}")
    return argv


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    for name, value in env.items():
        if not name or "=" in name or not _can_be_bytes(name) or not _can_be_bytes(value):
            raise ValueError(f"not an environment variable: {name!r}={value!r}")
    return dict(env)


def _can_be_bytes(text: object) -> bool:
    """Whether a program can be given this text: no NUL, and no surrogates but those that stand for bytes."""
    try:
        return isinstance(text, str) and b"\0" not in text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def _path(path: str) -> str:
    if not path or not _can_be_bytes(path):
        raise ValueError(f"not a path: {path!r}")
    return path
