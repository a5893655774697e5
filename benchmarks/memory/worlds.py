"""Where and by whom `selfgym bench memory` is played."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

from selfgym.agents.agent import Agent
from selfgym.agents.mender import MenderAgent
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
_REPAIRS = {"kind": "repair", "max_steps": 300}
CODE = World(
    "selfgym/Code-v0",
    {"practice": _REPAIRS | {"split": "train"}, "held-out": _REPAIRS | {"split": "test"}},
)
"""Bugs in packages; those held out are in other packages."""
WORLDS = {"household": HOUSEHOLD, "code": CODE}
_SEARCHES = (
    ("surfaces first", "take from drawer: never works. take from cabinet: never works."),
    ("containers first", "take from countertop: never works. take from shelf: never works."),
    ("anything", "Look wherever you like."),
)
SETTINGS: dict[str, dict[str, Any]] = {"smart": {"strategies": _SEARCHES}}
"""Strategies in the small language that the pupil reads."""
NEURAL: dict[str, dict[str, Any]] = {"omnireflect": {"reflector": "neural"}}
"""With a writer: methods whose default leaves it out."""


def plan(
    world: str = "household", *, competence: float = 0.9, tries: int = 40, model: str | None = None,
    writer: str | None = None, **numbers: Any,
) -> Plan:  # fmt: skip
    """One of `WORLDS`, played by the scripted learner that knows it, or by a ``model``.

    Args:
        world: ``household`` or ``code``.
        competence: of the pupil in a household: the share of steps in which it does what it means to.
        tries: of the mender: how many changes it tries in a program.
        model: for `selfgym.agents.policies.load.load_policy`; in a household it picks among the admissible commands.
        writer: likewise: who writes the lessons; rules do where it is None.
        numbers: of `Plan`.
    """
    if world not in WORLDS:
        raise ValueError(f"there is no world {world!r}: choose {' or '.join(WORLDS)}")
    learner = partial(_pupil, competence) if world == "household" else partial(_mender, tries)
    return Plan(
        WORLDS[world],
        learner if model is None else partial(_reader, model, world == "household"),
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


def _mender(tries: int, experiment: int, seed: int, id: str) -> Agent:
    return MenderAgent(seed=1_000_003 * experiment + seed, most=tries)


def _reader(model: str, restrict: bool, experiment: int, seed: int, id: str) -> Agent:
    return ReactAgent(loaded(model), seed=1_000_003 * experiment + seed, key=id, restrict=restrict)
