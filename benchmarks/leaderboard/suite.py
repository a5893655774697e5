"""A suite: which environments, which tasks, which limits; frozen by a version and a hash.

A suite is a TOML file, those in ``benchmarks/suites`` come with selfgym. Its hash is that of everything it says, and
``frozen.toml`` beside it holds the hash of every version that was ever published, so that a suite cannot change under
its version. Nothing here makes an environment.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

FOLDER = Path(__file__).resolve().parent.parent / "suites"
_LOCK = "frozen.toml"
_SEEDS = 2**31


class SuiteError(ValueError):
    """No suite has that name, or a file is no suite. The message says which and why."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Seeds(_Frozen):
    """``count`` seeds from ``start`` on; each names one task."""

    start: int = Field(default=0, ge=0)
    count: int = Field(ge=1, le=100_000)

    def all(self) -> range:
        """The seeds."""
        return range(self.start, self.start + self.count)


class Practice(_Frozen):
    """What an agent with a memory may learn from: other tasks of the same kind."""

    options: dict[str, Any] = Field(default_factory=dict)
    """In place of the part's options of the same names."""
    seeds: Seeds
    prove: int = Field(default=20, ge=0)
    """Further seeds, right after those, on which a memory's items may be proved."""


class Part(_Frozen):
    """Tasks of one environment."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    env: str = Field(pattern=r"^[\w.-]+/[\w.-]+-v\d+$")
    """A registered id; ``module:id``, by which Gymnasium imports a module, is none that a result may bring along."""
    env_version: str
    """That of the rules the suite was frozen for: others would be other tasks."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the environment, the limit ``max_steps`` among them."""
    seeds: Seeds
    split: Literal["valid", "test"] = "test"
    fixed: int = Field(default=0, ge=0)
    """Of a collection: how many tasks it has, all of which must be there; there are no fresh ones to draw."""
    rewarded: bool = True
    """Whether exactly the successes end with a reward of 1 or more, which the episodes of a result are held to."""
    expert: str = ""
    """The scripted agent that stands as the ceiling; without one there is none."""
    expert_options: dict[str, Any] = Field(default_factory=dict)
    practice: Practice | None = None

    @model_validator(mode="after")
    def _limited(self) -> Part:
        if not isinstance(self.options.get("max_steps"), int):
            raise ValueError("options need max_steps: an episode must end")
        if self.practice and {**self.options, **self.practice.options} == self.options:
            first, last = self.practice.seeds.start, self.practice.seeds.all().stop + self.practice.prove
            apart = set(range(first, last)).isdisjoint(self.seeds.all())
            if not apart:
                raise ValueError("practice would be on the tasks that are measured: give it another split or seeds")
        return self


class Suite(_Frozen):
    """A whole suite."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    about: str
    metric: Literal["success"] = "success"
    """The share of tasks that are done."""
    seconds: float = Field(default=600.0, gt=0)
    """What an episode may take before it counts as lost to the environment."""
    most_errors: float = Field(default=0.05, ge=0, le=1)
    """The share of episodes lost to errors above which a result is shown but not ranked."""
    parts: tuple[Part, ...] = Field(min_length=1)

    @field_validator("parts")
    @classmethod
    def _named_apart(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        if len({part.name for part in parts}) != len(parts):
            raise ValueError("two parts have one name")
        return parts

    @property
    def hash(self) -> str:
        """The SHA-256 of everything the suite says, as 64 hexadecimal digits."""
        said = self.model_dump(mode="json")
        for part in said["parts"]:
            if part["rewarded"]:
                del part["rewarded"]  # younger than the first hashes
        text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Task:
    """One episode of a suite: a task, and which try at it."""

    part: Part
    id: str
    """The same for every agent and every try: `Episode.task_id`."""
    seed: int
    sample: int = 0


def tasks(suite: Suite, *, samples: int = 1, fresh: str = "") -> Iterator[Task]:
    """Every episode of a suite, part after part; with a draw, on the tasks that it names.

    Of a draw ``fresh``, the seed of task number i of a part is the first 31 bits of SHA-256 of
    ``suite hash/draw/part/i``: whoever knows the suite and the draw can check it, and nobody can know the tasks before
    the draw is made. Parts whose collection is fixed have none then.
    """
    whole = suite.hash
    for part in suite.parts:
        if fresh and part.fixed:
            continue
        for number, own in enumerate(part.seeds.all()):
            seed = _drawn(f"{whole}/{fresh}/{part.name}/{number}") if fresh else own
            for sample in range(samples):
                yield Task(part, f"{suite.name}/{part.name}/{seed}", seed, sample)


def _drawn(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % _SEEDS


def suite_names() -> list[str]:
    """The suites that come with selfgym."""
    return sorted(path.stem for path in FOLDER.glob("*.toml") if path.name != _LOCK)


def find_suite(name: str) -> Suite:
    """A suite by its name, or from the path of a TOML file. Raises `SuiteError`."""
    if name in suite_names():
        suite = read_suite(FOLDER / f"{name}.toml")
        if frozen_hashes(name).get(suite.version) != suite.hash:
            raise SuiteError(
                f"the suite {name!r} says something else than its version {suite.version} did when it was frozen: "
                f"raise its version and put the hash {suite.hash} into {FOLDER / _LOCK}"
            )
        return suite
    if not re.search(r"\.toml$", name):
        near = get_close_matches(name, suite_names(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise SuiteError(
            f"there is no suite {name!r}.{hint} Known: {', '.join(suite_names())}; or give the path of a .toml file"
        )
    suite = read_suite(Path(name))
    if suite.name in suite_names():
        raise SuiteError(f"{name}: the name {suite.name!r} is that of a suite of selfgym: choose another")
    return suite


def read_suite(path: Path) -> Suite:
    """The suite in a file. Raises `SuiteError` that names file and field."""
    try:
        return Suite.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SuiteError(f"{path} cannot be read as a suite: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise SuiteError(f"{path} is no suite: {field + ': ' if field else ''}{first['msg']}") from error


def frozen_hashes(name: str) -> dict[int, str]:
    """Version -> hash of a suite that comes with selfgym, this version and those before; empty for others."""
    lock = tomllib.loads((FOLDER / _LOCK).read_text(encoding="utf-8"))
    return {int(version): digest for version, digest in lock.get(name, {}).items()}
