"""Rows to tensors: batches of rows, padded to the right or with their shared prefixes laid out once.

Which rows share a batch depends only on the rows and the seed, so a resumed run packs what the first one packed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from selfgym.trainers.rows import Row
from selfgym.trainers.trees import Tree, common_prefix, in_order, plant


@dataclass(frozen=True, slots=True)
class Batch:
    """B rows padded to T tokens; all tensors are (B, T), right-padded."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    weight: torch.Tensor
    old_logprob: torch.Tensor
    normaliser: float
    """The sum over rows: the Z of the loss, counted on original tokens."""
    tree: Tree | None = None
    """The same rows with shared prefixes laid out once; then the model is run on that."""

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        names = ("input_ids", "attention_mask", "weight", "old_logprob")
        moved = {name: getattr(self, name).to(device) for name in names}
        return replace(self, **moved, tree=self.tree and self.tree.to(device))


def pack(rows: Sequence[Row], *, tokens: int, seed: int, tree: bool = False) -> list[list[int]]:
    """Split row numbers into batches of at most ``tokens`` tokens (a longer row is alone), in random order.

    Counted are padded tokens, or with ``tree`` those of the trie. Groups are kept together where they fit. They are
    shuffled, then sorted by length within windows of 256, so that batches waste little padding and still differ from
    epoch to epoch (give another ``seed``).
    """
    count = _distinct if tree else _padded
    units = list(_units(rows, tokens, tree))
    order = np.random.default_rng(seed).permutation(len(units))
    batches: list[list[int]] = []
    for start in range(0, len(order), 256):
        window = [units[number] for number in order[start : start + 256].tolist()]
        batch: list[int] = []
        for unit in sorted(window, key=lambda unit: max(len(rows[number]) for number in unit)):
            if batch and count(rows, batch + unit) > tokens:
                batches.append(batch)
                batch = []
            batch = batch + unit
        batches.append(batch)
    shuffled = np.random.default_rng([seed, 1]).permutation(len(batches))
    return [batches[position] for position in shuffled]


def _units(rows: Sequence[Row], tokens: int, tree: bool) -> Iterator[list[int]]:
    """Row numbers that stay together: groups, cut where they have more than ``tokens``; a row without one is alone."""
    groups: dict[str | int, list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(row.group or number, []).append(number)
    count = _distinct if tree else _padded
    for group in groups.values():
        if tree:
            group = [group[place] for place in in_order([rows[number] for number in group])]
        unit: list[int] = []
        for number in group:
            if unit and count(rows, [*unit, number]) > tokens:
                yield unit
                unit = []
            unit = [*unit, number]
        yield unit


def _padded(rows: Sequence[Row], batch: Sequence[int]) -> int:
    return len(batch) * max(len(rows[number]) for number in batch)


def _distinct(rows: Sequence[Row], batch: Sequence[int]) -> int:
    """Tokens of the trie, where rows of a group stand in the order of their tokens; what groups share is not seen."""
    shared = sum(
        common_prefix(rows[one].token_ids, rows[other].token_ids)
        for one, other in pairwise(batch)
        if rows[one].group and rows[one].group == rows[other].group
    )
    return sum(len(rows[number]) for number in batch) - shared


def collate(rows: Sequence[Row], *, pad_id: int, tree: bool = False) -> Batch:
    """Pad ``rows`` into one `Batch`, with a `Tree` of them if asked for."""
    longest = max(len(row) for row in rows)
    shape = (len(rows), longest)
    ids = np.full(shape, pad_id, np.int64)
    mask = np.zeros(shape, np.int64)
    weight = np.zeros(shape, np.float32)
    old = np.full(shape, np.nan, np.float32)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row.token_ids
        mask[place, : len(row)] = 1
        weight[place, : len(row)] = row.weight
        old[place, : len(row)] = row.old_logprob
    normaliser = sum(row.normaliser for row in rows)
    input_ids, attention, weights, logprobs = map(torch.from_numpy, (ids, mask, weight, old))
    return Batch(input_ids, attention, weights, logprobs, normaliser, plant(rows) if tree else None)
