"""The server inside a sandbox: it stays warm, forks one child per execution, and keeps the files.

It is process 1 of its process namespace, talks frames (see `wire`) over its standard input and output, and serves one
request at a time. When the host goes away it exits, and with it everything it started. Imports nothing of selfgym.
"""

from __future__ import annotations

import gc
import os
import select
import sys
import time

from . import isolate, program, tree, wire

TYPE_CHECKING = False  # see wire
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn
else:
    import _signal as signal  # without its enumerations

_TAIL = 2**16
_SOON = 0.02  # seconds that output may wait for more, or for the end: most programs' output then is one message
_ENOUGH = 2**16  # bytes that do not wait
_POLL = 3600.0  # seconds; poll cannot wait much longer than this at once


class Channel:
    """The stream to the host, moved away from the standard streams."""

    def __init__(self) -> None:
        self._input, self._output = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.close(null)
        self._frames = wire.Frames()
        self._posted = bytearray()

    def fileno(self) -> int:
        """What to wait on for the next frame."""
        return self._input

    @property
    def holding(self) -> bool:
        """Whether something was read already that no frame has been made of."""
        return self._frames.holding

    def receive(self) -> wire.Frame:
        """The next frame. Without a host there is nothing left to do: exits."""
        while (frame := self._frames.take()) is None:
            data = os.read(self._input, wire.READ)
            if not data:
                os._exit(0)
            self._frames.feed(data)
        return frame

    @property
    def posted(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._posted)

    def post(self, header: dict[str, Any], body: bytes) -> None:
        """Send one frame soon: with the next one, or with `flush`."""
        self._posted += wire.pack(header, body)

    def flush(self) -> None:
        """Send what waits. Without a host: exits."""
        view, self._posted = memoryview(self._posted), bytearray()
        while view:
            try:
                view = view[os.write(self._output, view) :]
            except BrokenPipeError:
                os._exit(0)

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Send one frame now, and what waits before it."""
        self.post(header, body)
        self.flush()


class Stream:
    """One output of a program: sent on while it is short, its end kept when it is long."""

    def __init__(self, name: str, fd: int, cap: int, channel: Channel) -> None:
        self.name, self.fd, self._cap, self._channel = name, fd, cap, channel
        self.total = 0
        self._tail = bytearray()
        os.set_blocking(fd, False)

    def read(self) -> bool:
        """Take what is there; whether more may come."""
        try:
            data = os.read(self.fd, wire.READ)
        except BlockingIOError:
            return True
        if not data:
            return False
        room = max(0, self._cap - self.total)
        self.total += len(data)
        if room:
            self._channel.post({"kind": "output", "stream": self.name}, data[:room])
        self._tail += data[room:]
        if len(self._tail) > self._cap + _TAIL:
            del self._tail[: -self._cap]
        return True

    def drain(self) -> bytes:
        """After the program's end: take what is left, close, and return the end of what was not sent."""
        while True:
            before = self.total
            if not self.read() or self.total == before:
                break
        os.close(self.fd)
        return bytes(self._tail[-self._cap :])


def main() -> NoReturn:
    """Serve until the host goes away."""
    channel = Channel()
    setup, filter_program = channel.receive()
    _default_signals()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sacrifice = Sacrifice(os.getpid() == 1)
    try:
        state = isolate.enter(setup, filter_program)
        _prepare(setup)
    except BaseException as error:
        channel.send({"kind": "failed", "message": f"{type(error).__name__}: {error}"})
        os._exit(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 2)
    os.close(null)
    gc.collect()
    gc.freeze()
    channel.send({"kind": "ready", **state})
    files = tree.Tree(setup["roots"])
    while True:
        try:
            _serve(channel, files, sacrifice)
        except BaseException as error:
            channel.send({"kind": "failed", "message": f"{type(error).__name__}: {error}"})
            os._exit(1)


def _serve(channel: Channel, files: tree.Tree, sacrifice: Sacrifice) -> None:
    """Receive one request and answer it."""
    header, body = channel.receive()
    if header["kind"] == "exec":
        execute(channel, {**header, "cwd": files.place(header["cwd"])}, body, sacrifice)
        files.open_up()
        if sacrifice.contained:
            tree.empty("/dev/shm")
    elif header["kind"] == "reap":
        channel.send({"kind": "ended", "processes": reap()})
    elif header["kind"] != "interrupt":  # which came too late
        try:
            if header["kind"] == "start":
                places = {name: header[name] and files.place(header[name]) for name in ("cwd", "log")}
                channel.send({"kind": "started", "pid": start({**header, **places}, sacrifice)})
            else:
                channel.send(*files.serve(header, body))
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            channel.send({"kind": "refused", "message": str(error) or type(error).__name__})


def _prepare(setup: dict[str, Any]) -> None:
    """Import what programs will want, in the environment they will see."""
    os.environ.clear()
    os.environ.update(setup["env"])
    sys.path[:] = [*(path for path in sys.path if path not in setup["hide"]), *setup["path"]]
    if setup["executable"]:
        sys.executable = setup["executable"]
    if setup["prefix"]:
        sys.prefix = sys.exec_prefix = setup["prefix"]
    _site_builtins()
    for name in setup["preimport"]:
        __import__(name)
    gc.disable()


