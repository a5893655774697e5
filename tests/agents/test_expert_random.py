"""The expert and the random agent, as a rollout meets them."""

import copy
from functools import partial

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the environments)
from selfgym.agents.agent import find_agent
from selfgym.agents.expert import ExpertAgent
from selfgym.agents.random import RandomAgent
from selfgym.agents.rollout import Job, rollout
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Source

RECORD = {"env": "selfgym/Household-v0"}


def tiny() -> gymnasium.Env[str, str]:
    return gymnasium.make("selfgym/Household-v0", size="tiny").unwrapped


def played(agent: object, *, seed: int = 0, prefix: tuple[str, ...] = ()) -> Episode:
    job = Job("episode", tiny, lambda: agent, seed=seed, prefix=prefix, record=RECORD)  # type: ignore[arg-type, return-value]
    return next(episode for _, episode in rollout([job]))


@pytest.mark.parametrize("kind", ["explorer", "oracle"])
def test_experts_succeed_as_teachers(kind: str) -> None:
    agent = find_agent("expert")(kind=kind)
    for seed in range(12):
        episode = played(agent, seed=seed)
        assert episode.outcome is Outcome.SUCCESS
        assert all(step.source is Source.TEACHER and step.valid for step in episode.steps)


def test_the_oracle_is_never_slower() -> None:
    for seed in range(12):
        assert len(played(ExpertAgent("oracle"), seed=seed).steps) <= len(played(ExpertAgent(), seed=seed).steps)


def test_the_explorer_takes_over_after_a_bad_prefix() -> None:
    for seed in range(12):
        bad = tuple(step.action for step in played(RandomAgent(seed), seed=seed).steps[:9])
        episode = played(ExpertAgent(), seed=seed, prefix=bad)
        assert [step.action for step in episode.steps[:9]] == list(bad)
        assert all(step.source is Source.INJECTED and not step.trainable for step in episode.steps[: len(bad)])
        assert episode.outcome is Outcome.SUCCESS


def test_a_new_intro_begins_a_new_episode_without_begin() -> None:
    agent, env = ExpertAgent(), tiny()
    for seed in range(3):
        observation, info = env.reset(seed=seed)
        terminated = truncated = False
        while not (terminated or truncated):
            observation, _, terminated, truncated, info = env.step(agent.act(observation, info).action)
        assert info["outcome"] is Outcome.SUCCESS


@pytest.mark.parametrize("make_agent", [ExpertAgent, partial(RandomAgent, 4)])
def test_a_fork_goes_its_own_way(make_agent: type[ExpertAgent]) -> None:
    agent, env = make_agent(), tiny()
    observation, info = env.reset(seed=3)
    agent.begin(env)
    env.step(getattr(first := agent.act(observation, info), "action", first))
    fork = copy.copy(agent)
    observation, _, _, _, info = env.step("look")
    expected = fork.act(observation, info)
    fork.act("You are carrying: a mug 9.", info)
    assert agent.act(observation, info) == expected


def test_experts_say_what_they_need() -> None:
    with pytest.raises(ValueError, match="choose one of explorer, oracle"):
        ExpertAgent("wizard")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="call begin"):
        ExpertAgent("oracle").act("", {})


def test_random_play_repeats_with_its_seed_and_differs_without() -> None:
    def actions(seed: int) -> list[str]:
        return [step.action for step in played(RandomAgent(seed)).steps]

    assert actions(1) == actions(1)
    assert actions(1) != actions(2)


def test_random_samples_the_space_where_no_commands_are_shown() -> None:
    class Space:
        action_space = gymnasium.spaces.Discrete(1000)

    one, other = RandomAgent(1), RandomAgent(1)
    with pytest.raises(ValueError, match="begin"):
        one.act(None, {})
    one.begin(Space)
    other.begin(Space)
    drawn = [one.act(None, {}) for _ in range(5)]
    assert drawn == [other.act(None, {}) for _ in range(5)]
    assert len(set(drawn)) > 1
