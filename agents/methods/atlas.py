"""ATLAS: a teacher who turns what happened into short instructions with a cue, for a student whose weights stay.

arXiv 2511.01093; code Arc-Computer/atlas-sdk: an entry has an audience, a cue (a pattern), an imperative; entries that
are not general or whose cue cannot fire are refused; pamphlets for student and teacher are rendered from the rest. Its
impact (reward where the cue fired against where it did not) is confounded; here withholding by lot says what an entry
is worth. The cue is matched against the goal only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from selfgym.agents.agent import Agent
from selfgym.agents.methods.beside import Beside
from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer, lessons, told
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.symbolic import propose
from selfgym.memory.views import members

_ASK = (
    "You are a teacher. Read how your student did and write at most three instructions for next time, each one line: "
    "'- cue words => what to do', general, in your own words."
)
_GUIDE = "You are a teacher. In two sentences, tell your student how to go about this task."
_LIFT = 0.3  # more often in the goals of an entry's sources than in others, for a word to be its cue
_PARTICULAR = re.compile(r"\d{2,}|[/\\]\w+|https?:")  # dates, numbers of tickets, paths: nothing general


@dataclass(frozen=True)
class Atlas:
    """Pamphlets of cued instructions."""

    most: int = 8
    """Entries of the pamphlet (code: 1,000 characters)."""
    guide: bool = False
    """Whether the teacher also speaks before each task; needs a writer."""

    name: ClassVar[str] = "atlas"
    source: ClassVar[str] = "arXiv 2511.01093; github.com/Arc-Computer/atlas-sdk"
    heading: ClassVar[str] = "Student pamphlet"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """The entries whose cue fires on the goal, those of most uplift first."""
        fired = [item for item in members(library, (Kind.INSIGHT,), task.env, "student") if _fires(item, task.goal)]
        return sorted(fired, key=lambda item: -(library.standing(item.id).uplift or 0.0))[: self.most]

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """Instructions, each with its cue."""
        if writer is None:
            found = propose(practice.past, run=practice.run, method=self.name)
            return [made for item in found for made in self._cued(item, practice.past)]
        items = []
        for episode in practice.new:
            if episode.outcome is Outcome.SUCCESS:
                continue
            answer = writer.ask(_ASK, told(episode))
            for line in lessons(answer, 3):
                cue, arrow, text = line.partition("=>")
                words = re.findall(r"[^\W\d_]{3,}", cue.lower())
                if arrow and words and text.strip() and not _PARTICULAR.search(text):
                    items.append(
                        practice.item(
                            self.name, Kind.INSIGHT, text.strip(), [episode], when=cue.strip()[:200],
                            body=text.strip(), tags=("student", f"cue:{'|'.join(words)}"), model=writer.name,
                        )
                    )  # fmt: skip
        return items

    def _cued(self, item: Item, past: Sequence[Episode]) -> Iterator[Item]:
        """The entry with the words that set its sources' goals apart as its cue; none where nothing does."""
        sources = set(item.origin.episodes)
        inside = [_words(episode.task) for episode in past if episode.id in sources]
        outside = [_words(episode.task) for episode in past if episode.id not in sources]
        counts, others = (Counter(word for words in side for word in words) for side in (inside, outside))
        cues = sorted(
            word for word, count in counts.items() if count / len(inside) - others[word] / max(1, len(outside)) > _LIFT
        )
        if cues and not _PARTICULAR.search(item.body):
            yield item.model_copy(
                update={"scope": item.scope.model_copy(update={"tags": ("student", f"cue:{'|'.join(cues)}")})}
            )

    def wrap(self, agent: Agent, writer: Writer | None) -> Agent:
        """The student, with the teacher's word before the first step where there is a teacher."""
        if not self.guide or writer is None:
            return agent
        return Beside(agent, lambda past, seen: "" if past else f"Your teacher says: {writer.ask(_GUIDE, seen)}")


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", text.lower()))


def _fires(item: Item, goal: str) -> bool:
    cues = [tag.removeprefix("cue:") for tag in item.scope.tags if tag.startswith("cue:")]
    return any(re.search(rf"\b(?:{'|'.join(map(re.escape, cue.split('|')))})\b", goal.lower()) for cue in cues)
