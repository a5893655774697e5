"""Somebody who plays for the admission ladder: the tasks of a check, with the items in question shown.

`selfgym.memory.verify` knows of no agents; it is handed a `Play`, and this makes one of any agent. Whatever is shown is
shown whole, without search and without withholding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import gymnasium

from selfgym.agents.agent import Agent
from selfgym.agents.policies.policy import Policy
from selfgym.agents.remembering import Recall, RememberingAgent
from selfgym.agents.rollout import Job, play_all
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.episode import Episode
from selfgym.memory.item import Check, Item
from selfgym.memory.verify import Trial
from selfgym.memory.views import plain_line, quoted


@dataclass
class Player:
    """Plays the tasks of checks: a `selfgym.memory.verify.Play`."""

    agent: Callable[[int], Agent]
    """(seed of the task) -> who plays it."""
    run: str
    """The episodes are called ``RUN/prove/NUMBER``."""
    policy: Policy | None = None
    sandbox: Sandbox | None = None
    budget: int = 2000
    """Tokens of what is shown."""
    log: Callable[[Episode], None] | None = None
    """Called with each episode, e.g. to store it."""
    played: int = 0
    """Episodes so far: what proving has cost."""

    def __call__(self, check: Check, items: Sequence[Item]) -> list[Trial]:
        """A trial for each seed of the check, in order."""
        text, ids = quoted("Notes", [(item.id, plain_line(item)) for item in items], self.budget)
        skills = tuple(item for item in items if item.code is not None)
        required = {
            one.id: tuple(other for other in skills if other.id in one.code.requires) for one in skills if one.code
        }
        recall = Recall(text, tuple(ids), skills, required)
        agents: dict[int, RememberingAgent] = {}
        jobs = []
        for number, seed in enumerate(check.seeds, self.played):
            name = f"{self.run}/prove/{number}"
            record = {
                "env": check.env, "env_options": check.env_options, "run": self.run, "phase": "prove",
                "task_id": f"{check.env}:{seed}",
            }  # fmt: skip
            agent = partial(self._agent, seed, recall, name, agents)
            jobs.append(Job(name, partial(_made, check), agent, seed, record=record))
        self.played += len(jobs)
        episodes = play_all(jobs, self.policy)
        if self.log is not None:
            for episode in episodes:
                self.log(episode)
        return [
            Trial(seed, episode.outcome, len(episode.steps), episode.id, _called(agents.get(seed)))
            for seed, episode in zip(check.seeds, episodes, strict=True)
        ]

    def _agent(self, seed: int, recall: Recall, name: str, agents: dict[int, RememberingAgent]) -> RememberingAgent:
        """Who plays a task, kept in ``agents`` to be asked afterwards what it called."""
        agents[seed] = RememberingAgent(self.agent(seed), partial(_always, recall), episode=name, sandbox=self.sandbox)
        return agents[seed]


def _made(check: Check) -> object:
    return gymnasium.make(check.env, **check.env_options).unwrapped


def _always(recall: Recall, goal: str, episode: str) -> Recall:
    return recall


def _called(agent: RememberingAgent | None) -> bool:
    return agent is not None and bool(agent.called)
