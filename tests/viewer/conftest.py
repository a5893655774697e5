"""A run with everything that the viewer shows, and a reader of it."""

from __future__ import annotations

import pytest

from selfgym.viewer.source import open_source

from .records import make_run


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("viewer") / "run")


@pytest.fixture
def source(run_folder):
    """The run, opened and wholly indexed."""
    found = open_source(run_folder)
    while found.index.grow():
        pass
    yield found
    found.close()