def _default_signals() -> None:
    """Undo what the host's starter may have left: signals that are ignored (by nohup, say) or blocked."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals():
        if signal.getsignal(number) == signal.SIG_IGN and number not in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)


def _site_builtins() -> None:
    """``exit`` and ``quit``, which come with the module site; it is not imported for the time that it takes."""
    import builtins
    from _sitebuiltins import Quitter

    for name in ("exit", "quit"):
        setattr(builtins, name, Quitter(name, "Ctrl-D (i.e. EOF)"))


class Sacrifice:
    """Sees to it that where memory runs out a program is killed and not the server.

    A child inherits the score that the server has while it forks, and cannot lower it again: Landlock keeps programs
    from writing to /proc. The file is opened before that.
    """

    def __init__(self, contained: bool) -> None:
        """``contained``: whether there are walls at all; without them nothing is done."""
        self.contained = contained
        self._fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC) if contained else -1

    def __enter__(self) -> None:
        self._score(b"1000")

    def __exit__(self, *_: object) -> None:
        self._score(b"0")

    def _score(self, value: bytes) -> None:
        if self.contained:
            os.pwrite(self._fd, value, 0)


def start(request: dict[str, Any], sacrifice: Sacrifice) -> int:
    """Start a program that goes on by itself, its output in the file ``request["log"]`` or nowhere; its process id."""
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if request["log"] else null
    with sacrifice:
        pid = os.fork()
        if pid == 0:
            program.become(request, None, (null, log, log))
    for fd in {null, log}:
        os.close(fd)
    return pid


def reap() -> list[tuple[int, int]]:
    """The processes that have ended since the last call, with their exit code or minus the signal."""
    ended = []
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended.append((pid, os.waitstatus_to_exitcode(status)))
    except ChildProcessError:
        pass
    return ended


def execute(channel: Channel, request: dict[str, Any], body: bytes, sacrifice: Sacrifice) -> None:
    """Run one program to its end and the end of all it started, and send what became of it."""
    split = request["source"]
    source = None if split is None else body[:split].decode()
    stdin = body[split or 0 :]
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    stdin_end, feed = os.pipe() if stdin else (os.open(os.devnull, os.O_RDONLY), -1)
    started = time.monotonic()
    with sacrifice:
        pid = os.fork()
        if pid == 0:
            program.become(request, source, (stdin_end, out_end, err_end))
    for fd in (stdin_end, out_end, err_end):
        os.close(fd)
    cap = request["output"]
    streams = (Stream("stdout", out, cap, channel), Stream("stderr", err, cap, channel))
    limit = _attend(channel, pid, streams, feed, stdin, started + request["timeout"])
    status, cpu, memory = _end(pid, sacrifice.contained)
    seconds = time.monotonic() - started
    tails = [stream.drain() for stream in streams]
    channel.send(
        {
            "kind": "done",
            "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "seconds": seconds,
            "cpu_seconds": cpu,
            "peak_memory": memory,
            "totals": [stream.total for stream in streams],
            "tail": len(tails[0]),
            "limit": limit,
        },
        b"".join(tails),
    )


def _attend(
    channel: Channel, pid: int, streams: tuple[Stream, Stream], feed: int, stdin: bytes, deadline: float
) -> str | None:
    """Move bytes until the program's main process ends, time is up, or the host says stop; which limit it was."""
    poll = select.poll()
    watched = os.pidfd_open(pid)
    by_fd = {stream.fd: stream for stream in streams}
    for fd in (watched, channel.fileno(), *by_fd):
        poll.register(fd, select.POLLIN)
    if feed >= 0:
        os.set_blocking(feed, False)
        poll.register(feed, select.POLLOUT)
    view, limit = memoryview(stdin), None
    try:
        while limit is None:
            left = min(max(0.0, deadline - time.monotonic()), _SOON if channel.posted else _POLL)
            ready = {channel.fileno(): 0} if channel.holding else dict(poll.poll(left * 1000))
            if not ready and time.monotonic() >= deadline:
                limit = "timeout"
            if not ready or channel.posted > _ENOUGH:
                channel.flush()
            for fd in ready.keys() & by_fd.keys():
                if not by_fd[fd].read():
                    poll.unregister(fd)
            if feed in ready:
                view = _write(feed, view)
                if not view:
                    poll.unregister(feed)
                    os.close(feed)
                    feed = -1
            if channel.fileno() in ready and channel.receive()[0]["kind"] == "interrupt":
                limit = "interrupted"
            if watched in ready:
                break
    finally:
        os.close(watched)
        if feed >= 0:
            os.close(feed)
    return limit


def _write(fd: int, view: memoryview) -> memoryview:
    """What is left after writing what fits; nothing where nobody reads."""
    try:
        return view[os.write(fd, view[: wire.READ]) :]
    except BlockingIOError:
        return view
    except BrokenPipeError:
        return view[:0]


def _end(pid: int, contained: bool) -> tuple[int, float, int]:
    """End every process of the program; the main one's status and CPU seconds, and the largest one's bytes."""
    end = os.WEXITED | os.WNOWAIT | os.WNOHANG
    if os.waitid(os.P_PID, pid, end) is None:
        os.kill(pid, signal.SIGKILL)
    status, usage = os.wait4(pid, 0)[1:]
    largest = usage.ru_maxrss
    if contained:
        # One signal reaches all: a process that is forking at that moment fails to (see copy_process in the kernel).
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        try:
            while True:
                largest = max(largest, os.wait4(-1, 0)[2].ru_maxrss)
        except ChildProcessError:
            pass
    else:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return status, usage.ru_utime + usage.ru_stime, largest * 1024
