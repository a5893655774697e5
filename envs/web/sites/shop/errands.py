"""What a task in the shop is made of: words for the agent, steps that do it, and the judge.

The state that is wanted is the initial state after the steps. A task is done when the state found is the one wanted, so
whatever else has changed counts against it. What can be undone may be undone; an order that should not be there cannot.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from selfgym.envs.web.sites.answers import Answer
from selfgym.envs.web.sites.shop.catalogue import Catalogue, Product
from selfgym.envs.web.sites.shop.goals import Goal, reward
from selfgym.envs.web.sites.shop.state import Line, State
from selfgym.envs.web.sites.shop.store import Store
from selfgym.envs.web.sites.site import Verdict

Thing = TypeVar("Thing")
_TRIES = 300
"""Draws from a large pool before all of it is looked at."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One task before it is tied to a running shop."""

    text: str
    """What to do, in words for the agent."""
    steps: Callable[[Store], object] | None = None
    """Does it; ``None`` where nothing should change."""
    answer: Answer | None = None
    """What has to be answered, if anything."""
    free: bool = False
    """Whether options are the agent's to choose."""
    goal: Goal | None = None
    """Where WebShop's reward is the judge."""


@dataclass(frozen=True, slots=True)
class World:
    """What a kind draws from. The store has the initial state, which nobody may change."""

    store: Store
    rng: random.Random
    pool: Sequence[Product]
    """The products of the seed's split."""

    @property
    def start(self) -> State:
        """The initial state."""
        return self.store.state

    @property
    def catalogue(self) -> Catalogue:
        """All products."""
        return self.store.catalogue

    def any(self, fits: Callable[[Product], object] = lambda product: True) -> Product:
        """A product of the split for which ``fits`` is true. Raises `LookupError`."""
        for _ in range(_TRIES):
            product = self.rng.choice(self.pool)
            if fits(product):
                return product
        return self.pick(self.pool, fits)

    def pick(self, of: Iterable[Thing], fits: Callable[[Thing], object] = lambda one: True) -> Thing:
        """One of these for which ``fits`` is true. Raises `LookupError`."""
        fitting = [one for one in of if fits(one)]
        if not fitting:
            raise LookupError("the data has nothing that such a task could be about")
        return self.rng.choice(fitting)

    def options(self, product: Product) -> dict[str, str]:
        """Some values for its options."""
        return {name: self.rng.choice(list(values)) for name, values in product.options.items()}

    def title(self, line: Line) -> str:
        """The title of a line's product."""
        return self.catalogue.by_id[line.product].title


Kind = Callable[[World], Errand]
"""Draws one task of a kind."""


def in_turn(*steps: Callable[[Store], object]) -> Callable[[Store], None]:
    """Several steps as one."""

    def all_of_them(store: Store) -> None:
        for step in steps:
            step(store)

    return all_of_them


def said(product: Product, options: Mapping[str, str]) -> str:
    """A product and its options, in words."""
    chosen = " and ".join(f"{name} {value}" for name, value in options.items())
    return f'"{product.title}"' + (f" with {chosen}" if chosen else "")


def judge(errand: Errand, start: State, wanted: State, store: Store, answer: str | None) -> Verdict:
    """How an errand stands."""
    if errand.goal is not None:
        return _judge_purchase(errand.goal, start, store, answer)
    due, found = _compared(wanted, errand.free), _compared(store.state, errand.free)
    wrong = "; ".join(f"{part} should be {due[part]}, not {found[part]}" for part in due if due[part] != found[part])
    if wrong:
        lost = _lost(_compared(start, errand.free)["orders"], due["orders"], found["orders"])
        return Verdict(done=lost or answer is not None, reason=wrong)
    if errand.answer is None:
        return Verdict(1.0, done=True)
    if answer is None:
        return Verdict(reason="no answer has been given")
    if not errand.answer.fits(answer):
        return Verdict(done=True, reason=f"the answer is {answer!r}, not {errand.answer}")
    return Verdict(1.0, done=True)


def _judge_purchase(goal: Goal, start: State, store: Store, answer: str | None) -> Verdict:
    """The episode ends with the first purchase; the reward is shared among all things in it."""
    if len(store.state.orders) == len(start.orders):
        return Verdict(done=answer is not None, reason="nothing was bought")
    lines = store.state.orders[len(start.orders)].lines
    best = max(reward(goal, store.catalogue.by_id[line.product], line.options) for line in lines)
    score = best / sum(line.quantity for line in lines)
    if score == 1.0:
        return Verdict(1.0, done=True)
    titles = ", ".join(f"{line.quantity} of {line.product}" for line in lines)
    return Verdict(score, done=True, reason=f"bought {titles}; asked for something like {goal.product.id}")


def _compared(state: State, free: bool) -> dict[str, Any]:
    """What counts of a state: no times, no order among things, and no prices, which follow from the rest."""
    told = state.model_dump(exclude={"clock"})
    for line in (*told["cart"], *(line for order in told["orders"] for line in order["lines"])):
        if free:
            line["options"] = {}
    told["cart"].sort(key=repr)
    told["wishes"].sort()
    told["reviews"].sort(key=repr)
    for order in told["orders"]:
        del order["placed"], order["total"]
        order["lines"].sort(key=repr)
    return told


def _lost(start: Sequence[object], due: Sequence[object], found: Sequence[object]) -> bool:
    """Whether an order is neither as it should be nor as it was."""
    return any(order not in (*start[place : place + 1], *due[place : place + 1]) for place, order in enumerate(found))
