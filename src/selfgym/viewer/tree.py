"""The episodes of a group as the tree that they are: steps shared from the start are drawn once.

Two actions proposed at one node of a search differ (`selfgym.agents.search`), so paths that begin alike are one path;
only a spliced episode keeps its continuation to itself, for its prefix was played again and left on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from selfgym.memory.episode import Episode, Source


@dataclass(eq=False, slots=True)
class Node:
    """A state, reached by ``action`` from ``parent``; the root has neither."""

    number: int
    parent: Node | None
    action: str
    depth: int
    episode: Episode | None
    """The first episode that came through here: its step ``depth`` is the one that led here."""
    children: list[Node] = field(default_factory=list)
    ended: list[Episode] = field(default_factory=list)
    """The episodes that end here."""
    spliced: bool = False
    """Whether a spliced episode goes through here."""
    turn: bool = False
    """Whether a spliced episode leaves its bad path by this step."""
    row: float = 0.0
    """Where it is drawn, from the top; leaves are one apart."""

    @property
    def value(self) -> float | None:
        """Mean return of the search below, where a search noted it."""
        return self._noted("value")

    @property
    def visits(self) -> float | None:
        """Simulations of the search through here, where a search noted it."""
        return self._noted("visits")

    def _noted(self, name: str) -> float | None:
        found = self.episode.steps[self.depth - 1].info.get(name) if self.episode else None
        return float(found) if isinstance(found, int | float) else None


def is_spliced(episode: Episode) -> bool:
    """Whether the episode replays the beginning of another one and then turns away from it."""
    at = episode.branch_step
    return bool(episode.parent) and 0 < at < len(episode.steps) and episode.steps[at - 1].source is Source.INJECTED


def grow(episodes: Sequence[Episode]) -> list[Node]:
    """Every node of the tree, parents before children; the first is the root."""
    nodes = [Node(0, None, "", 0, None)]
    known: dict[tuple[int, str], Node] = {}
    for episode in sorted(episodes, key=is_spliced):  # a splice is drawn onto what it was made of
        spliced = is_spliced(episode)
        node = nodes[0]
        node.spliced |= spliced
        for depth, step in enumerate(episode.steps, 1):
            own = spliced and depth > episode.branch_step
            there = None if own else known.get((node.number, step.action))
            if there is None:
                there = Node(len(nodes), node, step.action, depth, episode)
                nodes.append(there)
                node.children.append(there)
                if not own:
                    known[node.number, step.action] = there
            node = there
            node.spliced |= spliced
            node.turn |= own and depth == episode.branch_step + 1
        node.ended.append(episode)
    _place(nodes)
    return nodes


def _place(nodes: Sequence[Node]) -> None:
    row = 0
    for node in _from_the_left(nodes[0]):
        if not node.children:
            node.row, row = float(row), row + 1
    for node in reversed(nodes):  # children come after their parents
        if node.children:
            node.row = (node.children[0].row + node.children[-1].row) / 2


def _from_the_left(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.children[::-1]


def goes_on_as(spliced: Episode, episodes: Sequence[Episode]) -> Episode | None:
    """The path of the tree whose end a spliced episode took over, the shortest such; None where none ends so."""
    rest = [step.action for step in spliced.steps[spliced.branch_step :]]
    fitting = [
        episode
        for episode in episodes
        if not is_spliced(episode) and [step.action for step in episode.steps[-len(rest) :]] == rest
    ]
    return min(fitting, key=lambda episode: len(episode.steps), default=None)
