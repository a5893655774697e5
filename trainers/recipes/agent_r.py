"""Agent-R (arXiv 2501.11425) and the controls it is compared with.

Search trees on training tasks; pair the good paths with bad ones; splice a revision in at the first step that the actor
itself holds to be an error; train on revisions, good paths and a share of the first demonstrations; repeat with a
stricter notion of good.

* ``agent-r``: the method.
* ``direct-revision``: the whole bad path, then the revision and the good path (the paper's ablation).
* ``good-only``: as many trees (grown by its own policy) and update steps, cloning only the good paths.
* ``more-cloning``: the same number of update steps on the demonstrations alone, nothing collected.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from selfgym.agents.rollout import drive
from selfgym.memory.episode import Episode
from selfgym.trainers.collectors import Task, collect_trees
from selfgym.trainers.playing import collect_nothing
from selfgym.trainers.recipe import Recipe
from selfgym.trainers.rows import Row, rows_from
from selfgym.trainers.splice import SpliceConfig, preference_judge, splice, verbal_judge

if TYPE_CHECKING:
    from selfgym.trainers.stage import Stage

PAPER = "https://arxiv.org/abs/2501.11425"
GOOD_PER_TASK = 2
"""Good paths of one tree that are cloned beside its revisions, shortest first."""


def _trees(stage: Stage, tasks: Sequence[Task]) -> list[list[Episode]]:
    record = stage.record("tree")
    return list(
        collect_trees(tasks, stage.policy, stage.agent, stage.config.search, record=record, width=stage.config.width)
    )


def _collect_agent_r(stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    yield from _with_revisions(stage, tasks, stage.config.splice)


def _collect_direct(stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    config = replace(stage.config.splice, transition="end")
    doubled = [stage.task(task.seed, max_steps=2 * stage.max_steps) for task in tasks]
    yield from _with_revisions(stage, tasks, config, replay_in=doubled)


def _with_revisions(
    stage: Stage, tasks: Sequence[Task], config: SpliceConfig, replay_in: Sequence[Task] | None = None
) -> Iterator[Episode]:
    trees = _trees(stage, tasks)
    for tree in trees:
        yield from tree
    judge = verbal_judge(stage.policy) if stage.config.judge == "words" else preference_judge
    splices = (
        splice(
            tree, task, partial(stage.agent, task), judge, config,
            iteration=stage.iteration, seed=task.seed, record=stage.record("revision"),
        )
        for tree, task in zip(trees, replay_in or tasks, strict=True)
    )  # fmt: skip
    revised = dict(drive(splices, stage.policy, width=stage.config.width))
    for number in range(len(tasks)):
        yield from revised[number]


def _collect_good(stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    for tree in _trees(stage, tasks):
        yield from tree


def _rows(stage: Stage) -> Iterator[Row]:
    """Good paths and revisions of this and all earlier iterations, and demonstrations as ``replay`` asks."""
    config = stage.config.splice
    gained = list(_gained(stage, config))
    demos = list(stage.rows("demo"))
    if gained:
        wanted = round(len(gained) * stage.config.replay / (1 - stage.config.replay))
        random.Random(stage.iteration).shuffle(demos)
        demos = demos[:wanted]
    yield from gained
    yield from demos


def _gained(stage: Stage, config: SpliceConfig) -> Iterator[Row]:
    limit = int(stage.config.agent.get("max_context", 2048))
    for iteration in range(stage.iteration + 1):
        kept: dict[str, int] = {}
        good = [e for e in stage.episodes("tree", iteration) if config.good(e, stage.iteration)]
        for episode in sorted(good, key=lambda episode: len(episode.steps)):
            if kept.setdefault(episode.group, 0) < GOOD_PER_TASK:
                kept[episode.group] += 1
                yield from rows_from(episode)
        yield from (row for row in stage.rows("revision", iteration) if len(row) <= limit)


AGENT_R = Recipe("agent-r", PAPER, _collect_agent_r, _rows)
DIRECT_REVISION = Recipe("direct-revision", PAPER, _collect_direct, _rows)
GOOD_ONLY = Recipe("good-only", PAPER, _collect_good, _rows)
MORE_CLONING = Recipe("more-cloning", PAPER, collect_nothing, _rows)
