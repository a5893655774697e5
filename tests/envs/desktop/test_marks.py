"""Numbered elements: what is marked, how marks are named in actions, and what a mistake is told."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

pytest.importorskip("PIL")

from selfgym.agents.typist import TypistAgent
from selfgym.envs.core import Outcome
from selfgym.envs.desktop.marks import MarkedEnv, draw_marks, marks_of
from selfgym.envs.desktop.mini.tasks.catalogue import TEMPLATES
from selfgym.envs.desktop.node import Node


def begun(**options):
    env = gymnasium.make("selfgym/MiniDesktop-v0", marks=True, **{"task": "files-delete", **options}).unwrapped
    return env, *env.reset(seed=3)


def number_of(words, name):
    return next(line.split("]")[0][1:] for line in words.splitlines() if f": {name}" in line)


def test_a_mark_stands_for_an_element():
    env, observation, info = begun()
    assert observation.splitlines()[:2] == ["Your task is: Delete the file recipe.txt.", "[1] push button: Files"]
    observation, *_, info = env.step("click([1])")
    assert info["action_error"] is None
    env.step(f"click([{number_of(observation, 'recipe.txt')}])")
    observation, *_ = env.step("key('Delete')")
    delete = int(number_of(observation, "Delete"))
    env.step({"name": "click", "arguments": {"x": [delete]}})
    *_, reward, terminated, _, info = env.step("done()")
    assert (reward, terminated, info["outcome"]) == (1.0, True, Outcome.SUCCESS)


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("click([77])", "There is no mark [77]: marks are [1] to [6]."),
        ("click([0])", "There is no mark [0]: marks are [1] to [6]."),
        ("click(5)", "click needs y beside x, or a mark in brackets, as in click([3])."),
        ("click(['a'])", "should be a whole number, or one mark in brackets"),
        ("click([1, 2])", "should be a whole number, or one mark in brackets"),
        ("click(x=[1], y=3)", "a mark stands for x and y"),
        ("clik([1])", "Did you mean 'click'?"),
    ],
)
def test_a_wrong_mark_is_told_and_costs_a_step(action, told):
    env, _, _ = begun(max_steps=1)
    before = env.state_key()
    observation, _, _, truncated, info = env.step(action)
    assert told in info["action_error"]
    assert observation.startswith(info["action_error"])
    assert truncated
    assert env.state_key() == before
    again, told_again = env.restore(env.snapshot())
    assert (again, told_again["action_error"]) == (observation, info["action_error"])


def test_points_and_marks_are_taken_side_by_side():
    env, _, _ = begun()
    env.step("click([1])")
    one = env.snapshot()
    *_, info = env.step("drag([6], 300, 300)")
    assert info["action_error"] is None
    env.restore(one)
    assert env.step("scroll([7], 2)")[-1]["action_error"] is None
    assert env.step("click(270, 203)")[-1]["action_error"] is None
    assert env.step("double_click([7])")[0].splitlines()[-1].endswith("- Files (pressed)")


def test_what_is_covered_has_no_mark_but_a_button_with_a_label_has():
    button = Node("push button", "Save", (10, 10, 80, 20))
    label = Node("label", "Save", (30, 12, 40, 16))
    window = Node("frame", "Other", (0, 0, 200, 200))
    assert marks_of([button, label]) == [button]
    assert marks_of([button, label, window]) == []


def test_marks_are_bounded_and_the_rest_is_counted():
    env = MarkedEnv(gymnasium.make("selfgym/MiniDesktop-v0", task="files-delete"), most=2)
    observation, info = env.reset(seed=3)
    assert observation.splitlines()[1:] == ["[1] push button: Files", "[2] push button: Editor"]
    assert info["marks_left_out"] == 4


def test_marks_are_drawn_where_the_elements_are():
    env, observation, info = begun(observe=("tree", "pixels"))
    plain = env.inner.pixels()
    changed = np.argwhere((observation["pixels"] != plain).any(axis=2))
    boxes = [node.box for node in marks_of(env.nodes())]
    assert len(changed)
    assert all(any(x <= c < x + w and y <= r < y + h for x, y, w, h in boxes) for r, c in changed)
    assert observation["tree"].endswith(info["marks"])


def test_a_marked_desktop_is_a_gymnasium_environment():
    env = gymnasium.make("selfgym/MiniDesktop-v0", task="files-delete", marks=True, width=640, height=400)
    check_env(env.unwrapped, skip_render_check=True)
    both = gymnasium.make_vec("selfgym/MiniDesktop-v0", 2, task="files-delete", marks=True)
    observations, _ = both.reset(seed=[3, 4])
    assert all("[1] push button: Files" in one for one in observations)
    both.close()


def test_an_element_that_is_half_off_the_screen_is_drawn_as_far_as_it_goes():
    nodes = [Node("push button", "a", (-20, -5, 30, 20)), Node("push button", "b", (35, 25, 30, 30))]
    assert draw_marks(np.zeros((30, 40, 3), np.uint8), nodes).any()


def test_only_a_world_with_elements_can_be_marked():
    with pytest.raises(TypeError, match="nodes"):
        MarkedEnv(gymnasium.make("selfgym/Household-v0"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_typist_does_every_task_by_marks(name):
    env, observation, info = begun(task=name, max_steps=60)
    assert played(env, observation, info) is Outcome.SUCCESS


def test_the_typist_clicks_on_points_where_there_are_no_marks():
    env = gymnasium.make("selfgym/MiniDesktop-v0", task="files-delete").unwrapped
    assert played(env, *env.reset(seed=3)) is Outcome.SUCCESS


def played(env, observation, info):
    typist = TypistAgent()
    typist.begin(env)
    while info["outcome"] is Outcome.RUNNING:
        observation, *_, info = env.step(typist.act(observation, info).action)
        assert info["action_error"] is None
    return info["outcome"]


def test_the_typist_says_what_it_clicks_on():
    env, observation, info = begun()
    typist = TypistAgent(thoughts=True)
    typist.begin(env)
    said = typist.act(observation, info)
    assert (said.thought, said.action) == ("Files", "click([1])")


def test_the_typist_says_where_it_is_lost():
    typist = TypistAgent()
    typist.begin(gymnasium.make("selfgym/Household-v0"))
    with pytest.raises(TypeError, match="a desktop of selfgym"):
        typist.act("", {})
