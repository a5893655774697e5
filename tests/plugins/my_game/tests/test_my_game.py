"""The environment keeps selfgym's rules, its tasks can be solved, and its splits share none."""

import gymnasium
import pytest

from selfgym.envs.checking import check_agent_env


def make(**options):
    return gymnasium.make("selfgym:my_game/MyGame-v0", **options).unwrapped


@pytest.mark.parametrize("level", [1, 2])
def test_it_keeps_the_rules(level):
    check_agent_env(lambda: make(level=level))


@pytest.mark.parametrize("level", [1, 2])
def test_the_solution_wins(level):
    env = make(level=level)
    for seed in range(30):
        _, info = env.reset(seed=seed)
        for command in env.solution():
            *_, info = env.step(command)
        assert info["outcome"] == "success"


def test_no_test_task_is_a_training_task():
    train, test = ({env.reset(seed=seed)[0] for seed in range(50)} for env in (make(), make(split="test")))
    assert not train & test
