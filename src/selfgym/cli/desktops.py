"""What `selfgym doctor` and `selfgym download` know of the desktop: its packages, and whether a screen comes up."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib import util

from selfgym.cli.checks import Check
from selfgym.cli.console import CommandError
from selfgym.cli.debian import install
from selfgym.cli.sandboxes import Asked, sandbox_needs

_USE = "selfgym/Desktop-v0"
_PIP = "pip install 'selfgym[desktop]'"
_APT = "selfgym download desktop"
_PYTHON = ("Xlib", "dbus_fast", "PIL")
_SECONDS = 60.0  # that a screen may take to show itself
_SHOW = """
import json, time
from selfgym.envs.desktop.real.session import ScreenFailure, Session
from selfgym.envs.sandbox.limits import SandboxUnavailable
try:
    start = time.monotonic()
    Session(640, 480).close()
    told = {"seconds": time.monotonic() - start}
except (ScreenFailure, SandboxUnavailable) as error:
    told = {"unavailable": str(error)}
print(json.dumps(told))
"""


def desktop_checks() -> Iterator[Check]:
    """The Python packages, the applications, and a screen that is started for real."""
    from selfgym.envs.desktop.real.applications import missing

    for package in _PYTHON:
        there = util.find_spec(package) is not None
        yield Check(package, there, "installed" if there else "not installed", _PIP, _USE)
    lacking = missing()
    found = f"not installed: {', '.join(lacking)}" if lacking else "installed"
    yield Check("applications", not lacking, found, _APT, _USE)
    if not missing(()) and all(util.find_spec(package) for package in _PYTHON):
        told = Asked(_SHOW, seconds=_SECONDS).answer()
        words = told.get("unavailable") or f"a screen comes up in {told['seconds']:.2f} s"
        yield Check("screen", "unavailable" not in told, words, "see the local sandbox below", _USE)


def desktop_needs() -> str:
    """What keeps the real desktop from being played here, as far as a glance shows; empty if nothing does."""
    from selfgym.envs.desktop.real.applications import missing

    if any(util.find_spec(package) is None for package in _PYTHON):
        return _PIP
    return _APT if missing() else sandbox_needs()


def install_desktop() -> list[str]:
    """Have apt install what the real desktop is made of, unless it is there; returns the packages.

    Raises `CommandError` where that cannot be done.
    """
    from selfgym.envs.desktop.real.applications import missing, packages

    if missing():
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise CommandError(f"only root on Debian or its kin can do this; install {' '.join(packages())}")
        answer = install(packages())
        if lacking := missing():
            raise CommandError(f"these could not be installed: {', '.join(lacking)} ({answer})")
    return packages()
