"""A group of episodes: a search tree with the spliced paths marked, or rollouts of one task; drawn, listed, tabled."""

from __future__ import annotations

from collections.abc import Sequence

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.trainers.metrics import wilson
from selfgym.viewer.episode_page import outcome_badge, title_of
from selfgym.viewer.html import Html, join, link, tag
from selfgym.viewer.layout import note
from selfgym.viewer.links import Links
from selfgym.viewer.list_page import episode_table
from selfgym.viewer.tree import Node, goes_on_as, grow, is_spliced

MOST = 300
"""Episodes of a group that are shown."""
_NODES = 3000  # drawn at most: beyond that a picture helps nobody
_ACROSS, _DOWN, _EDGE = 26, 20, 16  # pixels


def group_body(name: str, episodes: Sequence[Episode], links: Links, *, level: int = 2) -> Html:
    """Everything about a group, its headings beginning at ``level``."""
    nodes = grow(episodes)
    spliced = [episode for episode in episodes if is_spliced(episode)]
    head = f"h{level}"
    return join([
        tag("p", tag("code", name), class_="id"),
        tag("p", _summary(episodes, spliced)),
        _picture(nodes, links) if len(nodes) <= _NODES else note(f"{len(nodes):,} steps are too many to draw."),
        join([tag(head, "Spliced episodes"), _splices(spliced, episodes, links)]) if spliced else None,
        tag(head, "Step by step"),
        _outline(nodes, links),
        tag(head, "Episodes"),
        episode_table(episodes, links, "The episodes of the group"),
    ])  # fmt: skip


def _summary(episodes: Sequence[Episode], spliced: Sequence[Episode]) -> str:
    paths = [episode for episode in episodes if not is_spliced(episode)]
    scored = [episode for episode in paths if not episode.outcome.is_error]
    wins = sum(episode.outcome is Outcome.SUCCESS for episode in scored)
    low, high = wilson(wins, len(scored))
    told = f"{len(paths)} paths, {wins} of {len(scored)} succeeded"
    if scored:
        told += f" ({100 * wins / len(scored):.0f}%, 95% interval {100 * low:.0f} to {100 * high:.0f})"
    lost = len(paths) - len(scored)
    return told + (f"; {lost} lost to errors" if lost else "") + (f"; {len(spliced)} spliced" if spliced else "") + "."


def _picture(nodes: Sequence[Node], links: Links) -> Html:
    """The tree from left to right; each node is a link to the step that led to it."""
    width = 2 * _EDGE + _ACROSS * max(node.depth for node in nodes)
    height = 2 * _EDGE + _DOWN * max(node.row for node in nodes)
    edges = [_edge(node.parent, node) for node in nodes if node.parent is not None]
    shapes = [_shape(node, links) for node in nodes]
    picture = tag(
        "svg", *edges, *shapes, viewBox=f"0 0 {width} {height:.0f}", width=width, height=f"{height:.0f}", class_="tree",
        role="group", aria_label="The tree; arrow keys go from node to node, the list below has the same in words",
    )  # fmt: skip
    keys = [
        tag("span", sign, " ", name, class_=f"key {kind}")
        for sign, name, kind in (
            ("●", "success", "good"), ("■", "no success", "bad"), ("◆", "lost to an error", "odd-end"),
            ("━", "spliced path", "turn"),
        )
    ]  # fmt: skip
    frame = tag("div", picture, class_="scroll canvas")
    return tag("figure", frame, tag("figcaption", *keys, class_="note"))


def _at(node: Node) -> tuple[float, float]:
    return _EDGE + _ACROSS * node.depth, _EDGE + _DOWN * node.row


def _edge(parent: Node, node: Node) -> Html:
    (x0, y0), (x1, y1) = _at(parent), _at(node)
    middle = (x0 + x1) / 2
    kind = "edge spliced" if node.spliced else "edge"
    return tag("path", d=f"M{x0:g} {y0:g}C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}", class_=kind)


