"""Installs the applications that sites run: each in a virtual environment, as their dependencies would fight.

    SITES/NAME-RELEASE-DIGEST/venv             the application, of pinned versions
    SITES/NAME-RELEASE-DIGEST/template-DIGEST  what episodes begin with, made once by our scripts for it

Everything appears under its name in one step: a reader finds it whole or not at all. Only `install` uses the network.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selfgym.envs.web.sites.site import SiteError

SCRIPTS = Path(__file__).parent / "apps"
"""Our scripts that run under the applications' own Python."""


@dataclass(frozen=True, slots=True)
class Package:
    """What has to be installed for an application, and which of our scripts run it."""

    name: str
    """The name of the site."""
    release: str
    """The version of the application."""
    requirements: tuple[str, ...]
    """Everything pip has to install, pinned: ``name==version``. ``time-machine`` must be among them."""
    module: str
    """The script in ``apps`` that knows the application: its name without ``.py``; see ``apps/serving.py``."""
    files: tuple[str, ...] = ()
    """Further files in ``apps`` that this script needs."""

    @property
    def folder(self) -> Path:
        """Where it is installed."""
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        return sites_folder() / f"{self.name}-{self.release}-{_digest([python, *self.requirements])}"


def sites_folder() -> Path:
    """Where applications are installed: ``$SELFGYM_SITES``, else ``~/.cache/selfgym/sites``.

    For root, whose home others may not enter, it is ``/var/cache/selfgym/sites``: the servers run as nobody.
    """
    if named := os.environ.get("SELFGYM_SITES"):
        return Path(named).absolute()
    return Path("/var/cache/selfgym/sites") if os.geteuid() == 0 else Path.home() / ".cache" / "selfgym" / "sites"


def installed(package: Package) -> Path | None:
    """The application's Python, or ``None`` where it is not installed."""
    python = package.folder / "venv" / "bin" / "python"
    return python if python.exists() else None


def install(package: Package, progress: Callable[[str], object]) -> None:
    """Install the application unless it is, and prepare its data. Raises `SiteError` where pip fails."""
    with _made_once(package.folder / "venv") as venv:
        if venv:
            progress(f"{package.name}: installing {package.release}")
            _run([sys.executable, "-m", "venv", "--clear", str(venv)], f"{package.name}: no virtual environment")
            pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
            _run([*pip, "--quiet", *package.requirements], f"pip could not install {package.name}")
    progress(f"{package.name}: preparing its data")
    template(package)


def template(package: Package) -> Path:
    """The folder with what episodes begin with, made now if it has not been: ``code``, ``data`` and the site's own.

    Raises `SiteError` where the application is not installed or the scripts fail.
    """
    python = installed(package)
    if python is None:
        raise SiteError(
            f"the application {package.name} ({package.release}) is not installed: run: selfgym download sites"
        )
    scripts = ["serving.py", "lowering.py", f"{package.module}.py", *package.files]
    digest = _digest([(SCRIPTS / script).read_text(encoding="utf-8") for script in scripts])
    with _made_once(package.folder / f"template-{digest}") as folder:
        if folder:
            (folder / "code").mkdir()
            for script in scripts:
                shutil.copyfile(SCRIPTS / script, folder / "code" / script)
            command = [str(python), str(folder / "code" / "serving.py"), "prepare", package.module, str(folder)]
            _run(command, f"the data of {package.name} could not be prepared")
    return package.folder / f"template-{digest}"


def environment() -> dict[str, str]:
    """The variables that an application's process sees: nothing of the person's own."""
    fixed = {"LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"}
    return {"PATH": os.environ.get("PATH", os.defpath), **fixed}


@contextmanager
def _made_once(target: Path) -> Iterator[Path | None]:
    """A new folder to fill, which becomes ``target`` at the end; ``None`` where it is there already."""
    if target.exists():
        yield None
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        lock = open(target.with_name(f"{target.name}.lock"), "w")  # noqa: SIM115 - closed below, with the lock
    except OSError as problem:
        raise SiteError(
            f"{target.parent} cannot be written ({problem}): set SELFGYM_SITES to a folder that can"
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            yield None
            return
        fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
        try:
            fresh.chmod(0o755)
            yield fresh
            fresh.rename(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _run(command: list[str], problem: str) -> None:
    variables = {**environment(), **{key: value for key, value in os.environ.items() if _for_pip(key)}}
    done = subprocess.run(
        command, env=variables, umask=0o022, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SiteError(f"{problem}: {' '.join((done.stderr or done.stdout).strip().splitlines()[-3:])}")


def _for_pip(variable: str) -> bool:
    return variable.upper().startswith(("PIP_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")) or variable == "HOME"


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]
