"""Groups: several episodes of one task, compared with one another.

The collector plays them; `weights` says how much each step of each episode counts, `group_rows` makes rows of that.
Episodes lost to errors are in no group. Where returns are compared with a baseline, a group in which all fared alike
teaches nothing and gives no rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from selfgym.agents.rollout import Job, play_all
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.trainers.advantages import Floats, bucket_advantages, bucket_values, gae, group_advantages, returns_to_go
from selfgym.trainers.collectors import Task
from selfgym.trainers.rows import Row, rows_from

if TYPE_CHECKING:
    from selfgym.trainers.stage import Stage


@dataclass(frozen=True, slots=True)
class GroupConfig:
    """What sets the methods on groups apart."""

    size: int = 8
    """Episodes of one task."""
    baseline: Literal["mean", "leave-one-out", "none"] = "mean"
    """What a return is compared with; ``none``: 1 for a positive return, else -1."""
    negative: float = 1.0
    """Factor of negative advantages. Below 1 where the policy would fall apart: making a text less likely says nothing
    about which other text becomes likelier."""
    refused: float = 0.0
    """What a step that the environment refused loses, less what the group's steps lose on average: credit for steps
    also where all failed (verl-agent's penalty of invalid actions, there 0.1 of the return)."""
    std: bool = False
    """Divide advantages by the group's standard deviation."""
    mean_over: Literal["tokens", "episodes", "constant"] = "tokens"
    """The loss is a mean over all tokens (DAPO), over each episode's tokens and then over episodes (GRPO), or the sum
    over tokens and the mean over episodes (Dr. GRPO)."""
    steps: Literal["none", "buckets", "gae"] = "none"
    """What tells the steps of an episode apart: nothing; the mean return of the group's steps in the same state
    (GiGPO, added ``omega`` times); or those means as values, under generalised advantages (instead)."""
    gamma: float = 0.95
    """Discount of the rewards that follow a step."""
    lam: float = 1.0
    omega: float = 1.0
    clip_low: float = 0.2
    clip_high: float = 0.2
    replay: float = 0.0
    """Share of demonstrations among the rows, their advantage 1: against forgetting (PPO-ptx, arXiv 2203.02155)."""
    importance_cap: float = 2.0
    """Most that a token's weight is multiplied by where another policy than the trainer's sampled it."""
    refill: int = 0
    """Further tasks played for each group in which all fared alike (DAPO's dynamic sampling)."""
    overlong: Literal["keep", "mask"] = "keep"
    """Whether episodes that ran into the step limit are trained on; they count in the baseline either way."""
    pairs: int = 2
    """For preference pairs: at most so many of a group."""

    def __post_init__(self) -> None:
        if not 0 <= self.replay < 1:
            raise ValueError(f"replay is a share of the rows, at least 0 and below 1, not {self.replay}")


def collect_groups(stage: Stage, tasks: Sequence[Task], config: GroupConfig) -> Iterator[Episode]:
    """``config.size`` episodes of each task, and of further tasks for groups that teach nothing."""
    for turn in range(config.refill + 1):
        played = _play(stage, tasks, config)
        yield from (episode for group in played for episode in group)
        even = [task for task, group in zip(tasks, played, strict=True) if not _differ(group, config)]
        tasks = [stage.task(task.seed + (turn + 1) * 500_000) for task in even]  # half of an iteration's seeds
        if not tasks:
            return


def _play(stage: Stage, tasks: Sequence[Task], config: GroupConfig) -> list[list[Episode]]:
    jobs = [
        Job(
            f"{stage.run}/{stage.phase('group')}/{task.id}/{draw}", task.make, partial(stage.agent, task, draw=draw),
            task.seed, record={**task.record, **stage.record("group"), "group": task.id, "agent": "react"},
        )
        for task in tasks
        for draw in range(config.size)
    ]  # fmt: skip
    played = play_all(jobs, stage.policy, width=stage.config.width)
    return [played[at : at + config.size] for at in range(0, len(jobs), config.size)]


def _differ(group: Sequence[Episode], config: GroupConfig) -> bool:
    sound = [episode for episode in group if not episode.outcome.is_error]
    if config.refused and len({step.valid for episode in sound for step in episode.steps}) > 1:
        return True
    return len({episode.total_reward for episode in sound}) > 1


def groups_of(episodes: Iterator[Episode], config: GroupConfig = GroupConfig()) -> Iterator[list[Episode]]:
    """The groups among logged episodes, without those lost to errors and, where there is a baseline, without groups
    that teach nothing."""
    found: dict[str, list[Episode]] = {}
    for episode in episodes:
        if not episode.outcome.is_error:
            found.setdefault(episode.group, []).append(episode)
    yield from (group for group in found.values() if config.baseline == "none" or _differ(group, config))


def weights(group: Sequence[Episode], config: GroupConfig, totals: Sequence[float] | None = None) -> list[Floats]:
    """The advantage of each step, an array an episode; ``totals`` are their returns, if not the sums of rewards."""
    found = _advantages(group, config, totals)
    if config.refused:
        lost = [np.array([float(not step.valid) for step in episode.steps]) for episode in group]
        usual = np.concatenate(lost).mean()
        found = [one + config.refused * (usual - loss) for one, loss in zip(found, lost, strict=True)]
    return [np.where(one < 0, config.negative * one, one) for one in found] if config.negative != 1 else found


def _advantages(group: Sequence[Episode], config: GroupConfig, totals: Sequence[float] | None) -> list[Floats]:
    totals = [episode.total_reward for episode in group] if totals is None else totals
    if config.baseline == "none":
        whole = np.array([1.0 if total > 0 else -1.0 for total in totals])
    else:
        whole = group_advantages(totals, std=config.std, baseline=config.baseline)
    flat = [np.full(len(episode.steps), value) for episode, value in zip(group, whole, strict=True)]
    if config.steps == "none":
        return flat
    rewards = [[step.reward for step in episode.steps] for episode in group]
    keys = [[step.state_key for step in episode.steps] for episode in group]
    following = [returns_to_go(one, config.gamma) for one in rewards]
    if config.steps == "buckets":
        by_state = bucket_advantages(following, keys, std=config.std)
        return [one + config.omega * more for one, more in zip(flat, by_state, strict=True)]
    values = bucket_values(following, keys)
    return [gae(r, v, gamma=config.gamma, lam=config.lam) for r, v in zip(rewards, values, strict=True)]


def group_rows(group: Sequence[Episode], config: GroupConfig, totals: Sequence[float] | None = None) -> Iterator[Row]:
    """The rows of a group, weighted by advantage; Z counts what was sampled, whether it has a weight or not."""
    counted = 0.0
    rows: list[Row] = []
    for episode, of_steps in zip(group, weights(group, config, totals), strict=True):
        sampled = sum(len(step.response_ids) for step in episode.steps if step.trainable)
        if sampled == 0 or (config.overlong == "mask" and episode.outcome is Outcome.TRUNCATED):
            continue
        scaled = of_steps / sampled if config.mean_over == "episodes" else of_steps
        counted += sampled if config.mean_over == "tokens" else 1
        rows += rows_from(episode, lambda at, step, scaled=scaled: float(scaled[at]))  # type: ignore[misc]
    yield from (replace(row, normaliser=counted / len(rows), group=group[0].group) for row in rows)


def replayed(stage: Stage, count: int, config: GroupConfig) -> Iterator[Row]:
    """Demonstrations to train on beside ``count`` rows of groups, others in each iteration."""
    demos = [episode for episode in stage.episodes("demo") if not episode.outcome.is_error] if config.replay else []
    random.Random(stage.iteration).shuffle(demos)
    for episode in demos[: round(count * config.replay / (1 - config.replay))]:
        yield from group_rows([episode], replace(config, baseline="none", steps="none"), [1.0])


def preference_pairs(group: Sequence[Episode], most: int) -> Iterator[tuple[Row, Row]]:
    """A better and a worse episode, each whole, the shortest of the best with the longest of the worst first."""
    order = sorted(group, key=lambda episode: (-episode.total_reward, len(episode.steps)))
    for number, (better, worse) in enumerate(zip(order, reversed(order), strict=True)):
        if number == most or better.total_reward <= worse.total_reward:
            return
        rows = [list(rows_from(episode)) for episode in (better, worse)]
        if all(len(found) == 1 for found in rows):  # a context that was rebuilt has no one probability
            name = f"{better.group}/{number}"
            good, bad = (replace(found[0], normaliser=0.5, group=name) for found in rows)
            yield good, replace(bad, weight=-bad.weight)
