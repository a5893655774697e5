"""Rows to tensors: batches of rows of like length, padded to the right.

Which rows share a batch depends only on the rows and the seed, so a resumed run packs what the first one packed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from selfgym.trainers.rows import Row


@dataclass(frozen=True, slots=True)
class Batch:
    """B rows padded to T tokens; all tensors are (B, T), right-padded."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    weight: torch.Tensor
    old_logprob: torch.Tensor
    normaliser: float
    """The sum over rows: the Z of the loss, counted on original tokens."""

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        input_ids, mask = self.input_ids.to(device), self.attention_mask.to(device)
        return Batch(input_ids, mask, self.weight.to(device), self.old_logprob.to(device), self.normaliser)


def pack(rows: Sequence[Row], *, tokens: int, seed: int) -> list[list[int]]:
    """Split row numbers into batches of at most ``tokens`` padded tokens (a longer row is alone), in random order.

    Rows are shuffled, then sorted by length within windows of 256, so that batches waste little padding and still
    differ from epoch to epoch (give another ``seed``).
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    batches: list[list[int]] = []
    for start in range(0, len(order), 256):
        window = sorted(order[start : start + 256].tolist(), key=lambda number: len(rows[number]))
        batch: list[int] = []
        for number in window:
            if batch and len(rows[number]) * (len(batch) + 1) > tokens:
                batches.append(batch)
                batch = []
            batch.append(number)
        batches.append(batch)
    shuffled = np.random.default_rng([seed, 1]).permutation(len(batches))
    return [batches[position] for position in shuffled]


def collate(rows: Sequence[Row], *, pad_id: int) -> Batch:
    """Pad ``rows`` into one `Batch`."""
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
    input_ids, attention = torch.from_numpy(ids), torch.from_numpy(mask)
    return Batch(input_ids, attention, torch.from_numpy(weight), torch.from_numpy(old), normaliser)
