"""What a task with real applications is: files to begin with, words, and the state that is wanted.

A task is done when exactly the files that are to differ do, and as they are wanted; where the state is no file, a check
looks at it. Every template brings a solution and a plausible mistake: tests play both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from selfgym.envs.desktop.actions import Action
from selfgym.envs.desktop.looking import Look
from selfgym.envs.desktop.real.room import Room, Wanted

Play = Callable[[Look], Iterator[Action]]
"""Actions, chosen by what is on the screen; ends with `Done`."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task, drawn by a seed."""

    instruction: str
    opens: tuple[tuple[str, ...], ...]
    """Each application that is open at the beginning, with the files that it shows."""
    solution: Play
    mistake: Play
    """What one might do instead, after which the task is not done."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The home folder at the beginning; folders end with a slash, settings begin with a dot."""
    wanted: Mapping[str, Wanted] = field(default_factory=dict)
    """The files that are to differ in the end."""
    state: Callable[[Room], bool] | None = None
    """Whether what is not in files is as it is wanted."""
    answer: str | None = None

    def done(self, room: Room, answer: str) -> bool:
        """Whether everything is as it is wanted, and the answer too."""
        if self.answer is not None and answer.strip() != self.answer:
            return False
        return room.changed(self.wanted) and (self.state is None or self.state(room))


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of task; ``draw`` makes one, and the same random numbers make the same."""

    name: str
    level: int
    draw: Callable[[Random], Task]
    applications: tuple[str, ...]
    """Those that it needs."""
