"""All scenarios, and the task that a seed names."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache, lru_cache

from selfgym.envs.apps.evaluate import evaluate
from selfgym.envs.apps.scenarios.scenario import SPLITS, VARIANTS, Draw, Scenario, Task, UnfitWorldError
from selfgym.envs.apps.world import World, make_world

FAMILIES = ("mail", "people", "planning", "papers", "money", "songs", "travel", "leisure")
"""The modules of this folder that hold scenarios."""
_ATTEMPTS = 60
_WORLDS = 2**32


@dataclass(frozen=True)
class Assignment:
    """A task with where it comes from."""

    scenario: Scenario
    variant: int
    world: World
    task: Task
    number: int
    """Which of the scenario's chains this is."""

    @property
    def id(self) -> str:
        """A name for records: scenario, chain and variant."""
        return f"{self.scenario.name}/{self.number}/{self.variant}"


@cache
def all_scenarios() -> tuple[Scenario, ...]:
    """Every scenario, in the order of the files."""
    found: list[Scenario] = []
    for family in FAMILIES:
        module = importlib.import_module(f"selfgym.envs.apps.scenarios.{family}")
        found += [one for one in vars(module).values() if isinstance(one, Scenario)]
    return tuple(found)


def chosen(split: str, level: int | None = None, name: str | None = None) -> tuple[Scenario, ...]:
    """The scenarios of a split, of one level or name (or several, with commas between) if given, in the order of the
    files. Raises `ValueError` where there are none, or none of a name."""
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}: choose {', '.join(SPLITS)}")
    wished = None if name is None else {one.strip() for one in name.split(",")}
    found = tuple(
        one
        for one in all_scenarios()
        if one.split == split and level in (None, one.level) and (wished is None or one.name in wished)
    )
    missing = sorted((wished or set()) - {one.name for one in found})
    if missing or not found:
        wanted = f"name {missing[0]!r}" if missing else f"level {level}"
        names = ", ".join(one.name for one in all_scenarios() if one.split == split)
        raise ValueError(f"the split {split!r} has no scenario of {wanted}. Levels: 1, 2, 3; names: {names}")
    return found


def assigned(scenarios: tuple[Scenario, ...], seed: int) -> Assignment:
    """The task of ``seed``: 3k, 3k + 1 and 3k + 2 are one chain, and the next chain is of the next scenario."""
    chain, variant = divmod(seed, VARIANTS)
    number, position = divmod(chain, len(scenarios))
    return make_task(scenarios[position], number, variant)


@lru_cache(maxsize=256)
def make_task(scenario: Scenario, number: int, variant: int) -> Assignment:
    """Variant ``variant`` of chain ``number`` of a scenario, in the first world that has enough for all variants.

    Enough is: three different tasks, none of which is done by doing nothing.
    """
    for attempt in range(_ATTEMPTS):
        world = make_world(_world_seed(scenario.split, number, attempt))
        seed = f"{scenario.name} {number} {attempt}"
        try:
            tasks = [scenario.build(Draw(world, seed, one)) for one in range(VARIANTS)]
        except UnfitWorldError:
            continue
        if len({task.text for task in tasks}) == VARIANTS and not any(map(_is_done_already, tasks)):
            return Assignment(scenario, variant, world, tasks[variant], number)
    raise RuntimeError(f"no world in {_ATTEMPTS} has enough for the scenario {scenario.name}")


def _is_done_already(task: Task) -> bool:
    return all(passed for _, passed in evaluate(task.expected, task.answer, {}, None))


def _world_seed(split: str, number: int, attempt: int) -> int:
    """Worlds are shared by the scenarios of a split, and by no two splits."""
    return ((number * _ATTEMPTS + attempt) * len(SPLITS) + SPLITS.index(split)) % _WORLDS
