"""Servers of `selfgym serve`, started as a person starts them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SELFGYM = str(Path(sys.executable).with_name("selfgym"))
Start = Callable[..., "tuple[str, subprocess.Popen[str]]"]
Stop = Callable[..., tuple[int, str]]


@pytest.fixture(scope="session")
def stop() -> Stop:
    """Sends a server a signal; its exit code, and what it wrote meanwhile."""

    def end(process: subprocess.Popen[str], sign: int = signal.SIGINT) -> tuple[int, str]:
        process.send_signal(sign)
        _, errors = process.communicate(timeout=30)
        return process.returncode, errors

    return end


@pytest.fixture(scope="module")
def start(stop: Stop) -> Iterator[Start]:
    """Starts `selfgym serve ARGUMENTS --port 0`; the address it printed, and the process."""
    for package in ("starlette", "uvicorn", "websockets"):
        pytest.importorskip(package, reason="pip install 'selfgym[serve]'")
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> tuple[str, subprocess.Popen[str]]:
        command = [SELFGYM, "serve", *arguments, "--port", "0"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.match(r"(http://\S+)/\w+ \(Ctrl\+C ends it\)", line)
        assert found, line + process.stderr.read()
        return found[1], process

    yield begin
    for process in running:
        if process.poll() is None:
            assert stop(process) == (0, "")
