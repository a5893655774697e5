"""Cradle-style curation of skills: code made of what was done, mended when it fails, the recent ones first.

arXiv 2403.03186; code BAAI-Agents/Cradle: skills are functions with a docstring, retrieved by recency and likeness, and
generated anew where one of the same name exists. There a library file is dill, loading it runs it, and admission runs
the code in the process; here a skill is text, runs in a sandbox only, and its edit climbs the ladder again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer, told
from selfgym.memory.episode import Episode
from selfgym.memory.item import Code, Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.workflows import Shortcut, shortcuts
from selfgym.memory.retrieve import SearchConfig, search
from selfgym.memory.views import members

_ASK = (
    "The Python generator below yields actions and is sent what each led to. It failed as told. Rewrite it under the "
    "same name and with the same parameters, with a docstring. Answer with one ```python block."
)
_BLOCK = re.compile(r"```(?:python)?\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Cradle:
    """Skills that are functions."""

    recent: int = 2
    similar: int = 3
    votes: int = 3
    """Solved tasks in which the same actions were taken before they are a skill."""

    name: ClassVar[str] = "cradle"
    source: ClassVar[str] = "arXiv 2403.03186; github.com/BAAI-Agents/Cradle"
    heading: ClassVar[str] = "Skills"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """The newest skills, then the most similar."""
        newest = members(library, (Kind.SKILL,), task.env)[::-1][: self.recent]
        near = SearchConfig(most=self.similar, kinds=(Kind.SKILL,), floor=0.0)
        similar = [hit.item for hit in search(library, task.goal, env=task.env, seed=task.seed, config=near)]
        return list({item.id: item for item in (*newest, *similar)}.values())

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """A skill for what is always done the same way, and mended versions of those that failed."""
        current = {item.code.entry: item for item in members(library, (Kind.SKILL,), practice.env) if item.code}
        items = []
        for one in shortcuts(practice.past, self.votes):
            old = current.get(one.verb)
            if old is None:
                items.append(self._item(practice, one, _function(one.verb, one.lines)))
            elif failed := [episode for episode in practice.new if _failed(episode, old.id)]:
                source = _mended(one) if writer is None else _rewritten(writer, old, failed[-1])
                if source and old.code and source != old.code.source:
                    items.append(self._item(practice, one, source, writer))
        return items

    def _item(self, practice: Practice, one: Shortcut, source: str, writer: Writer | None = None) -> Item:
        params = {"type": "object", "properties": {"thing": {"type": "string"}}, "required": ["thing"]}
        code = Code(runtime="python", entry=one.verb, source=source, params=params)
        return practice.item(
            self.name, Kind.SKILL, f"Skill: {one.verb}", one.sources, when="; ".join(one.kinds)[:1000],
            body=f"{one.verb} what is in hand.", code=code, model=writer.name if writer else "",
            checks=(practice.replay(one.sources[-1]), *practice.contrast()),
        )  # fmt: skip


def _failed(episode: Episode, skill: str) -> bool:
    """Whether an action of the skill was refused."""
    return any(not step.valid and step.info.get("skill") == skill for step in episode.steps)


def _function(verb: str, lines: Sequence[str]) -> str:
    body = "\n".join(f"    seen = yield {_text(line)}" for line in lines)
    return f'def {verb}(thing):\n    """{verb.capitalize()} a thing that is in hand."""\n{body}\n'


def _mended(one: Shortcut) -> str:
    """The function with the opening of its place, where that is found closed."""
    place = re.search(r"(\D+ \d+)$", one.lines[-1].rpartition(" with ")[2])
    if place is None or any(line.startswith("open ") for line in one.lines):
        return ""
    *before, last = one.lines
    body = "".join(f"    seen = yield {_text(line)}\n" for line in before)
    guard = f"    if \"closed\" in str(seen):\n        seen = yield 'open {place.group(1)}'\n" if before else ""
    head = (
        f'def {one.verb}(thing):\n    """{one.verb.capitalize()} a thing that is in hand; opens the place first."""\n'
    )
    return f"{head}{body}{guard}    yield {_text(last)}\n"


def _text(line: str) -> str:
    before, blank, after = line.partition("{thing}")
    return f"{before!r} + str(thing) + {after!r}" if blank else repr(line)


def _rewritten(writer: Writer, old: Item, failed: Episode) -> str:
    assert old.code is not None
    answer = writer.ask(_ASK, f"{old.code.source}\n\n{told(failed, longest=120)}")
    found = _BLOCK.search(answer)
    return found.group(1) if found else ""
