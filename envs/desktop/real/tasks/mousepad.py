"""Tasks with the text editor Mousepad."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import finished
from selfgym.envs.desktop.real.tasks.material import lines, names, text
from selfgym.envs.desktop.real.tasks.task import Task, Template


def _append(rng: Random) -> Task:
    name, other = names(rng, 2)
    rows, new = lines(rng, 4), lines(rng, 1)[0]

    def play(added: str) -> Iterator[Action]:
        yield Key("ctrl+End")
        yield Type(f"{added}\n")
        yield Key("ctrl+s")
        yield finished()

    return Task(
        f'Add the line "{new}" at the end of {name} and save it.',
        (("mousepad", name),),
        lambda look: play(new),
        lambda look: play(new.upper()),
        {name: text(rows), other: text(lines(rng, 2))},
        {name: text([*rows, new])},
    )


TEMPLATES = (Template("mousepad-append", 1, _append, ("mousepad",)),)
