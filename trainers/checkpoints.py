"""The models of a run: where they lie, how they are written, and which one stands for the run after an update.

That is the last, or the mean of the last ones: where updates are noisy it does better than any of them. Averaging the
weights along a path of training is Polyak and Juditsky's (1992); of the latest checkpoints, arXiv 2209.14981. Training
goes on from the checkpoint itself.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from selfgym.agents.policies.load import load_policy


def checkpoint(folder: Path, number: int | str) -> Path:
    """The folder of checkpoint ``number`` of a run; ``start`` is the model before any update."""
    return folder / "checkpoints" / str(number)


def save(policy: Any, target: Path, report: Mapping[str, Any]) -> None:
    """Write a checkpoint: a folder that is there whole or not at all."""
    partial = target.with_name(target.name + ".partial")
    for leftover in (partial, target):
        shutil.rmtree(leftover, ignore_errors=True)
    policy.model.save_pretrained(partial)
    policy.tokenizer.save_pretrained(partial)
    (partial / "update.json").write_text(json.dumps(report) + "\n")
    os.replace(partial, target)


def evaluated(folder: Path, number: int, average: int) -> int | str:
    """The checkpoint that stands for the first ``number`` updates; the mean of the last ``average`` is made here."""
    last = [checkpoint(folder, one) for one in range(max(1, number - average + 1), number + 1)]
    if len(last) < 2:
        return number
    target = checkpoint(folder, name := f"mean-{number}")
    if not target.exists():
        save(_mean(last), target, {"of": [one.name for one in last]})
    return name


def _mean(folders: Sequence[Path]) -> Any:
    """A policy whose weights are the mean of those in ``folders``, worked out in float64."""
    *others, last = folders
    policy: Any = load_policy(str(last), dtype="float32")
    sums = {name: weights.double() for name, weights in policy.model.state_dict().items()}
    for folder in others:
        other: Any = load_policy(str(folder), dtype="float32")
        for name, weights in other.model.state_dict().items():
            sums[name] += weights
    with torch.no_grad():
        for name, weights in policy.model.state_dict().items():
            weights.copy_(sums[name] / len(folders))
    return policy
