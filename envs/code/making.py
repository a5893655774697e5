"""Making repair tasks: draw a mutation of a package, and see in a sandbox whether any test notices.

A mutation counts as a bug if its tests come to their end, some fail, and all of them pass on the original (which the
package's test map has shown, twice). The same seed draws the same mutations in the same order on every machine.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from selfgym.envs.code import testmap
from selfgym.envs.code.bugs import BODY_REMOVED, Bug
from selfgym.envs.code.mutate import Edit, apply, edits
from selfgym.envs.code.packages import PACKAGES, Package, PackageError, data_folder, files_of, source_files
from selfgym.envs.code.testmap import TestMap, test_map
from selfgym.envs.code.testrun import run_tests
from selfgym.envs.sandbox.sandbox import Sandbox

VERSION = 1
"""Of how tasks are drawn: the same seed gives the same bug within a version."""

Kind = Literal["repair", "function"]

_REACHING = 3.0  # seconds of tests that reach the function, at most
_BEYOND = 1.0  # seconds of other tests of the package, at most
_SLACK = 10.0  # seconds that a run may take beyond twice what its tests usually take
_TRIES = 400


class Maker:
    """Makes bugs of packages, in one sandbox."""

    def __init__(self, open_session: Callable[[], Sandbox]) -> None:
        """``open_session`` opens a sandbox that has imported `selfgym.envs.code.testrun.PREIMPORT`."""
        self._open = open_session
        self._session: Sandbox | None = None
        self._package = ""

    def draw(self, split: str, kind: Kind, seed: int) -> Bug:
        """The bug of a seed, from disk if it has been made before. Raises `PackageError`."""
        file = _place(split, kind, seed)
        kept = _kept(file)
        if kept is not None:
            return kept
        for tries, (package, edit) in enumerate(candidates(split, kind, seed)):
            bug = self.verify(package, edit)
            if bug is not None:
                _keep(file, bug)
                return bug
            if tries == _TRIES:
                break
        raise PackageError(f"no task of kind {kind!r} can be made of the {split} packages with seed {seed}")

    def verify(self, package: Package, edit: Edit) -> Bug | None:
        """The bug that ``edit`` is, or ``None`` if no test notices it or the tests do not come to their end."""
        tests = test_map(package, self._open)
        reaching = _within(tests.tests_for(edit.path, edit.function), tests, _REACHING)
        if not reaching:
            return None
        session = self._ready(package)
        source = files_of(package)[edit.path]
        session.put(edit.path, apply(source.decode(), edit))
        expected = sum(map(tests.seconds_of, reaching))
        run = run_tests(session, package, reaching, timeout=_SLACK + 2 * expected)
        session.put(edit.path, source)
        if not run.finished or any(test not in run.results for test in reaching):
            return None
        # by name, for which is faster is not the same everywhere
        failing = tuple(sorted(test for test in reaching if run.results[test].outcome != "passed"))
        if not failing or any(run.results[test].outcome == "skipped" for test in failing):
            return None
        others = _within([test for test in tests.tests if test not in set(reaching)], tests, _BEYOND)
        return Bug.of(
            package.name,
            package.version,
            edit,
            failing=failing,
            tests=tuple(sorted((*reaching, *others))),
            error=run.results[failing[0]].message,
        )

    def close(self) -> None:
        """End the session."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _ready(self, package: Package) -> Sandbox:
        """The session, with the package's original files."""
        if self._session is None or self._package != package.name:
            self.close()
            self._session, self._package = self._open(), package.name
            self._session.put_all(files_of(package))
        return self._session


def candidates(split: str, kind: Kind, seed: int) -> Iterator[tuple[Package, Edit]]:
    """Mutations in the order in which ``seed`` draws them: a package, a kind of mistake, and one of that kind."""
    packages = [package for package in PACKAGES if package.split == split]
    if not packages:
        raise PackageError(f"there is no split {split!r}; there are train, valid and test")
    rng = random.Random(f"{VERSION}/{split}/{kind}/{seed}")
    package = rng.choice(packages)
    by_kind = _edits_by_kind(package)
    while True:
        mistake = BODY_REMOVED if kind == "function" else rng.choice(sorted(by_kind))
        yield package, rng.choice(by_kind[mistake])


def all_edits(package: Package) -> list[Edit]:
    """Every mutation of a package's sources."""
    files = files_of(package)
    return [edit for path in source_files(package) for edit in edits(files[path].decode(), path)]


@cache
def _edits_by_kind(package: Package) -> dict[str, list[Edit]]:
    by_kind: dict[str, list[Edit]] = {}
    for edit in all_edits(package):
        by_kind.setdefault(edit.kind, []).append(edit)
    return by_kind


def _within(names: list[str], tests: TestMap, seconds: float) -> list[str]:
    """The first of ``names``, fastest first, that together take no longer than ``seconds``; at least one."""
    kept: list[str] = []
    for name in names:
        seconds -= tests.seconds_of(name)
        if seconds < 0 and kept:
            break
        kept.append(name)
    return kept


def _place(split: str, kind: Kind, seed: int) -> Path:
    archives = "".join(package.sha256 for package in PACKAGES if package.split == split)
    version = blake2b(f"{VERSION}/{testmap.VERSION}{archives}".encode(), digest_size=6).hexdigest()
    return data_folder() / "bugs" / version / split / kind / f"{seed}.json"


def _kept(file: Path) -> Bug | None:
    try:
        return Bug.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None  # a bug can always be made again


def _keep(file: Path, bug: Bug) -> None:
    """Whole or not at all, also when several processes make the same bug."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".bug-", delete=False) as part:
        part.write(bug.model_dump_json().encode())
    os.replace(part.name, file)
