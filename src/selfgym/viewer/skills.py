"""The skills and memory items of an episode: what it began with, what it wrote, and at which steps each was called.

Everything is read off the record, and nothing that a record names is imported or run: a function is a skill where the
code of a step defines it, and is called where the code of a step has a call of its name, whether or not it came to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from selfgym.agents.remembering import ANSWERS
from selfgym.agents.skill_writing import skills_in
from selfgym.memory.episode import Episode, Step
from selfgym.memory.library import Library
from selfgym.trainers.carrying import Functions, Sequences

MOST = 100
"""Skills and items of an episode that are told."""
_FUNCTIONS, _SEQUENCES = Functions(), Sequences()

Deed = Literal["writes", "calls", "by"]
"""What a step has to do with a skill: it writes it, calls it, or is an action that the skill took after its first."""


@dataclass(slots=True)
class Card:
    """One skill or item, as an episode had it."""

    name: str
    kind: str = "skill"
    body: str = ""
    item: str = ""
    """The id under which it was shown; empty for a function, which the environment shows."""
    entry: str = ""
    """The name that an item is called by."""
    when: str = ""
    brought: bool = False
    """Whether it was brought along from other tasks, outside of any library."""
    origin: str = ""
    """The episode that wrote what was brought along; empty where that is not known."""
    written: int = 0
    """The step that wrote it, counted from 1; 0 where it was there before."""
    called: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """The first `MOST` cards of an episode, and what each step has to do with them."""

    cards: Sequence[Card] = ()
    chained: bool = False
    """Whether the episode is of a chain, in which skills are taken along."""
    deeds: Mapping[int, Sequence[tuple[Deed, int]]] = field(default_factory=dict)
    """By step: what it does, with the number of a card."""


def library_of(id: str, libraries: Iterable[Library | None]) -> Library | None:
    """The first of ``libraries`` that has the item ``id``."""
    return next((one for one in libraries if one is not None and id in one), None)


def known_in(episode: Episode, libraries: Sequence[Library | None]) -> Known:
    """What ``episode`` was brought and shown, and what it wrote; items are looked up in ``libraries``, in their order.

    >>> known_in(Episode(id="e", env="", task="", outcome="success", items=("no such item",)), []).cards[0].name
    'no such item'
    """
    noted = episode.info.get("brought")
    cards = list(islice(_brought(noted), MOST))
    own = {card.item for card in cards}
    shown = (id for id in dict.fromkeys(episode.items) if id not in own)
    cards += (_shown(id, libraries) for id in islice(shown, MOST - len(cards)))
    now = {card.name: at for at, card in enumerate(cards) if card.brought}
    chained = isinstance(noted, dict | list)
    deeds: dict[int, list[tuple[Deed, int]]] = {}
    for number, step in enumerate(episode.steps, 1):
        told = [*(_in_a_chain(number, step, cards, now) if chained else ()), *_of_items(number, step, cards)]
        if told:
            deeds[number] = told
    return Known(cards, chained, deeds)


def _brought(noted: Any) -> Iterator[Card]:
    """What was brought along; an older record has names alone."""
    told = noted if isinstance(noted, dict) else dict.fromkeys(map(str, noted if isinstance(noted, list) else ()))
    for name, one in told.items():
        about = one if isinstance(one, dict) else {}
        card = _carried(name, str(about.get("source", "")))
        card.brought, card.origin = True, str(about.get("episode", ""))
        yield card


def _carried(name: str, source: str, written: int = 0) -> Card:
    ids = [item.id for item in skills_in(source).values()]
    return Card(name, body=source, item=ids[0] if ids else "", written=written)


def _shown(id: str, libraries: Sequence[Library | None]) -> Card:
    if (library := library_of(id, libraries)) is None:
        return Card(id, "item", item=id)
    item = library.get(id)
    body = "\n\n".join(filter(None, (item.body, item.code.source if item.code else "")))
    return Card(item.title, item.kind, body, id, item.code.entry if item.code else "", item.when)


def _in_a_chain(number: int, step: Step, cards: list[Card], now: dict[str, int]) -> Iterator[tuple[Deed, int]]:
    """What a step writes, added to ``cards`` and what its name means from ``now`` on; and what its code calls."""
    for name, source in {**_FUNCTIONS.defined(step), **_SEQUENCES.defined(step)}.items():
        if len(cards) < MOST and (name not in now or cards[now[name]].body != source):
            now[name] = len(cards)
            cards.append(_carried(name, source, number))
            yield "writes", now[name]
    for name in sorted(_FUNCTIONS.calls(step) & now.keys()):
        cards[now[name]].called.append(number)
        yield "calls", now[name]


def _of_items(number: int, step: Step, cards: Sequence[Card]) -> Iterator[tuple[Deed, int]]:
    """What was called of the items: tools that answered, and skills with the further actions that they took."""
    asides = step.info.get("asides")
    pairs = [pair for pair in asides if isinstance(pair, list) and len(pair) == 2] if isinstance(asides, list) else []
    told = [str(said) for _, said in pairs]
    for at, card in enumerate(cards):
        answered = bool(card.entry) and any(one.startswith(card.entry + ANSWERS) for one in told)
        began = card.item and card.item == step.info.get("skill")
        if answered or (began and "call" in step.info):
            card.called.append(number)
            yield "calls", at
        elif began:
            yield "by", at
