"""What a programming task is, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from selfgym.envs.code.packages import Package


@dataclass(frozen=True, slots=True)
class Problem:
    """A workspace in which something is wrong or missing, and the tests that decide when it no longer is."""

    id: str
    statement: str
    """The task in words."""
    package: Package
    """How its tests are run, and which of its files may be changed (`Package.sources`)."""
    files: Mapping[str, bytes]
    """The workspace at the beginning, by path relative to its root."""
    hidden: Mapping[str, bytes]
    """Files that are put in place for grading, over whatever is there; never shown."""
    tests: tuple[str, ...]
    """Test ids that must all pass."""
    solution: Mapping[str, bytes]
    """The files of the reference solution that differ from ``files``; for the expert only."""
    removed: tuple[str, ...] = ()
    """Files that the reference solution deletes."""

    def declared(self, path: str) -> bool:
        """Whether a file of the agent's counts: a Python source of the package, and nothing that steers the tests."""
        name = path.rpartition("/")[2]
        inside = any(path == place or path.startswith(place + "/") for place in self.package.sources)
        test = any(path == place or path.startswith(place + "/") for place in self.package.tests)
        return inside and not test and name.endswith(".py") and name not in STEERING


STEERING = ("conftest.py", "sitecustomize.py", "usercustomize.py", "pytest.py", "_pytest.py")
"""Files that Python or pytest would run by themselves, or take for themselves."""
