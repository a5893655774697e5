"""Which browser is there: the system's Chromium, or the one that Playwright downloads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

REMEDY = (
    "install Debian's chromium-headless-shell (or chromium), run `playwright install chromium-headless-shell`, or set "
    "SELFGYM_BROWSER to the path of a Chromium"
)
_SYSTEM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_IN_PLAYWRIGHT = ("chromium_headless_shell-*/*/*headless*shell*", "chromium-*/*/chrome")


class BrowserUnavailable(RuntimeError):
    """No browser can be had here. Says what to install."""


def executables() -> Iterator[Path]:
    """Every Chromium that is found, the best first: a headless shell can be driven frame by frame."""
    chosen = os.environ.get("SELFGYM_BROWSER")
    if chosen:
        yield Path(chosen)
        return
    browsers = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or "~/.cache/ms-playwright").expanduser()
    own = [sorted(path for path in browsers.glob(pattern) if path.is_file()) for pattern in _IN_PLAYWRIGHT]
    system = {name: found for name in _SYSTEM if (found := shutil.which(name))}
    if shell := system.pop("chromium-headless-shell", None):
        yield Path(shell)
    yield from reversed(own[0])
    yield from map(Path, system.values())
    yield from reversed(own[1])


def find_executable() -> Path:
    """The first of `executables`. Raises `BrowserUnavailable`."""
    found = next(executables(), None)
    if found is None or not found.exists():
        raise BrowserUnavailable(f"{found or 'no Chromium'} was not found: {REMEDY}")
    return found
