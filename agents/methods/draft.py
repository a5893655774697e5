"""DRAFT: the documentation of tools, rewritten from what they did when they were tried, until it stops changing.

arXiv 2410.08197; code quchangle1/DRAFT: at most five rounds a tool; what is tried must differ from what was tried
before (cosine below 0.9); a tool is done when the mean of BLEU and cosine between two versions of its text exceeds
0.75. Here a tool is a verb, what was tried is what the episodes did, and the cosine is of word counts where theirs is
of embeddings.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer
from selfgym.memory.episode import Episode, Step
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.symbolic import propose
from selfgym.memory.views import members

_ASK = (
    "Below are the documentation of a tool and what happened when it was called. Rewrite the documentation: what it "
    "needs, when it works, when it is refused. In your own words, at most five sentences."
)
_TRIED, _LONGEST = 8, 1500


@dataclass(frozen=True)
class Draft:
    """Documentation of what can be done."""

    rounds: int = 5
    alike: float = 0.75
    """Mean of BLEU and cosine between two versions, above which a tool is done."""
    different: float = 0.9
    """Cosine above which two calls count as the same."""

    name: ClassVar[str] = "draft"
    source: ClassVar[str] = "arXiv 2410.08197; github.com/quchangle1/DRAFT"
    heading: ClassVar[str] = "What is known of the commands"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """The documentation of every tool, as far as it fits."""
        return members(library, (Kind.DOC,), task.env)

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """A new version for each tool that is not done."""
        tried: dict[str, list[tuple[Step, str, Episode]]] = defaultdict(list)
        for episode in practice.past:
            seen = [*(step.observation for step in episode.steps[1:]), episode.final_observation]
            for step, after in zip(episode.steps, seen, strict=True):
                if name := re.match(r"\w+", step.action.strip()):
                    tried[name.group().lower()].append((step, after, episode))
        rules = _rules(practice) if writer is None else {}
        items = []
        for verb, calls in sorted(tried.items()):
            old = next((item for item in members(library, (Kind.DOC,), practice.env, verb)), None)
            if old is not None and self._done(library, old):
                continue
            sources = [episode for _, _, episode in calls[-20:]]
            body = rules.get(verb, "") if writer is None else self._rewritten(writer, verb, old, calls)
            if not body or (old is not None and old.body == body):
                continue
            title, model = f"The command {verb}", writer.name if writer else ""
            items.append(practice.item(self.name, Kind.DOC, title, sources, body=body, tags=(verb,), model=model))
        return items

    def _done(self, library: Library, item: Item) -> bool:
        """Whether a tool has had its rounds, or its last two versions hardly differ."""
        versions = [item]
        while versions[-1].origin.parents:
            versions.append(library.get(versions[-1].origin.parents[-1]))
        return len(versions) >= self.rounds or (
            len(versions) > 1 and likeness(versions[1].body, versions[0].body) > self.alike
        )

    def _rewritten(
        self, writer: Writer, verb: str, old: Item | None, calls: Sequence[tuple[Step, str, Episode]]
    ) -> str:  # fmt: skip
        chosen: list[tuple[Step, str]] = []
        for step, after, _ in reversed(calls):
            if all(cosine(step.action, other.action) < self.different for other, _ in chosen):
                chosen.append((step, after))
            if len(chosen) == _TRIED:
                break
        told = "\n".join(
            f"Called: {step.action}\n{'Worked' if step.valid else 'Refused'}: {' '.join(after.split())[:200]}"
            for step, after in chosen
        )
        text = f"Tool: {verb}\nDocumentation: {old.body if old else 'none'}\n{told}"
        return writer.ask(_ASK, text)[:_LONGEST].strip()


def _rules(practice: Practice) -> dict[str, str]:
    """Verb -> everything that the regularities say of it whatever the thing is, a line each."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in propose(practice.past, run=practice.run):
        if item.when.endswith("something"):
            found[item.when.split()[0]].append(item.body)
    return {verb: "\n".join(lines) for verb, lines in found.items()}


def likeness(old: str, new: str) -> float:
    """The mean of BLEU and cosine between two texts, 0 to 1."""
    try:
        from sacrebleu import sentence_bleu
    except ImportError:
        raise ImportError("DRAFT compares versions by BLEU: pip install 'selfgym[memory]'") from None
    return (float(sentence_bleu(new, [old]).score) / 100 + cosine(old, new)) / 2


def cosine(one: str, other: str) -> float:
    """Between word counts, 0 to 1.

    >>> round(cosine("heat egg 1 with microwave 1", "heat egg 1 with microwave 2"), 2)
    0.87
    """
    first, second = (Counter(re.findall(r"\w+", text.lower())) for text in (one, other))
    norm = math.sqrt(sum(n * n for n in first.values()) * sum(n * n for n in second.values()))
    return sum(n * second[word] for word, n in first.items()) / norm if norm else 0.0
