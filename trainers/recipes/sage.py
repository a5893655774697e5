"""SAGE (arXiv 2512.17102): chains of tasks, in which a sample takes along the skills that it wrote.

Rollouts are chains of two tasks of a scenario; a skill is a Python function that an episode defines, or in a household
a sequence of actions (not in the paper). The reward adds
to a success 1 for using a skill of the task before, and 1 for having written one that the next success used. The
advantage is the return less the mean of the samples at that place of the chain, without deviation and without a
penalty on divergence; chains with an error are in no mean. The cold start clones an expert that writes and calls
skills. Evaluation plays held-out chains of a whole scenario; with ``chain.retrieval=query`` the library begins with
what successful training episodes of all scenarios wrote, and a task is brought what fits its words.

* ``sage``: the method.
* ``sage-without-library``: the same chains and samples, nothing taken along, rewarded by outcome.
* ``sage-more-cloning``: the demonstrations alone, in every iteration; evaluated with a library.

The paper ends an episode with -1 at a turn without code; here every answer is code, and bad code is told to the agent.
Skills of a single statement or action earn nothing: they would be one call under another name. ``group.replay`` puts
demonstrations beside the chains, which is not in the paper and by default only for ``nano``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from selfgym.memory.episode import Episode
from selfgym.trainers.chains import ChainConfig, chain_of, gathered, play_chains, positions, whole_chains
from selfgym.trainers.collectors import Task
from selfgym.trainers.groups import GroupConfig, group_rows, replayed
from selfgym.trainers.objectives import Objective, clipped, log_likelihood
from selfgym.trainers.playing import collect_nothing, demonstrator
from selfgym.trainers.recipe import Recipe
from selfgym.trainers.rescoring import corrected
from selfgym.trainers.rows import Row

if TYPE_CHECKING:
    from selfgym.agents.agent import Agent
    from selfgym.trainers.stage import EvolveConfig, Stage

PAPER = "https://arxiv.org/abs/2512.17102"
SCENARIO = 3
"""Variants of a scenario: held-out chains have all of them."""


def _demonstrate(base: ChainConfig, stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    config = replace(base, **stage.config.chain)
    chains = [chain_of(stage, task, config.length) for task in tasks]
    return play_chains(stage, chains, partial(demonstrator, stage), "demo", config=config)


def _collect(base: ChainConfig, stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    config = replace(base, **stage.config.chain)
    chains = [chain_of(stage, task, config.length) for task in tasks]

    def agent(task: Task, draw: int) -> Agent:
        return stage.agent(task, draw=draw)

    return play_chains(stage, chains, agent, "group", draws=config.samples, config=config)


def _evaluate(base: ChainConfig, stage: Stage, tasks: Sequence[Task]) -> Iterator[Episode]:
    return play_held_out(stage, tasks, replace(base, **stage.config.chain))


def play_held_out(stage: Stage, tasks: Sequence[Task], config: ChainConfig, kind: str = "eval") -> Iterator[Episode]:
    """Held-out chains by the stage's policy, one for each of ``tasks``, logged as episodes of ``kind``: a checkpoint
    can be evaluated in several ways."""
    chains = [chain_of(stage, task, SCENARIO, held_out=True) for task in tasks]
    known = gathered(stage, config) if config.library and config.retrieval == "query" else {}

    def agent(task: Task, draw: int) -> Agent:
        return stage.agent(task, draw=draw, **stage.config.evaluation)

    return play_chains(stage, chains, agent, kind, config=config, known=known)


def _rows(base: ChainConfig, stage: Stage) -> Iterator[Row]:
    config = replace(base, **stage.config.chain)
    knobs = replace(GroupConfig(), **stage.config.group)
    chains = list(whole_chains(stage.episodes("group"), config.length))
    groups = (group for group in positions(chains, config) if len(set(group[1])) > 1)
    rows = [row for members, returns in groups for row in group_rows(members, knobs, returns)]
    yield from corrected(stage, rows, knobs.importance_cap)
    yield from replayed(stage, len(rows), knobs)


def _objective(config: EvolveConfig) -> Objective:
    knobs = replace(GroupConfig(), **config.group)
    return clipped(knobs.clip_low, knobs.clip_high)


def _recipe(name: str, base: ChainConfig) -> Recipe:
    play, rows = partial(_collect, base), partial(_rows, base)
    return Recipe(name, PAPER, play, rows, _objective, partial(_demonstrate, base), partial(_evaluate, base))


SAGE = _recipe("sage", ChainConfig())
WITHOUT_LIBRARY = _recipe("sage-without-library", ChainConfig(library=False, reward="outcome"))


MORE_CLONING = replace(
    SAGE, name="sage-more-cloning", collect=collect_nothing, rows=lambda stage: stage.rows("demo"),
    objective=lambda config: log_likelihood,
)  # fmt: skip
