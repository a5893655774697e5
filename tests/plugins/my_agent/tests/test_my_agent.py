"""my_agent plays: it is found by its name, gives only commands that are possible, and follows its seed."""

from functools import partial

import gymnasium

from selfgym.agents.agent import find_agent
from selfgym.agents.rollout import Job, rollout


def make():
    return gymnasium.make("selfgym:selfgym/Household-v0", size="tiny", max_steps=20).unwrapped


def play(seeds):
    """An episode of each seed, in order."""
    agent = find_agent("my_agent")
    jobs = [Job(f"my_agent/{seed}", make, partial(agent, seed=seed), seed) for seed in seeds]
    return [episode for _, episode in sorted(rollout(jobs))]


def test_it_plays_without_an_error():
    for episode in play(range(8)):
        assert not episode.outcome.is_error, episode.error
        assert all(step.valid for step in episode.steps)


def test_the_same_seed_gives_the_same_actions():
    first, again = ([step.action for episode in play(range(3)) for step in episode.steps] for _ in range(2))
    assert first == again
