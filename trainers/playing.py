"""How a recipe plays where it does not say otherwise: demonstrations and evaluation, a task at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from selfgym.agents.agent import find_agent
from selfgym.agents.rollout import Job, play_all
from selfgym.agents.teacher import TeacherAgent
from selfgym.memory.episode import Episode
from selfgym.trainers.collectors import Task

if TYPE_CHECKING:
    from selfgym.trainers.stage import Stage


def demonstrate(stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    """The expert's episodes, in the model's tokens."""
    jobs = [
        Job(
            f"{stage.run}/demo/{task.id}", task.make, partial(demonstrator, stage, task), task.seed,
            record={**task.record, **stage.record("demo"), "agent": "expert"},
        )
        for task in tasks
    ]  # fmt: skip
    yield from play_all(jobs, width=stage.config.width)


def collect_nothing(stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    """For controls that train on demonstrations alone."""
    return iter(())


def demonstrator(stage: Stage, task: Task, draw: int = 0) -> TeacherAgent:
    """The expert, who speaks as the model would."""
    expert = find_agent(stage.config.expert)(**stage.config.expert_options)
    return TeacherAgent(expert, stage.agent(task, draw=draw))


def evaluate(stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    """An episode of each held-out task by the stage's policy, in order."""
    jobs = [
        Job(
            f"{stage.run}/{stage.phase('eval')}/{task.id}", task.make,
            partial(stage.agent, task, **stage.config.evaluation), task.seed,
            record={**task.record, **stage.record("eval"), "agent": "react"},
        )
        for task in tasks
    ]  # fmt: skip
    yield from play_all(jobs, stage.policy, width=stage.config.width)
