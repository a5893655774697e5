"""Gymnasium's environments in words, and what the base of all adapters promises, tried on them."""

import random

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import DependencyNotInstalled

import selfgym  # noqa: F401 - registers the ids
from selfgym.envs.adapters.gymnasium_text import GymnasiumEnv
from selfgym.envs.adapters.replayed import load
from selfgym.envs.adapters.words import plain, readable, sections, told
from selfgym.envs.core import SnapshotError

PLAYED = ("FrozenLake-v1", "Taxi-v4", "Blackjack-v1", "CliffWalking-v1", "CartPole-v1")


class Echo(gymnasium.Env):
    """Say back what is said."""

    def __init__(self, fails_at=99, changes=False):
        self.observation_space = spaces.Dict({"said": spaces.Text(500), "count": spaces.Discrete(1000)})
        self.action_space = spaces.Text(20, charset="abc ")
        self.fails_at, self.changes, self.begun = fails_at, changes, 0

    def reset(self, *, seed=None, options=None):
        self.count, self.begun = 0, self.begun + 1
        return {"said": "", "count": 0}, {}

    def step(self, action):
        self.count += 1
        if self.count >= self.fails_at:
            raise RuntimeError("the echo is broken")
        said = f"{action} {self.begun}" if self.changes else action
        return {"said": said, "count": self.count}, float(action == "abc"), action == "abc", False, {}


class Numbers(gymnasium.Env):
    """Actions of several parts."""

    observation_space = spaces.Box(0, 1, (2,))
    action_space = spaces.Dict({"which": spaces.Discrete(3), "how": spaces.Box(0, 1, (2,))})

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return action["how"], 0.0, False, False, {}


class Picture(gymnasium.Env):
    """Nothing but a picture."""

    observation_space, action_space = spaces.Box(0, 255, (64, 64, 3), np.uint8), spaces.Discrete(2)


@pytest.fixture(scope="module", autouse=True)
def registered():
    for one in (Echo, Numbers, Picture):
        gymnasium.register(f"test/{one.__name__}-v0", one)
    yield
    for one in (Echo, Numbers, Picture):
        del gymnasium.registry[f"test/{one.__name__}-v0"]


@pytest.mark.parametrize("name", PLAYED)
def test_what_ships_with_gymnasium_is_played_at_random(name):
    env, rng, ends = GymnasiumEnv(name), random.Random(0), set()
    for seed in range(20):
        observation, info = env.reset(seed=seed)
        assert f"Task: {info['task']}" in observation
        assert not any(command.isdigit() for command in info["admissible_commands"])
        while info["outcome"] == "running":
            *_, info = env.step(rng.choice(info["admissible_commands"]))
        ends.add(info["outcome"].value)
    assert ends <= {"success", "failure", "truncated"}


def test_episodes_are_those_of_the_environment_itself():
    env, inner = GymnasiumEnv("Taxi-v4"), gymnasium.make("Taxi-v4")
    _, info = env.reset(seed=4)
    inner.reset(seed=4)
    for action in [0, 1, 2, 3, 4, 5] * 10:
        said, reward, terminated, truncated, _ = env.step(info["admissible_commands"][action])
        state, expected, *ends, _ = inner.step(action)
        assert said.endswith(f"Observation: {state}")
        assert (reward, [terminated, truncated]) == (expected, ends)


def test_a_shortest_walk_is_a_success_and_a_hole_is_a_failure():
    lake = GymnasiumEnv("FrozenLake-v1", is_slippery=False, actions=["left", "down", "right", "up"])
    for walk, outcome in (("down down right right down right", "success"), ("right down", "failure")):
        lake.reset(seed=0)
        *_, info = [lake.step(way) for way in walk.split()][-1]
        assert info["outcome"] == outcome
    cliff = GymnasiumEnv("CliffWalking-v1")
    cliff.reset(seed=0)
    for way in ["move up", *["move right"] * 11, "move down"]:
        *_, info = cliff.step(way)
    assert (info["outcome"], info["return"]) == ("success", -13.0)


def test_where_colours_were_is_told():
    env = GymnasiumEnv("FrozenLake-v1", is_slippery=False)
    env.reset(seed=0)
    assert "Marked: 'F' (red) in line 3, column 1." in env.step("move down")[0]
    assert plain("no colour") == "no colour"


