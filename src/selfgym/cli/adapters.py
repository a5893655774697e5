"""What the adapters to other people's environments need, and whether it is here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import metadata, util

from selfgym.cli.checks import Check

_ADAPTERS, _REASONING = "pip install 'selfgym[adapters]'", "pip install 'selfgym[reasoning]'"
_JAVA = "apt-get install default-jre-headless"
PACKAGES = {  # id: module, package, remedy
    "selfgym/BabyAI-v0": ("minigrid", "minigrid", _ADAPTERS),
    "selfgym/ScienceWorld-v0": ("scienceworld", "scienceworld", _ADAPTERS),
    "selfgym/ReasoningGym-v0": ("reasoning_gym", "reasoning-gym", _REASONING),
    "selfgym/TextWorld-v0": ("textworld", "textworld", "pip install textworld (docs/adapters.md)"),
}


def adapter_needs(name: str) -> str:
    """How to get what an environment of this id lacks here; empty if it lacks nothing."""
    module, _, remedy = PACKAGES[name]
    if util.find_spec(module) is None:
        return remedy
    return _JAVA if module == "scienceworld" and shutil.which("java") is None else ""


def adapter_checks() -> Iterator[Check]:
    """A check for each package."""
    for name, (_, package, _) in PACKAGES.items():
        needs = adapter_needs(name)
        found = "no Java" if needs == _JAVA else "not installed" if needs else metadata.version(package)
        yield Check(package, not needs, found, needs, name)
