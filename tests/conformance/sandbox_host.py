"""The host's side of the sandbox tests: guest programs as source, what the host can see of them, bait for them.

A guest program is written as a function inside the test that uses it, so that attack and verdict stand side by side.
It is never called here: `program` turns it into source for the sandbox. What it prints is evidence; the verdict is the
host's.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def program(guest, *helpers, **values):
    """Source that calls ``guest`` with ``values`` (anything whose repr is Python); ``helpers`` are put before it."""
    functions = [textwrap.dedent(inspect.getsource(function)) for function in (*helpers, guest)]
    arguments = ", ".join(f"{name}={value!r}" for name, value in values.items())
    return "\n".join([*functions, f"{guest.__name__}({arguments})"])


def told(result):
    """What a guest printed as JSON in its last line. A guest that broke is a broken test, never a contained attack."""
    assert result.exit_code == 0, (
        f"the guest ended with {result.exit_code}, signal {result.signal}: {result.text[-2000:]}"
    )
    return json.loads(result.stdout.splitlines()[-1])


def empty(box):
    """Remove everything in the workspace."""
    for entry in box.list():
        box.remove(entry.path)


def memory_of(pid):
    """Bytes of anonymous and shared memory of a process, what it shares divided by those who share it; 0 once gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(1024 * int(size) for size in re.findall(r"^Pss_(?:Anon|Shmem):\s+(\d+)", file.read(), re.MULTILINE))
    return 0


def descendants(pid):
    """A process and everything below it, as (pid, start time): a pair that is never used twice."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
            parents[int(name)] = (int(fields[1]), fields[19])
    found = {pid}
    while grown := {child for child, (parent, _) in parents.items() if parent in found} - found:
        found |= grown
    return {(child, parents[child][1]) for child in found if child in parents}


def alive(process):
    """Whether one of `descendants` still runs; a zombie does not."""
    with contextlib.suppress(OSError), open(f"/proc/{process[0]}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
        return fields[19] == process[1] and fields[0] not in "ZX"
    return False


def until(condition, seconds=5.0):
    """Wait for a condition; whether it came."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Host:
    """Bait on the host, and a look at its processes. `marker` is a random word that nothing else on the machine has."""

    def __init__(self):
        self.marker = "m" + secrets.token_hex(6)
        self.heard = []
        self._stack = contextlib.ExitStack()

    def close(self):
        """Take the bait away and end what carries the marker."""
        self._stack.close()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self):
        """Processes named after the marker, or with it in their arguments or environment; not zombies."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                texts = [Path(f"/proc/{name}/{part}").read_bytes() for part in ("comm", "cmdline")]
                with contextlib.suppress(OSError):
                    texts.append(Path(f"/proc/{name}/environ").read_bytes())
                state = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0]
                if state not in "ZX" and int(name) != os.getpid() and any(self.marker.encode() in t for t in texts):
                    found.append(int(name))
        return found

    @contextlib.contextmanager
    def watching(self):
        """Count processes with the marker, and their memory, while the block runs: the largest of each ever seen."""
        seen = {"processes": 0, "memory": 0}
        done = threading.Event()

        def watch():
            while not done.wait(0.02):
                pids = self.processes()
                seen["processes"] = max(seen["processes"], len(pids))
                seen["memory"] = max(seen["memory"], sum(map(memory_of, pids)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield seen
        finally:
            done.set()
            watcher.join()

    def secret_file(self, folder):
        """A file of any user's with a secret in it; (path, secret)."""
        secret = "secret-" + secrets.token_hex(16)
        fd, path = tempfile.mkstemp(prefix=f"{self.marker}-", dir=folder)
        self._stack.callback(Path(path).unlink, missing_ok=True)
        with open(fd, "w") as file:
            file.write(secret)
        os.chmod(path, 0o644)
        return path, secret

    def folder(self):
        """A folder on the host that goes away with the test."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix=self.marker)))

    def victim(self):
        """A sleeping process of the host with a secret in its environment; (process, secret)."""
        secret = "secret-" + secrets.token_hex(16)
        command = [sys.executable, "-S", "-c", f"import time; time.sleep(60) # {self.marker}"]
        victim = subprocess.Popen(command, env={"SECRET": secret})
        self._stack.callback(victim.wait)
        self._stack.callback(victim.kill)
        return victim, secret

    def listen(self, family, kind, address):
        """A socket of the host that writes down whatever reaches it in `heard`; its address."""
        listener = socket.socket(family, kind)
        listener.bind(address)
        listener.settimeout(0.1)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        done = threading.Event()

        def serve():
            while not done.is_set():
                with contextlib.suppress(TimeoutError, ConnectionError):
                    if kind == socket.SOCK_STREAM:
                        connection, _ = listener.accept()
                        with connection:
                            self.heard.append("a connection")
                            connection.sendall(b"greetings from the host")
                    else:
                        self.heard.append(listener.recvfrom(1000)[0])

        thread = threading.Thread(target=serve)
        thread.start()
        self._stack.callback(listener.close)
        self._stack.callback(thread.join)
        self._stack.callback(done.set)
        return listener.getsockname()
