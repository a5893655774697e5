"""Which tasks of MiniWoB++ have a scripted expert."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from selfgym.envs.web.miniwob.experts.scene import Expert


def experts() -> dict[str, Expert]:
    """The expert of each task, from the modules of this folder: each has a dictionary ``EXPERTS``."""
    found: dict[str, Expert] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in ("registry", "scene"):
            found |= import_module(f"selfgym.envs.web.miniwob.experts.{path.stem}").EXPERTS
    return found
