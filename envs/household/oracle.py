"""Shortest plans: how few commands win from any state of a `World`, by someone who sees everything.

Every receptacle is one ``go to`` away from every other place, so a plan is settled by its *deeds* (take, move, heat,
cool, clean, use) in their order: between two deeds the agent walks if the next one is elsewhere and opens what is shut,
and nothing shorter can do the same deeds. `_plans` lists enough orders of deeds that a shortest one is among them:

* With one hand, an object is taken, treated and put down before the next is touched. What else is in hand must be put
  down first, once, anywhere; a wanted object in hand is never worth putting down, for its way to the goal starts here.
* A thing may be listed in several receptacles at once (a quirk of ALFWorld), so one that is still listed in the goal's
  receptacle wins the moment it is treated.
* Receptacles that agree in all that a plan can notice (where they stand relative to the places that matter, whether
  they are shut, which wanted things they hold) are interchangeable; one of each kind is tried.

Reads a world, never changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations

from selfgym.envs.household.game import members
from selfgym.envs.household.layout import TaskType
from selfgym.envs.household.world import World

Deed = tuple[str, int, int]
"""(verb, thing, receptacle) by number. The verb ``stand`` is no command: it only asks to be at the receptacle."""

_TREATMENT = {
    TaskType.CLEAN_AND_PLACE: "clean",
    TaskType.HEAT_AND_PLACE: "heat",
    TaskType.COOL_AND_PLACE: "cool",
}


class NoPlanError(ValueError):
    """From this state the goal cannot be reached any more, for example with a thing in hand that fits nowhere."""


def shortest_plan(world: World) -> list[str]:
    """A shortest list of commands that wins from the present state; empty if the goal holds already.

    Raises `NoPlanError` where no list of commands wins.
    """
    if world.won:
        return []
    best = min(_plans(world), key=lambda deeds: _length(world, deeds), default=None)
    if best is None:
        raise NoPlanError(f"the goal of {world.game.layout.name!r} cannot be reached from this state")
    return _commands(world, best)


def _length(world: World, deeds: Iterable[Deed]) -> int:
    """The number of commands that doing ``deeds`` in this order takes."""
    place_of, at, shut, number = world.game.place_of, world.at, world.closed, 0
    for verb, _, r in deeds:
        if place_of[r] != at:
            at = place_of[r]
            number += 1
        if verb in ("take", "move") and shut >> r & 1:
            shut ^= 1 << r
            number += 1
        number += verb != "stand"
    return number


def _commands(world: World, deeds: Iterable[Deed]) -> list[str]:
    game, at, shut, commands = world.game, world.at, world.closed, []
    for verb, i, r in deeds:
        thing, receptacle = game.thing_names[i], game.receptacle_names[r]
        if game.place_of[r] != at:
            at = game.place_of[r]
            commands.append(f"go to {receptacle}")
        if verb in ("take", "move") and shut >> r & 1:
            shut ^= 1 << r
            commands.append(f"open {receptacle}")
        if verb == "take":
            commands.append(f"take {thing} from {receptacle}")
        elif verb == "move" and game.dialect == "0.3":
            commands.append(f"put {thing} in/on {receptacle}")
        elif verb == "move":
            commands.append(f"move {thing} to {receptacle}")
        elif verb == "use":
            commands.append(f"use {thing}")
        elif verb != "stand":
            commands.append(f"{verb} {thing} with {receptacle}")
    return commands


def _plans(world: World) -> Iterator[list[Deed]]:
    """Orders of deeds that win, a shortest one among them."""
    kind = world.game.goal.kind
    if kind is TaskType.PICK_TWO:
        plans = _two(world)
    elif kind is TaskType.LOOK_AT_IN_LIGHT:
        plans = _look(world)
    else:
        plans = _place(world, _TREATMENT.get(kind))
    for deeds in plans:
        yield from _with_a_free_hand(world, deeds)


def _place(world: World, treatment: str | None) -> Iterator[list[Deed]]:
    """Take, treat where that is still to do, put down."""
    game = world.game
    appliances, done = _treatment_state(world, treatment)
    targets = _targets(world, appliances)
    for i, taking in _ways_to_hold(world):
        rounds = [[*taking, (treatment, i, r)] for r in appliances] if treatment and not done >> i & 1 else [taking]
        source = taking[0][2] if taking else -1
        listed = any(world.inside[r] >> i & 1 for r in game.goal_receptacles if r != source)
        for deeds in rounds:
            if listed and deeds is not taking:
                yield deeds
            else:
                yield from ([*deeds, ("move", i, r)] for r in targets if game.allowed(r, i))


def _look(world: World) -> Iterator[list[Deed]]:
    """Take, go to a lamp, switch it on where it is off. Switching it on earlier saves no command."""
    game = world.game
    for _, taking in _ways_to_hold(world):
        for lamp in members(game.goal_lamps):
            verb = "stand" if world.on >> lamp & 1 else "use"
            for r, inside in enumerate(world.inside):
                if inside >> lamp & 1:
                    yield [*taking, (verb, lamp, r)]


def _two(world: World) -> Iterator[list[Deed]]:
    """Bring what is missing to one receptacle, what is in hand first."""
    game = world.game
    for target in _targets(world, []):
        missing = game.goal_things & ~world.inside[target]
        need = 2 - (world.inside[target] & game.goal_things).bit_count()
        in_hand = world.held >= 0 and bool(missing >> world.held & 1)
        start: list[Deed] = [("move", world.held, target)] if in_hand else []
        taken = [
            (i, r)
            for i in members(missing & game.pickupable)
            if i != world.held and game.allowed(target, i)
            for r, inside in enumerate(world.inside)
            if inside >> i & 1
        ]
        for chosen in permutations(taken, need - len(start)):
            if len({i for i, _ in chosen}) == len(chosen):
                yield start + [deed for i, r in chosen for deed in (("take", i, r), ("move", i, target))]


def _ways_to_hold(world: World) -> Iterator[tuple[int, list[Deed]]]:
    """Every wanted thing with every way to get it in hand: nothing to do for one that is held."""
    wanted = world.game.goal_things & world.game.pickupable
    if world.held >= 0 and wanted >> world.held & 1:
        yield world.held, []
    for r, inside in enumerate(world.inside):
        if inside & wanted:
            for i in members(inside & wanted):
                if i != world.held:
                    yield i, [("take", i, r)]


def _with_a_free_hand(world: World, deeds: list[Deed]) -> Iterator[list[Deed]]:
    """``deeds``, after putting down what is in hand if they begin with taking."""
    if world.held < 0 or deeds[0][0] != "take":
        yield deeds
        return
    game = world.game
    used = {r for _, _, r in deeds}
    near = {game.place_of[r] for r in used} | {world.at}
    kinds: dict[tuple[int, int, int], int] = {}
    for r, place in enumerate(game.place_of):
        if game.allowed(r, world.held):
            kind = (r if r in used else -1, place if place in near else -1, world.closed >> r & 1)
            kinds.setdefault(kind, r)
    for r in kinds.values():
        yield [("move", world.held, r), *deeds]


def _treatment_state(world: World, treatment: str | None) -> tuple[list[int], int]:
    """Where the treatment is to be had, and the things that have had it."""
    game = world.game
    if treatment == "clean":
        return members(game.basins), world.clean
    if treatment == "heat":
        return members(game.microwaves), world.hot
    if treatment == "cool":
        return members(game.fridges), world.cool
    return [], 0


def _targets(world: World, appliances: list[int]) -> list[int]:
    """The goal's receptacles, one of each kind that makes a difference."""
    game = world.game
    sources = {r for r, inside in enumerate(world.inside) if inside & game.goal_things}
    near = {game.place_of[r] for r in (*sources, *appliances)} | {world.at}
    kinds: dict[tuple[int, int, int], int] = {}
    for r in game.goal_receptacles:
        place = game.place_of[r]
        kind = (r if r in sources or r in appliances else -1, place if place in near else -1, world.closed >> r & 1)
        kinds.setdefault(kind, r)
    return list(kinds.values())
