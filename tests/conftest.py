"""A library, and a sandbox and a desktop where they can be had."""

from __future__ import annotations

import pytest

from selfgym.cli.desktops import desktop_needs
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox, probe
from selfgym.memory.library import Library


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
