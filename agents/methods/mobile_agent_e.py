"""Mobile-Agent-E: tips in words, and shortcuts that take several actions at once.

arXiv 2501.11733; code X-PLUG/MobileAgent: a shortcut has a name, arguments, a description, a precondition and atomic
actions with blanks; two reflectors write both kinds at the end of a task; a model picks from all of them. Here search
picks, and what it leaves out stays (the code writes back only what was picked and so loses the rest); a shortcut climbs
the ladder, where theirs run blind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer, lessons, told
from selfgym.memory.item import Code, Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.symbolic import propose
from selfgym.memory.propose.workflows import Shortcut, shortcuts
from selfgym.memory.retrieve import SearchConfig, search

_ASK = (
    "Read how a task went. Write at most three tips for future tasks, general, in your own words, each one line "
    "starting with '- '."
)


@dataclass(frozen=True)
class TipsAndShortcuts:
    """Tips and shortcuts."""

    tips: int = 3
    shortcuts: int = 3
    votes: int = 3
    """Solved tasks in which the same actions were taken before they are a shortcut."""

    name: ClassVar[str] = "mobile-agent-e"
    source: ClassVar[str] = "arXiv 2501.11733; github.com/X-PLUG/MobileAgent"
    heading: ClassVar[str] = "Tips and shortcuts"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """The shortcuts and the tips that the goal calls for."""
        wanted = ((Kind.SKILL, self.shortcuts), (Kind.INSIGHT, self.tips))
        return [
            hit.item
            for kind, most in wanted
            for hit in search(
                library,
                task.goal,
                env=task.env,
                seed=task.seed,
                config=SearchConfig(most=most, kinds=(kind,), floor=0.0),
            )
        ]

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """Shortcuts of what was done the same way again and again, and tips."""
        made = [self._shortcut(practice, one) for one in shortcuts(practice.past, self.votes)]
        if writer is None:
            return [*made, *propose(practice.past, run=practice.run, method=self.name)]
        for episode in practice.new:
            answer = writer.ask(_ASK, told(episode))
            made += [
                practice.item(self.name, Kind.INSIGHT, text, [episode], when=episode.task, body=text, model=writer.name)
                for text in lessons(answer, 3)
            ]
        return made

    def _shortcut(self, practice: Practice, one: Shortcut) -> Item:
        params = {"type": "object", "properties": {"thing": {"type": "string"}}, "required": ["thing"]}
        code = Code(runtime="actions", entry=one.verb, source="\n".join(one.lines), params=params)
        return practice.item(
            self.name, Kind.SKILL, f"Shortcut: {one.verb}", one.sources, when="; ".join(one.kinds)[:1000],
            body=f"{one.verb} what is in hand, all at once.", code=code,
            checks=(practice.replay(one.sources[-1]), *practice.contrast()),
        )  # fmt: skip
