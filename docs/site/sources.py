"""Lays out the sources of the site: the pages as they are, and a page of the API for each folder of code.

`python docs/site/sources.py FOLDER` fills an empty folder; `make docs` has Sphinx read it then. Pages keep their
places, so links between them stay. A link to a file of code becomes one to its place in the API, one to a folder of
code to that folder's page; any other file that a page links to comes along.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("envs", "agents", "memory", "trainers", "benchmarks")
FACE = ("cli", "viewer")  # folders of src/selfgym that are no links
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/LOG.md")
LEFT_OUT = (
    # these run under another Python than ours, or inside a sandbox, and are no part of the API
    *("benchmarks/speed/peers", "envs/web/sites/apps", "envs/sandbox/guest", "envs/code/guest"),
    "envs/serving/verifiers_taskset.py",
    "envs/hostile_actions.py",  # not even Sphinx can print them
)
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def folders() -> Iterator[tuple[str, list[str]]]:
    """Each folder of code, as in ``envs/web``, with the names of its modules."""
    for room in (*ROOMS, *(f"src/selfgym/{name}" for name in FACE)):
        for folder in sorted([ROOT / room, *(path for path in (ROOT / room).rglob("*") if path.is_dir())]):
            name = str(folder.relative_to(ROOT))
            modules = sorted(path.stem for path in folder.glob("*.py") if f"{name}/{path.name}" not in LEFT_OUT)
            if modules and name not in LEFT_OUT:
                yield name, modules


def dotted(folder: str, module: str = "__init__") -> str:
    """The name under which a folder, or a module in it, is imported."""
    parts = ["selfgym", *folder.removeprefix("src/selfgym/").split("/")]
    return ".".join(parts if module == "__init__" else [*parts, module])


def reference(folder: str, modules: list[str], below: list[str], about: str) -> str:
    """The page of a folder: what it is about, its modules with everything public in them, the folders below it."""
    lines = [f"# {dotted(folder)}", "", about, ""]
    for module in modules:
        name = dotted(folder, module)
        lines += [f"## {name.removeprefix('selfgym.')}", "", "```{eval-rst}", f".. automodule:: {name}", "```", ""]
    return "\n".join([*lines, *toctree([dotted(name) for name in below])])


def toctree(entries: list[str], *options: str) -> list[str]:
    """A table of contents in MyST's words; nothing where there are no entries."""
    return ["```{toctree}", *options, "", *entries, "```", ""] if entries else []


def write_api(target: Path) -> None:
    """A page for each folder of code, and one above them."""
    code = dict(folders())
    for folder, modules in code.items():
        below = [name for name in code if name.rpartition("/")[0] == folder]
        index = f"{folder}/README.md"
        about = relinked((ROOT / index).read_text(encoding="utf-8"), index, target) if (ROOT / index).exists() else ""
        (target / "api" / f"{dotted(folder)}.md").write_text(reference(folder, modules, below, about), encoding="utf-8")
    top = [dotted(name) for name in code if name in ROOMS or name.removeprefix("src/selfgym/") in FACE]
    text = "# API reference\n\nEvery public name with its docstring, a page for each folder of the repository.\n\n"
    (target / "api/index.md").write_text(text + "\n".join(toctree(top, ":maxdepth: 2")), encoding="utf-8")


def relinked(text: str, page: str, target: Path) -> str:
    """The text of a page with its links to code turned into links to the API; what else it links to is copied."""
    code = dict(folders())

    def turned(found: re.Match[str]) -> str:
        label, address = found[1], found[2]
        path = (ROOT / page).parent / address
        if "://" in address or not path.exists():
            return found[0]
        place = path.resolve().relative_to(ROOT)
        folder, up = str(place.parent), "../" * page.count("/")
        if place.suffix == ".py" and folder in code:
            return f"{{py:mod}}`{label.replace('`', '')} <{dotted(folder, place.stem)}>`"
        if path.is_dir() or (place.name == "README.md" and folder in ROOMS):
            room = str(place).removesuffix("/README.md")
            return f"[{label}]({up}api/{dotted(room)}.md)" if room in code else label
        if place.suffix != ".md":
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / place)
        return f"[{label}]({up}index.md{found[3] or ''})" if str(place) == "README.md" else found[0]

    parts = FENCE.split(text)
    return "".join(part if part.startswith("```") else LINK.sub(turned, part) for part in parts)


def contents(page: str) -> list[str]:
    """The hidden tables of contents that make the navigation, read off the sections of ``docs/README.md``."""
    lines: list[str] = []
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        caption, _, body = section.partition("\n")
        entries = [
            f"docs/{Path(found[2]).stem}" for found in LINK.finditer(body) if re.fullmatch(r"[\w-]+\.md", found[2])
        ]
        lines += toctree(list(dict.fromkeys(entries)), ":hidden:", f":caption: {caption}")
    rest = ["api/index", "benchmarks/LOG", "CHANGELOG", "CONTRIBUTING"]
    return [*toctree(["docs/README"], ":hidden:"), *lines, *toctree(rest, ":hidden:", ":caption: Reference")]


def lay_out(target: Path) -> None:
    """Fill ``target`` with everything that Sphinx reads."""
    names = [*PAGES, *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
    (target / "api").mkdir(parents=True)
    for name in names:
        place = target / ("index.md" if name == "README.md" else name)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = relinked((ROOT / name).read_text(encoding="utf-8"), name, target)
        if name == "README.md":
            text += "\n" + "\n".join(contents((ROOT / "docs/README.md").read_text(encoding="utf-8")))
        place.write_text(text, encoding="utf-8")
    write_api(target)


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
