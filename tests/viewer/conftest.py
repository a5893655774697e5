"""A run with everything that the viewer shows, and a reader of it."""

from __future__ import annotations

import pytest

from selfgym.viewer.source import memories_beside, open_source

from .records import make_remembering_run, make_run


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


@pytest.fixture(scope="session")
def remembering_folder(tmp_path_factory):
    return make_remembering_run(tmp_path_factory.mktemp("viewer") / "remembering")


@pytest.fixture
def remembering(remembering_folder):
    """The run with chains and what it remembered, opened and wholly indexed."""
    sources = [open_source(path) for path in (remembering_folder, *memories_beside(remembering_folder))]
    for source in sources:
        while source.index.grow():
            pass
    yield sources
    for source in sources:
        source.close()
