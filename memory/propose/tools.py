"""A tool out of successful episodes, by rules alone: a function that answers where things were found.

What a language model would write after Alita's fashion (arXiv 2505.20286), from the same log, so that making, checking
and serving tools can be tried without one.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.item import Check, Code
from selfgym.memory.propose.deeds import done

_MOST_PLACES = 4
_SOURCE = '''FOUND = {found}


def where_is(thing):
    """Places in which a thing was found before, the most frequent first; none where nobody knows."""
    return FOUND.get(str(thing), [])
'''


@dataclass(frozen=True, slots=True)
class Tool:
    """A function with a check of its own."""

    code: Code
    check: Check
    sources: tuple[Episode, ...]


def finder(episodes: Sequence[Episode], verb: str = "take", votes: int = 2) -> Tool | None:
    """``where_is(thing)``, from what was taken from where in successful episodes; None where that says too little."""
    places: dict[str, Counter[str]] = defaultdict(Counter)
    sources: dict[str, Episode] = {}
    for episode in episodes:
        if episode.outcome is not Outcome.SUCCESS:
            continue
        for deed in done(episode):
            if deed.verb == verb:
                places[deed.thing][deed.place] += 1
                sources[episode.id] = episode
    known = {
        thing: sorted(counts, key=lambda place: (-counts[place], place))[:_MOST_PLACES]
        for thing, counts in sorted(places.items())
        if counts.total() >= votes
    }
    if not known:
        return None
    params = {
        "type": "object",
        "properties": {"thing": {"type": "string", "enum": sorted(known)}},
        "required": ["thing"],
    }
    source = _SOURCE.format(found=json.dumps(known, indent=4, ensure_ascii=False))
    first = next(iter(known))
    check = f"assert where_is({first!r}) == {known[first]!r}\nassert where_is('nothing of that name') == []"
    code = Code(runtime="mcp", entry="where_is", source=source, params=params)
    return Tool(code, Check(rung="unit", source=check), tuple(sources.values()))
