"""What one failed try at a task tells the next try at the same task, by rules alone.

Read off its actions: where it looked in vain, what was refused, where it found what it took.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfgym.memory.episode import Episode
from selfgym.memory.propose.deeds import done, in_vain, taken_apart

_LOOKED = re.compile(r"(?:go to|open|examine) (\D+ \d+)")
_PLACE = re.compile(r"\b(?:from|in/on|to|with) (\D+ \d+)$")


def reflect(episode: Episode) -> str:
    """A line for each thing to know; empty where the actions tell nothing."""
    return "\n".join([*_in_vain(episode), *_refused(episode), *_found(episode)])


def _in_vain(episode: Episode) -> Iterator[str]:
    used = {
        found.group(1)
        for step in episode.steps
        if step.valid and taken_apart(step.action) and (found := _PLACE.search(step.action.strip().lower()))
    }
    looked = {
        found.group(1): None
        for step in episode.steps
        if step.valid and (found := _LOOKED.fullmatch(step.action.strip().lower()))
    }
    if vain := [place for place in looked if place not in used]:
        yield f"looked in vain: {', '.join(vain)}"


def _refused(episode: Episode) -> Iterator[str]:
    admitted = {(deed.verb, deed.preposition, deed.place) for deed in done(episode)}
    for key in dict.fromkeys((deed.verb, deed.preposition, deed.place) for deed in in_vain(episode)):
        if key not in admitted:
            yield f"{' '.join(key)}: never works"


def _found(episode: Episode) -> Iterator[str]:
    for deed in done(episode):
        if deed.preposition == "from" and re.search(rf"\b{re.escape(deed.thing)}", episode.task):
            yield f"{deed.verb} {deed.thing}: often from {deed.place}"
            return
