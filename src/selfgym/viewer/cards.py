"""The skills and items of an episode as cards, the marks of its steps that name them, and the places of its chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfgym.memory.episode import Episode
from selfgym.viewer.html import Html, join, link, tag
from selfgym.viewer.layout import note
from selfgym.viewer.links import Links
from selfgym.viewer.skills import MOST, Card, Known

_BODY = 4000  # characters of a card's text
_BRIEF = 8  # lines up to which it is unfolded
_CALLS = 50  # of a skill that are listed
_MARKS = {"writes": "badge good", "calls": "badge turn", "by": "badge"}


def card_list(
    known: Known, episode: Episode, links: Links, *, chain: Sequence[Episode] = (), anchor: str = ""
) -> Html | None:
    """A card for everything that the episode began with or wrote; None where there is nothing to say."""
    if not known.cards:
        return note("No skill was brought along, and none was written.") if known.chained else None
    places = {one.id: f"place {one.chain_position + 1} of the chain" for one in chain}
    rows = [_card(number, card, episode, links, places, anchor) for number, card in enumerate(known.cards)]
    more = note(f"The first {MOST} are shown.") if len(known.cards) == MOST else None
    return join([tag("ul", *rows, class_="cards"), more])


def _card(number: int, card: Card, episode: Episode, links: Links, places: Mapping[str, str], anchor: str) -> Html:
    where = links.item(card.item) if card.item else ""
    head = [tag("strong", link(where, card.name)), tag("span", card.kind, class_="badge")]
    if card.brought:
        head.append(tag("span", "brought along", class_="badge odd-end"))
    if card.written:
        there = tag("a", f"step {card.written}", href=links.episode(episode.id, card.written))
        head.append(tag("span", "written at ", there, class_="badge good"))
    told = [
        join(["when ", card.when]) if card.when else None,
        join(["written at ", link(links.episode(card.origin), places.get(card.origin, card.origin))])
        if card.origin
        else None,
        _called(card, episode, links),
    ]
    notes = [tag("p", one, class_="note") for one in told if one is not None]
    return tag("li", tag("p", *head, class_="head"), *notes, _body(card), id=f"{anchor}card-{number + 1}")


def _called(card: Card, episode: Episode, links: Links) -> Html | None:
    if not card.called:
        return Html("never called") if card.kind == "skill" else None
    steps = [tag("a", number, href=links.episode(episode.id, number)) for number in card.called[:_CALLS]]
    left = len(card.called) - len(steps)
    more = f" and {left} more" if left else None
    return join(["called at step " if len(card.called) == 1 else "called at steps ", join(steps, ", "), more])


def _body(card: Card) -> Html:
    if not card.body:
        return note("What it says is not in the files that are open here.")
    cut = card.body[:_BODY] + (f" … {len(card.body) - _BODY:,} characters more" if len(card.body) > _BODY else "")
    brief = card.body.count("\n") < _BRIEF and len(card.body) < _BRIEF * 100
    return tag("details", tag("summary", "what it says"), tag("pre", cut, class_="code"), open=brief)


def card_marks(known: Known, step: int, anchor: str = "") -> list[Html]:
    """What a step does to the skills, each a link to a card."""
    return [
        tag("a", f"{deed} {known.cards[number].name[:60]}", href=f"#{anchor}card-{number + 1}", class_=_MARKS[deed])
        for deed, number in known.deeds.get(step, ())
    ]


def chain_places(episode: Episode, chain: Sequence[Episode], links: Links) -> Html:
    """The chain of an episode by name, and a link to the task at each of its places that is there."""
    rows = [
        tag("li", tag("a", one.chain_position + 1, href=links.episode(one.id), title=one.task[:200],
            aria_label=f"place {one.chain_position + 1}", aria_current="page" if one.id == episode.id else None))
        for one in sorted(chain, key=lambda one: one.chain_position)
    ]  # fmt: skip
    places = tag("ol", *rows, class_="places") if len(rows) > 1 else f", place {episode.chain_position + 1}"
    return join([link(links.chain(episode.chain), episode.chain), places])
