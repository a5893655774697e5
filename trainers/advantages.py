"""From returns to advantages, by the definitions in the papers; arrays in, arrays out.

A *group* is the episodes of one task that share a baseline. Every mean here is over episodes, never over rows or turns:
long episodes do not weigh more (verl-agent's default does it otherwise), and the advantages of a group sum to 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = Sequence[float] | Floats
_EPSILON = 1e-6

Baseline = Literal["mean", "leave-one-out"]


def group_advantages(returns: Numbers, *, std: bool = False, baseline: Baseline = "mean") -> Floats:
    """Of the G episodes of a group: return less the mean (Dr. GRPO, arXiv 2503.20783), or less that of the others
    (RLOO, arXiv 2402.14740); with ``std`` divided by the standard deviation over G - 1 (GRPO, arXiv 2402.03300).

    An episode without others has the advantage 0: there is nothing to compare it with.
    """
    values = np.asarray(returns, np.float64)
    if len(values) < 2:
        return np.zeros(len(values))
    advantages: Floats = values - values.mean()
    if baseline == "leave-one-out":
        advantages *= len(values) / (len(values) - 1)
    if std:
        advantages /= values.std(ddof=1) + _EPSILON
    return advantages


def returns_to_go(rewards: Numbers, gamma: float = 1.0) -> Floats:
    """At each of T steps, the sum of the rewards from there on, each later one discounted once more."""
    found = np.zeros(len(rewards))
    following = 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        found[t] = following
    return found


def bucket_advantages(
    returns: Sequence[Numbers], keys: Sequence[Sequence[Hashable]], *, std: bool = False
) -> list[Floats]:
    """Step groups (GiGPO, arXiv 2505.10978): each step's return less the mean over the group's steps with its key.

    ``returns`` and ``keys`` hold a sequence an episode. A key says in which state the step was taken; it must tell
    states apart that only look alike. A step alone under its key has the advantage 0.
    """
    buckets: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    for episode, of_steps in enumerate(keys):
        for step, key in enumerate(of_steps):
            buckets[key].append((episode, step))
    found = [np.zeros(len(one)) for one in returns]
    for places in buckets.values():
        values = group_advantages([returns[episode][step] for episode, step in places], std=std)
        for (episode, step), value in zip(places, values, strict=True):
            found[episode][step] = value
    return found


def bucket_values(returns: Sequence[Numbers], keys: Sequence[Sequence[Hashable]]) -> list[Floats]:
    """A value of each step without a critic: the mean return over the group's steps with its key (arXiv 2605.13217)."""
    sums: dict[Hashable, list[float]] = defaultdict(list)
    for of_returns, of_keys in zip(returns, keys, strict=True):
        for value, key in zip(of_returns, of_keys, strict=True):
            sums[key].append(value)
    return [np.array([np.mean(sums[key]) for key in of_keys]) for of_keys in keys]


def gae(rewards: Numbers, values: Numbers, *, gamma: float = 1.0, lam: float = 1.0) -> Floats:
    """Generalised advantage estimates (arXiv 1506.02438) of T steps; nothing follows the last."""
    deltas = np.asarray(rewards, np.float64) + gamma * np.append(np.asarray(values, np.float64)[1:], 0.0) - values
    return returns_to_go(deltas, gamma * lam)


def bilevel_gae(
    rewards: Numbers, values: Sequence[Numbers], *, gamma: float = 0.95, lam: float = 1.0,
    token_gamma: float = 1.0, token_lam: float = 1.0,
) -> list[Floats]:  # fmt: skip
    """Bi-level GAE (RAGEN, arXiv 2504.20073): over turns first, then over the tokens of each turn.

    ``values`` holds a sequence a turn, a value a token. The first pass takes a turn's value to be that of its first
    token; its advantage, added to that value, is then what the turn is worth, paid at its last token.
    """
    firsts = [of_turn[0] for of_turn in values]
    turns = gae(rewards, firsts, gamma=gamma, lam=lam)
    found = []
    for of_turn, first, advantage in zip(values, firsts, turns, strict=True):
        paid = [0.0] * (len(of_turn) - 1) + [first + float(advantage)]
        found.append(gae(paid, of_turn, gamma=token_gamma, lam=token_lam))
    return found
