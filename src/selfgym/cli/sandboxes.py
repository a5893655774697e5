"""What `selfgym doctor` and `selfgym envs` say about sandboxes and about `selfgym/Code-v0`.

A backend is tried for real, by a session opened in a process of its own, which is given a few seconds. Nothing is
installed, built or left behind.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import util
from typing import Any

from selfgym.cli.checks import Check

_SECONDS = 8.0
"""How long a backend may take to show itself."""
_PARTING = 3.0  # seconds to clear up after that
_USE = "running programs (selfgym/Code-v0)"
_INSTALL = "pip install 'selfgym[code]'"
_ALLOW = (
    "allow user namespaces (root may use them; else sysctl kernel.unprivileged_userns_clone=1, on newer Ubuntu also "
    "kernel.apparmor_restrict_unprivileged_userns=0; inside a container, one that is started to allow them)"
)
_SHOW = """
import dataclasses, json, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
from selfgym.envs.sandbox.limits import SandboxError
from selfgym.envs.sandbox.opening import probe
try:
    told = dataclasses.asdict(probe(sys.argv[1]))
except SandboxError as error:
    told = {"unavailable": str(error)}
print(json.dumps(told))
"""
_ASK_ENGINE = """
import json, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
from selfgym.envs.sandbox.container import connect
from selfgym.envs.sandbox.image import REPOSITORY
from selfgym.envs.sandbox.limits import SandboxError
try:
    client = connect()
    tags = [tag for image in client.images.list(name=REPOSITORY) for tag in image.tags]
    told = {"engine": client.version()["Version"], "images": [tag for tag in tags if ":base-" not in tag]}
    client.close()
except SandboxError as error:
    told = {"unavailable": str(error)}
print(json.dumps(told))
"""


class Asked:
    """A question to a process of its own, so that nothing there can hold up or break this one."""

    def __init__(self, program: str, *arguments: str, seconds: float = _SECONDS) -> None:
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self) -> dict[str, Any]:
        """What it prints as JSON, or ``unavailable`` with why there is nothing of the kind."""
        try:
            out, err = self._process.communicate(timeout=max(0.01, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._end()
            return {"unavailable": f"no answer within {self._seconds:.0f} seconds"}
        with suppress(ValueError):
            return dict(json.loads(out))
        lines = err.strip().splitlines()
        return {"unavailable": lines[-1] if lines else f"it ended with exit code {self._process.returncode}"}

    def _end(self) -> None:
        """Politely, which lets it clear up; by force if it does not."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=_PARTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def sandbox_checks() -> Iterator[Check]:
    """Both backends, each with a line for every gap in what it guarantees, and what `selfgym/Code-v0` needs."""
    if not sys.platform.startswith("linux"):
        yield Check("sandboxes", False, f"there are none on {sys.platform}", "use Linux, or a virtual machine", _USE)
        return
    local, engine = Asked(_SHOW, "local"), Asked(_ASK_ENGINE)
    yield from _local(local.answer())
    yield from _docker(engine.answer())
    yield packages_check()
    yield _pytest_check()


def _local(told: dict[str, Any]) -> Iterator[Check]:
    from selfgym.envs.sandbox.local import find_bwrap

    bwrap = find_bwrap()
    remedy = _ALLOW if bwrap else f"{_INSTALL}, or install the package bubblewrap"
    yield from _backend("local sandbox", told, f"by {bwrap}", remedy)


def _docker(told: dict[str, Any]) -> Iterator[Check]:
    name, engine = "Docker sandbox", f"engine {told.get('engine')}"
    if told.get("images"):
        told = Asked(_SHOW, "docker").answer()
    elif "engine" in told:  # to open a session would make the image, and doctor changes nothing
        yield Check(name, True, f"{engine}; its image is made with the first session, then this line says more")
        return
    installed = util.find_spec("docker") is not None
    remedy = "start a Docker engine that your user may use, or set DOCKER_HOST" if installed else _INSTALL
    yield from _backend(name, told, engine, remedy)


def _backend(name: str, told: dict[str, Any], how: str, remedy: str) -> Iterator[Check]:
    """One line for the backend and one for each of its gaps."""
    if "unavailable" in told:
        yield Check(name, False, told["unavailable"], remedy, _USE)
        return
    parts = [
        f"namespaces {' '.join(told['namespaces'])}",
        "seccomp" if told["seccomp"] else "no seccomp",
        f"Landlock {told['landlock']}" if told["landlock"] else "no Landlock",
        f"control groups {' '.join(told['cgroup'])}" if told["cgroup"] else "no control groups",
    ]
    yield Check(name, True, f"{how}: {', '.join(parts)}", remedy, _USE)
    for number, gap in enumerate(told["gaps"], 1):
        what, advice = _gap(gap)
        yield Check(f"{name}: gap {number}", False, what, advice, "a sandbox without this gap")


def _gap(words: str) -> tuple[str, str]:
    """What is not guaranteed, and the remedy, which a gap has in brackets.

    >>> _gap("no Landlock (Linux 5.13 has it): one layer less")
    ('no Landlock: one layer less', 'Linux 5.13 has it')
    """
    found = re.fullmatch(r"(.*?) \((.*)\)(.*)", words)
    return (found[1] + found[3], found[2]) if found else (words, "docs/sandbox.md says what follows from it")


def packages_check() -> Check:
    """How many of the archives that `selfgym/Code-v0` makes its tasks from are here, by their checksums."""
    from selfgym.envs.code.packages import PACKAGES, data_folder

    folder = data_folder()
    there = 0
    for package in PACKAGES:
        with suppress(OSError):  # absent, or not ours to read
            there += hashlib.sha256((folder / package.archive).read_bytes()).hexdigest() == package.sha256
    words = f"{there} of {len(PACKAGES)} archives in {folder}"
    remedy = "selfgym download code, or set SELFGYM_CODE_DATA to the folder that has them"
    return Check("Code-v0 packages", there == len(PACKAGES), words, remedy, "selfgym/Code-v0")


def _pytest_check() -> Check:
    there = util.find_spec("pytest") is not None
    return Check("pytest", there, "installed" if there else "not installed", _INSTALL, "selfgym/Code-v0")


def sandbox_needs() -> str:
    """What keeps programs from being run in a sandbox here, as far as a glance shows; empty if nothing does."""
    from selfgym.envs.sandbox.local import find_bwrap

    if not sys.platform.startswith("linux"):
        return "Linux"
    return "" if find_bwrap() else f"{_INSTALL}, or the package bubblewrap"


def code_needs() -> str:
    """What keeps `selfgym/Code-v0` from being played here, as far as a glance shows; empty if nothing does."""
    if needs := sandbox_needs():
        return needs
    return next((check.remedy for check in (_pytest_check(), packages_check()) if not check.ok), "")
