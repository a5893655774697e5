"""The contract of every task with real applications: not done at the beginning, nor after a mistake; done when solved.

Seed 0 is tried of each; SELFGYM_DESKTOP_SEEDS=5 tries seeds 0 to 4.
"""

import os
from collections import Counter
from random import Random

import pytest

from selfgym.envs.core import Outcome
from selfgym.envs.desktop.actions import Done
from selfgym.envs.desktop.real.applications import APPLICATIONS
from selfgym.envs.desktop.real.tasks.catalogue import TEMPLATES

SEEDS = range(int(os.environ.get("SELFGYM_DESKTOP_SEEDS", "1")))


@pytest.fixture(scope="module")
def playing(desktop):
    """Plays a task's solution or mistake from its beginning; skipped where the packages or a sandbox are missing."""
    from selfgym.envs.desktop.real.env import DesktopEnv

    made = {}

    def play(name, seed, what):
        if name not in made:  # the new one first, so that the spare screen stays
            made[name] = DesktopEnv(task=name, max_steps=60, patience=10.0)  # the machine may be busy
            for other in made.keys() - {name}:
                made.pop(other).close()
        env = made[name]
        _, info = env.reset(seed=seed)
        assert not env.task.done(env.room, ""), "it is done before anything was"
        for action in getattr(env.task, what)(env.nodes):
            _, reward, *_, info = env.step(action)
            assert info["action_error"] is None, action
            if info["outcome"] is not Outcome.RUNNING:
                return info["outcome"], reward
        raise AssertionError(f"the {what} does not end with {Done()}")

    yield play
    for env in made.values():
        env.close()


def test_there_are_enough():
    assert len(TEMPLATES) >= 60
    used = Counter(name for template in TEMPLATES.values() for name in template.applications)
    assert len(used) >= 8
    assert used.keys() <= APPLICATIONS.keys()
    assert sum(len(template.applications) > 1 for template in TEMPLATES.values()) >= 5
    assert {template.level for template in TEMPLATES.values()} == {1, 2, 3}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_seed_says_all(name):
    template = TEMPLATES[name]
    one, same, other = (template.draw(Random(seed)) for seed in (1, 1, 2))
    assert (one.instruction, one.opens, one.files, one.answer) == (
        same.instruction,
        same.opens,
        same.files,
        same.answer,
    )
    assert (one.instruction, one.files) != (other.instruction, other.files)
    assert {shown[0] for shown in one.opens} == {*template.applications}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_it_is_done_when_solved_and_not_before(playing, name, seed):
    assert playing(name, seed, "mistake") == (Outcome.FAILURE, 0.0)
    assert playing(name, seed, "solution") == (Outcome.SUCCESS, 1.0)
