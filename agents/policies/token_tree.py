"""Many token sequences as a few trees, so that a prefix they share is computed once.

Used to score continuations: thirty commands after one prompt, or alternatives at every step of one episode, cost one
pass over the distinct tokens. Plain numpy; the model is run elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_NODES = 1024  # beyond this the square of the mask costs more than the sharing saves


@dataclass(frozen=True, slots=True)
class Member:
    """One sequence: its place among the questions, its tokens, and how many of them are the prompt."""

    index: int
    ids: tuple[int, ...]
    prompt_length: int


@dataclass(frozen=True, slots=True)
class TokenTree:
    """Tokens to run in one row after a shared prefix of ``start`` tokens; a parent stands before its children."""

    start: int
    tokens: list[int]
    positions: list[int]
    """Of each token in its own sequence, counted from the sequence's beginning."""
    parents: list[int]
    """Index into ``tokens``, or -1 after the shared prefix."""
    predictions: list[tuple[int, list[int], list[int]]]
    """For each member: its index, the nodes after which its continuation's tokens stand, and those tokens."""

    def ancestors(self) -> np.ndarray:
        """Boolean [tokens, tokens]: which tokens each one sees, itself included."""
        seen = np.eye(len(self.tokens), dtype=bool)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node] |= seen[parent]
        return seen


@dataclass(frozen=True, slots=True)
class Group:
    """Sequences worth running in one row, sorted."""

    members: tuple[Member, ...]

    @property
    def common(self) -> tuple[int, ...]:
        """The prefix that a cache may provide: shared by all and short of every prompt's last token."""
        first, last = self.members[0].ids, self.members[-1].ids
        return first[: min(_shared(first, last), *(member.prompt_length - 1 for member in self.members))]

    def tree(self, start: int) -> TokenTree:
        """The tree of everything after the first ``start`` tokens, which must be no more than `common`."""
        tree = TokenTree(start, [], [], [], [])
        path: list[int] = []
        before: tuple[int, ...] = ()
        for member in self.members:
            fed = member.ids[start:-1]  # nothing is predicted after the last token
            kept = _shared(before, fed)
            del path[kept:]
            for offset in range(kept, len(fed)):
                tree.parents.append(path[-1] if path else -1)
                path.append(len(tree.tokens))
                tree.tokens.append(fed[offset])
                tree.positions.append(start + offset)
            nodes = path[member.prompt_length - 1 - start :]
            tree.predictions.append((member.index, nodes, list(member.ids[member.prompt_length :])))
            before = fed
        return tree


def plant(prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]) -> list[Group]:
    """Group the sequences prompt + continuation that share at least half of the shorter one's tokens.

    An empty continuation asks nothing and is left out; prompts are not empty.
    """
    members = [
        Member(index, (*prompt, *rest), len(prompt))
        for index, (prompt, rest) in enumerate(zip(prompts, continuations, strict=True))
        if len(rest)
    ]
    members.sort(key=lambda member: member.ids)
    groups: list[list[Member]] = []
    nodes = 0
    for member in members:
        before = groups[-1][-1].ids if groups else ()
        kept = _shared(before, member.ids)
        new = len(member.ids) - kept
        alike = bool(before) and 2 * kept >= min(len(before), len(member.ids))
        if alike and nodes + new <= max(_NODES, 2 * len(groups[-1][0].ids)):
            groups[-1].append(member)
            nodes += new
        else:
            groups.append([member])
            nodes = len(member.ids)
    return [Group(tuple(group)) for group in groups]


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    """The length of the longest common prefix."""
    width = min(len(first), len(second))
    if first[:width] == second[:width]:
        return width
    return next(place for place in range(width) if first[place] != second[place])
