"""The admissible commands of one moment, in ALFWorld's order: the plain order of strings.

The verbs sort before their arguments, so the list is built group by group and only the groups are sorted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfgym.envs.household.game import members

if TYPE_CHECKING:
    from selfgym.envs.household.world import World


def menu_of(world: World) -> list[str]:
    """Every command that does something in the present state of ``world``."""
    game = world.game
    names = game.receptacle_names
    local = game.at_place[world.at]
    closable = [r for r in local if game.openable >> r & 1]
    on_hand = world.held >= 0
    menu = _appliances(world, "clean", game.cleanable, game.basins) if on_hand else []
    menu += sorted(f"close {names[r]}" for r in closable if not world.closed >> r & 1)
    menu += _appliances(world, "cool", game.coolable, game.fridges) if on_hand else []
    menu += _examine(world)
    menu += [command for command, place in game.go_commands if place != world.at or game.go_anywhere]
    menu += _appliances(world, "heat", game.heatable, game.microwaves) if on_hand else []
    menu += ["help", "inventory", "look"] if game.dialect == "0.4" else ["inventory", "look"]
    moves = _moves(world) if on_hand else []
    menu += moves if game.dialect == "0.4" else []
    menu += sorted(f"open {names[r]}" for r in closable if world.closed >> r & 1)
    menu += moves if game.dialect == "0.3" else []
    menu += _slices(world) if on_hand else _takes(world)
    menu += sorted(f"use {game.thing_names[i]}" for i in members(world.reach(game.toggleable)))
    return menu


def _appliances(world: World, verb: str, things: int, appliances: int) -> list[str]:
    """``heat``, ``cool`` or ``clean`` for the thing in hand; the appliance need not be open."""
    game = world.game
    if not things >> world.held & 1:
        return []
    name = game.thing_names[world.held]
    found = [game.receptacle_names[r] for r in game.at_place[world.at] if appliances >> r & 1]
    return sorted(f"{verb} {name} with {where}" for where in found)


def _examine(world: World) -> list[str]:
    game = world.game
    names = [game.receptacle_names[r] for r in game.at_place[world.at]]
    seen = world.visible() if game.examine_visible else 0
    if world.held >= 0:
        seen |= 1 << world.held
    return sorted(f"examine {name}" for name in names + [game.thing_names[i] for i in members(seen)])


def _moves(world: World) -> list[str]:
    game, i = world.game, world.held
    allowed = [r for r in game.at_place[world.at] if not world.closed >> r & 1 and game.allowed(r, i)]
    name = game.thing_names[i]
    if game.dialect == "0.4":
        return sorted(f"move {name} to {game.receptacle_names[r]}" for r in allowed)
    return sorted(f"put {name} in/on {game.receptacle_names[r]}" for r in allowed)


def _slices(world: World) -> list[str]:
    game = world.game
    if not game.knives >> world.held & 1:
        return []
    knife = game.thing_names[world.held]
    return sorted(f"slice {game.thing_names[i]} with {knife}" for i in members(world.sliceable_here()))


def _takes(world: World) -> list[str]:
    game = world.game
    return sorted(
        f"take {game.thing_names[i]} from {game.receptacle_names[r]}"
        for r in game.at_place[world.at]
        if not world.closed >> r & 1
        for i in members(world.inside[r] & game.pickupable)
    )
