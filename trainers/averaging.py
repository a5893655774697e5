"""The mean of a run's last checkpoints: where updates are noisy it does better than any of them.

Averaging the weights along a path of training is Polyak and Juditsky's (1992); of the latest checkpoints, arXiv
2209.14981. The mean is played with and kept; training goes on from the checkpoint itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from selfgym.agents.policies.load import load_policy


def mean_policy(folders: Sequence[Path]) -> Any:
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
