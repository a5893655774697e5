"""Where and by whom `selfgym bench memory` is played."""

from __future__ import annotations

from functools import lru_cache, partial
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
NEURAL: dict[str, dict[str, Any]] = {"omnireflect": {"reflector": "neural"}}
"""With a writer: methods whose default leaves it out."""


def plan(competence: float = 0.9, *, model: str | None = None, writer: str | None = None, **numbers: Any) -> Plan:
    """Households, played by the scripted pupil, or by a ``model`` that picks among the admissible commands.

    Args:
        competence: of the pupil: the share of steps in which it does what it means to.
        model: for `selfgym.agents.policies.load.load_policy`.
        writer: likewise: who writes the lessons; rules do where it is None.
        numbers: of `Plan`.
    """
    return Plan(
        HOUSEHOLD,
        partial(_pupil, competence) if model is None else partial(_reader, model),
        settings=SETTINGS if writer is None else SETTINGS | NEURAL,
        policy=None if model is None else partial(loaded, model),
        writer=None if writer is None else partial(loaded, writer),
        **numbers,
    )


@lru_cache(maxsize=2)
def loaded(model: str) -> Policy:
    """The model, loaded once a process."""
    return load_policy(model)


def _pupil(competence: float, experiment: int, seed: int, id: str) -> Agent:
    return PupilAgent(seed=1_000_003 * experiment + seed, competence=competence)


def _reader(model: str, experiment: int, seed: int, id: str) -> Agent:
    return ReactAgent(loaded(model), seed=1_000_003 * experiment + seed, key=id, restrict=True)
