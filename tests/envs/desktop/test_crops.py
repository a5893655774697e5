"""Crops: that they are where something is, and that their points are found again on the screen."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

pytest.importorskip("PIL")

from selfgym.envs.core import Outcome
from selfgym.envs.desktop.crops import CroppedEnv, find_crops


def cropped(**options):
    made = gymnasium.make("selfgym/MiniDesktop-v0", task="files-delete", observe=("tree", "pixels"))
    return CroppedEnv(made, **options)


def noise(height, width, rng):
    return rng.integers(0, 2, (height, width, 1), np.uint8) * np.uint8(255) * np.ones(3, np.uint8)


def test_crops_lie_where_edges_are():
    rng = np.random.default_rng(0)
    picture = np.full((480, 640, 3), 90, np.uint8)
    picture[100:180, 400:500] = noise(80, 100, rng)
    crops, share = find_crops(picture, 8)
    assert crops
    assert share > 0.9
    for crop in crops:
        part = picture[crop.y : crop.y + crop.side, crop.x : crop.x + crop.side]
        assert len(np.unique(part)) > 1
    assert find_crops(np.zeros((480, 640, 3), np.uint8), 8) == ([], 1.0)


def test_where_there_are_too_many_those_with_most_edges_are_kept():
    rng = np.random.default_rng(0)
    picture = np.full((480, 960, 3), 90, np.uint8)
    picture[:96, :96] = noise(96, 96, rng)
    picture[288:384, 480:528] = noise(96, 48, rng)
    every, _ = find_crops(picture, 9)
    one, share = find_crops(picture, 1)
    assert len(every) > 1
    assert one == [max(every, key=lambda crop: crop.edges)]
    assert 0.5 < share < 1


def test_an_element_seen_in_a_crop_is_clicked_on_the_screen():
    env = cropped()
    env.reset(seed=3)
    x, y, width, height = next(node.box for node in env.nodes() if node.name == "Settings")
    middle = (x + width // 2, y + height // 2)
    number, crop = next(
        (number, crop)
        for number, crop in enumerate(env.crops)
        if crop.x <= middle[0] < crop.x + crop.side and crop.y <= middle[1] < crop.y + crop.side
    )
    seen = [(at - begin) * env.size / crop.side for at, begin in zip(middle, crop[:2], strict=True)]
    on_screen = env.on_screen(number, *seen)
    assert max(abs(a - b) for a, b in zip(on_screen, middle, strict=True)) <= 1
    *_, info = env.step(f"click{on_screen}")
    assert info["window"] == "Settings"
    with pytest.raises(IndexError):
        env.on_screen(99, 0, 0)


def test_observations_have_the_promised_form_and_come_back():
    env = cropped(most=4, size=64)
    observation, info = env.reset(seed=3)
    assert env.observation_space.contains(observation)
    assert set(observation) == {"tree", "thumbnail", "crops", "boxes"}
    assert 0 < info["edges_in_crops"] <= 1
    snapshot = env.snapshot()
    observation, *_ = env.step("click(27, 704)")
    assert env.observation_space.contains(observation)
    assert info["outcome"] is Outcome.RUNNING
    again, _ = env.restore(snapshot)
    assert not np.array_equal(again["thumbnail"], observation["thumbnail"])
    check_env(env, skip_render_check=True)


def test_only_a_world_that_shows_pixels_can_be_cropped():
    with pytest.raises(TypeError, match="pixels"):
        CroppedEnv(gymnasium.make("selfgym/MiniDesktop-v0"))
