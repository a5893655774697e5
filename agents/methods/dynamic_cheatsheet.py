"""Dynamic Cheatsheet: entries that are kept up after every task and shown at the next.

arXiv 2504.07952; code suzgunmirac/dynamic-cheatsheet. ``cumulative``: the whole sheet is shown. ``retrieval``: the
three most similar solved tasks are, and the entries made of them. There the sheet is one text that a model rewrites as
a whole, and details get lost; here an entry is an item, the sheet a view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer, lessons, told
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.symbolic import SymbolicConfig, propose
from selfgym.memory.retrieve import SearchConfig, search
from selfgym.memory.views import members

_ASK = (
    "Below is a cheatsheet and how a task went. Add what would help with future tasks and is not on the sheet yet: at "
    "most three entries, each one line starting with '- ', in your own words."
)


@dataclass(frozen=True)
class DynamicCheatsheet:
    """A sheet of short entries."""

    mode: Literal["cumulative", "retrieval"] = "cumulative"
    similar: int = 3
    """Solved tasks that are shown (paper: 3); for ``retrieval``."""

    name: ClassVar[str] = "dynamic-cheatsheet"
    source: ClassVar[str] = "arXiv 2504.07952; github.com/suzgunmirac/dynamic-cheatsheet"
    heading: ClassVar[str] = "Cheatsheet"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """The sheet, newest entries first; or similar tasks with their entries."""
        if self.mode == "cumulative":
            return members(library, (Kind.INSIGHT,), task.env)[::-1]
        near = SearchConfig(most=self.similar, kinds=(Kind.WORKFLOW,), explore=0.0)
        solved = [hit.item for hit in search(library, task.goal, env=task.env, seed=task.seed, config=near)]
        sources = {id for item in solved for id in item.origin.episodes}
        entries = [item for item in members(library, (Kind.INSIGHT,), task.env) if sources & set(item.origin.episodes)]
        return [*solved, *entries]

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """Entries of each new episode, and the solved ones themselves for ``retrieval``."""
        items = []
        if writer is None:
            once = SymbolicConfig(votes=1)  # an entry of a single task is enough: that is the method
            items += propose(practice.past, run=practice.run, method=self.name, config=once)
        else:
            for episode in practice.new:
                sheet = "\n".join(f"- {item.body}" for item in members(library, (Kind.INSIGHT,), practice.env))
                answer = writer.ask(_ASK, f"Cheatsheet:\n{sheet or 'empty'}\n\n{told(episode)}")
                items += [
                    practice.item(self.name, Kind.INSIGHT, text, [episode], body=text, model=writer.name)
                    for text in lessons(answer, 3)
                ]
        return [*items, *practice.examples(self.name)] if self.mode == "retrieval" else items
