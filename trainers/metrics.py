"""What is measured on finished episodes. Episodes lost to errors are counted and left out, never scored as 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode


def summarise(episodes: Sequence[Episode]) -> dict[str, Any]:
    """Success with its 95% Wilson interval, steps, invalid actions and loops per episode, and the share of errors.

    For chains also ``scenarios``: the share of chains, those with an error left out, all of whose tasks were done.
    """
    scored = [episode for episode in episodes if not episode.outcome.is_error]
    wins = sum(episode.outcome is Outcome.SUCCESS for episode in scored)
    low, high = wilson(wins, len(scored))
    steps = [step for episode in scored for step in episode.steps]
    return {
        "episodes": len(episodes),
        "errors": (len(episodes) - len(scored)) / len(episodes) if episodes else 0.0,
        "success": wins / len(scored) if scored else math.nan,
        "success_low": low,
        "success_high": high,
        "steps": len(steps) / len(scored) if scored else math.nan,
        "invalid": sum(not step.valid for step in steps) / len(steps) if steps else 0.0,
        "loops": sum(map(loops, scored)) / len(scored) if scored else math.nan,
        **_scenarios(episodes),
    }


def _scenarios(episodes: Sequence[Episode]) -> dict[str, float]:
    found = goal_completion((episode.chain, episode.outcome) for episode in episodes if episode.chain)
    return {name: value for name, value in found.items() if name.startswith("scenarios")}


def goal_completion(results: Iterable[tuple[str, Outcome]]) -> dict[str, float]:
    """Task and scenario goal completion, as AppWorld (arXiv 2407.18901) counts them, of (chain, outcome) pairs.

    ``tasks`` is the share of tasks that were done, ``scenarios`` that of chains all of whose tasks were, each with its
    95% Wilson interval (``_low``, ``_high``); without anything to count they are missing. Tasks lost to errors are left
    out and counted in ``left_out``, and so are their chains out of ``scenarios``.
    """
    chains: dict[str, list[Outcome]] = {}
    for chain, outcome in results:
        chains.setdefault(chain, []).append(outcome)
    every = [outcome for chain in chains.values() for outcome in chain]
    tasks = [outcome is Outcome.SUCCESS for outcome in every if not outcome.is_error]
    whole = [all(one is Outcome.SUCCESS for one in c) for c in chains.values() if not any(one.is_error for one in c)]
    found = {"left_out": float(len(every) - len(tasks))}
    for name, done in (("tasks", tasks), ("scenarios", whole)):
        if done:
            low, high = wilson(sum(done), len(done))
            found |= {name: sum(done) / len(done), f"{name}_low": low, f"{name}_high": high}
    return found


def loops(episode: Episode) -> int:
    """Steps that repeat an action in a state where the episode has taken it before."""
    seen: set[tuple[str, str]] = set()
    repeated = 0
    for step in episode.steps:
        key = (step.state_key, step.action)
        repeated += key in seen
        seen.add(key)
    return repeated


def pass_at_k(tries: int, wins: int, k: int) -> float:
    """The unbiased estimate that at least one of ``k`` tries succeeds, from ``tries`` of which ``wins`` did.

    Chen et al. 2021 (arXiv 2107.03374), equation 1. Raises `ValueError` unless 1 <= k <= tries and wins <= tries.

    >>> [pass_at_k(4, 1, k) for k in (1, 2, 4)]
    [0.25, 0.5, 1.0]
    """
    if not (1 <= k <= tries and 0 <= wins <= tries):
        raise ValueError(f"pass@{k} cannot be told from {wins} successes in {tries} tries")
    return 1.0 - math.comb(tries - wins, k) / math.comb(tries, k)


def wilson(wins: float, trials: int) -> tuple[float, float]:
    """The 95% score interval of a proportion (Wilson 1927); (0, 1) without trials. A trial may be won in part.

    >>> [round(bound, 3) for bound in wilson(80, 100)]
    [0.711, 0.867]
    """
    if trials == 0:
        return 0.0, 1.0
    z = 1.959964
    share, spread = wins / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def won(episode: Episode) -> float:
    """1 for a success, else 0."""
    return float(episode.outcome is Outcome.SUCCESS)


def paired_difference(
    after: Sequence[Episode], before: Sequence[Episode], *, value: Callable[[Episode], float] = won, seed: int = 0,
    draws: int = 10_000,
) -> tuple[float, float, float]:  # fmt: skip
    """Mean ``value`` of ``after`` minus ``before`` on the tasks both have, with a 95% bootstrap interval over tasks.

    Returns (difference, low, high). Raises ValueError where no task was scored in both.
    """
    ours, theirs = _by_task(after, value), _by_task(before, value)
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        raise ValueError("the two sets of episodes have no scored task in common")
    gaps = np.array([np.mean(ours[task]) - np.mean(theirs[task]) for task in shared])
    picks = np.random.default_rng(seed).integers(len(gaps), size=(draws, len(gaps)))
    low, high = np.quantile(gaps[picks].mean(axis=1), [0.025, 0.975])
    return float(gaps.mean()), float(low), float(high)


def _by_task(episodes: Sequence[Episode], value: Callable[[Episode], float]) -> dict[str, list[float]]:
    results: dict[str, list[float]] = {}
    for episode in episodes:
        if not episode.outcome.is_error:
            results.setdefault(episode.task_id, []).append(value(episode))
    return results
