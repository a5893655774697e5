"""A household compiled for play: the immutable tables that every episode of one layout shares.

`compile_game` turns a `Layout` into a `Game`; a `World` (world.py) is the small state of one episode on it.
Receptacles, things and places (locations) are numbered by their position in the sorted list of ids, because ALFWorld
lists everything in that order; a set of things or receptacles is an integer with one bit for each.

What an expert or an exporter reads here:

* ``game.layout`` is the plain data; ``game.goal`` and ``game.task`` what is wanted.
* ``game.name_of[id]`` gives the name used in commands (``fridge 1``), ``game.id_of[name]`` the way back.
* ``game.things[i]`` and ``game.receptacles[r]`` are the sorted records, ``game.thing_index[id]`` and
  ``game.receptacle_index[id]`` their numbers, ``game.allowed(r, i)`` whether a receptacle may hold a thing.

The two caches (``commands``, ``menus``) only remember what is true of the rules whatever the episode, so games may be
shared between threads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Literal

from selfgym.envs.household.layout import Layout, Receptacle, TaskType, Thing
from selfgym.envs.household.names import name_entities
from selfgym.envs.household.text import MIDDLE, WELCOME, indefinite, listing, view_of

Dialect = Literal["0.4", "0.3"]
DIALECTS: tuple[Dialect, ...] = ("0.4", "0.3")

FIXES: dict[str, str] = {
    "go_to_shared_location": "go to works for a receptacle at the place where the agent already stands",
    "examine_visible": "examine works for everything in sight, not only for the thing in hand",
    "no_slice_leak": "slice works only on what lies in a receptacle that is not closed",
    "informative_errors": "a command without effect says why, instead of 'Nothing happens.'",
}

Action = tuple[Callable[[Any, int, int, str], str], int, int, str]  # what `World.step` runs for a command


class Game:
    """One compiled layout. Made by `compile_game`; treat every attribute as read-only."""

    def __init__(self, layout: Layout, dialect: Dialect, fixes: frozenset[str]) -> None:
        self.layout, self.dialect, self.fixes = layout, dialect, fixes
        self.goal, self.task = layout.goal, layout.task
        self.go_anywhere = "go_to_shared_location" in fixes
        self.examine_visible = "examine_visible" in fixes
        self.no_slice_leak = "no_slice_leak" in fixes
        self.receptacles: list[Receptacle] = sorted(layout.receptacles, key=lambda receptacle: receptacle.id)
        self.things: list[Thing] = sorted(layout.things, key=lambda thing: thing.id)
        self.receptacle_index = {receptacle.id: r for r, receptacle in enumerate(self.receptacles)}
        self.thing_index = {thing.id: i for i, thing in enumerate(self.things)}
        self._place_everything()
        self._name_everything()
        self._tabulate_rules()
        self._write_texts()
        self.commands: dict[str, Action] = {}
        self.menus: dict[tuple[int, ...], dict[int, list[str]]] = {}
        self.start_menus: list[dict[int, list[str]]] = [{} for _ in self.at_place]

    def _place_everything(self) -> None:
        """Number the places; say what stands at each, what lies around it, and what is in each receptacle."""
        places = {receptacle.location for receptacle in self.receptacles} | {self.layout.start}
        places |= {location for thing in self.things for location in thing.locations}
        self.place_index = {place: number for number, place in enumerate(sorted(places))}
        self.place_of = [self.place_index[receptacle.location] for receptacle in self.receptacles]
        self.at_place = [tuple(r for r, at in enumerate(self.place_of) if at == place) for place in range(len(places))]
        self.start = self.place_index[self.layout.start]
        self.around, self.inside = [0] * len(places), [0] * len(self.receptacles)
        for i, thing in enumerate(self.things):
            for location in thing.locations:
                self.around[self.place_index[location]] |= 1 << i
            for receptacle in thing.receptacles:
                self.inside[self.receptacle_index[receptacle]] |= 1 << i

    def _name_everything(self) -> None:
        ids = [*self.receptacle_index, *self.thing_index, *self.place_index, *self.layout.extra_ids]
        self.name_of = name_entities(ids)
        self.id_of = {name: entity for entity, name in self.name_of.items()}
        self.receptacle_names = [self.name_of[receptacle.id] for receptacle in self.receptacles]
        self.thing_names = [self.name_of[thing.id] for thing in self.things]
        self.place_names = [self.name_of[place] for place in self.place_index]

    def _tabulate_rules(self) -> None:
        """Which things and receptacles each rule is about, as bit sets."""
        things, receptacles, goal = self.things, self.receptacles, self.layout.goal
        self.pickupable = _bits(thing.pickupable for thing in things)
        self.cleanable = _bits(thing.cleanable for thing in things)
        self.heatable = _bits(thing.heatable for thing in things)
        self.coolable = _bits(thing.coolable for thing in things)
        self.sliceable = _bits(thing.sliceable for thing in things)
        self.toggleable = _bits(thing.toggleable for thing in things)
        self.start_cool = _bits(thing.cool for thing in things)
        self.knives = _bits(thing.type in ("knife", "butterknife") for thing in things)
        self.microwaves = _bits(receptacle.type == "microwave" for receptacle in receptacles)
        self.fridges = _bits(receptacle.type == "fridge" for receptacle in receptacles)
        self.basins = _bits(receptacle.type in ("sinkbasin", "sink") for receptacle in receptacles)
        self.openable = self.closed = _bits(receptacle.openable for receptacle in receptacles)
        self.openable_at = [sum(1 << r for r in local) & self.openable for local in self.at_place]
        of_type: dict[str, int] = {}
        for i, thing in enumerate(things):
            of_type[thing.type] = of_type.get(thing.type, 0) | 1 << i
        of_type.pop("", None)
        holders: dict[str, int] = {}
        for receptacle_type, thing_type in self.layout.can_contain:
            holders[receptacle_type] = holders.get(receptacle_type, 0) | of_type.get(thing_type, 0)
        self.allowed_things = [holders.get(receptacle.type, 0) if receptacle.type else 0 for receptacle in receptacles]
        self.goal_things = of_type.get(goal.object_type, 0) & {
            TaskType.CLEAN_AND_PLACE: self.cleanable,
            TaskType.HEAT_AND_PLACE: self.heatable,
            TaskType.COOL_AND_PLACE: self.coolable,
        }.get(goal.kind, -1)
        self.goal_receptacles = tuple(r for r, found in enumerate(receptacles) if found.type == goal.target)
        self.goal_lamps = of_type.get(goal.target, 0) & self.toggleable

    def _write_texts(self) -> None:
        """The sentences that hold in every episode: the intro, first views, what stands at each place."""
        names = self.receptacle_names
        self.facing = ["the " + listing([names[r] for r in local]) if local else "" for local in self.at_place]
        room = MIDDLE + indefinite(names)
        if self.at_place[self.start]:
            room = f"You are facing {self.facing[self.start]}. Next to it, you see nothing"
        self.intro = f"{WELCOME}\n\n{room}.\n\nYour task is to: {self.task}."
        self.views: list[str | None] = [self.view(r, self.inside[r], self.closed) for r in range(len(names))]
        self.go_commands = sorted((f"go to {name}", self.place_of[r]) for r, name in enumerate(names))
        self.inside_texts = {
            i: f"This is a normal {name}. In it, you see {indefinite([self.name_of[x] for x in sorted(thing.inside)])}."
            for i, (thing, name) in enumerate(zip(self.things, self.thing_names, strict=True))
            if thing.holds_objects
        }

    def view(self, r: int, contents: int, closed: int) -> str:
        """What receptacle ``r`` shows when it holds ``contents`` and the receptacles in ``closed`` are shut."""
        names = [self.thing_names[i] for i in members(contents)]
        is_openable, is_closed = bool(self.openable >> r & 1), bool(closed >> r & 1)
        return view_of(self.receptacle_names[r], names, openable=is_openable, closed=is_closed)

    @cached_property
    def digest(self) -> bytes:
        """A hash of everything that play depends on: equal for equal games, in every process."""
        layout = self.layout
        rest = (layout.start, sorted(layout.can_contain), layout.goal, layout.task, sorted(layout.extra_ids))
        played = (self.dialect, sorted(self.fixes), self.receptacles, self.things, rest)
        return hashlib.blake2b(repr(played).encode(), digest_size=16).digest()

    def allowed(self, r: int, i: int) -> bool:
        """Whether receptacle ``r`` may hold thing ``i``."""
        return bool(self.allowed_things[r] >> i & 1)


def compile_game(layout: Layout, *, dialect: Dialect = "0.4", fixes: frozenset[str] = frozenset()) -> Game:
    """Check ``layout`` and compile it.

    Raises `ValueError` for an unknown dialect or fix, and for a layout that contradicts itself.
    """
    check_options(dialect, fixes)
    _check(layout)
    return Game(layout, dialect, frozenset(fixes))


def check_options(dialect: str, fixes: Iterable[str]) -> None:
    """Raise `ValueError`, naming what is allowed, for an unknown dialect or fix."""
    if dialect not in DIALECTS:
        raise ValueError(f"unknown dialect {dialect!r}: choose one of {', '.join(DIALECTS)}")
    if unknown := sorted(set(fixes) - FIXES.keys()):
        raise ValueError(f"unknown fix {', '.join(map(repr, unknown))}: choose among {', '.join(FIXES)}")


def members(bits: int) -> list[int]:
    """The positions of the ones in ``bits``, ascending.

    >>> members(0b1010)
    [1, 3]
    """
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << i for i, flag in enumerate(flags) if flag)


def _check(layout: Layout) -> None:
    ids = [receptacle.id for receptacle in layout.receptacles] + [thing.id for thing in layout.things]
    if len(set(ids)) < len(ids):
        raise ValueError(f"layout {layout.name!r}: {_twice(ids)!r} occurs twice")
    receptacles = {receptacle.id for receptacle in layout.receptacles}
    for thing in layout.things:
        if missing := set(thing.receptacles) - receptacles:
            raise ValueError(f"layout {layout.name!r}: {thing.id!r} lies in {min(missing)!r}, which is no receptacle")
        if missing := set(thing.inside) - set(ids) - set(layout.extra_ids):
            raise ValueError(f"layout {layout.name!r}: {thing.id!r} contains {min(missing)!r}, which does not exist")


def _twice(ids: list[str]) -> str:
    return next(entity for entity in ids if ids.count(entity) > 1)
