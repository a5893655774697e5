"""Methods that compare the episodes of a task with one another: one collector, one loss with knobs, settings a paper.

* ``grpo`` (arXiv 2402.03300): return less the group's mean, over its deviation; each episode weighs the same.
* ``dr-grpo`` (arXiv 2503.20783): without the deviation and without the division by length.
* ``rloo`` (arXiv 2402.14740): return less the mean of the others; no clipping.
* ``dapo`` (arXiv 2503.14476): a clip that is wider above, a mean over tokens, groups without differences replaced.
* ``gigpo`` (arXiv 2505.10978): besides, steps in the same state are compared. The key is the environment's own state,
  so steps that only look alike are not taken for one another; episodes stay one growing context.
* ``starpo`` (arXiv 2504.20073): advantages of turns by GAE; values are means over states (arXiv 2605.13217), no critic.
* ``nft`` (arXiv 2505.18116), ``dpo`` (arXiv 2305.18290, pairs within groups), ``reinforce`` (signed likelihood, A3T,
  arXiv 2403.14589, with the negative sign damped since it has no floor).

Z counts sampled tokens or episodes of groups with differences; with a baseline the others have no gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from selfgym.memory.episode import Episode
from selfgym.trainers.collectors import Task
from selfgym.trainers.groups import GroupConfig, collect_groups, group_rows, groups_of, preference_pairs, replayed
from selfgym.trainers.objectives import Objective, clipped, dpo, log_likelihood, nft
from selfgym.trainers.recipe import Recipe
from selfgym.trainers.rescoring import comparable, corrected
from selfgym.trainers.rows import Row

if TYPE_CHECKING:
    from selfgym.trainers.stage import EvolveConfig, Stage


def _collect(base: GroupConfig, stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    return collect_groups(stage, tasks, replace(base, **stage.config.group))


def _weighted(base: GroupConfig, stage: Stage) -> list[Row]:
    config = replace(base, **stage.config.group)
    return [row for group in groups_of(stage.episodes("group"), config) for row in group_rows(group, config)]


def _rows(base: GroupConfig, stage: Stage) -> Iterator[Row]:
    config = replace(base, **stage.config.group)
    rows = _weighted(base, stage)
    yield from corrected(stage, rows, config.importance_cap)
    yield from replayed(stage, len(rows), config)


def _nft_rows(base: GroupConfig, stage: Stage) -> Iterator[Row]:
    yield from comparable(stage, _weighted(base, stage))  # its ratio is to who sampled, and its weights are rates


def _pairs(base: GroupConfig, stage: Stage) -> Iterator[Row]:
    config = replace(base, **stage.config.group)
    groups = groups_of(stage.episodes("group"))
    rows = [row for group in groups for pair in preference_pairs(group, config.pairs) for row in pair]
    yield from comparable(stage, rows)


def _clipped(base: GroupConfig, config: EvolveConfig) -> Objective:
    knobs = replace(base, **config.group)
    return clipped(knobs.clip_low, knobs.clip_high)


def _recipe(name: str, paper: str, base: GroupConfig) -> Recipe:
    return Recipe(name, _PAPERS + paper, partial(_collect, base), partial(_rows, base), partial(_clipped, base))


_PAPERS = "https://arxiv.org/abs/"
_UNCLIPPED = float("inf")
GRPO = _recipe("grpo", "2402.03300", GroupConfig(std=True, mean_over="episodes"))
DR_GRPO = _recipe("dr-grpo", "2503.20783", GroupConfig(mean_over="constant"))
RLOO = _recipe("rloo", "2402.14740", GroupConfig(baseline="leave-one-out", clip_low=1.0, clip_high=_UNCLIPPED))
DAPO = _recipe("dapo", "2503.14476", GroupConfig(std=True, clip_high=0.28, refill=1, overlong="mask"))
GIGPO = _recipe("gigpo", "2505.10978", GroupConfig(steps="buckets", mean_over="episodes"))
STARPO = _recipe("starpo", "2504.20073", GroupConfig(steps="gae", clip_high=0.28))
NFT = replace(
    _recipe("nft", "2505.18116", GroupConfig()), rows=partial(_nft_rows, GroupConfig()), objective=lambda c: nft()
)
REINFORCE = replace(
    _recipe("reinforce", "2403.14589", GroupConfig(baseline="none", negative=0.2)), objective=lambda c: log_likelihood
)
DPO = replace(
    _recipe("dpo", "2305.18290", GroupConfig()), rows=partial(_pairs, GroupConfig()), objective=lambda c: dpo()
)
