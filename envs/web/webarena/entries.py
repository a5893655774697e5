"""Task files in the form of WebArena and VisualWebArena: what an entry holds, and reading them.

A file holds a list of entries or a single one; a folder holds such files. The form is that of the ``config_files`` of
WebArena (Zhou et al. 2023, arXiv 2307.13854) and VisualWebArena (Koh et al. 2024, arXiv 2401.13649). What selfgym has
no use for is let through unread; what would change a judgement is checked, and a mistake names its file and entry.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

OR, AND = " |OR| ", " |AND| "
PLACES = ("SHOPPING", "SHOPPING_ADMIN", "REDDIT", "GITLAB", "WIKIPEDIA", "MAP", "HOMEPAGE", "CLASSIFIEDS")
"""Sites whose address a file leaves open, as ``__SHOPPING__``."""
_PLACE = re.compile("__([A-Z][A-Z0-9_]*?)__")
_INEQUALITY = re.compile(r"\s*(<=|>=|==|<|>)\s*(-?\d+(?:\.\d+)?)\s*")


def inequality(text: str) -> tuple[str, float]:
    """Sign and number of ``"<= 300"``. Raises `ValueError`."""
    found = _INEQUALITY.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no inequality such as '<= 300'")
    return found[1], float(found[2])


def _inequalities(text: str) -> str:
    for one in text.split(OR):
        inequality(one)
    return text


def _locator(text: str) -> str:
    if text.strip() and not text.startswith(("document.", "[...document.", "func:", "lambda:")):
        raise ValueError("a locator is empty or begins with document. or [...document. or lambda: or func:")
    return text


def _picture_locator(text: str) -> str:
    if text.strip() and not text.startswith("."):
        raise ValueError("a locator of pictures is empty or a CSS selector that begins with a dot")
    return text


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Required(_Part):
    """What an answer or a part of a page has to be like; all that is given has to hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_match: str | None = None
    must_include: list[str] = []
    must_exclude: list[str] = []
    one_of: list[str] = []
    required_values: list[Annotated[str, AfterValidator(_inequalities)]] = []
    fuzzy_match: str | list[str] = []
    """Meanings, for a judge; the text ``N/A`` where the task cannot be done."""

    @model_validator(mode="after")
    def _something(self) -> Required:
        if not any(getattr(self, name) not in (None, []) for name in type(self).model_fields):
            raise ValueError("it requires nothing, so everything would be right")
        return self


class Target(_Part):
    """A part of a page that is looked at when the episode ends."""

    url: Annotated[str, Field(min_length=1)]
    """An address, ``last`` for where the agent ended, or ``func:`` and a helper that gives an address."""
    locator: Annotated[str, AfterValidator(_locator)]
    """JavaScript that finds the part, ``func:`` and a helper, or empty for the whole document."""
    required_contents: Required
    prep_actions: list[str] = []
    """JavaScript that is run before."""


class AboutPicture(_Part):
    """A question about pictures, for a judge."""

    question: str
    answer: str


class Pictures(_Part):
    """Pictures of a page that are looked at when the episode ends."""

    eval_image_url: Annotated[str, Field(min_length=1)]
    eval_image_class: Annotated[str, AfterValidator(_picture_locator)]
    eval_vqa: list[AboutPicture] = []
    eval_fuzzy_image_match: str | None = None
    """The path or address of a picture that one of them should be like."""

    @model_validator(mode="after")
    def _something(self) -> Pictures:
        if not self.eval_vqa and not self.eval_fuzzy_image_match:
            raise ValueError("eval_vqa or eval_fuzzy_image_match should say what the pictures have to show")
        return self


class Evaluation(_Part):
    """How an episode is judged; its kinds have to hold together."""

    eval_types: Annotated[
        list[Literal["string_match", "url_match", "program_html", "page_image_query"]], Field(min_length=1)
    ]
    reference_answers: Required | None = None
    reference_url: str | None = None
    url_note: str | None = None
    program_html: list[Target] | None = None
    page_image_query: list[Pictures] | None = None
    string_note: str | None = None
    """Why the task cannot be done, where it cannot."""

    @model_validator(mode="after")
    def _complete(self) -> Evaluation:
        needs = {"string_match": "reference_answers", "url_match": "reference_url"}
        for kind in self.eval_types:
            if not getattr(self, needs.get(kind, kind)):
                raise ValueError(f"{kind} needs {needs.get(kind, kind)}, which is empty")
        if "url_match" in self.eval_types and self.url_note not in (None, "EXACT", "GOLD in PRED"):
            raise ValueError(f"url_note should be 'EXACT' or 'GOLD in PRED', not {self.url_note!r}")
        return self

    @property
    def targets(self) -> list[Target]:
        """The parts of pages that are looked at."""
        return (self.program_html or []) if "program_html" in self.eval_types else []

    @property
    def pictures(self) -> list[Pictures]:
        """The pictures that are looked at."""
        return (self.page_image_query or []) if "page_image_query" in self.eval_types else []


