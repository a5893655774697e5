"""What a scenario is: a kind of task that gives many, which share one procedure with different parameters.

A scenario's function is given a `Draw` and returns a `Task`: the words, the parameters of the procedure, and what must
differ in the end, worked out from the rows of the world and never through the API. The procedure is the code that an
agent would write; pieces divided by ``---`` are its steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from textwrap import dedent
from typing import Any, TypeVar

from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.evaluate import Expected
from selfgym.envs.apps.world import World

SPLITS = ("train", "dev", "test-normal", "test-challenge")
VARIANTS = 3
"""Tasks of one scenario and one world: a chain."""
_T = TypeVar("_T")


class UnfitWorldError(LookupError):
    """This world has too little for the scenario; another one is taken."""


@dataclass(frozen=True)
class Task:
    """One task of a scenario in a world."""

    text: str
    parameters: dict[str, Any]
    """What the procedure is called with, all of it said in the text."""
    expected: Expected = field(default_factory=Expected)
    answer: Any = None
    """What `finish` must be given; ``None`` where nothing is asked."""


@dataclass(frozen=True)
class Scenario:
    """A procedure and the tasks that it solves."""

    name: str
    level: int
    split: str
    procedure: tuple[str, ...]
    """Steps of code that use the parameters as names, and leave what is asked for in ``answer``."""
    build: Callable[[Draw], Task]

    @property
    def apps(self) -> tuple[str, ...]:
        """The apps that the procedure needs."""
        return tuple(sorted(set(re.findall(r"\bapis\.(\w+)\.", "\n".join(self.procedure)))))


class Draw:
    """Chooses the parameters of one variant. The three variants of a chain choose differently from the same lists."""

    def __init__(self, world: World, seed: str, variant: int) -> None:
        self.world = world
        self.variant = variant
        self._random = Random(seed)

    def one(self, candidates: Iterable[_T]) -> _T:
        """One of the candidates, another one in each variant. Raises `UnfitWorldError` if they do not suffice."""
        found = list(candidates)
        if len(found) < VARIANTS:
            raise UnfitWorldError(f"{len(found)} candidates are too few")
        self._random.shuffle(found)
        return found[self.variant]

    def any(self, candidates: Iterable[_T]) -> _T:
        """One of the candidates, perhaps the same in several variants."""
        found = list(candidates)
        if not found:
            raise UnfitWorldError("there is no candidate")
        return self._random.choice(found)

    def person(self, fits: Callable[[Row], bool] = lambda person: True) -> Row:
        """A contact."""
        return self.one(person for person in self.world.rows("contacts") if fits(person))


def some(found: Sequence[_T], least: int = 1, most: int = 20) -> bool:
    """Whether these are neither too few for a task nor too many."""
    return least <= len(found) <= most


def scenario(level: int, split: str, procedure: str) -> Callable[[Callable[[Draw], Task]], Scenario]:
    """Make a scenario of the function that builds its tasks; its name is the function's."""
    pieces = tuple(dedent(piece).strip("\n") for piece in re.split(r"\n *---\n", dedent(procedure)))

    def made(build: Callable[[Draw], Task]) -> Scenario:
        return Scenario(build.__name__, level, split, tuple(piece.strip() for piece in pieces), build)

    return made
