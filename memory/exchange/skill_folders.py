"""Skills as folders in the Agent Skills layout (agentskills.io): what some forty other tools read and write.

A folder has the name of the skill and holds SKILL.md: front matter with ``name`` and ``description``, then
instructions; beside it whatever the skill needs. What the layout has no place for (checks, schema, origin) goes into
``references/selfgym.json``, and an item comes back from its own folder with the same id. A folder of somebody else's
comes back byte for byte. Whatever is read here is tainted as imported, and nothing in it is run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from selfgym.memory.exchange.files import CannotWriteError, DamagedFileError, replacing_folder
from selfgym.memory.item import Check, Code, Item, Kind, Origin, Taint

_OURS = "references/selfgym.json"
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELDS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MOST_FILES = 100
_MOST_BYTES = 2**20


def export_skill(item: Item, parent: Path) -> Path:
    """Write a skill as a folder below ``parent``; its path. Raises `CannotWriteError`."""
    if item.code is None:
        raise CannotWriteError(f"{item.title!r} is a {item.kind}; only a skill can be a SKILL.md folder")
    files = dict(item.code.files) if "SKILL.md" in item.code.files else _written(item, item.code)
    folder = parent / _slug(item.code.entry)
    with replacing_folder(folder) as partial:
        for name, text in files.items():
            path = partial / name
            if ".." in Path(name).parts or Path(name).is_absolute():
                raise CannotWriteError(f"{name!r} lies outside the folder of the skill")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    return folder


def import_skill(folder: Path, *, run: str = "", checks: tuple[Check, ...] = ()) -> Item:
    """Read a folder as a skill, tainted as imported. Raises `DamagedFileError` with what is wrong and where.

    One that selfgym wrote, and nobody changed, is the item it was written from; any other is a ``folder`` to be read,
    with ``checks`` if any are given.
    """
    files = dict(_read(folder))
    name, description, body = _parsed(folder, files)
    origin = Origin(run=run, method="import", split="none", taint=(Taint.IMPORTED,))
    if _OURS in files:
        item = _ours(folder, files[_OURS])
        if item.code is not None and _written(item, item.code) == files:
            taint = tuple(sorted({*item.origin.taint, Taint.IMPORTED}))
            return item.model_copy(update={"origin": origin.model_copy(update={"taint": taint})})
    code = Code(runtime="folder", entry=name.replace("-", "_"), source=body, files=files)
    try:
        return Item(kind=Kind.SKILL, title=name, when=description, code=code, checks=checks, origin=origin)
    except ValueError as error:
        raise DamagedFileError(f"{folder}: {error}") from None


def _slug(entry: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", entry.lower()).strip("-")
    if not slug:
        raise CannotWriteError(f"{entry!r} cannot be the name of a folder: letters, digits and hyphens")
    return slug


def _written(item: Item, code: Code) -> dict[str, str]:
    """The files of a skill's folder."""
    name = _slug(code.entry)
    front = {"name": name, "description": item.when or item.title, "metadata": {"selfgym-id": item.id}}
    parts = [f"# {item.title}", item.body]
    files = {}
    if code.runtime == "actions":
        parts.append(
            f"Arguments: {', '.join(code.parameters) or 'none'}. The actions, in order:\n\n" + _block(code.source)
        )
    elif code.runtime == "folder":
        parts.append(code.source)
    else:
        files[f"scripts/{code.entry}.py"] = code.source
        what = (
            "yields one action after the other, and is sent what each led to" if code.runtime == "python" else "answers"
        )
        parts.append(f"`scripts/{code.entry}.py` defines `{code.entry}({', '.join(code.parameters)})`, which {what}.")
    text = "\n\n".join(part.strip() for part in parts if part.strip())
    return {
        "SKILL.md": f"---\n{_yaml(front)}---\n\n{text}\n",
        **files,
        _OURS: json.dumps(item.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n",
    }


def _block(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _yaml(front: dict[str, Any]) -> str:
    """The front matter in the smallest YAML: every value in double quotes, as JSON writes it."""
    lines = []
    for key, value in front.items():
        if isinstance(value, dict):
            lines += [f"{key}:", *(f"  {inner}: {_quoted(text)}" for inner, text in value.items())]
        else:
            lines.append(f"{key}: {_quoted(value)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """In quotes, without three hyphens in a row: some readers end the front matter there."""
    return json.dumps(text, ensure_ascii=False).replace("---", "-\\u002d-")


def _ours(folder: Path, text: str) -> Item:
    try:
        return Item.model_validate_json(text)
    except ValueError as error:
        raise DamagedFileError(f"{folder / _OURS} is damaged: {error}") from None


def _read(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file below ``folder`` with its text."""
    if not (folder / "SKILL.md").is_file():
        raise DamagedFileError(f"{folder} has no SKILL.md")
    total = 0
    paths = sorted(path for path in folder.rglob("*") if not path.is_dir())
    if len(paths) > _MOST_FILES:
        raise DamagedFileError(f"{folder} has {len(paths)} files; {_MOST_FILES} are the most")
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            raise DamagedFileError(f"{path} is no ordinary file")
        total += path.stat().st_size
        if total > _MOST_BYTES:
            raise DamagedFileError(f"{folder} has more than {_MOST_BYTES} bytes")
        try:
            yield name, path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise DamagedFileError(f"{path} is no text; a skill's files must be UTF-8") from None


def _parsed(folder: Path, files: dict[str, str]) -> tuple[str, str, str]:
    """Name, description and instructions, checked as the specification says."""
    where, text = folder / "SKILL.md", files["SKILL.md"].replace("\r\n", "\n")
    found = _FRONT.match(text)
    if found is None:
        raise DamagedFileError(f"{where} does not begin with front matter between lines of ---")
    try:
        front = yaml.safe_load(found.group(1))
    except (yaml.YAMLError, RecursionError) as error:
        raise DamagedFileError(f"{where}: the front matter is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(front, dict):
        raise DamagedFileError(f"{where}: the front matter must be names with values")
    if extra := sorted(set(map(str, front)) - _FIELDS):
        raise DamagedFileError(f"{where}: {extra[0]!r} is no field of the layout; put it under metadata")
    name, description = front.get("name"), front.get("description")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > 64:
        raise DamagedFileError(
            f"{where}: the name must be up to 64 lower-case letters, digits and hyphens, not {name!r}"
        )
    if name != folder.name:
        raise DamagedFileError(f"{where}: the name is {name!r}, the folder's {folder.name!r}; they must be the same")
    if not isinstance(description, str) or not 0 < len(description.strip()) <= 1024:
        raise DamagedFileError(f"{where}: the description must be text of 1 to 1024 characters")
    return name, description, text[found.end() :]
