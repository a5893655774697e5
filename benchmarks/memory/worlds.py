"""Where and by whom `selfgym bench memory` is played."""

from __future__ import annotations

from functools import partial
from typing import Any

from selfgym.agents.agent import Agent
from selfgym.agents.policies.load import load_policy
from selfgym.agents.policies.policy import Policy
from selfgym.agents.pupil import PupilAgent
from selfgym.agents.react import ReactAgent
from selfgym.benchmarks.memory.protocol import Plan, World

_HOUSE = {"size": "medium", "max_steps": 20}
HOUSEHOLD = World(
    "selfgym/Household-v0",
    {
        "practice": _HOUSE | {"split": "train"},
        "held-out": _HOUSE | {"split": "test"},
        "transfer": {"size": "large", "max_steps": 40, "split": "test"},
    },
)
"""Practice and held-out households share no layout; the transfer ones have twice as many places."""
_SEARCHES = (
    ("surfaces first", "take from drawer: never works. take from cabinet: never works."),
    ("containers first", "take from countertop: never works. take from shelf: never works."),
    ("anything", "Look wherever you like."),
)
SETTINGS: dict[str, dict[str, Any]] = {"smart": {"strategies": _SEARCHES}}
"""Strategies in the small language that the pupil reads."""


def pupil_plan(competence: float = 0.9, **numbers: Any) -> Plan:
    """The scripted pupil, which does what it means to in this share of steps."""
    return Plan(HOUSEHOLD, partial(_pupil, competence), settings=SETTINGS, **numbers)


def _pupil(competence: float, experiment: int, seed: int, id: str) -> Agent:
    return PupilAgent(seed=1_000_003 * experiment + seed, competence=competence)


def model_plan(model: str, *, writes: bool = False, **numbers: Any) -> Plan:
    """A language model that picks one of the admissible commands; with ``writes`` it writes the lessons too."""
    asked = _Asked(model)
    return Plan(HOUSEHOLD, asked.agent, policy=asked.policy, writes=writes, settings=SETTINGS, **numbers)


class _Asked:
    """Loads a model once a process."""

    def __init__(self, model: str) -> None:
        self.model = model
        self._policy: Policy | None = None

    def policy(self) -> Policy:
        if self._policy is None:
            self._policy = load_policy(self.model)
        return self._policy

    def agent(self, experiment: int, seed: int, id: str) -> Agent:
        return ReactAgent(
            self.policy(), seed=1_000_003 * experiment + seed, key=id, restrict=True, show_admissible=False
        )
