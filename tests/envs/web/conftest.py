"""Sites for the tests: a test that needs an application which is not installed is skipped, and says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from selfgym.envs.web.sites.application import Application
from selfgym.envs.web.sites.installing import installed


@pytest.fixture(scope="session")
def started() -> Iterator[Callable[[type[Application]], Application]]:
    """Gives the running site of a class, the same one to all tests; each test begins with ``reset``."""
    sites: dict[type[Application], Application] = {}

    def start(kind: type[Application]) -> Application:
        if installed(kind.package) is None:
            pytest.skip(f"{kind.package.name} {kind.package.release} is not installed: run: selfgym download sites")
        if kind not in sites:
            sites[kind] = kind()
        sites[kind].reset()
        return sites[kind]

    yield start
    for site in sites.values():
        site.close()