def test_text_is_passed_on_as_it_is():
    env = GymnasiumEnv("test/Echo-v0", task="Say abc.")
    observation, info = env.reset(seed=0)
    assert info["task"] == "Say abc."
    assert env.step("a b")[0] == "said: a b\ncount: 1"
    observation, _, _, _, info = env.step("xyz")
    assert info["action_error"].startswith("This is no action of Text")
    assert observation.endswith("said: a b\ncount: 1")
    assert env.step({"name": "do", "arguments": {"command": "abc"}})[4]["outcome"] == "success"


def test_other_spaces_are_written_as_json():
    env = GymnasiumEnv("test/Numbers-v0")
    env.reset(seed=0)
    assert env.step('{"which": 2, "how": [0.25, 1]}')[0] == "[0.25, 1]"
    for wrong in ('{"which": 2}', '{"which": 7, "how": [0, 0]}', "[", '{"which": 1, "how": ["a", 0]}', "nothing"):
        assert env.step(wrong)[4]["action_error"]


def test_what_breaks_on_the_other_side_is_no_failure_of_the_agent():
    env = GymnasiumEnv("test/Echo-v0", fails_at=2)
    env.reset(seed=0)
    env.step("a")
    observation, reward, terminated, truncated, info = env.step("abc")
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, True, "env_error")
    assert "RuntimeError: the echo is broken" in observation
    assert env.restore(env.snapshot())[1] == info
    assert env.reset(seed=1)[1]["outcome"] == "running"


def test_a_world_that_changes_is_noticed():
    env = GymnasiumEnv("test/Echo-v0", changes=True)
    env.reset(seed=0)
    env.step("a")
    kept = env.snapshot()
    env.reset(seed=1)
    with pytest.raises(SnapshotError, match="what is seen differs from that of then after command 1"):
        env.restore(kept)


def test_a_snapshot_of_other_settings_is_refused():
    kept = GymnasiumEnv("FrozenLake-v1", is_slippery=False)
    kept.reset(seed=0)
    other = GymnasiumEnv("FrozenLake-v1", is_slippery=True)
    with pytest.raises(SnapshotError, match="the snapshot is of version"):
        other.restore(kept.snapshot())


def test_what_goes_on_is_not_begun_again():
    env = GymnasiumEnv("test/Echo-v0")
    env.reset(seed=0)
    env.step("a")
    early = env.snapshot()
    env.step("b")
    late = env.snapshot()
    env.restore(early)
    begun = env._inner.unwrapped.begun
    assert env.restore(late)[0] == "said: b\ncount: 2"
    assert env._inner.unwrapped.begun == begun
    env.restore(early)
    assert env._inner.unwrapped.begun == begun + 1


def test_long_texts_are_cut():
    env = GymnasiumEnv("test/Echo-v0")
    env._most = 12
    env.reset(seed=0)
    assert env.step("abcabcabc")[0] == "said: ab ..."


def test_wrong_options_are_refused():
    for options, words in (
        ({"env": "FrozenLak-v1"}, "Did you mean 'FrozenLake-v1'"),
        ({"env": "Taxi-v4", "actions": ["go"]}, "has 6 actions"),
        ({"env": "test/Echo-v0", "actions": ["go"]}, "no numbered actions"),
        ({"env": "test/Picture-v0"}, "cannot be told in words"),
        ({"env": "Taxi-v4", "max_steps": 0}, "at least 1"),
        ({"env": "Taxi-v4", "render_mode": "human"}, "unknown render_mode"),
    ):
        with pytest.raises(ValueError, match=words):
            GymnasiumEnv(**options)
    with pytest.raises(DependencyNotInstalled, match="pip install nothing-of-the-kind"):
        load("nothing_of_the_kind", "nothing-of-the-kind")


def test_spaces_and_documentation_are_read():
    assert readable(spaces.Tuple([spaces.Discrete(2), spaces.Sequence(spaces.Text(3))]))
    assert told((np.float32(0.5), [np.True_, 3], "x")) == "(0.5, [True, 3], x)"
    assert sections("First.\n\n  ## Action Space\n  - 0: Go\n")["action space"] == "- 0: Go"
    assert sections(None) == {"": ""}
