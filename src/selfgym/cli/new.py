"""``selfgym new``: a package of one's own that selfgym finds once it is installed, with tests that pass."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from selfgym.cli.console import CommandError
from selfgym.cli.listing import env_ids

new = typer.Typer(help="Make a package of your own: an agent, an environment or a recipe.", no_args_is_help=True)
_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the package: small letters, digits and underscores.")]
Folder = Annotated[Path, typer.Option(help="Where the package's folder is made.", show_default="here")]


@new.command()
def agent(name: Name, folder: Folder = Path()) -> None:
    """Make a package with an agent of fifteen lines.

    Example: selfgym new agent mine
    """
    from selfgym.agents.agent import agent_names

    _check_name(name, "agent", agent_names())
    _make("agent", name, folder, f"selfgym bench quick --agent {name}")


@new.command()
def env(name: Name, folder: Folder = Path()) -> None:
    """Make a package with a small text game: seeds, splits, exact snapshots.

    Example: selfgym new env mine
    """
    _check_name(name, "environment", {found.partition("/")[2].rpartition("-v")[0]: found for found in env_ids()})
    _make("env", name, folder, f"selfgym play {name}/{class_name(name)}-v0")


@new.command()
def recipe(name: Name, folder: Folder = Path()) -> None:
    """Make a package with a recipe of self-training: rejection sampling.

    Example: selfgym new recipe mine
    """
    from selfgym.trainers.recipe import recipe_names

    _check_name(name, "recipe", recipe_names())
    _make("recipe", name, folder, f"selfgym evolve {name} --model nano")


def class_name(name: str) -> str:
    """The name of a package as that of a class.

    >>> class_name("my_agent2")
    'MyAgent2'
    """
    return "".join(word.capitalize() for word in name.split("_"))


def render(kind: str, name: str) -> dict[str, str]:
    """The files of a package of a ``kind`` (agent, env, recipe): their paths in its folder, and what they say."""
    words = {"name": name, "Name": class_name(name)}
    return {
        str(path.relative_to(_TEMPLATES / kind)).removesuffix(".template").replace("module", name): Template(
            path.read_text(encoding="utf-8")
        ).substitute(words)
        for path in sorted((_TEMPLATES / kind).rglob("*.template"))
    }


def _check_name(name: str, kind: str, known: Mapping[str, str]) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or keyword.iskeyword(class_name(name)):
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")
        hint = f", such as {near!r}" if near not in ("", name) and not keyword.iskeyword(near) else ""
        raise CommandError(
            f"{name!r} cannot be the name of a package: "
            f"choose small letters, digits and underscores, and no word of Python{hint}"
        )
    for other, target in known.items():
        if _plain(other) == _plain(name):
            raise CommandError(f"the {kind} {other!r} is there already ({target}): choose another name than {name!r}")
    if name in (*sys.stdlib_module_names, "test", "tests") or _installed(name):
        raise CommandError(f"a package called {name!r} is there already: choose another name")


def _plain(name: str) -> str:
    return re.sub(r"[-_]", "", name).lower()


def _installed(name: str) -> bool:
    found = util.find_spec(name)
    return found is not None and found.origin is not None  # a folder that only happens to lie here is no package


def _make(kind: str, name: str, folder: Path, then: str) -> None:
    target = folder / name
    if target.exists() or target.is_symlink():
        raise CommandError(f"{target} exists already: nothing was changed; choose another name or --folder")
    for path, text in render(kind, name).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text, encoding="utf-8")
        print(target / path)
    print(f"\ncd {target} && pip install -e '.[test]' && pytest\n{then}")
