"""Which page an address means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from selfgym.memory.episode import Episode
from selfgym.memory.library import Library
from selfgym.viewer.cards import card_list
from selfgym.viewer.chain_table import chain_table
from selfgym.viewer.compare_page import compare_page
from selfgym.viewer.curves import curves_page
from selfgym.viewer.episode_page import CLIPPED, facts, parts, steps, title_of
from selfgym.viewer.group_page import MOST, group_body, group_title
from selfgym.viewer.html import Html, join, link, tag
from selfgym.viewer.item_page import item_body
from selfgym.viewer.items_page import items_page
from selfgym.viewer.layout import Page, note
from selfgym.viewer.links import STEPS, ServedLinks
from selfgym.viewer.list_page import episode_table, list_page
from selfgym.viewer.site import Site
from selfgym.viewer.skills import known_in
from selfgym.viewer.snapshots_page import snapshots_page
from selfgym.viewer.source import Source, readable

_FIELDS = 30  # of a query
_MOST = 200  # episodes that refer to another one that are listed


class NotFound(LookupError):
    """There is no such page; the message is shown."""


def page_at(sources: Sequence[Source], address: str) -> Page:
    """The page at ``address``, a path with a query.

    Raises `LookupError` where there is none, `ValueError` where the address means nothing, and `StoreError` or
    `LibraryError` where a file fails.
    """
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query, max_num_fields=_FIELDS))
    if parts.path == "/":
        return _moved(Site(sources, 0).first_page)
    number = source_number(parts.path, len(sources))
    name = "/".join(parts.path.split("/")[2:])
    if number is not None and name == "compare":
        return compare_page(sources, query)
    if number is None or name not in _PAGES:
        raise NotFound(f"There is no page at {parts.path}.")
    return _PAGES[name](Site(sources, number), query)


def source_number(address: str, count: int) -> int | None:
    """Which of ``count`` files an address is about; None where it names none."""
    name = address.split("/")[1] if address.startswith("/") else ""
    number = int(name) if name.isascii() and name.isdecimal() and len(name) < 4 else count
    return number if number < count else None


def _moved(to: str) -> Page:
    return Page("Moved", Html(""), moved_to=to)


def places(sources: Sequence[Source], number: int) -> list[tuple[str, str]]:
    """What the navigation offers on a page of source ``number``."""
    found = [("Episodes", f"/{number}/episodes"), ("Curves", f"/{number}/curves")]
    if sources[number].library is not None:
        found.append(("Memory", f"/{number}/items"))
    found.append(("Compare", f"/{number}/compare"))
    return found


def files(sources: Sequence[Source], number: int) -> list[tuple[str, str, bool]]:
    """Every file that is looked at, with its first page and whether it is that of ``number``."""
    return [(source.name, Site(sources, at).first_page, at == number) for at, source in enumerate(sources)]


def _episode(site: Site, query: dict[str, str]) -> Page:
    source, links = site.source, site.links
    episode = source.store.get(query.get("id", ""))
    part = int(query["part"]) if query.get("part", "").isdecimal() else 0
    part = max(0, min(part, (len(episode.steps) - 1) // STEPS))
    pager = parts(episode, part, lambda one: links.episode(episode.id, one * STEPS + 1).partition("#")[0])
    known = known_in(episode, site.libraries)
    chain = _chain_of(source, episode.chain)
    cards = card_list(known, episode, site.across, chain=chain)
    body = join([
        tag("p", tag("code", episode.id), _neighbours(source, links, episode), class_="id"),
        tag("div",
            tag("aside", tag("h2", "About it"), facts(episode, links, chain),
                _referring(source, links, episode), aria_label="About the episode"),
            tag("div", join([tag("h2", "Skills and memory"), cards]) if cards else None,
                tag("h2", "Steps"), _whole(links, episode, part), pager,
                steps(episode, source.decode, known, part=part, whole=query.get("whole") == "1"), pager,
                class_="steps"),
            class_="two"),
    ])  # fmt: skip
    return Page(title_of(episode), body, "Episodes")


def _chain_of(source: Source, name: str) -> list[Episode]:
    """The episodes of a chain that are indexed, in their order."""
    ids = source.index.referring("chain", name, limit=_MOST) if source.index and name else []
    return sorted(readable(source, ids), key=lambda episode: episode.chain_position)


def _whole(links: ServedLinks, episode: Episode, part: int) -> Html | None:
    """A link to the same page with nothing cut; None where nothing is."""
    said = (one for step in episode.steps for one in (step.observation, step.thought, step.action))
    if all(len(one) <= CLIPPED for one in (*said, episode.final_observation, episode.error)):
        return None
    address = links.episode(episode.id, part * STEPS + 1).partition("#")[0]
    return note(tag("a", "Show every text whole", href=f"{address}&whole=1"))


def _neighbours(source: Source, links: ServedLinks, episode: Episode) -> Html:
    """Links to the episodes before and after it in the log."""
    [(seq,)] = source.store.rows("SELECT seq FROM episodes WHERE id = ?", (episode.id,))
    found = []
    for name, way in (("previous", "seq < ? ORDER BY seq DESC"), ("next", "seq > ? ORDER BY seq")):
        for (id,) in source.store.rows(f"SELECT id FROM episodes WHERE {way} LIMIT 1", (seq,)):
            found.append(tag("a", name, href=links.episode(id), rel={"previous": "prev"}.get(name, name)))
    return tag("span", *found, class_="neighbours")


def _referring(source: Source, links: ServedLinks, episode: Episode) -> Html | None:
    """The episodes that branched off this one."""
    if source.index is None:
        return None
    ids = source.index.referring("parent", episode.id, limit=_MOST)
    if not ids:
        return None
    rows = []
    for other in readable(source, ids):
        name = f"{other.phase}: {other.outcome}, after step {other.branch_step}"
        rows.append(tag("li", link(links.episode(other.id), name)))
    return join([tag("h2", "Branches off it"), tag("ul", *rows)])


def _group(site: Site, query: dict[str, str]) -> Page:
    name = query.get("name", "")
    episodes = list(site.source.store.episodes(group=name, limit=MOST + 1)) if name else []
    if not episodes:
        raise NotFound(f"There is no group {name!r} here.")
    more = note(f"The first {MOST} episodes of the group are shown.") if len(episodes) > MOST else None
    episodes = episodes[:MOST]
    return Page(group_title(episodes), join([more, group_body(name, episodes, site.links)]), "Episodes")


def _memory(source: Source) -> Library:
    if source.library is None:
        raise NotFound(f"{source.name} has no memory items.")
    return source.library


def _item(site: Site, query: dict[str, str]) -> Page:
    library = _memory(site.source)
    item = library.get(query.get("id", ""))
    shown = [_shown_in(source, ServedLinks(at), item.id, at == site.number) for at, source in enumerate(site.sources)]
    own = [shown.pop(site.number)]
    return Page(item.title, join([item_body(library, item, site.across), *own, *shown]), "Memory")


def _shown_in(source: Source, links: ServedLinks, item: str, own: bool) -> Html | None:
    """The episodes of a file in which an item was shown; None where there are none."""
    ids = source.index.referring("item", item, limit=_MOST) if source.index else []
    where = "this file" if own else source.name
    told = f"Episodes of {where} that were shown it{f', the first {_MOST}' if len(ids) == _MOST else ''}"
    return episode_table(readable(source, ids), links, told) if ids else None


def _chain(site: Site, query: dict[str, str]) -> Page:
    name = query.get("name", "")
    episodes = _chain_of(site.source, name)
    if not episodes:
        raise NotFound(
            f"No episode of a chain {name!r} is indexed; where the index is still being built, reload later."
        )
    return Page("A chain", join([tag("p", tag("code", name)), chain_table(episodes, site.links)]), "Episodes")


_PAGES: Mapping[str, Callable[[Site, dict[str, str]], Page]] = {
    "": lambda site, query: _moved(site.first_page),
    "episodes": lambda site, query: list_page(site.source, site.links, query),
    "episode": _episode,
    "chain": _chain,
    "group": _group,
    "curves": lambda site, query: curves_page(site.source, site.links),
    "items": lambda site, query: items_page(_memory(site.source), site.links, query),
    "item": _item,
    "snapshots": lambda site, query: snapshots_page(
        _memory(site.source), site.links, query.get("left", ""), query.get("right", "")
    ),
}
