"""A library, and a sandbox where one can be had."""

from __future__ import annotations

import pytest

from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox
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
