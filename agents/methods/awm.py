"""Agent Workflow Memory: what the tasks of one kind have in common, with blanks for what differs.

arXiv 2409.07429; code zorazrw/agent-workflow-memory: after a success (there a model's judgement, here the
environment's) the workflows are induced anew from one example a kind, and all are shown. Kinds are found from goals and
actions; the code takes them from the benchmark's own templates.
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
from selfgym.memory.propose.goals import kind_of, names
from selfgym.memory.propose.workflows import workflows
from selfgym.memory.views import members

_ASK = (
    "Write the workflow that the solved tasks below have in common: the steps, one a line starting with '- ', with "
    "{names in braces} for whatever differs from task to task."
)
_EXAMPLES, _LONGEST = 3, 1500


@dataclass(frozen=True)
class WorkflowMemory:
    """Workflows of an environment."""

    votes: int = 2
    """Solved tasks of a kind before it has a workflow."""

    name: ClassVar[str] = "awm"
    source: ClassVar[str] = "arXiv 2409.07429; github.com/zorazrw/agent-workflow-memory"
    heading: ClassVar[str] = "Workflows from tasks that were solved"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """All workflows; those with most words of the goal first, should they not fit."""
        words = set(task.goal.lower().split())
        found = members(library, (Kind.WORKFLOW,), task.env)
        return sorted(found, key=lambda item: -len(words & set(item.when.lower().split())))

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """A workflow for each kind of task that was solved often enough."""
        if writer is None:
            return [
                practice.item(
                    self.name, Kind.WORKFLOW, f"How to: {one.kind}", one.sources, when=one.kind,
                    body="\n".join(f"- {line}" for line in one.lines),
                )
                for one in workflows(practice.past, self.votes)
            ]  # fmt: skip
        known = names(practice.past)
        kinds: dict[str, list[Episode]] = {}
        for episode in practice.past:
            if episode.outcome is Outcome.SUCCESS:
                kinds.setdefault(kind_of(episode.task, known), []).append(episode)
        new = {episode.id for episode in practice.new}
        items = []
        for kind, won in sorted(kinds.items()):
            if len(won) >= self.votes and new & {episode.id for episode in won}:
                examples = won[-_EXAMPLES:]
                answer = writer.ask(_ASK, "\n\n".join(told(one, longest=80) for one in examples))
                if body := answer[:_LONGEST].strip():
                    title = f"How to: {kind}"
                    items.append(
                        practice.item(
                            self.name, Kind.WORKFLOW, title, examples, when=kind, body=body, model=writer.name
                        )
                    )
        return items
