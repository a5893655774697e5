"""How an agent did: task goal completion and scenario goal completion, as AppWorld (arXiv 2407.18901) counts them.

A scenario counts as done only if all of its tasks were: one that an agent does by luck is rarely done three times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

_Z = 1.959964  # of a normal distribution: 95 % lie between minus and plus this


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % interval (Wilson's score interval)."""

    value: float
    low: float
    high: float
    count: int
    """Tasks or scenarios."""

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}] of {self.count}"


@dataclass(frozen=True, slots=True)
class GoalCompletion:
    """Both metrics, and how many episodes were left out because infrastructure failed."""

    tasks: Share
    """TGC: the share of tasks that were done."""
    scenarios: Share
    """SGC: the share of chains (a scenario in a world) all of whose tasks were done."""
    left_out: int


def goal_completion(infos: Iterable[Mapping[str, Any]]) -> GoalCompletion:
    """The metrics of episodes, each given by its last ``info``.

    Chains are told apart by ``task_id``. A chain with an episode that failed for reasons of infrastructure is left out
    of the scenarios. A task that was tried several times counts as often. Raises `ValueError` where nothing is left.
    """
    chains: dict[str, list[bool]] = defaultdict(list)
    broken: set[str] = set()
    left_out = 0
    for info in infos:
        chain = str(info["task_id"]).rpartition("/")[0]
        if info["outcome"].is_error:
            left_out += 1
            broken.add(chain)
        else:
            chains[chain].append(info["outcome"] == "success")
    tasks = [done for one in chains.values() for done in one]
    whole = [all(one) for chain, one in chains.items() if chain not in broken]
    if not tasks or not whole:
        raise ValueError("there is no episode to count")
    return GoalCompletion(share(tasks), share(whole), left_out)


def share(done: list[bool]) -> Share:
    """The share of what is true, with its interval.

    >>> print(share([True] * 8 + [False] * 2))
    80.0 % [49.0, 94.3] of 10
    """
    count = len(done)
    value = sum(done) / count
    middle = (value + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * sqrt(value * (1 - value) / count + _Z**2 / (4 * count**2))
    return Share(value, max(0.0, middle - half), min(1.0, middle + half), count)
