"""GUI-Reflection (arXiv 2506.08012), its offline part: demonstrations in which a wrong click is taken back.

Each training task of an iteration becomes one episode with a mistake (`selfgym.trainers.mistakes`), played by the run's
demonstrator in the real environment, and kept if it ends well and no step after the mistake was refused. The update is
cloning: on these episodes, loss on all but the wrong click, and a share of the demonstrations.

Left out: the paper's pre-training on single questions (was this action right, what reverts it) and its online stage, in
which a verifier finds the errors of the model itself; for the latter `agent-r` is at hand.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from selfgym.agents.agent import find_agent
from selfgym.agents.rollout import Job, play_all
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.trainers.collectors import Task
from selfgym.trainers.mistakes import ErringAgent, Mistake, find_mistake, thought_of
from selfgym.trainers.recipe import Recipe
from selfgym.trainers.rows import Row, rows_from
from selfgym.trainers.splice import REVISIONS

if TYPE_CHECKING:
    from selfgym.trainers.stage import Stage

PAPER = "https://arxiv.org/abs/2506.08012"


def _collect(stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    teacher = partial(find_agent(stage.config.expert), **stage.config.expert_options)
    found = ((task, find_mistake(task, teacher, task.seed)) for task in tasks)
    jobs = [_job(stage, task, mistake) for task, mistake in found if mistake is not None]
    for episode in play_all(jobs, width=stage.config.width):
        mended = episode.outcome is Outcome.SUCCESS and all(step.valid for step in episode.steps)
        if mended or episode.outcome.is_error:  # errors are counted
            yield episode


def _job(stage: Stage, task: Task, mistake: Mistake) -> Job:
    def agent() -> ErringAgent:
        teacher = find_agent(stage.config.expert)(**stage.config.expert_options)
        return ErringAgent(teacher, stage.agent(task), mistake, thought_of(task.seed))

    record = {**task.record, **stage.record("reflection"), "agent": "erring", "branch_step": mistake.at + 1}
    return Job(f"{stage.run}/{stage.phase('reflection')}/{task.id}", task.make, agent, task.seed, record=record)


def _rows(stage: Stage) -> Iterator[Row]:
    """Episodes with mistakes of this and all earlier iterations, and demonstrations as ``replay`` asks."""
    every = (episode for number in range(stage.iteration + 1) for episode in stage.episodes("reflection", number))
    rows = [row for episode in every if not episode.outcome.is_error for row in rows_from(episode)]
    demos = list(stage.rows("demo"))
    random.Random(stage.iteration).shuffle(demos)
    yield from rows
    yield from demos[: round(len(rows) * stage.config.replay / (1 - stage.config.replay))]


_PHRASES = tuple(f"Thought: {thought}\nAction: " for thought in REVISIONS)
GUI_REFLECTION = Recipe("gui-reflection", PAPER, _collect, _rows, phrases=_PHRASES)
