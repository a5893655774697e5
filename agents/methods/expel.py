"""ExpeL: rules out of contrasts between success and failure, with a count that every later look raises or lowers.

arXiv 2308.10144; code LeapLabTHU/ExpeL: ADD starts a rule at 2, AGREE and EDIT add 1, REMOVE takes 1 (3 where the list
is full), a rule at 0 goes; at most 20, all of them shown, with the examples nearest to the task. The count is added up
from the log. Operations name rules by number, where the code matches substrings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer, told
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library, Status
from selfgym.memory.propose.symbolic import propose
from selfgym.memory.retrieve import SearchConfig, search
from selfgym.memory.views import members

_ASK = (
    "Below are rules that an agent follows, and how it did. Improve the rules. Answer with at most four lines, each "
    "one of: 'ADD: a new general rule', 'EDIT n: rule n rewritten', 'AGREE n', 'REMOVE n'."
)
_OPERATION = re.compile(r"^\W*(ADD|EDIT|AGREE|REMOVE)[ \t]*(\d*)[ \t]*:?[ \t]*(.*)$", re.MULTILINE)
_CHUNK = 4  # successes told at once


@dataclass(frozen=True)
class Expel:
    """Rules and examples."""

    most: int = 20
    examples: int = 2
    """Similar solved tasks shown (paper: 2 on ALFWorld)."""

    name: ClassVar[str] = "expel"
    source: ClassVar[str] = "arXiv 2308.10144; github.com/LeapLabTHU/ExpeL"
    heading: ClassVar[str] = "Rules from earlier tasks, and similar tasks that were solved"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """All rules, the weightiest first, then examples."""
        near = SearchConfig(most=self.examples, kinds=(Kind.WORKFLOW,), explore=0.0)
        return [
            *self.rules(library, task.env),
            *(h.item for h in search(library, task.goal, env=task.env, seed=task.seed, config=near)),
        ]

    def rules(self, library: Library, env: str) -> list[Item]:
        """What may be shown, the weightiest first."""
        found = [item for item in members(library, (Kind.INSIGHT,), env) if item.origin.method == self.name]
        return sorted(found, key=lambda item: -self.weight(library, item))[: self.most]

    def weight(self, library: Library, item: Item) -> float:
        """2 for a new rule, one more than its parent for an edit; plus what was said of it since."""
        parent = next((library.get(one) for one in item.origin.parents), None)
        start = 2.0 if parent is None else self.weight(library, parent) + 1
        return start + sum(event.value or 0.0 for event in library.events(item.id, what="counted"))

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """New and edited rules, and the new successes as examples; the counts of the others change."""
        rules = self.rules(library, practice.env)
        if writer is None:
            made = self._by_rule(library, practice, rules)
        else:
            made = []
            for text, sources in _told(practice):
                numbered = "\n".join(f"{n}. {item.body}" for n, item in enumerate(rules, 1)) or "none yet"
                answer = writer.ask(_ASK, f"Rules:\n{numbered}\n\n{text}")
                made += self._operate(library, practice, rules, answer, sources, writer.name)
        return [*made, *practice.examples(self.name)]

    def _by_rule(self, library: Library, practice: Practice, rules: Sequence[Item]) -> list[Item]:
        found = propose(practice.past, run=practice.run, method=self.name)
        new = {episode.id for episode in practice.new}
        wanted = {item.title: item for item in found if new & set(item.origin.episodes)}
        for rule in rules:
            if (now := wanted.get(rule.title)) is not None and now.body == rule.body:
                self._count(library, rule, 1.0)
            elif rule.title not in {item.title for item in found}:
                self._remove(library, rule, rules)
        return list(wanted.values())

    def _operate(
        self, library: Library, practice: Practice, rules: Sequence[Item], answer: str, sources: Sequence[Episode],
        model: str,
    ) -> list[Item]:  # fmt: skip
        made = []
        for what, number, text in _OPERATION.findall(answer):
            rule = rules[int(number) - 1] if number and 0 < int(number) <= len(rules) else None
            words = text.strip()[:400]
            if what in ("ADD", "EDIT") and words:
                title = rule.title if rule and what == "EDIT" else f"Rule: {words}"
                made.append(practice.item(self.name, Kind.INSIGHT, title, sources, body=words, model=model))
            elif rule is not None and what == "AGREE":
                self._count(library, rule, 1.0)
            elif rule is not None and what == "REMOVE":
                self._remove(library, rule, rules)
        return made

    def _count(self, library: Library, rule: Item, value: float) -> None:
        library.log(rule.id, "counted", value=value)

    def _remove(self, library: Library, rule: Item, rules: Sequence[Item]) -> None:
        self._count(library, rule, -3.0 if len(rules) >= self.most else -1.0)
        if self.weight(library, rule) <= 0:
            library.move(rule.id, Status.RETIRED, "its count is at 0")


def _told(practice: Practice) -> Iterator[tuple[str, list[Episode]]]:
    """Pairs of a failure and a success at the same task, then the other successes in chunks."""
    tasks: dict[str, list[Episode]] = {}
    for episode in practice.past:
        tasks.setdefault(episode.task_id or episode.id, []).append(episode)
    new = {episode.id for episode in practice.new}
    for played in tasks.values():
        won = [episode for episode in played if episode.outcome is Outcome.SUCCESS]
        lost = [episode for episode in played if episode.outcome is not Outcome.SUCCESS]
        if won and lost and new & {won[-1].id, lost[-1].id}:
            yield f"{told(lost[-1])}\n\n{told(won[-1])}", [lost[-1], won[-1]]
    won = [episode for episode in practice.new if episode.outcome is Outcome.SUCCESS]
    for at in range(0, len(won), _CHUNK):
        yield "\n\n".join(told(one, longest=80) for one in won[at : at + _CHUNK]), won[at : at + _CHUNK]
