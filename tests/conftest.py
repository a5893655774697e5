"""A library, and a sandbox, a desktop and a server of OpenEnv where they can be had."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from selfgym.cli.desktops import desktop_needs
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox, probe
from selfgym.memory.library import Library

from .peers import FOLDER


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "memory.db") as found:
        yield found


@pytest.fixture(scope="session")
def sandbox():
    """Skips a test where no sandbox can be opened."""
    try:
        session = open_sandbox()
    except SandboxUnavailable as error:
        pytest.skip(f"NO SANDBOX: {error}")
    with session:
        yield session


@pytest.fixture(scope="session")
def desktop():
    """The test is skipped where the real desktop cannot be played."""
    if needs := desktop_needs():
        pytest.skip(f"NO DESKTOP: {needs}")
    try:
        probe("local")
    except SandboxUnavailable as error:
        pytest.skip(f"NO DESKTOP: no sandbox on this machine: {error}")


@pytest.fixture(scope="session")
def python_of():
    """The Python of a peer by its name; skips a test where that is not there."""

    def find(name):
        python = FOLDER / name / "bin" / "python"
        if not python.is_file():
            pytest.skip(f"NO PEER {name.upper()}: {python} is not there; make peers PEERS={name}")
        return python

    return find


@pytest.fixture(scope="session")
def serve_openenv(python_of):
    """Starts a server of OpenEnv, where a Python with openenv-core is (``python``): its address and process."""
    python = python_of("openenv")
    with contextlib.ExitStack() as stack:

        def serve(*arguments, cwd=None):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            command = [str(python), *(str(one).replace("PORT", str(port)) for one in arguments)]
            process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
            until = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < until:
                with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    return f"http://127.0.0.1:{port}", process
                time.sleep(0.2)
            raise AssertionError(f"the server did not start: {command}")

        serve.python = python
        yield serve


@pytest.fixture(scope="session")
def openenv_lock(serve_openenv):
    """The address of a server of tests/envs/adapters/openenv_server.py, for this process and those it starts."""
    server = Path(__file__).parent / "envs" / "adapters" / "openenv_server.py"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SELFGYM_OPENENV_LOCK", serve_openenv(server, "PORT")[0])
        yield os.environ["SELFGYM_OPENENV_LOCK"]
