"""What a task of the small desktop is: a world to begin with, words, and the world that is wanted.

A task is done when files, settings and records are exactly those that are wanted, so that whatever else was changed on
the way counts against it, and the answer, where one is asked for, is the one that is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from selfgym.envs.desktop.actions import Action
from selfgym.envs.desktop.looking import Look
from selfgym.envs.desktop.mini.programs.settings import DEFAULTS
from selfgym.envs.desktop.mini.world import World


@dataclass(frozen=True, slots=True)
class Task:
    """One task, drawn by a seed."""

    instruction: str
    solution: Callable[[Look], Iterator[Action]]
    """Actions that do it, chosen by what is on the screen."""
    files: dict[str, str] = field(default_factory=dict)
    """What there is at the beginning."""
    wanted: dict[str, str] | None = None
    """Files in the end; ``None``: those of the beginning."""
    settings: dict[str, str] = field(default_factory=dict)
    """Settings at the beginning, where they are not the usual ones."""
    set: dict[str, str] = field(default_factory=dict)
    """Settings that are to be different in the end."""
    records: tuple[dict[str, str], ...] = ()
    """What is to have been sent."""
    answer: str | None = None

    def world(self, width: int, height: int) -> World:
        """The world it begins with."""
        return World(width, height, files=dict(self.files), settings=DEFAULTS | self.settings)

    def done(self, world: World, answer: str) -> bool:
        """Whether the world is as it is wanted, and the answer too."""
        files = self.files if self.wanted is None else self.wanted
        right = self.answer is None or answer.strip() == self.answer
        set_right = world.settings == DEFAULTS | self.settings | self.set
        return right and set_right and world.files == files and world.records == list(self.records)


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of task; ``draw`` makes one, and the same random numbers make the same."""

    name: str
    level: int
    draw: Callable[[Random], Task]
