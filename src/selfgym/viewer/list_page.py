"""The list of episodes: filters, a search, and pages that are found by key."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from selfgym.memory.episode import Episode
from selfgym.viewer.episode_page import outcome_badge, title_of
from selfgym.viewer.html import Html, join, link, table, tag
from selfgym.viewer.layout import Page
from selfgym.viewer.links import Links, ServedLinks
from selfgym.viewer.source import FILTERS, Source, listed, readable, values_of

SIZE = 50
"""Episodes on a page."""
_COUNTED = 10_000  # hits of a search that are counted


def list_page(source: Source, links: ServedLinks, query: dict[str, str]) -> Page:
    """The page of the list that ``query`` asks for: filters, ``q`` (words), ``after`` or ``before`` (a number)."""
    filters = {name: query[name] for name in FILTERS if query.get(name)}
    said = query.get("q", "").strip()
    before = _number(query["before"]) if query.get("before") else None
    found = listed(source, filters, said, after=_number(query.get("after", "")), before=before, size=SIZE)
    episodes = readable(source, [id for _, id in found.rows])
    damaged = len(found.rows) - len(episodes)
    body: list[Html | None] = [_form(source, filters, said), _told(source, filters, said)]
    if damaged:
        body.append(tag("p", f"{damaged} episodes of this page are damaged and left out.", role="alert"))
    if found.rows:
        asked = filters | ({"q": said} if said else {})
        body += [episode_table(episodes, links), _pager(links, asked, found.rows, found.before, found.after)]
    else:
        body.append(tag("p", "No episode matches.", class_="empty"))
    return Page("Episodes", join(body), "Episodes")


def _number(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 18 else 0


def _told(source: Source, filters: dict[str, str], said: str) -> Html:
    """How many match, and how far the search index has come."""
    total = source.store.count()
    left = source.index.left() if source.index else 0
    if said and source.index:
        count = source.index.count(said, filters, most=_COUNTED + 1)
        many = f"{_COUNTED:,}+" if count > _COUNTED else f"{count:,}"
    else:
        many = f"{source.store.count(**filters):,}" if filters else f"{total:,}"
    parts: list[object] = [tag("span", f"{many} of {total:,} episodes", class_="count")]
    if left:
        parts.append(f" · the search index is being built, {total - left:,} of {total:,}: reload to find more")
    return tag("p", *parts, role="status")


def _form(source: Source, filters: dict[str, str], said: str) -> Html:
    fields = [
        tag("label", tag("span", "Search tasks, observations, actions"),
            tag("input", type="search", name="q", value=said, placeholder='apple  "safe 1"  done:open'), class_="wide"),
    ]  # fmt: skip
    for name in FILTERS:
        values = values_of(source, name) if name != "task_id" else [filters.get(name, "")]
        if len(values) < 2 and name not in filters:
            continue
        options = [tag("option", "any", value="")] + [
            tag("option", value, value=value, selected=filters.get(name) == value) for value in values if value
        ]
        label = tag("span", name.replace("_id", "").capitalize())
        fields.append(tag("label", label, tag("select", *options, name=name)))
    buttons = tag("div", tag("button", "Show", type="submit"), tag("a", "Clear", href="?"), class_="buttons")
    return tag("form", *fields, buttons, method="get", role="search", aria_label="Episodes", class_="filters")


def episode_table(
    episodes: Sequence[Episode], links: Links, caption: str = "Episodes, in the order of the log"
) -> Html:
    """A row an episode: its task links to it."""
    columns = [
        "Task",
        "Outcome",
        "Return",
        "Steps",
        ("Agent", "wide-only"),
        ("Phase", "wide-only"),
        ("Id", "widest-only"),
    ]
    rows: list[list[object]] = [
        [
            link(links.episode(episode.id), title_of(episode)),
            outcome_badge(episode.outcome), f"{episode.total_reward:g}", len(episode.steps),
            " · ".join(filter(None, (episode.agent, episode.policy))), episode.phase, episode.id,
        ]
        for episode in episodes
    ]  # fmt: skip
    return table(caption, columns, rows, numbers=(2, 3))


def _pager(
    links: ServedLinks, asked: dict[str, str], rows: Sequence[tuple[int, str]], before: bool, after: bool
) -> Html | None:
    base = links.episodes()
    ways = [
        ("First", "", before), ("Previous", f"before={rows[0][0]}", before),
        ("Next", f"after={rows[-1][0]}", after), ("Last", "before=99999999999999999", after),
    ]  # fmt: skip
    if not before and not after:
        return None
    shown = []
    for name, place, there in ways:
        address = f"{base}?{'&'.join(filter(None, (urlencode(asked), place)))}"
        rel = {"Previous": "prev", "Next": "next"}.get(name)
        shown.append(
            tag("li", tag("a", name, href=address, rel=rel) if there else tag("span", name, aria_disabled="true"))
        )
    return tag("nav", tag("ul", *shown), aria_label="Pages of the list", class_="pager")
