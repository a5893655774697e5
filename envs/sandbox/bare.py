"""No sandbox: the same server as a bare process, for machines that can isolate nothing, and as a negative control.

Programs run with all rights of this user, over a folder of their own that is removed at the end. Only `Limits.timeout`,
``output`` and the limits of a single process hold.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from selfgym.envs.sandbox.guest import wire
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.link import Guarantees, Options, setup_frame

_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from guest.server import main; main()"
_START = 60.0


class BareLink:
    """A server without walls."""

    guarantees = Guarantees("unsafe", (), False, 0, (), ("programs run with all rights of this user",))

    def __init__(self, options: Options) -> None:
        """Start it. Raises `SandboxUnavailable`."""
        self._folder = tempfile.mkdtemp(prefix="selfgym-unsafe-")
        for name in ("work", "tmp"):
            os.mkdir(os.path.join(self._folder, name))
        self._socket, theirs = socket.socketpair()
        here = str(Path(__file__).parent)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, here],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        roots = {"base": self._folder, "folders": ["/work", "/tmp"], "bytes": 2 * options.limits.disk}
        more = {"mounts": {}, "drop": False, "writable": [], "roots": roots, "hide": [here]}
        self.send(wire.pack(setup_frame(options, env={**os.environ, **options.env}, **more)))
        frames = wire.Frames()
        deadline = time.monotonic() + _START
        while (frame := frames.take()) is None:
            data = self.receive(max(0.001, deadline - time.monotonic()))
            if not data:
                self.end()
                raise SandboxUnavailable("the bare server ended at once")
            frames.feed(data)
        if frame[0].get("kind") != "ready":
            self.end()
            raise SandboxUnavailable(f"the bare server gave up: {frame[0].get('message')}")

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(_START)
        self._socket.sendall(data)

    def receive(self, seconds: float) -> bytes:
        """Some bytes; none where the server is gone."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(wire.READ)
        except ConnectionResetError:
            return b""

    def hits(self) -> Mapping[str, int]:
        """Nothing is counted."""
        return {}

    def end(self) -> None:
        """Hang up and remove the folder. What programs left behind elsewhere stays."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
