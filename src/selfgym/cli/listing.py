"""``selfgym envs``, ``selfgym agents``, ``selfgym recipes``: what can be named, and what works on this machine."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import asdict, dataclass
from importlib import metadata, util

from selfgym.cli.adapters import PACKAGES, adapter_needs
from selfgym.cli.console import AsJson, print_json, print_table

_SINGLE = "selfgym/MiniWoB-"  # and the name of a task


@dataclass(frozen=True, slots=True)
class Entry:
    """One environment, agent or recipe as a listing shows it."""

    name: str
    about: str
    needs: str
    available: bool
    target: str


def envs(json: AsJson = False) -> None:
    """List the environments: built in, and announced by installed packages.

    Example: [bold]selfgym envs --json[/]
    """
    entries = env_entries()
    single = [entry for entry in entries if entry.name.startswith(_SINGLE) and entry.name != f"{_SINGLE}v0"]
    _show("environment", entries if json else [entry for entry in entries if entry not in single], json)
    if single and not json:
        print(f"\nand {len(single)} ids of single tasks: {_SINGLE}TASK-v0, such as {single[0].name}")


def agents(json: AsJson = False) -> None:
    """List the agents: built in, and announced by installed packages.

    Wherever a command takes --agent, [bold]module:Class[/] names any other.
    """
    from selfgym.agents.agent import agent_names

    _show("agent", [_entry(name, target) for name, target in sorted(agent_names().items())], json)


def recipes(json: AsJson = False) -> None:
    """List the recipes of self-training: built in, and announced by installed packages.

    Wherever a recipe is named, [bold]module:ATTRIBUTE[/] names any other.
    """
    from selfgym.trainers.recipe import recipe_names

    _show("recipe", [_recipe_entry(name, target) for name, target in sorted(recipe_names().items())], json)


def env_ids() -> list[str]:
    """The ids of selfgym's environments and of those that installed packages announce to it."""
    import gymnasium

    import selfgym  # noqa: F401 - registers them

    foreign = {found.name for found in metadata.entry_points(group="selfgym.envs")}
    return sorted(name for name in gymnasium.registry if name.startswith("selfgym/") or name in foreign)


def env_entries() -> list[Entry]:
    """Every environment with what it needs."""
    import gymnasium

    return [_entry(name, str(gymnasium.registry[name].entry_point)) for name in env_ids()]


def _entry(name: str, target: str) -> Entry:
    module, _, attribute = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        return Entry(name, "", f"cannot be loaded: {error}", False, target)
    about = (inspect.getdoc(found) or "").partition("\n")[0].replace("``", "")
    needed = missing(name)
    return Entry(name, about, needed, not needed, target)


def _recipe_entry(name: str, target: str) -> Entry:
    from selfgym.trainers.recipe import find_recipe

    if util.find_spec("torch") is None:
        return Entry(name, "", "pip install 'selfgym[train]'", False, target)
    try:
        return Entry(name, find_recipe(name).paper, "", True, target)
    except LookupError as error:
        return Entry(name, "", str(error), False, target)


def missing(name: str) -> str:
    """What keeps an environment that loads from being played here."""
    if name.startswith(("selfgym/Web-", "selfgym/MiniWoB-")):
        from selfgym.cli.browsers import web_needs

        return web_needs()
    if name == "selfgym/BrowserGym-v0" and util.find_spec("browsergym") is None:
        return "pip install browsergym-miniwob, in an environment of its own (docs/web.md)"
    if name in PACKAGES:
        return adapter_needs(name)
    if name in ("selfgym/Code-v0", "selfgym/Apps-v0"):
        from selfgym.cli.sandboxes import code_needs, sandbox_needs

        return code_needs() if name == "selfgym/Code-v0" else sandbox_needs()
    if name == "selfgym/Desktop-v0":
        from selfgym.cli.desktops import desktop_needs

        return desktop_needs()
    if name != "selfgym/AlfWorld-v0":
        return ""
    from selfgym.cli.doctor import alfworld_check

    check = alfworld_check()
    return "" if check.ok else check.remedy


def _show(kind: str, entries: list[Entry], as_json: bool) -> None:
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    rows = [
        (entry.name, entry.about, entry.needs or "nothing more", "yes" if entry.available else "no")
        for entry in entries
    ]
    print_table((kind, "what it is", "needs", "available here"), rows)
