"""Installing packages of the system, on Debian and its kin."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence


def install(packages: Sequence[str]) -> str:
    """Have apt install packages, as root; returns the last line of what it said if it failed, else nothing."""
    run("apt-get", "update", "-qq")
    return run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages)


def run(*command: str) -> str:
    """Run a command; returns the last line of what it said if it failed, else nothing."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
    )
    lines = (done.stderr or done.stdout).strip().splitlines()
    return (lines[-1] if lines else f"exit code {done.returncode}") if done.returncode else ""