def _shape(node: Node, links: Links) -> Html:
    x, y = _at(node)
    name = _name(node)
    if node.ended and all(episode.outcome is Outcome.SUCCESS for episode in node.ended):
        shape, kind = tag("circle", cx=x, cy=y, r=6), "good"
    elif node.ended and any(episode.outcome.is_error for episode in node.ended):
        shape, kind = tag("path", d=f"M{x} {y - 7}l7 7 -7 7 -7 -7z"), "odd-end"
    elif node.ended:
        shape, kind = tag("rect", x=x - 5, y=y - 5, width=10, height=10), "bad"
    else:
        shape, kind = tag("circle", cx=x, cy=y, r=3.5), "inner"
    where = links.episode(node.episode.id, node.depth) if node.episode else ""
    inside = (tag("title", name), shape)
    kind = f"node {kind}{' turn' if node.turn else ''}"
    if not where:
        return tag("g", *inside, class_=kind)
    up = node.parent.number if node.parent and node.parent.parent else None
    return tag(
        "a", *inside, href=where, class_=kind, aria_label=name, data_key=node.number, data_parent=up,
        data_depth=node.depth,
    )  # fmt: skip


def _name(node: Node) -> str:
    if node.parent is None:
        return "the beginning"
    noted = "".join(
        f", {what} {number:g}"
        for what, number in (("value", node.value), ("visits", node.visits))
        if number is not None
    )
    ends = "".join(f", ends in {episode.outcome}" for episode in node.ended[:1])
    return f"step {node.depth}: {node.action[:200]}{noted}{ends}{', turns back here' if node.turn else ''}"


def _splices(spliced: Sequence[Episode], episodes: Sequence[Episode], links: Links) -> Html:
    rows = []
    for episode in spliced:
        wrong, turn = episode.steps[episode.branch_step - 1], episode.steps[episode.branch_step]
        good = goes_on_as(episode, episodes)
        rows.append(
            tag(
                "li",
                link(links.episode(episode.id), episode.id),
                ": leaves ",
                link(links.episode(episode.parent, episode.branch_step), episode.parent),
                f" after its step {episode.branch_step}, ",
                tag("code", wrong.action),
                join([", thinks ", tag("q", turn.thought)]) if turn.thought else None,
                join([", and goes on as ", link(links.episode(good.id), good.id)]) if good else None,
                ".",
            )
        )
    return tag("ul", *rows)


def _outline(nodes: Sequence[Node], links: Links) -> Html:
    """The tree as lists within lists: one level for each parting, the steps between two partings one after the other.

    Built from the leaves up, without recursion: how deep it goes is not for us to say.
    """
    made: dict[int, Html] = {}
    for node in reversed(nodes):
        begins = node.parent is None or len(node.parent.children) > 1 or node.parent.ended
        if not begins:
            continue
        run, last = ([] if node.parent is None else [node]), node
        while len(last.children) == 1 and not last.ended:
            last = last.children[0]
            run.append(last)
        start = run[0].depth if run else None
        made[node.number] = join([
            tag("ol", *(_row(one, links) for one in run), start=start) if run else None,
            tag("ul", *(tag("li", made.pop(child.number)) for child in last.children if child.number in made),
                class_="branches") if last.children else None,
        ])  # fmt: skip
    return tag("div", made[0], class_="outline")


def _row(node: Node, links: Links) -> Html:
    where = links.episode(node.episode.id, node.depth) if node.episode else ""
    noted = [
        tag("span", f"{what} {number:g}", class_="note")
        for what, number in (("value", node.value), ("visits", node.visits))
        if number is not None
    ]
    badges = [outcome_badge(outcome) for outcome in dict.fromkeys(episode.outcome for episode in node.ended)]
    turn = tag("span", "turns back", class_="badge turn") if node.turn else None
    return tag("li", link(where, node.action), *noted, turn, *badges, class_="spliced" if node.spliced else None)


def group_title(episodes: Sequence[Episode]) -> str:
    """The task that the group shares."""
    return (
        f"Tree: {title_of(episodes[0])}" if any(one.parent for one in episodes) else f"Group: {title_of(episodes[0])}"
    )
