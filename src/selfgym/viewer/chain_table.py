"""A chain: its tasks in a row, with the skills that each began with, wrote and called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfgym.memory.episode import Episode
from selfgym.viewer.episode_page import outcome_badge, title_of
from selfgym.viewer.html import Html, join, link, table, tag
from selfgym.viewer.links import Links
from selfgym.viewer.skills import known_in

_NAMES = 20  # of skills in one field
_LONGEST = 40  # characters of one


def chain_table(episodes: Sequence[Episode], links: Links) -> Html:
    """A row an episode, in the order of the chain."""
    rows: list[list[object]] = []
    for episode in episodes:
        cards = known_in(episode, ()).cards
        rows.append([
            join([f"{episode.chain_position + 1}. ", link(links.episode(episode.id), title_of(episode))]),
            outcome_badge(episode.outcome), f"{episode.total_reward:g}", len(episode.steps),
            _names(card.name for card in cards if card.brought), _names(card.name for card in cards if card.written),
            _names(card.name for card in cards if card.called),
        ])  # fmt: skip
    narrow: list[object] = [("Return", "wide-only"), ("Steps", "wide-only")]
    columns = ["Task", "Outcome", *narrow, "Brought along", "Wrote", "Called"]
    return table("Its tasks, in their order", columns, rows, numbers=(2, 3))


def _names(names: Iterable[str]) -> Html:
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - _NAMES} more" if len(found) > _NAMES else None
    return join([join([tag("code", name[:_LONGEST], class_="name") for name in found[:_NAMES]], ", "), more])
