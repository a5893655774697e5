"""A run as one file: episodes, trees, curves and items in a single page that loads nothing and needs no server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from selfgym.memory.episode import Episode
from selfgym.memory.item import Item
from selfgym.memory.library import Library
from selfgym.viewer.cards import card_list
from selfgym.viewer.curves import curves_body, evaluations
from selfgym.viewer.episode_page import facts, outcome_badge, steps, title_of
from selfgym.viewer.group_page import MOST, group_body, group_title
from selfgym.viewer.html import Html, join, tag
from selfgym.viewer.item_page import item_body
from selfgym.viewer.item_table import item_table
from selfgym.viewer.layout import Page, dressed, note
from selfgym.viewer.links import STEPS, PageLinks
from selfgym.viewer.list_page import episode_table
from selfgym.viewer.skills import known_in, library_of
from selfgym.viewer.source import Source

_ITEMS = 200


@dataclass(frozen=True, slots=True)
class Exported:
    """What a page holds: so many of the episodes that match."""

    episodes: int
    matching: int
    bytes: int


def export_page(sources: Sequence[Source], path: Path, *, limit: int, filters: dict[str, str]) -> Exported:
    """Write at most ``limit`` episodes of the first source that match ``filters`` to ``path``, oldest first.

    With them come the items of every source, first those that the episodes were shown. A group comes whole where one of
    its episodes does and there is room. Raises OSError where the file cannot be written; one that is there is replaced
    when the new one is whole.
    """
    source = sources[0]
    episodes = _chosen(source, limit, filters)
    matching = source.store.count(**filters)
    trees = _trees(episodes)
    libraries = [one.library for one in sources if one.library is not None]
    items = _chosen_items(episodes, libraries)
    links = PageLinks(
        {("episode", episode.id): f"e{number}" for number, episode in enumerate(episodes)}
        | {("group", name): f"g{number}" for number, name in enumerate(trees)}
        | {("item", item.id): f"i{number}" for number, (_, item) in enumerate(items)}
    )
    runs = evaluations(source)
    body = [
        note(f"{len(episodes):,} of {matching:,} episodes", _asked(filters), ". Exported by selfgym view."),
        tag("section", tag("h2", "Learning curves"), curves_body(runs, links)) if runs else None,
        tag("section", tag("h2", "Episodes"), episode_table(episodes, links), id="episodes"),
        *(_folded(f"g{number}", group_title(members), _tree(source, name, members, links))
          for number, (name, members) in enumerate(trees.items())),
        tag("h2", "Episodes, step by step"),
        *(_episode(f"e{number}", episode, episodes, source, libraries, links)
          for number, episode in enumerate(episodes)),
        *_items(libraries, items, episodes, links),
    ]  # fmt: skip
    places = [("Episodes", "#episodes"), *([("Memory", "#items")] if items else [])]
    data = dressed(Page(f"Run {source.name}", join(body)), places, source.name, alone=True).encode("utf-8", "replace")
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(data)
    partial.replace(path)
    return Exported(len(episodes), matching, len(data))


def _asked(filters: dict[str, str]) -> str:
    return f" with {', '.join(f'{name} {value}' for name, value in filters.items())}" if filters else ""


def _chosen(source: Source, limit: int, filters: dict[str, str]) -> list[Episode]:
    """Matching episodes, each followed by the others of its group."""
    found: dict[str, Episode] = {}
    trees: set[str] = set()
    for episode in source.store.episodes(limit=limit, **filters):
        others: Iterable[Episode] = ()
        if episode.group and episode.parent and episode.group not in trees:
            trees.add(episode.group)
            others = source.store.episodes(group=episode.group, limit=MOST)
        for one in (episode, *others):
            if len(found) < limit:
                found.setdefault(one.id, one)
    return list(found.values())


def _trees(episodes: Sequence[Episode]) -> dict[str, list[Episode]]:
    """The groups that branch, by name."""
    groups: dict[str, list[Episode]] = {}
    for episode in episodes:
        if episode.group:
            groups.setdefault(episode.group, []).append(episode)
    return {name: members for name, members in groups.items() if any(member.parent for member in members)}


def _tree(source: Source, name: str, members: Sequence[Episode], links: PageLinks) -> Html:
    left = source.store.count(group=name) - len(members)
    told = note(f"{left:,} further episodes of the group are left out.") if left else None
    return join([group_body(name, members, links, level=3), told])


def _folded(anchor: str, title: object, body: Html) -> Html:
    return tag("details", tag("summary", title), body, id=anchor, class_="whole")


def _episode(
    anchor: str, episode: Episode, episodes: Sequence[Episode], source: Source, libraries: Sequence[Library],
    links: PageLinks,
) -> Html:  # fmt: skip
    cut = len(episode.steps) - STEPS
    known = known_in(episode, libraries)
    chain = [one for one in episodes if one.chain == episode.chain] if episode.chain else []
    body = join([
        tag("p", tag("code", episode.id), class_="id"),
        tag("div",
            tag("div", facts(episode, links, chain), class_="aside"),
            tag("div", card_list(known, episode, links, chain=chain, anchor=f"{anchor}-"),
                steps(episode, source.decode, known, anchor=f"{anchor}-"),
                note(f"{cut:,} further steps are left out.") if cut > 0 else None, class_="steps"),
            class_="two"),
    ])  # fmt: skip
    return _folded(anchor, join([title_of(episode), " ", outcome_badge(episode.outcome)]), body)


def _chosen_items(episodes: Sequence[Episode], libraries: Sequence[Library]) -> list[tuple[Library, Item]]:
    """Each item with the library it is told from: those that the episodes were shown, then the others, by age."""
    shown = dict.fromkeys(id for episode in episodes for id in episode.items)
    found = {id: (library, library.get(id)) for id in shown if (library := library_of(id, libraries)) is not None}
    for library in libraries:
        for item in islice(library.items(), _ITEMS):
            found.setdefault(item.id, (library, item))
    return list(found.values())[:_ITEMS]


def _items(
    libraries: Sequence[Library], items: Sequence[tuple[Library, Item]], episodes: Sequence[Episode], links: PageLinks
) -> list[Html]:
    if not items:
        return []
    tables = [
        item_table(library, [item for where, item in items if where is library], links)
        for library in libraries
        if any(where is library for where, _ in items)
    ]
    left = len({id for library in libraries for (id,) in library.rows("SELECT id FROM items")}) - len(items)
    return [
        tag("section", tag("h2", "Memory"), *tables, note(f"{left:,} further items are left out.") if left else None,
            id="items"),
        *(_item(f"i{number}", library, item, episodes, links) for number, (library, item) in enumerate(items)),
    ]  # fmt: skip


def _item(anchor: str, library: Library, item: Item, episodes: Sequence[Episode], links: PageLinks) -> Html:
    shown = [episode for episode in episodes if item.id in episode.items]
    table = episode_table(shown, links, "Episodes of this file that were shown it") if shown else None
    return _folded(anchor, item.title, join([item_body(library, item, links, level=3), table]))