class Location(_Part):
    """Where the browser says it is."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    accuracy: Annotated[float, Field(ge=0)] = 0.0


class Entry(_Part):
    """A task."""

    task_id: int | str
    sites: list[str] = []
    require_login: bool = False
    storage_state: str | None = None
    """The path of a storage-state file of Playwright: cookies and what the pages had stored."""
    start_url: Annotated[str, Field(min_length=1)]
    geolocation: Location | None = None
    intent: Annotated[str, Field(min_length=1)]
    """The wish, in words."""
    image: str | list[str] | None = None
    """Addresses of pictures that belong to the wish."""
    visual_difficulty: str | None = None
    require_reset: bool = False
    """Whether the task changes the data of its sites."""
    eval: Evaluation

    @model_validator(mode="before")
    @classmethod
    def _worded(cls, data: Any) -> Any:
        """The intent, where only its template is there."""
        if isinstance(data, dict) and not data.get("intent") and isinstance(data.get("intent_template"), str):
            words = data.get("instantiation_dict") or {}
            told = re.sub(
                r"\{\{\s*(\w+)\s*\}\}", lambda found: str(words.get(found[1], found[0])), data["intent_template"]
            )
            return {**data, "intent": told}
        return data

    @property
    def visual(self) -> bool:
        """Whether it is VisualWebArena's, whose rules differ a little."""
        return bool({"image", "visual_difficulty"} & self.model_fields_set or self.eval.pictures)

    @property
    def start_urls(self) -> list[str]:
        """Where the episode begins, one tab each."""
        return self.start_url.split(AND)

    @property
    def goal(self) -> str:
        """What the agent is told."""
        images = [self.image] if isinstance(self.image, str) else self.image or []
        return f"{self.intent} (Pictures: {', '.join(images)})" if images else self.intent

    def at(self, urls: Mapping[str, str]) -> Entry:
        """The entry with the addresses of the sites in place; see `missing`."""
        known = {name.strip("_").upper(): url for name, url in urls.items()}

        def put(found: re.Match[str]) -> str:
            return (known.get(found[1]) or os.environ.get(found[1]) or found[0]).rstrip("/")

        return Entry.model_validate(_mapped(self.model_dump(exclude_unset=True), lambda text: _PLACE.sub(put, text)))

    def missing(self) -> list[str]:
        """The sites whose address is still open."""
        return sorted({name for name in _PLACE.findall(json.dumps(self.model_dump())) if name in PLACES})


@dataclass(frozen=True, slots=True)
class Filed:
    """An entry, and where it was found."""

    entry: Entry
    id: str
    place: str
    """In words, for complaints."""
    folder: Path
    """What paths in it are relative to."""


def read_entries(tasks: str | Path | Sequence[Mapping[str, Any]]) -> list[Filed]:
    """Every entry of a file, of all ``.json`` files of a folder, or of a list.

    Raises `ValueError` with a sentence that names the file, the entry and what is wrong with it.
    """
    found: list[Filed] = []
    if isinstance(tasks, str | Path):
        for path in _files(Path(tasks)):
            found += _read(path)
    else:
        found += [_checked(one, f"entry {number} of the list", "list", Path()) for number, one in enumerate(tasks)]
    if not found:
        raise ValueError(f"there is no task in {tasks!s}")
    first: dict[str, str] = {}
    for one in found:
        if one.id in first:
            raise ValueError(f"{one.place}: the task_id {one.entry.task_id!r} is taken by {first[one.id]}")
        first[one.id] = one.place
    return found


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        names = path.glob("*.json")
        return sorted(names, key=lambda name: (len(name.stem) if name.stem.isdigit() else 99, name.stem))
    if not path.is_file():
        raise ValueError(f"there is no task file {path}: give a .json file, a folder of them, or a list of entries")
    return [path]


def _read(path: Path) -> Iterator[Filed]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    if isinstance(data, dict):
        yield _checked(data, str(path), path.resolve().parent.name, path.parent)
    elif isinstance(data, list):
        for number, one in enumerate(data):
            yield _checked(one, f"{path}, entry {number}", path.stem, path.parent)
    else:
        raise ValueError(f"{path} should hold an entry or a list of entries, not {type(data).__name__}")


def _checked(data: Any, place: str, name: str, folder: Path) -> Filed:
    try:
        entry = Entry.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        called = f" (task_id {data['task_id']!r})" if isinstance(data, Mapping) and "task_id" in data else ""
        words = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place}{called}: {where + ': ' if where else ''}{words}") from None
    return Filed(entry, f"{name}/{entry.task_id}", place, folder)


def _mapped(data: Any, change: Any) -> Any:
    """``data`` with every text in it changed."""
    if isinstance(data, str):
        return change(data)
    if isinstance(data, dict):
        return {key: _mapped(one, change) for key, one in data.items()}
    return [_mapped(one, change) for one in data] if isinstance(data, list) else data
