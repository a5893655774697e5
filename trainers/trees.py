"""Rows that share prefixes, laid out so that each shared token is computed once.

The rows of a batch are put into a trie over token ids and the trie is written down depth first: every token of it has
one place, however many rows go through it. Its position is its depth, it sees its ancestors and itself, and what is
predicted is a token given its *parent*, so a token before a branch is the context of several labels. What comes out is
the log-probability of every token of every row, as without sharing, so every objective (clipped, paired, whatever is
not linear in the weights) is that of the original rows, and so is Z. See arXiv 2511.00413 and the notes in AReaL's
tree attention; the tests compare loss and gradients with those of rows computed one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from selfgym.trainers.rows import Row


@dataclass(frozen=True, slots=True)
class Tree:
    """N tokens of a trie, in depth-first order, and where R rows of at most T tokens run through it."""

    ids: torch.Tensor
    """(N,) token ids."""
    depth: torch.Tensor
    """(N,) number of ancestors: the position in every row through it."""
    parent: torch.Tensor
    """(N,) place of the token before; that of a first token is its own."""
    last: torch.Tensor
    """(N,) place of the last descendant (its own if none): place k is an ancestor of q, or q, if k <= q <= last[k]."""
    places: torch.Tensor
    """(R, T) place of each token of each row; 0 beyond its end."""

    def to(self, device: torch.device) -> Tree:
        """The same tree on another device."""
        return Tree(*(getattr(self, name).to(device) for name in ("ids", "depth", "parent", "last", "places")))

    def segments(self) -> list[tuple[int, tuple[int, ...]]]:
        """Runs of tokens between branches, in order: length, and the numbers of the segments above, outermost first."""
        parent = self.parent.cpu().numpy()
        here = np.arange(len(parent))
        children = np.bincount(parent[parent != here], minlength=len(parent))
        first = (parent != here - 1) | (children[parent] > 1)
        number = np.cumsum(first) - 1
        starts = np.flatnonzero(first)
        lengths = np.diff(np.append(starts, len(parent))).tolist()
        above: list[tuple[int, ...]] = []
        for start in starts.tolist():
            before = parent[start]
            above.append(() if before == start else (*above[number[before]], int(number[before])))
        return list(zip(lengths, above, strict=True))

    def mask(self) -> torch.Tensor:
        """(1, 1, N, N): True where the token of the third axis may attend to that of the fourth."""
        here = torch.arange(len(self.ids), device=self.ids.device)
        return ((here <= here[:, None]) & (here[:, None] <= self.last))[None, None]


def plant(rows: Sequence[Row]) -> Tree:
    """The trie of ``rows``, which keep their order in ``places``."""
    longest = max(map(len, rows))
    places = np.zeros((len(rows), longest), np.int64)
    ids: list[NDArray[np.int32]] = []
    parents: list[NDArray[np.int64]] = []
    last = np.empty(sum(map(len, rows)), np.int64)
    before: NDArray[np.int64] = np.empty(0, np.int64)
    previous: NDArray[np.int32] = np.empty(0, np.int32)
    used = 0
    for number in in_order(rows):
        row = rows[number].token_ids
        shared = common_prefix(previous, row)
        last[before[shared:]] = used - 1
        path = np.concatenate([before[:shared], np.arange(used, used + len(row) - shared)])
        ids.append(row[shared:])
        parents.append(path[np.maximum(np.arange(shared, len(row)) - 1, 0)])
        used += len(row) - shared
        places[number, : len(row)] = path
        before, previous = path, row
    last[before] = used - 1
    depth = np.empty(used, np.int64)
    for number, length in enumerate(map(len, rows)):
        depth[places[number, :length]] = np.arange(length)
    flat = np.concatenate(ids).astype(np.int64)
    return Tree(*map(torch.from_numpy, (flat, depth, np.concatenate(parents), last[:used].copy(), places)))


def in_order(rows: Sequence[Row]) -> list[int]:
    """Row numbers such that rows with a common prefix are neighbours: by their tokens."""
    return sorted(range(len(rows)), key=lambda number: rows[number].token_ids.astype(">u4").tobytes())


def common_prefix(one: NDArray[np.int32], other: NDArray[np.int32]) -> int:
    """How many tokens two rows begin with alike."""
    shortest = min(len(one), len(other))
    differ = np.flatnonzero(one[:shortest] != other[:shortest])
    return int(differ[0]) if len(differ) else shortest
