"""The scripted experts of MiniWoB++, each played through the surfer in a real browser."""

from collections.abc import Iterator

import pytest

from selfgym.agents.surfer import SurferAgent
from selfgym.envs.core import Outcome
from selfgym.envs.web.miniwob.env import MiniWobEnv, chosen
from selfgym.envs.web.miniwob.experts.registry import experts
from selfgym.memory.episode import Source

KNOWN = sorted(experts())


@pytest.fixture(scope="module")
def env() -> Iterator[MiniWobEnv]:
    for package in ("playwright", "miniwob"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install 'selfgym[web]'")
    from selfgym.envs.web.finding import BrowserUnavailable

    env = MiniWobEnv(max_steps=60)
    try:
        env.reset(seed=0)
    except BrowserUnavailable as missing:
        pytest.skip(str(missing))
    yield env
    env.close()


def test_a_hundred_tasks_have_an_expert():
    assert len(KNOWN) >= 100


def test_every_expert_is_of_a_page(env):
    assert set(KNOWN) <= set(chosen("all"))


@pytest.mark.parametrize("task", KNOWN)
def test_expert_solves_its_task(env, task):
    env.source.tasks = (task,)
    for seed in (100, 101):
        agent = SurferAgent()
        observation, info = env.reset(seed=seed)
        agent.begin(env)
        while info["outcome"] is Outcome.RUNNING:
            decision = agent.act(observation, info)
            assert decision.source is Source.TEACHER
            observation, *_, info = env.step(decision.action)
        assert info["outcome"] is Outcome.SUCCESS, f"seed {seed}: {info.get('reason')}\n{observation}"
