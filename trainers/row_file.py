"""Rows in a file, to hand them to the processes that train on them: safetensors, no pickle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from selfgym.trainers.rows import Row


def save_rows(rows: Sequence[Row], path: Path) -> None:
    """Write ``rows``, in their order."""
    tensors = {
        "token_ids": np.concatenate([row.token_ids for row in rows]),
        "weight": np.concatenate([row.weight for row in rows]),
        "old_logprob": np.concatenate([row.old_logprob for row in rows]),
        "length": np.array([len(row) for row in rows], np.int64),
        "normaliser": np.array([row.normaliser for row in rows], np.float64),
    }
    save_file(tensors, path, {"groups": json.dumps([row.group for row in rows])})


def load_rows(path: Path) -> list[Row]:
    """The rows of a file of `save_rows`."""
    with safe_open(path, framework="numpy") as file:
        ids, weight, old = (file.get_tensor(name) for name in ("token_ids", "weight", "old_logprob"))
        lengths, normalisers = file.get_tensor("length"), file.get_tensor("normaliser")
        groups = json.loads(file.metadata()["groups"])
    ends = np.cumsum(lengths).tolist()
    return [
        Row(ids[end - length : end], weight[end - length : end], old[end - length : end], float(normaliser), group)
        for end, length, normaliser, group in zip(ends, lengths.tolist(), normalisers, groups, strict=True)
    ]
