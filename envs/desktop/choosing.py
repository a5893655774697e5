"""What the arguments of both desktops mean: which tasks are drawn, how large the screen is, what is shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from gymnasium import spaces

from selfgym.envs.spaces import UnicodeText

Part = Literal["tree", "pixels"]
"""What an observation may have."""
_MOST_TEXT = 1 << 18
T = TypeVar("T", covariant=True)


class Template(Protocol[T]):
    """A kind of task."""

    @property
    def level(self) -> int:
        """1 to 3."""

    def draw(self, rng: Random, /) -> T:
        """A task; the same random numbers make the same."""


def chosen(templates: Mapping[str, Template[Any]], task: str | None, level: int | None) -> list[str]:
    """The names that ``task``, several with commas between or all, and ``level`` leave. Raises `ValueError`."""
    names = list(templates) if task is None else task.split(",")
    for name in names:
        if name not in templates:
            raise ValueError(f"there is no task {name!r}: choose among {', '.join(templates)}")
    found = [name for name in names if level in (None, templates[name].level)]
    if not found:
        raise ValueError(f"no such task has level {level}: levels are 1 to 3")
    return found


def drawn(templates: Mapping[str, Template[T]], names: Iterable[str], seed: int) -> tuple[str, T]:
    """The name and the task that a seed draws among ``names``."""
    rng = Random(seed)
    name = rng.choice(sorted(names))
    return name, templates[name].draw(rng)


def space(observe: Sequence[Part], width: int, height: int) -> spaces.Space[Any]:
    """The space of observations: one part by itself, or a dictionary; a text where nothing is shown.

    Raises `ValueError` for parts that there are not and for a screen that is too small or too large.
    """
    if not (640 <= width <= 4096 and 400 <= height <= 4096):
        raise ValueError(f"the screen has 640 x 400 to 4096 x 4096 pixels, not {width} x {height}")
    if not set(observe) <= {"tree", "pixels"}:
        raise ValueError(f"observe is some of 'tree' and 'pixels', not {observe!r}")
    parts: dict[str, spaces.Space[Any]] = {
        "tree": UnicodeText(_MOST_TEXT),
        "pixels": spaces.Box(0, 255, (height, width, 3), np.uint8),
    }
    wanted: dict[str, spaces.Space[Any]] = {part: parts[part] for part in observe or ("tree",)}
    return spaces.Dict(wanted) if len(wanted) > 1 else next(iter(wanted.values()))
