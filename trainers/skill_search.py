"""The skills that fit a task by its words, out of a library that may hold those of many scenarios.

The search is that of `selfgym.memory.retrieve`, over the names of the skills, the tasks that they were written in and
their sources. The library that is searched lives for one search: a sample's own changes with each of its episodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from selfgym.memory.item import Item, Kind, visible
from selfgym.memory.library import Library, Status
from selfgym.memory.retrieve import SearchConfig, search
from selfgym.trainers.carrying import Skills


class Written(NamedTuple):
    """A skill as it was written."""

    source: str
    task: str
    """The words of the task that it was written in."""
    episode: str = ""
    """The id of the episode that wrote it."""


def fitting(known: Mapping[str, Written], task: str, most: int) -> Skills:
    """The ``most`` of the ``known`` skills (by name) that fit a ``task`` best, best first; none without a word in
    common."""
    if not known:
        return {}
    with TemporaryDirectory() as folder, Library(Path(folder) / "skills.db") as library, library.transaction():
        names: dict[str, str] = {}
        for name, skill in known.items():
            when, body = visible(skill.task)[:1024], visible(skill.source)[:4000]
            item = Item(kind=Kind.WORKFLOW, title=name[:80], when=when, body=body)
            names[library.propose(item)] = name
            library.move(item.id, Status.ACTIVE, "a sample's own")
        hits = search(library, task, config=SearchConfig(most=most, explore=0.0, kinds=(Kind.WORKFLOW,)))
        return {names[hit.item.id]: known[names[hit.item.id]].source for hit in hits}
