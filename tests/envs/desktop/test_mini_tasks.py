"""Every kind of task: false before, after nothing, half done and with damage beside it; true after the solution."""

from __future__ import annotations

import gymnasium
import pytest

pytest.importorskip("PIL")

from selfgym.envs.core import Outcome
from selfgym.envs.desktop.actions import Click, Done, Key, Type
from selfgym.envs.desktop.looking import find
from selfgym.envs.desktop.mini.tasks.catalogue import TEMPLATES

SEEDS = range(5)


def begun(name, seed):
    env = gymnasium.make("selfgym/MiniDesktop-v0", task=name, max_steps=60).unwrapped
    _, info = env.reset(seed=seed)
    return env, info


def played(env, actions):
    info = {}
    for action in actions:
        *_, info = env.step(action)
        assert info["action_error"] is None
    return info


def solved(env):
    """The solution, and the answer that it gives in the end."""
    actions = env.task.solution(env.nodes)
    for action in actions:
        if isinstance(action, Done):
            return action
        env.step(action)
    raise AssertionError("the solution has no end")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_the_solution_does_it_and_nothing_less(name, seed):
    env, info = begun(name, seed)
    assert info["task"]
    assert played(env, [Done()])["outcome"] is Outcome.FAILURE

    env.reset(seed=seed)
    assert played(env, env.task.solution(env.nodes))["outcome"] is Outcome.SUCCESS


@pytest.mark.parametrize("name", TEMPLATES)
def test_half_of_the_solution_does_not_do_it(name):
    env, _ = begun(name, 1)
    length = sum(1 for _ in solution_steps(env))
    env.reset(seed=1)
    for number, action in enumerate(env.task.solution(env.nodes)):
        if number == length // 2:
            break
        env.step(action)
    assert played(env, [Done()])["outcome"] is Outcome.FAILURE


def solution_steps(env):
    for action in env.task.solution(env.nodes):
        if not isinstance(action, Done):
            env.step(action)
            yield action


@pytest.mark.parametrize("name", TEMPLATES)
def test_damage_on_the_way_counts(name):
    """The solution, and then a file that nobody asked for."""
    env, _ = begun(name, 2)
    end = solved(env)
    editor = find(env.nodes, "Editor", "push button").box
    spoil = [Click(editor[0] + 5, editor[1] + 5), Type("oh"), Key("ctrl+s"), Type("unasked.txt\n")]
    assert played(env, [*spoil, end])["outcome"] is Outcome.FAILURE
    assert "/home/user/unasked.txt" in env.world.files


@pytest.mark.parametrize("name", ["calculate", "divide", "files-count", "files-containing", "sheet-sum"])
def test_a_wrong_answer_does_not_do_it(name):
    env, _ = begun(name, 3)
    assert played(env, [Done(solved(env).answer + "1")])["outcome"] is Outcome.FAILURE


def test_there_are_forty_of_them_in_three_levels():
    assert len(TEMPLATES) >= 40
    assert {template.level for template in TEMPLATES.values()} == {1, 2, 3}
