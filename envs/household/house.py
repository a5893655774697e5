"""A household under construction, and the stream of chances it is drawn from. The only user is generate.py."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from selfgym.envs.household.catalogue import HEIGHTS, LAMP, OBJECTS, OPENABLE, ROOMS, likely_places
from selfgym.envs.household.layout import Receptacle, Thing

_T = TypeVar("_T")
_Point = tuple[float, float, float]


class Draw:
    """Random choices from one number stream. Uses only ``random()``, whose values Python promises never to change."""

    def __init__(self, *key: object) -> None:
        text = "\x1f".join(["selfgym household", *map(str, key)])
        self._random = random.Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big"))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def choice(self, options: Sequence[_T]) -> _T:
        """One of the options, each as likely."""
        return options[int(self._random.random() * len(options))]

    def weighted(self, options: Mapping[_T, float]) -> _T:
        """One of the keys, in proportion to its value."""
        rest = self._random.random() * sum(options.values())
        for option, weight in options.items():
            rest -= weight
            if rest < 0:
                return option
        return option  # rounding left a crumb

    def shuffled(self, options: Iterable[_T]) -> list[_T]:
        """All options in a drawn order."""
        return [option for _, _, option in sorted((self._random.random(), i, o) for i, o in enumerate(options))]


class House:
    """A household under construction: receptacles along the walls of its rooms, things in the receptacles."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.receptacles: list[Receptacle] = []
        self.things: list[Thing] = []
        self.by_type: defaultdict[str, list[Receptacle]] = defaultdict(list)
        self._position: dict[str, _Point] = {}
        self._ids: set[str] = set()
        self.start = self._free_location(0.0, 0.0, 0, 30)

    def furnish(self, room: str, index: int, number: int, shared_location: float) -> None:
        """Put ``number`` receptacles into a new room, the ``index``-th of the house.

        With probability ``shared_location`` one is reached from the same spot as the one before it.
        """
        kind = ROOMS[room]
        types = list(kind.always)
        while len(types) < number:
            types.append(self.draw.weighted({t: float(w) for t, w, most in kind.often if types.count(t) < most}))
        width, depth = self.draw.between(12, 20) / 4, self.draw.between(12, 20) / 4
        for before, type_ in zip([None, *types], types, strict=False):
            if before is not None and self.draw.chance(shared_location):
                self._stand_beside(type_)
            else:
                self._stand_at_wall(type_, 6.0 * index, width, depth)

    def put(self, type_: str, places: Mapping[str, float], *, chilled: bool = False) -> None:
        """Put a new thing into a receptacle of one of the types ``places``, by weight."""
        place = self.draw.choice(self.by_type[self.draw.weighted(places)])
        thing_id, _ = self._new_id(type_, self._position[place.id], 0.3)
        kind = OBJECTS.get(type_)
        if kind is None:
            thing = Thing(thing_id, type_, (place.location,), (place.id,), toggleable=type_ == LAMP)
        else:
            thing = Thing(
                thing_id,
                type_,
                (place.location,),
                (place.id,),
                pickupable=True,
                cleanable=kind.cleanable,
                heatable=kind.heatable,
                coolable=kind.coolable,
                sliceable=kind.sliceable,
                cool=chilled and kind.coolable and place.type == "fridge",
                holds_objects=kind.holds_objects,
            )
        self.things.append(thing)

    def places_for(self, type_: str) -> dict[str, float]:
        """The receptacle types of this house that may hold a type, with weights."""
        return {place: weight for place, weight in likely_places(type_).items() if place in self.by_type}

    def nest(self) -> None:
        """Let some bowls and boxes hold something that lies in the same receptacle."""
        for i, outer in enumerate(self.things):
            if outer.holds_objects and self.draw.chance(0.15):
                near = [t.id for t in self.things if t.receptacles == outer.receptacles and not t.holds_objects]
                if near:
                    self.things[i] = replace(outer, inside=(self.draw.choice(near),))

    def _stand_at_wall(self, type_: str, offset: float, width: float, depth: float) -> None:
        """Draw a spot on a wall (north, east, south, west: 0 to 3), faced from half a metre away."""
        wall = self.draw.between(0, 3)
        along, away = (width, depth) if wall % 2 == 0 else (depth, width)
        t = self.draw.between(0, int(along * 4)) / 4 - along / 2
        side = 1 if wall < 2 else -1
        back, front = side * away / 2, side * (away / 2 - 0.5)
        height = HEIGHTS.get(type_, 0.9)
        horizon = -30 if height > 1.5 else self.draw.choice((30, 45, 60))
        if wall % 2 == 0:
            at, location = (offset + t, height, back), self._free_location(offset + t, front, wall, horizon)
        else:
            at, location = (offset + back, height, t), self._free_location(offset + front, t, wall, horizon)
        self._add(type_, location, at)

    def _stand_beside(self, type_: str) -> None:
        before = self.receptacles[-1]
        x, _, z = self._position[before.id]
        self._add(type_, before.location, (x, HEIGHTS.get(type_, 0.9), z))

    def _add(self, type_: str, location: str, near: _Point) -> None:
        place_id, position = self._new_id(type_, near, 0.12)
        place = Receptacle(place_id, type_, location, type_ in OPENABLE)
        self.receptacles.append(place)
        self.by_type[type_].append(place)
        self._position[place_id] = position

    def _new_id(self, type_: str, near: _Point, spread: float) -> tuple[str, _Point]:
        """An id of its own, ``type_bar_x_bar_y_bar_z``, within ``spread`` metres."""
        while True:
            position = tuple(round(v + self.draw.between(-100, 100) * spread / 100, 2) for v in near)
            stem, basin = (type_.removesuffix("basin"), f"_bar_{type_}") if type_.endswith("basin") else (type_, "")
            name = f"{stem}_bar_{'_bar_'.join(map(_coordinate, position))}{basin}"
            if name not in self._ids:
                self._ids.add(name)
                return name, (position[0], position[1], position[2])

    def _free_location(self, x: float, z: float, rotation: int, horizon: int) -> str:
        """The id of a spot where nobody stands yet, nearest in the direction of x."""
        column = round(x * 4)
        while True:
            name = "loc_bar_" + "_bar_".join(map(_whole, (column, round(z * 4), rotation, horizon)))
            if name not in self._ids:
                self._ids.add(name)
                return name
            column += 1


def _coordinate(metres: float) -> str:
    return f"_{'minus' if metres < 0 else 'plus'}_{abs(metres):05.2f}".replace(".", "_dot_")


def _whole(number: int) -> str:
    return f"_minus_{-number}" if number < 0 else str(number)
