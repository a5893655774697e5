"""Household-v0 as its users meet it: Gymnasium's rules, seeds, options, errors, snapshots."""

import json
import os
import subprocess
import sys
import warnings

import gymnasium
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import selfgym  # noqa: F401  registers the environments
from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.household.env import HouseholdEnv
from selfgym.envs.household.generate import generate_layout
from selfgym.envs.household.layout import TaskType
from selfgym.envs.household.oracle import shortest_plan
from selfgym.envs.household.text import NOTHING

ID = "selfgym/Household-v0"


def started(seed=3, **kwargs):
    env = HouseholdEnv(**kwargs)
    env.reset(seed=seed)
    return env


def test_gymnasium_finds_nothing_to_complain_about():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(ID).unwrapped)


def test_an_oracle_wins_and_the_episode_is_over():
    env = started()
    plan = shortest_plan(env.world)
    for command in plan[:-1]:
        _, reward, terminated, truncated, info = env.step(command)
        assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, False, Outcome.RUNNING)
    _, reward, terminated, truncated, info = env.step(plan[-1])
    assert (reward, terminated, truncated, info["outcome"], info["won"]) == (1.0, True, False, Outcome.SUCCESS, True)
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        env.step("look")


def test_the_step_limit_truncates():
    env = started(max_steps=3)
    results = [env.step("look") for _ in range(3)]
    assert [result[3] for result in results] == [False, False, True]
    assert results[-1][4]["outcome"] == Outcome.TRUNCATED
    with pytest.raises(ResetNeeded):
        env.step("look")


def test_a_win_on_the_last_step_is_a_success():
    plan = shortest_plan(started().world)
    env = started(max_steps=len(plan))
    *_, terminated, truncated, info = [env.step(command) for command in plan][-1]
    assert (terminated, truncated, info["outcome"]) == (True, False, Outcome.SUCCESS)


def test_before_the_first_reset_nothing_works():
    env = HouseholdEnv()
    for act in (lambda: env.step("look"), env.snapshot, env.state_key):
        with pytest.raises(ResetNeeded):
            act()


def test_a_seed_names_a_household_and_resets_without_one_go_on_from_it():
    env = HouseholdEnv()
    first = [env.reset(seed=11)[0], *(env.reset()[0] for _ in range(3))]
    again = [env.reset(seed=11)[0], *(env.reset()[0] for _ in range(3))]
    assert first == again
    assert len(set(first)) == 4
    assert HouseholdEnv().reset(seed=11)[0] == first[0]
    assert HouseholdEnv(split="test").reset(seed=11)[0] != first[0]


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    program = (
        "from selfgym.envs.household.env import HouseholdEnv as E; import json; e = E(size='medium');"
        "r = [e.reset(seed=9)]; r += [e.step(c) for c in r[0][1]['admissible_commands'][:9]];"
        "print(json.dumps([r, e.state_key(), e.snapshot().hex()]))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": hashing},
        ).stdout
        for hashing in ("1", "2")
    }
    assert len(answers) == 1


def test_task_types_are_honoured_and_another_reset_is_not_disturbed_by_an_aborted_episode():
    env = HouseholdEnv(task_types=["pick_two_obj_and_place", TaskType.HEAT_AND_PLACE])
    names = {env.reset(seed=seed)[1]["layout"].split("-")[0] for seed in range(6)}
    assert names == {"pick_two_obj_and_place", "pick_heat_then_place_in_recep"}
    env.step("look")
    assert env.reset(seed=4, options={"task_type": "look_at_obj_in_light"})[1]["layout"].startswith("look_at")
    untouched = HouseholdEnv(task_types=env.task_types)
    assert env.reset(seed=2) == untouched.reset(seed=2)


