"""Kinds of task: what remains of goals when the things and places in them are taken away.

Names come from admitted actions, so that nobody has to say which words of an environment are names: ``put a hot apple
in the fridge`` is ``put a hot _ in the _`` once somebody has taken an apple and gone to a fridge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set

from selfgym.memory.episode import Episode
from selfgym.memory.propose.deeds import taken_apart

_NUMBERED = re.compile(r"\w+(?: to| from| with)? (\D+?) \d+")


def names(episodes: Iterable[Episode]) -> set[str]:
    """Every thing and place that an admitted action named."""
    found: set[str] = set()
    for episode in episodes:
        for step in episode.steps:
            action = step.action.strip().lower()
            if not step.valid:
                continue
            if deed := taken_apart(action):
                found |= {deed.thing, deed.place}
            elif single := _NUMBERED.fullmatch(action):
                found.add(single.group(1))
    return found


def kind_of(goal: str, known: Set[str]) -> str:
    """``goal`` with a blank for every name.

    >>> kind_of("Put a hot apple in the side table.", {"apple", "table", "side table"})
    'put a hot _ in the _.'
    """
    if not known:
        return goal.lower().strip()
    words = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    return re.sub(rf"\b(?:{words})\b", "_", goal.lower().strip())
