"""SMART: choose the strategy that suits a kind of task, and learn the choice from what came of it.

arXiv 2410.16128: a model learns which of several strategies to try first. There the choice is trained into weights by
reinforcement learning; here it is a Thompson draw for each kind of task over what each strategy was worth, from the
log. The strategies are given by whoever sets the task up, not learned, so they are nobody's split.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.goals import kind_of, names
from selfgym.memory.views import members

DEFAULT = (
    ("nearest first", "Look at what is nearest first, and do not come back to a place before all others were seen."),
    ("likeliest first", "Think of where such a thing usually is, and go to the likeliest place first."),
    ("plan first", "Write down the steps of the whole task first, then take them one by one."),
)


@dataclass(frozen=True)
class Smart:
    """One strategy a task."""

    strategies: tuple[tuple[str, str], ...] = DEFAULT
    """Name and words of each."""

    name: ClassVar[str] = "smart"
    source: ClassVar[str] = "arXiv 2410.16128"
    heading: ClassVar[str] = "Strategy for this task"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """The strategy that a draw from what each was worth with this kind of task puts first."""
        known = members(library, (Kind.INSIGHT,), task.env, "strategy")
        mine = [item for item in known if item.when and _is_of(task.goal, item.when)]
        choices = mine or [item for item in known if not item.when]
        draw = np.random.default_rng(task.seed)
        worth = []
        for item in choices:
            standing = library.standing(item.id)
            won = min(max(standing.shown_sum, 0.0), standing.shown_closed)
            worth.append(draw.beta(1 + won, 1 + standing.shown_closed - won))
        return [choices[int(np.argmax(worth))]] if choices else []

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """The strategies, for tasks in general and for each kind that was met."""
        known = names(practice.past)
        kinds = ["", *sorted({kind_of(episode.task, known) for episode in practice.new})]
        there = {(item.title, item.when) for item in members(library, (Kind.INSIGHT,), practice.env, "strategy")}
        return [
            practice.item(self.name, Kind.INSIGHT, title, [], when=kind[:1000], body=text, tags=("strategy",))
            for kind in kinds
            for name, text in self.strategies
            if ((title := f"{name}{': ' if kind else ''}{kind}"[:80]), kind[:1000]) not in there
        ]


def _is_of(goal: str, kind: str) -> bool:
    """Whether a goal fits a kind whose blanks stand for names."""
    return re.fullmatch(".+".join(map(re.escape, kind.split("_"))), goal.lower().strip()) is not None
