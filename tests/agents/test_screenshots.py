"""Pictures of the screen, kept with the steps of an episode."""

import base64
import io

import gymnasium
import numpy as np
from PIL import Image

from selfgym.agents.rollout import Job, play_all
from selfgym.agents.screenshots import shown
from selfgym.agents.typist import TypistAgent
from selfgym.agents.workers import EnvPool
from selfgym.envs.core import Outcome

OPTIONS = {"task": "settings-switch", "width": 640, "height": 400, "render_mode": "rgb_array"}


def desktop():
    return gymnasium.make("selfgym/MiniDesktop-v0", **OPTIONS).unwrapped


class Idle:
    def act(self, observation, info):
        return "wait(1)"


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def test_they_are_what_the_screen_showed_before_each_action_and_at_the_end():
    [episode] = play_all([Job("shown", desktop, TypistAgent, seed=3, screenshots=True)])
    assert episode.outcome is Outcome.SUCCESS
    env = desktop()
    env.reset(seed=3)
    for step in episode.steps:
        assert np.array_equal(pixels(step.info["screenshot"]), env.render())
        *_, info = env.step(step.action)
        assert step.info["pointer"] == [*info["pointer"]]
    assert np.array_equal(pixels(episode.info["screenshot"]), env.render())
    env.close()


def test_an_environment_in_another_process_gives_the_same():
    [played] = play_all([Job("played", desktop, TypistAgent, seed=3)])
    actions = tuple(step.action for step in played.steps)
    with EnvPool(desktop) as pool:
        jobs = [
            Job(make.__name__, make, Idle, seed=3, prefix=actions, screenshots=True) for make in (desktop, pool.lease)
        ]
        here, there = play_all(jobs)
    assert here.outcome is there.outcome is Outcome.SUCCESS
    assert [step.info for step in here.steps] == [step.info for step in there.steps]
    assert here.info == there.info


def test_none_are_kept_unless_asked_for():
    [episode] = play_all([Job("plain", desktop, TypistAgent, seed=3)])
    assert not episode.info
    assert not any("screenshot" in step.info or "pointer" in step.info for step in episode.steps)


def test_a_png_holds_every_pixel():
    drawn = np.random.default_rng(0).integers(0, 256, (7, 11, 3), dtype=np.uint8)
    assert np.array_equal(pixels(shown(drawn)["screenshot"]), drawn)
