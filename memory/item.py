"""The one frozen record of everything an agent keeps beside its weights: `Item`.

An item never changes. Its id is the hash of what it says, so the same lesson learned twice is one item; an edit is a
new item whose origin names the old one. Whatever does change (status, exposures, rewards, verifications) is an event in
`selfgym.memory.library`. This file may not know where items are kept or how they are chosen.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_LONGEST_NAME = 64


class Kind(StrEnum):
    """What sort of knowledge an item is."""

    REFLECTION = "reflection"
    """What went wrong with one task, for the next try at the same task (Reflexion)."""
    INSIGHT = "insight"
    """A tip or rule that holds beyond one task (ExpeL, ACE, ReasoningBank)."""
    WORKFLOW = "workflow"
    """Steps to read, not to run (Agent Workflow Memory)."""
    SKILL = "skill"
    """Steps or code to run: the only kind that has `Code`."""
    PRINCIPLE = "principle"
    """A rule that is always shown (OmniReflect's constitution)."""
    DOC = "doc"
    """How a tool behaves (DRAFT)."""


class Taint(StrEnum):
    """Why an item is not to be trusted on its own word; inherited by everything made from it."""

    ENV_TEXT = "env_text"
    """Words of an observation (a page, a file, a message) are in it."""
    MODEL = "model"
    """A language model wrote it after reading observations: in words of its own, but it may have believed them."""
    IMPORTED = "imported"
    """It came from outside: a SKILL.md folder, a file of somebody else's."""


class Capability(StrEnum):
    """What the code of a skill may do; an edit never has one that its parents lacked."""

    ACT = "act"
    """Take actions in the environment."""
    FILES = "files"
    """Read and write files in its sandbox."""
    PROCESSES = "processes"
    """Start programs in its sandbox."""
    NETWORK = "network"
    """Reach other hosts. No sandbox of ours gives it."""


class Frozen(BaseModel):
    """Immutable plain data; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _clean(text: str) -> str:
    """Refuse what text should not hold: half surrogate pairs, and characters that hide or reorder what is shown."""
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    for letter in text:
        if letter not in "\n\t" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co"):
            raise ValueError(f"the character U+{ord(letter):04X} is not allowed: it cannot be seen")
    return text


def visible(text: str) -> str:
    """``text`` without the characters that an item refuses: what a model or an agent said may hold any.

    >>> visible("heat\\u200b it")
    'heat it'
    """
    return "".join(letter for letter in text if letter in "\n\t" or letter.isprintable())


def _name(text: str) -> str:
    if not text.isidentifier() or text.startswith("_") or len(text) > _LONGEST_NAME:
        raise ValueError(f"{text[:80]!r} is not the name of a function: letters, digits and underscores")
    return text


Text = Annotated[str, AfterValidator(_clean)]
Name = Annotated[str, AfterValidator(_name)]
ItemId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Scope(Frozen):
    """Where an item holds; an empty field holds everywhere."""

    env: Text = ""
    """The environment's id, e.g. ``selfgym/Household-v0``."""
    task: Text = ""
    """One task instance, as `Episode.task_id` names it."""
    tags: tuple[Text, ...] = ()
    """Whatever a method groups by: a kind of task, a tool, a site."""


class Code(Frozen):
    """What a skill does when it is called."""

    runtime: Literal["actions", "python", "folder", "mcp"]
    """``actions``: a list of action templates; ``python``: a generator function; ``folder``: an Agent Skills folder, to
    be read; ``mcp``: a Python function that answers with a value, as a tool does."""
    entry: Name
    """The name to call it by: for Python the name of the function."""
    source: Text = Field(max_length=40_000)
    """``actions``: one action a line, ``{name}`` standing for a parameter; ``python`` and ``mcp``: the source;
    ``folder``: the body of SKILL.md."""
    params: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON schema of the arguments."""
    requires: tuple[ItemId, ...] = ()
    """Skills that it calls."""
    caps: tuple[Capability, ...] = (Capability.ACT,)
    files: dict[str, str] = Field(default_factory=dict)
    """``folder``: its further files, path -> text."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments, in order."""
        return tuple(self.params.get("properties", {}))


class Check(Frozen):
    """Something that must hold of a skill before it is shown."""

    rung: Literal["unit", "replay", "contrast"]
    """Which rung of the ladder runs it; the static one needs no check."""
    source: Text = Field(default="", max_length=20_000)
    """``unit``: a Python program that calls the skill by its name and raises where it is wrong."""
    env: str = ""
    """``replay``, ``contrast``: the environment, with its keyword arguments and the seeds of the tasks."""
    env_options: dict[str, Any] = Field(default_factory=dict)
    seeds: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Check:
        if self.rung == "unit" and not self.source.strip():
            raise ValueError("a unit check needs a program")
        if self.rung != "unit" and not (self.env and self.seeds):
            raise ValueError(f"a check by {self.rung} needs an environment and seeds")
        return self


class Origin(Frozen):
    """Where an item comes from. Not part of its id: the same lesson from elsewhere is the same item."""

    run: str = ""
    episodes: tuple[str, ...] = ()
    """The episodes it was learned from."""
    split: Literal["train", "valid", "test", "none"] = "train"
    """The split of those episodes: what was learned on ``test`` is never shown where training is claimed, and the
    other way round. ``none``: it was not learned from episodes."""
    model: str = ""
    """The policy that wrote it; empty where none did."""
    method: str = ""
    """The proposer: ``symbolic``, ``reflexion``, ``import`` ..."""
    taint: tuple[Taint, ...] = ()
    parents: tuple[ItemId, ...] = ()
    """The items it was made from: what it edits, or merges."""


class Item(Frozen):
    """One piece of knowledge.

    Raises `pydantic.ValidationError`, a `ValueError`, for text that is too long or holds characters that cannot be
    seen, for a skill without code or check, and for code in any other kind.
    """

    kind: Kind
    title: Text = Field(min_length=1, max_length=80)
    when: Text = Field(default="", max_length=1024)
    """When it is of use: what a search matches first, after the title."""
    body: Text = Field(default="", max_length=4000)
    scope: Scope = Scope()
    code: Code | None = None
    checks: tuple[Check, ...] = ()
    origin: Origin = Origin()

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Item:
        if (self.kind is Kind.SKILL) != (self.code is not None):
            raise ValueError("a skill has code, and nothing else has")
        if self.checks and self.kind is not Kind.SKILL:
            raise ValueError(f"a {self.kind} cannot be checked by a program; only a skill has checks")
        if self.code is not None and self.code.runtime != "folder" and not self.checks:
            raise ValueError("a skill has at least one check")
        if self.kind is Kind.REFLECTION and not self.scope.task:
            raise ValueError("a reflection belongs to one task: give scope.task")
        return self

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits of the SHA-256 of everything but the origin."""
        content = self.model_dump(mode="json", exclude={"origin"})
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def tainted(self) -> bool:
        """Whether it needs to be borne out by others before it may be shown."""
        return bool(self.origin.taint)

    def edit(self, origin: Origin, **changes: Any) -> Item:
        """A new item with ``changes``, whose origin names this one as its parent and inherits its taint."""
        parents = tuple(dict.fromkeys((*origin.parents, self.id)))
        taint = tuple(sorted({*origin.taint, *self.origin.taint}))
        made = origin.model_copy(update={"parents": parents, "taint": taint})
        fields = {name: getattr(self, name) for name in Item.model_fields} | changes | {"origin": made}
        return Item.model_validate(fields)
