"""A peer in a process of its own: it is asked line by line, in JSON, and answers in the same way."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any


class Peer:
    """A started script of the folder ``peers``, which runs under the peer's own Python."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """``env``: added to this process's own environment."""
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **(env or {})}, start_new_session=True,
        )  # fmt: skip

    def ask(self, do: str, **call: Any) -> dict[str, Any]:
        """Have it do something. Raises `RuntimeError` where it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps({"do": do, **call}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended at {do}")
        return dict(json.loads(line))

    def close(self) -> None:
        """End it with everything that it started."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
