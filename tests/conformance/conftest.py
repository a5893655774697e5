"""Sandbox sessions for the tests of this folder, one backend after the other.

SELFGYM_SANDBOXES names the backends, by default ``local,docker``. ``unsafe`` is the negative control: a bare process
that must fail the tests of containment. Tests that could harm a machine without a sandbox ask for `only_contained`.
"""

from __future__ import annotations

import contextlib
import os
import sys

import pytest

from selfgym.envs.sandbox.container import connect
from selfgym.envs.sandbox.limits import Limits, SandboxError, SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox

from .sandbox_host import Host

BACKENDS = os.environ.get("SELFGYM_SANDBOXES", "local,docker").split(",")


@pytest.fixture(scope="session")
def no_engine():
    """Why no Docker engine can be used, or an empty text."""
    try:
        connect().close()
    except SandboxUnavailable as error:
        return f"{error}"
    return ""


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request, no_engine):
    """The name of the backend."""
    if not sys.platform.startswith("linux"):
        pytest.skip("sandboxes need Linux")
    if request.param == "docker" and no_engine:
        pytest.skip(no_engine)
    return request.param


@pytest.fixture
def only_contained(backend):
    """Asked for by tests that could harm a machine without a sandbox."""
    if backend == "unsafe":
        pytest.skip("would harm this machine")


@pytest.fixture
def open_box(backend):
    """Opens sessions with limits of one's own and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def opened(*, preimport=(), readonly=(), env=None, **limits):
            box = open_sandbox(
                backend,
                limits=Limits(**limits),
                preimport=preimport,
                readonly=readonly,
                env=env,
                unsafe=backend == "unsafe",
            )
            stack.callback(box.close)
            return box

        yield opened


@pytest.fixture(scope="module")
def rooms(backend):
    """The session that the tests of one file share, in a list of one, for `box`."""
    rooms = []
    yield rooms
    for room in rooms:
        room.close()


@pytest.fixture
def box(request, backend, rooms):
    """A session that earlier tests of the file have used. It must work after every test, whatever was done in it.

    Its limits are those that the file has as ``LIMITS``.
    """
    if not rooms:
        limits = Limits(**getattr(request.module, "LIMITS", {"timeout": 20}))
        rooms.append(open_sandbox(backend, limits=limits, unsafe=backend == "unsafe"))
    yield rooms[0]
    broken = ""
    try:
        for again in ("print('still here')", ["echo", "still here"]):
            after = rooms[0].exec(again)
            broken = broken if after.stdout == b"still here\n" else f"{after}"
    except SandboxError as error:
        broken = f"{error}"
    if broken:
        rooms.pop().close()
    assert not broken, f"the session did not survive the test: {broken}"


@pytest.fixture
def host():
    """Bait, and a look at the host's processes."""
    host = Host()
    yield host
    host.close()
