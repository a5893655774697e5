"""Text spaces: any string goes through every kind of Gymnasium vector environment and comes out the same."""

import copy
import json

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.spaces.utils import flatten, flatten_space, unflatten
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.vector.utils import create_empty_array
from hypothesis import given
from hypothesis import strategies as st

from selfgym.envs.spaces import UnicodeText

LONG = 200
HARD = [
    "",
    "_",
    "plain",
    "naïve ✓ \U0001f600",
    "\x00\x01\x7f\x80",
    "\ud800 alone",
    "\U0010ffff",
    "tab\tnew\nline ",
    "a" * LONG,
]


class Echo(gymnasium.Env):
    """Says what it was told, in a Dict beside an image, and in plain text."""

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, nested: bool = False):
        self.action_space = UnicodeText(LONG)
        self.nested = nested
        text = UnicodeText(LONG)
        self.observation_space = spaces.Dict({"text": text, "n": spaces.Discrete(9)}) if nested else text

    def _observe(self, text):
        return {"text": text, "n": len(text) % 9} if self.nested else text

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._observe("ready ✓"), {}

    def step(self, action):
        return self._observe(action), 0.0, action == "end", False, {"told": json.dumps(action)}


@pytest.mark.parametrize("text", HARD)
def test_hard_strings_are_contained_and_survive_flattening(text):
    space = UnicodeText(LONG)
    assert space.contains(text)
    flat = flatten(space, text)
    assert flatten_space(space).contains(flat)
    assert unflatten(space, flat) == text


@given(st.text(st.characters(exclude_categories=()), max_size=LONG))
def test_every_string_survives_flattening(text):
    space = UnicodeText(LONG)
    assert text in space
    assert unflatten(space, flatten(space, text)) == text


def test_what_is_not_contained():
    space = UnicodeText(3)
    for thing in ("four", b"abc", 3, None, ["a"], np.zeros(3, np.int32)):
        assert not space.contains(thing)


def test_samples_are_contained_printable_and_seeded():
    first, second = UnicodeText(50, seed=1), UnicodeText(50, seed=1)
    samples = [first.sample() for _ in range(50)]
    assert samples == [second.sample() for _ in range(50)]
    assert all(sample in first and sample.isprintable() for sample in samples)
    assert len(set(samples)) > 40


def test_spaces_are_equal_when_they_hold_the_same_strings():
    assert UnicodeText(5) == UnicodeText(5) == copy.deepcopy(UnicodeText(5))
    assert UnicodeText(5) != UnicodeText(6)
    assert UnicodeText(5) != spaces.Text(5, min_length=0, charset="".join(map(chr, range(32, 127))))
    assert create_empty_array(UnicodeText(5), n=2) == ("", "")
    assert repr(UnicodeText(5)) == "UnicodeText(5)"


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("kind", ["sync", "async", "async without shared memory"])
def test_text_goes_through_vector_environments(kind, nested):
    makers = [lambda: Echo(nested)] * 2
    envs = SyncVectorEnv(makers) if kind == "sync" else AsyncVectorEnv(makers, shared_memory=kind == "async")
    try:
        observations, _ = envs.reset(seed=1)
        texts = (lambda seen: seen["text"]) if nested else (lambda seen: seen)
        assert tuple(texts(observations)) == ("ready ✓", "ready ✓")
        kept = []
        for first, second in zip(HARD, reversed(HARD), strict=True):
            observations, _, _, _, infos = envs.step((first, second))
            assert tuple(texts(observations)) == (first, second)
            assert [json.loads(told) for told in infos["told"]] == [first, second]
            assert observations in envs.observation_space
            kept.append(observations)
        assert [tuple(texts(seen)) for seen in kept] == list(zip(HARD, reversed(HARD), strict=True))
    finally:
        envs.close()


def test_a_text_environment_passes_the_checker_and_can_be_flattened():
    from gymnasium.utils.env_checker import check_env
    from gymnasium.wrappers import FlattenObservation

    check_env(Echo(), skip_render_check=True)
    env = FlattenObservation(Echo(nested=True))
    observation, _ = env.reset(seed=1)
    assert env.observation_space.contains(observation)
