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
from collections.abc import Mapping
from pathlib import Path

from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.link import Guarantees, Options, SocketLink, begin, setup_frame

_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from guest.server import main; main()"


class BareLink(SocketLink):
    """A server without walls."""

    guarantees = Guarantees("unsafe", (), False, 0, (), ("programs run with all rights of this user",))

    def __init__(self, options: Options) -> None:
        """Start it. Raises `SandboxUnavailable`."""
        self._folder = tempfile.mkdtemp(prefix="selfgym-unsafe-")
        for name in ("work", "tmp"):
            os.mkdir(os.path.join(self._folder, name))
        ours, theirs = socket.socketpair()
        super().__init__(ours)
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
        setup = setup_frame(options, env={**os.environ, **options.env}, **more)
        try:
            begin(self, setup, b"", lambda: "it says nothing")
        except SandboxUnavailable:
            self.end()
            raise

    def hits(self) -> Mapping[str, int]:
        """Nothing is counted."""
        return {}

    def end(self) -> None:
        """Hang up and remove the folder. What programs left behind elsewhere stays."""
        self.hang_up()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
