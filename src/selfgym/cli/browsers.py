"""What `selfgym doctor` and `selfgym download` know of the web: the browser, MiniWoB++'s pages, the sites.

The browser is started for real, in a process of its own, to see what it can do.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import util

from selfgym.cli.checks import Check
from selfgym.cli.debian import install, run
from selfgym.cli.sandboxes import Asked

_USE = "web environments"
_INSTALL = "pip install 'selfgym[web]'"
_PYTHON = ("playwright", "websockets", "PIL", "miniwob")
_PACKAGES = ("chromium-headless-shell", "chromium")  # Debian's, the first that there is
_SECONDS = 20.0  # that a browser may take to show itself
_SHOW = """
import dataclasses, json
from selfgym.envs.web.background import run
from selfgym.envs.web.browser import close_browsers, shared_browser
from selfgym.envs.web.finding import BrowserUnavailable
try:
    told = dataclasses.asdict(run(shared_browser()).able)
    close_browsers()
except BrowserUnavailable as error:
    told = {"unavailable": str(error)}
print(json.dumps(told))
"""


def web_checks() -> Iterator[Check]:
    """The browser with what it can do, the pages, and each site."""
    from selfgym.envs.web.finding import REMEDY, executables

    for package in _PYTHON:
        there = util.find_spec(package) is not None
        yield Check(package, there, "installed" if there else "not installed", _INSTALL, _USE)
    found = next((path for path in executables() if path.exists()), None)
    if found is None or util.find_spec("playwright") is None:
        yield Check("Chromium", found is not None, str(found) if found else "not found", REMEDY, _USE)
    else:
        told = Asked(_SHOW, seconds=_SECONDS).answer()
        yield Check("Chromium", "unavailable" not in told, told.get("unavailable") or _words(told), REMEDY, _USE)
    yield from site_checks()


def web_needs() -> str:
    """What keeps web environments from being played here, as far as a glance shows; empty if nothing does."""
    from selfgym.envs.web.finding import REMEDY, executables

    if any(util.find_spec(package) is None for package in _PYTHON):
        return _INSTALL
    return "" if any(path.exists() for path in executables()) else REMEDY


def _words(told: dict[str, str]) -> str:
    """What a browser turned out to be able to do.

    >>> _words({"executable": "/usr/bin/chromium", "version": "156", "begin_frame": "", "virtual_time": "yes",
    ...         "sandboxed": "yes", "unprivileged": ""})
    '/usr/bin/chromium 156: frames at its own pace, virtual time, sandboxed, as root'
    """
    return f"{told['executable']} {told['version']}: " + ", ".join(
        [
            "frames on demand" if told["begin_frame"] else "frames at its own pace",
            "virtual time" if told["virtual_time"] else "real time",
            "sandboxed" if told["sandboxed"] else "without Chromium's sandbox",
            "unprivileged" if told["unprivileged"] else "as root",
        ]
    )


def site_checks() -> Iterator[Check]:
    """Whether the application of each site is installed; those without one need nothing."""
    from selfgym.envs.web.opened import application_of, sites
    from selfgym.envs.web.sites.installing import installed

    for name in sites():
        package = application_of(name)
        if package is not None:
            there = installed(package)
            words = f"{package.release} in {package.folder}" if there else "not installed"
            yield Check(f"site {name}", there is not None, words, "selfgym download sites", f"site={name!r}")


def install_sites(progress: Callable[[str, int, int], None]) -> list[str]:
    """Install the applications of all sites that are not; returns the names of all."""
    from selfgym.envs.web.opened import application_of, sites
    from selfgym.envs.web.sites.installing import install

    packages = [package for name in sites() if (package := application_of(name)) is not None]
    for number, package in enumerate(packages):
        install(package, lambda what, number=number: progress(what, number, len(packages)))  # type: ignore[misc]
    progress("sites", len(packages), len(packages))
    return [package.name for package in packages]


def install_browser() -> str:
    """Have a Chromium installed unless there is one, by apt as root on Debian, else by Playwright; returns its path.

    Raises `BrowserUnavailable`.
    """
    from selfgym.envs.web.finding import BrowserUnavailable, executables, find_executable

    if next((path for path in executables() if path.exists()), None) is None:
        if os.geteuid() == 0 and shutil.which("apt-get"):
            for package in _PACKAGES:
                if not (answer := install([package])):
                    break
        else:
            answer = run(sys.executable, "-m", "playwright", "install", "chromium-headless-shell")
        if answer:
            raise BrowserUnavailable(f"no Chromium could be installed: {answer}")
    return str(find_executable())
