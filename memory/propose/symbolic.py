"""A proposer that needs no language model: regularities over logs of success and failure.

It reads actions, never observations: what an agent did and the environment admitted is all that a lesson is made of, so
no page or file can put words into one. Actions are taken apart by `selfgym.memory.propose.deeds`. One episode has one
vote.

    take apple: often from fridge, countertop       in episodes that succeeded
    heat: often with microwave                      the same for all things
    heat with fridge: never works                   refused, and never admitted
    change <=: often to <                           what mended programs
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.item import Item, Kind, Origin, Scope
from selfgym.memory.library import Split
from selfgym.memory.propose.deeds import done, in_vain

_MOST_PLACES = 4
_SOURCES = 20  # episodes that an item names


@dataclass(frozen=True, slots=True)
class SymbolicConfig:
    """How much a regularity needs."""

    votes: int = 2
    """Successful episodes."""
    things: int = 3
    """Different things for which a place is the same before it is said of all."""
    share: float = 0.9
    """Of the votes of a verb that such a place has."""
    refusals: int = 3
    """Episodes in which an action was refused, before it is said never to work."""


def propose(
    episodes: Iterable[Episode], *, run: str = "", method: str = "symbolic", config: SymbolicConfig = SymbolicConfig()
) -> list[Item]:
    """Insights of all regularities, for each environment by itself. Episodes lost to errors are left out.

    ``method`` is who asks, for the items' origin.
    """
    by_env: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        if not episode.outcome.is_error:
            by_env[episode.env].append(episode)
    found = [item for env, known in sorted(by_env.items()) for item in _of_one_environment(env, known, run, config)]
    return [item.model_copy(update={"origin": item.origin.model_copy(update={"method": method})}) for item in found]


def _of_one_environment(env: str, episodes: list[Episode], run: str, config: SymbolicConfig) -> Iterator[Item]:
    won = [episode for episode in episodes if episode.outcome is Outcome.SUCCESS]
    votes: dict[tuple[str, str, str], dict[str, list[Episode]]] = defaultdict(lambda: defaultdict(list))
    for episode in won:
        for deed in done(episode):
            votes[deed.verb, deed.thing, deed.preposition][deed.place].append(episode)
    for (verb, thing, preposition), places in sorted(votes.items()):
        if sum(map(len, places.values())) >= config.votes:
            body = f"{verb} {thing}: often {preposition} {_ranked({k: len(v) for k, v in places.items()})}"
            when = f"{verb} {thing}; a task with {thing}"
            yield _insight(
                env, f"Where to {verb} {thing} {preposition}", when, body, [e for v in places.values() for e in v], run
            )
    yield from _for_all_things(env, votes, run, config)
    yield from _refusals(env, episodes, run, config)


def _for_all_things(
    env: str, votes: dict[tuple[str, str, str], dict[str, list[Episode]]], run: str, config: SymbolicConfig
) -> Iterator[Item]:
    """Where one place serves a verb whatever the thing is."""
    verbs = sorted({(verb, preposition) for verb, _, preposition in votes})
    for verb, preposition in verbs:
        things: dict[str, set[str]] = defaultdict(set)
        counts: Counter[str] = Counter()
        sources: list[Episode] = []
        for (other, thing, joined), places in votes.items():
            if (other, joined) == (verb, preposition):
                for place, episodes in places.items():
                    things[place].add(thing)
                    counts[place] += len(episodes)
                    sources += episodes
        [(place, most)] = counts.most_common(1)
        if len(things[place]) >= config.things and most >= config.share * counts.total():
            body = f"{verb}: often {preposition} {place}"
            yield _insight(env, f"What to {verb} {preposition}", f"{verb} something", body, sources, run)


def _refusals(env: str, episodes: list[Episode], run: str, config: SymbolicConfig) -> Iterator[Item]:
    """What was tried in several episodes and never admitted in any."""
    refused: dict[tuple[str, str, str], list[Episode]] = defaultdict(list)
    admitted = set()
    for episode in episodes:
        admitted |= {(deed.verb, deed.preposition, deed.place) for deed in done(episode)}
        for key in {(deed.verb, deed.preposition, deed.place) for deed in in_vain(episode)}:
            refused[key].append(episode)
    for (verb, preposition, place), sources in sorted(refused.items()):
        if len(sources) >= config.refusals and (verb, preposition, place) not in admitted:
            body = f"{verb} {preposition} {place}: never works"
            yield _insight(env, f"What not to {verb} {preposition}: {place}", f"{verb} something", body, sources, run)


def _ranked(votes: dict[str, int]) -> str:
    order = sorted(votes, key=lambda place: (-votes[place], place))
    return ", ".join(order[:_MOST_PLACES])


def _insight(env: str, title: str, when: str, body: str, sources: list[Episode], run: str) -> Item:
    episodes = tuple(dict.fromkeys(episode.id for episode in sources))[-_SOURCES:]
    splits = {episode.split for episode in sources}
    origin = Origin(run=run, episodes=episodes, split=_split(splits))
    return Item(kind=Kind.INSIGHT, title=title[:80], when=when, body=body, scope=Scope(env=env), origin=origin)


def _split(splits: set[str]) -> Split:
    """One split; `selfgym.memory.library` refuses what was learned on another than its own."""
    return "test" if "test" in splits else "valid" if "valid" in splits else "train"
