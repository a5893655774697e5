"""Where words come from: an item that repeats what an observation said is tainted, whatever its proposer claims.

A page, a file or a message can say anything, and a language model that writes lessons will copy it. So the texts are
compared: a run of words that stands in an item and in an observation of its source episodes, and that the task did not
say and no admitted action had, marks it as `Taint.ENV_TEXT`. A language model that has read observations can say the
same in other words: what one wrote is marked whatever it says. An item made in an episode in which a tainted item was
shown inherits that taint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from selfgym.memory.episode import Episode
from selfgym.memory.item import Item, Taint
from selfgym.memory.library import Library

_RUN = 5  # words in a row
_WORD = re.compile(r"[^\W_]+")


def with_taint(item: Item, episodes: Sequence[Episode], library: Library | None = None) -> Item:
    """``item`` with the taint that its source ``episodes`` give it; its id stays the same."""
    taint = set(item.origin.taint)
    if item.origin.model and episodes:
        taint.add(Taint.MODEL)
    if _runs(_texts(item)) & observed(episodes):
        taint.add(Taint.ENV_TEXT)
    if library is not None:
        shown = {id for episode in episodes for id in episode.items if id in library}
        for other in (*sorted(shown), *item.origin.parents):
            taint.update(library.get(other).origin.taint)
    origin = item.origin.model_copy(update={"taint": tuple(sorted(taint))})
    return item.model_copy(update={"origin": origin})


def observed(episodes: Iterable[Episode]) -> set[str]:
    """Every run of words that an environment said, but for those of its task and of admitted actions."""
    said: set[str] = set()
    known: set[str] = set()
    for episode in episodes:
        for text in (*(step.observation for step in episode.steps), episode.final_observation):
            said |= _runs(text.split(episode.task) if episode.task else [text])
        known |= _runs([episode.task, *(step.action for step in episode.steps if step.valid)])
    return said - known


def _texts(item: Item) -> Iterator[str]:
    yield from (item.title, item.when, item.body)
    if item.code is not None:
        yield from (item.code.source, *item.code.files.values())
    yield from (check.source for check in item.checks)


def _runs(texts: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for text in texts:
        words = _WORD.findall(text.lower())
        found.update(" ".join(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1))
    return found