def test_a_given_layout_is_played():
    layout = generate_layout(77, size="tiny")
    observation, info = HouseholdEnv().reset(options={"layout": layout})
    assert info["layout"] == layout.name
    assert observation.endswith(f"Your task is to: {layout.task}.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"size": "vast"}, "no household has the size 'vast': choose one of tiny"),
        ({"task_types": ["fly"]}, "unknown task type 'fly': choose among pick_and_place_simple"),
        ({"task_types": []}, "task_types is empty"),
        ({"dialect": "1.0"}, "unknown dialect '1.0'"),
        ({"fixes": ["all"]}, "unknown fix 'all'"),
        ({"max_steps": 0}, "max_steps should be at least 1"),
        ({"render_mode": "human"}, "unknown render_mode 'human'"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        HouseholdEnv(**arguments)


def test_an_unknown_reset_option_is_refused():
    with pytest.raises(ValueError, match="unknown reset option 'index': known are layout, task_type"):
        HouseholdEnv().reset(options={"index": 3})


def test_tool_calls_are_commands():
    env, twin = started(), started()
    place = env.world.game.receptacle_names[0]
    call = {"name": "go_to", "arguments": {"receptacle": place}}
    expected = twin.step(f"go to {place}")
    assert env.step(call) == expected
    env.reset(seed=3)
    assert env.step(json.dumps(call)) == expected
    assert env.step({"name": "look", "arguments": {}}) == twin.step("look")


def test_a_tool_call_that_is_impossible_here_says_so():
    *_, info = started().step({"name": "open", "arguments": {"receptacle": "moon 1"}})
    assert info["action_error"].startswith("'open moon 1' does nothing: there is no receptacle 'moon 1'.")


def test_what_was_wrong_is_in_the_info_and_the_text_stays_genuine():
    env = started()
    for action, told in (
        ("dance", "'dance' is no command. Commands: go to RECEPTACLE,"),
        ("go to moon 1", "there is no receptacle 'moon 1'. Possible now: go to "),
        ("take mug 1", "the form is 'take OBJECT from RECEPTACLE'."),
        ("heat mug 1 with fridge 1", "the agent is not at the fridge 1."),
        ("", "'' is no command."),
        (7, "not int"),
        ({"name": "fly", "arguments": {}}, "no tool 'fly'"),
        ('{"name": "look"', "JSON"),
    ):
        observation, _, _, _, info = env.step(action)
        assert observation == NOTHING
        assert told in info["action_error"], action
    *_, info = env.step("look")
    assert info["action_error"] is None


def test_reasons_name_what_stands_in_the_way():
    env = started(size="medium", task_types=["pick_cool_then_place_in_recep"], max_steps=500)
    world, fridge = env.world, "fridge 1"

    def told(command):
        return env.step(command)[4]["action_error"]

    env.step(f"go to {fridge}")
    assert "stands there already" in told(f"go to {fridge}")
    assert "cannot be opened or is closed already" in told(f"close {fridge}")
    assert "the fridge 1 is closed." in told(f"take mug 1 from {fridge}")
    env.step(f"open {fridge}")
    assert "there is no 'moon 1' to take from the fridge 1." in told(f"take moon 1 from {fridge}")
    assert "'moon 1' is not in hand." in told(f"cool moon 1 with {fridge}")
    plan = shortest_plan(world)
    carried = next(command for command in plan if command.startswith("take"))
    for command in plan[: plan.index(carried) + 1]:
        env.step(command)
    held = world.game.name_of[world.holding]
    where = carried.partition(" from ")[2]
    assert f"the hand holds the {held} already." in told(carried)
    assert "cannot heat the" in told(f"heat {held} with {where}")
    assert "it takes a knife in hand" in told(f"slice {held} with {held}")


def test_informative_errors_put_the_sentence_into_the_text():
    env = started(fixes=["informative_errors"])
    observation, *_, info = env.step("dance")
    assert observation == info["action_error"] != NOTHING
    observation, *_, info = env.step(3.5)
    assert observation == info["action_error"] != NOTHING


ANYTHING = st.one_of(
    st.text(max_size=300),
    st.text(alphabet=st.characters(codec=None), max_size=40),
    st.sampled_from(["x" * 100_000, "{" * 5_000, "\x00\x1b[2J", "go to \ud800 1", "take a from b", "use"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=9) | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=5,
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ANYTHING, min_size=1, max_size=5))
def test_no_action_whatever_raises_or_changes_the_world(actions):
    env = started(size="tiny")
    commands = env.world.admissible()
    key = env.state_key()
    for action in actions:
        if isinstance(action, str) and action.strip() in commands:
            continue
        observation, reward, _, _, info = env.step(action)
        assert (observation, reward) == (NOTHING, 0.0)
        assert info["action_error"]
        assert env.state_key() == key


@pytest.mark.parametrize("size", ["tiny", "small", "medium"])
def test_a_snapshot_restores_in_another_environment_and_goes_on_the_same(size):
    env, other = started(size=size), HouseholdEnv(size=size)
    env.step(env.world.admissible()[0])
    last = env.step("nonsense")
    snapshot = env.snapshot()
    assert other.restore(snapshot) == (last[0], last[4])
    assert (other.snapshot(), other.state_key()) == (snapshot, env.state_key())
    for step in range(40):
        admissible = env.world.admissible()
        command = admissible[step * 7 % len(admissible)]
        result = env.step(command)
        assert other.step(command) == result
        if result[2] or result[3]:
            break
    assert other.restore(snapshot) == (last[0], last[4]), "as often as one likes"


def test_a_snapshot_of_a_given_layout_carries_it_along():
    env = HouseholdEnv()
    env.reset(options={"layout": generate_layout(5, size="medium")})
    env.step("look")
    other = HouseholdEnv()
    observation, info = other.restore(env.snapshot())
    assert info["layout"] == generate_layout(5, size="medium").name
    assert other.step("inventory") == env.step("inventory")
    assert observation.startswith("You are in the middle of a room.")


def test_a_snapshot_of_an_ended_episode_is_still_ended():
    env = started(max_steps=1)
    *_, info = env.step("look")
    other = HouseholdEnv(max_steps=1)
    assert other.restore(env.snapshot())[1] == info
    with pytest.raises(ResetNeeded):
        other.step("look")


def test_foreign_and_damaged_snapshots_are_refused_and_leave_the_episode_alone():
    env = started()
    snapshot = env.snapshot()
    for bad, sentence in (
        (b"", "no snapshot of a household"),
        (b"household1", "no snapshot of a household"),
        (b"x" * 400, "no snapshot of a household"),
        (snapshot[:-1], "length is wrong"),
        (snapshot.replace(b'"size"', b'"seize"', 1), "length is wrong"),
        (snapshot.replace(b'"train"', b'"trail"', 1), "another version"),
        (snapshot.replace(b'"small"', b'"smell"', 1), "cannot find the game"),
    ):
        with pytest.raises(SnapshotError, match=sentence):
            env.restore(bad)
    with pytest.raises(SnapshotError, match="other options"):
        HouseholdEnv(dialect="0.3").restore(snapshot)
    assert env.snapshot() == snapshot


def test_the_state_key_ignores_time_and_tells_states_and_games_apart():
    env = started()
    first = env.state_key()
    env.step("look")
    assert env.state_key() == first
    env.step(env.world.admissible()[0])
    assert env.state_key() != first
    assert started(seed=4).state_key() != first


def test_the_ansi_picture_is_the_text():
    env = gymnasium.make(ID, render_mode="ansi")
    observation, _ = env.reset(seed=1)
    assert env.render() == observation
    assert started().render() is None


def test_admissible_commands_come_only_when_asked_for_and_are_the_callers_own():
    assert "admissible_commands" not in HouseholdEnv(admissible_commands=False).reset(seed=1)[1]
    env = started()
    env.reset(seed=1)[1]["admissible_commands"].clear()
    assert env.reset(seed=1)[1]["admissible_commands"]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vectors_play_each_environment_as_it_plays_alone(mode):
    envs = gymnasium.make_vec(ID, num_envs=2, vectorization_mode=mode, max_steps=3)
    alone = [HouseholdEnv(max_steps=3) for _ in range(2)]
    try:
        observations, infos = envs.reset(seed=5)
        expected = [env.reset(seed=5 + i) for i, env in enumerate(alone)]
        assert tuple(observations) == tuple(result[0] for result in expected)
        assert list(infos["task"]) == [result[1]["task"] for result in expected]
        for command in ("look", "inventory", "dance"):
            observations, _, _, truncated, _ = envs.step((command, command))
            assert tuple(observations) == tuple(env.step(command)[0] for env in alone)
        assert list(truncated) == [True, True]
        observations, *_ = envs.step(("look", "look"))  # next-step autoreset: the command is not played
        assert all(text.startswith("-= Welcome") for text in observations)
    finally:
        envs.close()
