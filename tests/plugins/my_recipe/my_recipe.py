"""Rejection sampling: try each task a few times and clone what was won (the first step of STaR, arXiv 2203.14465)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.trainers.collectors import Task
from selfgym.trainers.groups import GroupConfig, collect_groups
from selfgym.trainers.recipe import Recipe
from selfgym.trainers.rows import Row, rows_from
from selfgym.trainers.stage import Stage

TRIES = GroupConfig(size=4, baseline="none")


def collect(stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    """Play every task a few times; ``--set group.size=8`` says how often."""
    return collect_groups(stage, tasks, replace(TRIES, **stage.config.group))


def rows(stage: Stage) -> Iterator[Row]:
    """The demonstrations, and every success of this iteration."""
    yield from stage.rows("demo")
    for episode in stage.episodes("group"):
        if episode.outcome is Outcome.SUCCESS:
            yield from rows_from(episode)


RECIPE = Recipe("my_recipe", "https://arxiv.org/abs/2203.14465", collect, rows)
