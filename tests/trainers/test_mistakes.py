"""Reflection data at the small desktop: each episode with a mistake really happened; the mistake is not learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")

from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.typist import TypistAgent
from selfgym.envs.around import innermost
from selfgym.envs.core import Outcome
from selfgym.envs.desktop.mini.saving import plain
from selfgym.memory.episode import Source
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.mistakes import find_mistake
from selfgym.trainers.recipe import find_recipe
from selfgym.trainers.rows import rows_from
from selfgym.trainers.stage import EvolveConfig, Stage

KINDS = ["files-delete", "settings-switch", "settings-choice", "calculate", "write-save-as", "form-plain"]


def stage_of(name, *, marks, store=None):
    options = {"task": name, "marks": marks, "max_steps": 60}
    config = EvolveConfig(
        env="selfgym/MiniDesktop-v0", expert="typist", env_options=options, agent={"max_context": 10**6}, replay=0.5
    )
    return Stage(config, Path("run"), ScriptedPolicy([""]), store=store)


def world_of(env):
    world = plain(innermost(env).world)
    return {name: value for name, value in world.items() if name not in ("pointer", "opened")}


@pytest.mark.parametrize("marks", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_a_mistake_is_made_taken_back_and_not_trained_on(name, marks):
    stage = stage_of(name, marks=marks)
    tasks = [stage.task(seed) for seed in range(2)]
    episodes = list(find_recipe("gui-reflection").collect(stage, tasks))
    assert len(episodes) == 2
    for episode, task in zip(episodes, tasks, strict=True):
        assert episode.outcome is Outcome.SUCCESS
        [at] = [number for number, step in enumerate(episode.steps) if step.source is Source.INJECTED]
        after = episode.steps[at + 1]
        assert not episode.steps[at].trainable
        assert (after.source, after.trainable, bool(after.thought)) == (Source.TEACHER, True, True)
        assert trained(episode) == [number for number in range(len(episode.steps)) if number != at]
        mistake = find_mistake(task, TypistAgent, task.seed)
        assert (mistake.at, mistake.wrong) == (at, episode.steps[at].action)
        replayed(task, episode, at, mistake)


def trained(episode):
    """Numbers of the steps whose responses carry a loss in the rows of an episode."""
    [row] = rows_from(episode)
    found, at = [], 0
    for number, step in enumerate(episode.steps):
        at += len(step.prompt_ids)
        if np.any(row.weight[at : at + len(step.response_ids)]):
            found.append(number)
        at += len(step.response_ids)
    return found


def replayed(task, episode, at, mistake):
    """What is on record is what these actions are followed by; the way back leads to the world before the mistake."""
    env = task.make()
    observation, _ = env.reset(seed=task.seed)
    for number, step in enumerate(episode.steps):
        assert observation == step.observation
        if number == at:
            before = world_of(env)
        if mistake.back and number == at + 1 + len(mistake.back):
            assert world_of(env) == before
        observation, *_ = env.step(step.action)
        if number == at:
            assert world_of(env) != before
    assert observation == episode.final_observation


def test_a_wrong_choice_that_the_right_one_mends_needs_no_way_back():
    found = [find_mistake(stage_of("files-rename", marks=True).task(seed), TypistAgent, seed) for seed in range(4)]
    assert any(mistake.back == () for mistake in found)


def test_a_demonstrator_that_fails_gives_no_mistake():
    class Quitter(TypistAgent):
        def act(self, observation, info):
            return "done()"

    assert find_mistake(stage_of("files-delete", marks=True).task(0), Quitter, 0) is None


def test_an_update_is_on_mistakes_and_as_many_demonstrations_as_asked(tmp_path):
    with EpisodeStore(tmp_path / "episodes.db") as store:
        stage = stage_of("files-delete", marks=True, store=store)
        recipe = find_recipe("gui-reflection")
        store.append(recipe.collect(stage, [stage.task(seed) for seed in range(2)]))
        store.append(recipe.demonstrate(stage, [stage.task(seed) for seed in range(10, 15)]))
        rows = list(recipe.rows(stage))
    assert len(rows) == 4
