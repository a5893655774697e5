"""Reflexion: after a failed try, a note to oneself for the next try at the same task.

arXiv 2303.11366; code noahshinn/reflexion: the last three notes are shown, none leaves its task, success writes none.
Shared: the outcome is the environment's (self-written tests with false positives set Reflexion's ceiling on MBPP).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer, told
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.reflections import reflect
from selfgym.memory.views import members

_ASK = (
    "You failed the task below. Say in a few sentences, in your own words, what went wrong, and give a short plan that "
    "would have worked. Answer with the plan only."
)
_LONGEST = 1000


@dataclass(frozen=True)
class Reflexion:
    """Retries of one task."""

    window: int = 3
    """Notes shown, the latest (code: 3)."""

    name: ClassVar[str] = "reflexion"
    source: ClassVar[str] = "arXiv 2303.11366; github.com/noahshinn/reflexion"
    heading: ClassVar[str] = "What went wrong in this very task before"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """The latest notes of this task."""
        if not task.id:
            return []
        return members(library, (Kind.REFLECTION,), task.env, task=task.id)[::-1][: self.window]

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """A note for each new failure."""
        items = []
        for episode in practice.new:
            if episode.outcome is Outcome.SUCCESS or not episode.task_id:
                continue
            body = reflect(episode) if writer is None else writer.ask(_ASK, told(episode))[:_LONGEST]
            if body.strip():
                items.append(self._item(practice, episode, body, writer))
        return items

    def _item(self, practice: Practice, episode: Episode, body: str, writer: Writer | None) -> Item:
        tries = [one.id for one in practice.past if one.task_id == episode.task_id]
        return practice.item(
            self.name, Kind.REFLECTION, f"After try {tries.index(episode.id) + 1}", [episode], body=body,
            task=episode.task_id, model=writer.name if writer else "",
        )  # fmt: skip
