"""Agents for the tests of the leaderboard, in a folder of their own so that worker processes can import them."""

from __future__ import annotations

from selfgym.agents.agent import Decision
from selfgym.agents.policies.policy import Prompt
from selfgym.agents.random import RandomAgent


class Halting(RandomAgent):
    """Raises in every episode whose seed is even."""

    def act(self, observation, info):
        if self.seed % 2 == 0:
            raise RuntimeError("no idea")
        return super().act(observation, info)


class Asking:
    """Asks a model twice a step."""

    def __init__(self, policy):
        self.policy = policy

    def act(self, observation, info):
        ids = tuple(self.policy.tokenizer.encode("go?"))
        first, _ = yield [Prompt(ids, max_new_tokens=4), Prompt(ids, max_new_tokens=4)]
        return Decision("look", "", ids, first.ids, first.logprobs, fresh=True)


class Telling(RandomAgent):
    """Asks somewhere else, and says so."""

    usage = {"calls": 3, "prompt_tokens": 100, "response_tokens": 10}  # noqa: RUF012


class Dying(RandomAgent):
    """Takes its process with it at seed 1."""

    def act(self, observation, info):
        if self.seed == 1:
            import os

            os._exit(3)
        return super().act(observation, info)


class Lucky:
    """Does what the expert does, but only in every second try."""

    def __init__(self, seed=0):
        from selfgym.agents.expert import ExpertAgent

        self.agent, self.idle = ExpertAgent(), (seed // 1_000_003) % 2

    def begin(self, env):
        self.agent.begin(env)

    def act(self, observation, info):
        return "look" if self.idle else self.agent.act(observation, info)
