"""Draws households: the same arguments give the same layout in any process, on any machine.

A layout is drawn in four parts: rooms and their receptacles, the goal, what the goal needs, distractors. Every layout
can be solved, none is solved at the start, and only `TaskType.PICK_TWO` asks for more than one object of its type.
Nothing here knows the rules of the world; positions are plausible, not physical.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from selfgym.envs.household.catalogue import CAN_CONTAIN, FIXED, HEIGHTS, LAMP, OBJECTS, OPENABLE, ROOMS, likely_places
from selfgym.envs.household.layout import Goal, Layout, Receptacle, TaskType, Thing

VERSION = "1"
"""Changes whenever the same arguments would give another layout."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Size:
    """How much a household holds; ranges are inclusive."""

    rooms: int
    receptacles: tuple[int, int]
    objects: tuple[int, int]
    shared_location: float
    """Probability that a receptacle is reached from the same spot as the one before it."""
    cluttered: bool
    """Whether there are second instances of the goal's object, things inside things and other fixtures."""


SIZES: MappingProxyType[str, Size] = MappingProxyType(
    {
        "tiny": Size(rooms=1, receptacles=(4, 6), objects=(4, 7), shared_location=0.0, cluttered=False),
        "small": Size(rooms=1, receptacles=(8, 10), objects=(9, 13), shared_location=0.0, cluttered=False),
        "medium": Size(rooms=1, receptacles=(18, 24), objects=(24, 34), shared_location=0.1, cluttered=True),
        "large": Size(rooms=2, receptacles=(50, 56), objects=(50, 64), shared_location=0.15, cluttered=True),
        "huge": Size(rooms=4, receptacles=(90, 110), objects=(130, 170), shared_location=0.15, cluttered=True),
    }
)
"""Medium has the median of ALFWorld's games (21 receptacles, 29 objects), large its most, huge more."""

HOSTS: MappingProxyType[TaskType, tuple[str, ...]] = MappingProxyType(
    {
        TaskType.PICK_AND_PLACE: ("kitchen", "livingroom", "bedroom", "bathroom"),
        TaskType.LOOK_AT_IN_LIGHT: ("livingroom", "bedroom"),
        TaskType.CLEAN_AND_PLACE: ("kitchen", "bathroom"),
        TaskType.HEAT_AND_PLACE: ("kitchen",),
        TaskType.COOL_AND_PLACE: ("kitchen",),
        TaskType.PICK_TWO: ("kitchen", "livingroom", "bedroom", "bathroom"),
    }
)
"""The rooms in which a task can be done; a household for the task has at least one of them."""

APPLIANCES: MappingProxyType[TaskType, str] = MappingProxyType(
    {
        TaskType.CLEAN_AND_PLACE: "sinkbasin",
        TaskType.HEAT_AND_PLACE: "microwave",
        TaskType.COOL_AND_PLACE: "fridge",
    }
)

SENTENCES: MappingProxyType[TaskType, tuple[str, ...]] = MappingProxyType(
    {
        TaskType.PICK_AND_PLACE: ("put a {object} in {target}", "put some {object} on {target}"),
        TaskType.LOOK_AT_IN_LIGHT: ("look at {object} under the {target}", "examine the {object} with the {target}"),
        TaskType.CLEAN_AND_PLACE: ("put a clean {object} in {target}", "clean some {object} and put it in {target}"),
        TaskType.HEAT_AND_PLACE: ("put a hot {object} in {target}", "heat some {object} and put it in {target}"),
        TaskType.COOL_AND_PLACE: ("put a cool {object} in {target}", "cool some {object} and put it in {target}"),
        TaskType.PICK_TWO: ("put two {object} in {target}", "find two {object} and put them in {target}"),
    }
)
"""The sentences of ALFWorld's games, without the final full stop."""


def generate_layout(
    seed: int, *, size: str = "small", task_type: TaskType | None = None, split: str = "train"
) -> Layout:
    """Draw the household number ``seed`` of a split.

    ``size`` is a key of `SIZES`. Without ``task_type`` the seed chooses one of the six, and the layout is the one that
    naming this type would have given. ``split`` is any word; two splits have nothing to do with each other. The name
    of the layout is that of the folders in which ALFWorld would keep it.

    Raises `ValueError` for an unknown size and for a split that is no word.
    """
    if size not in SIZES:
        raise ValueError(f"no household has the size {size!r}; choose one of {', '.join(SIZES)}")
    if not re.fullmatch(r"[\w.-]+", split):
        raise ValueError(f"the split of a household must be a word such as 'train', not {split!r}")
    seed = int(seed)
    if task_type is None:
        task_type = _Draw(split, size, "task type", seed).choice(tuple(TaskType))
    draw = _Draw(split, size, task_type.value, seed)
    house = _House(draw, SIZES[size])
    object_types = _furnish(draw, house, task_type)
    goal = _goal(draw, house, object_types, task_type)
    _fill(draw, house, object_types, goal)
    thing_types = {thing.type for thing in house.things}
    sentence = draw.choice(SENTENCES[task_type])
    return Layout(
        name=f"{task_type.value}-{goal.object_type}-None-{goal.target}-{size}/{split}_{seed}",
        receptacles=tuple(sorted(house.receptacles, key=lambda place: place.id)),
        things=tuple(sorted(house.things, key=lambda thing: thing.id)),
        start=house.start,
        locations=tuple(sorted({house.start} | {place.location for place in house.receptacles})),
        can_contain=frozenset(
            (place, thing) for place, thing in CAN_CONTAIN if place in house.by_type and thing in thing_types
        ),
        goal=goal,
        task=sentence.format(object=goal.object_type, target=goal.target),
    )


class _Draw:
    """Random choices from one number stream. Uses only ``random()``, whose values Python promises never to change."""

    def __init__(self, *key: object) -> None:
        text = "\x1f".join(["selfgym household", VERSION, *map(str, key)])
        self._random = random.Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big"))

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def choice(self, options: Sequence[_T]) -> _T:
        return options[int(self._random.random() * len(options))]

    def weighted(self, options: Mapping[_T, float]) -> _T:
        rest = self._random.random() * sum(options.values())
        for option, weight in options.items():
            rest -= weight
            if rest < 0:
                return option
        return option  # rounding left a crumb

    def shuffled(self, options: Iterable[_T]) -> list[_T]:
        return [option for _, _, option in sorted((self._random.random(), i, o) for i, o in enumerate(options))]


class _House:
    """A household under construction: receptacles along the walls of its rooms, things in the receptacles."""

    def __init__(self, draw: _Draw, size: Size) -> None:
        self.draw = draw
        self.size = size
        self.receptacles: list[Receptacle] = []
        self.things: list[Thing] = []
        self.by_type: defaultdict[str, list[Receptacle]] = defaultdict(list)
        self._position: dict[str, tuple[float, float, float]] = {}
        self._ids: set[str] = set()
        self.start = self._free_location(0.0, 0.0, 0, 30)

    def furnish(self, room: str, number: int, index: int) -> None:
        """Put ``number`` receptacles into a new room, the ``index``-th of the house."""
        kind = ROOMS[room]
        types = list(kind.always)
        while len(types) < number:
            types.append(self.draw.weighted({t: float(w) for t, w, most in kind.often if types.count(t) < most}))
        width, depth = self.draw.between(12, 20) / 4, self.draw.between(12, 20) / 4
        for before, type_ in zip([None, *types], types, strict=False):
            if before is not None and self.draw.chance(self.size.shared_location):
                self._stand_beside(type_)
            else:
                self._stand_at_wall(type_, 6.0 * index, width, depth)

    def put(self, type_: str, places: Mapping[str, float], *, chilled: bool = False) -> None:
        """Put a new thing into a receptacle of one of the types ``places``, by weight."""
        place = self.draw.choice(self.by_type[self.draw.weighted(places)])
        thing_id, _ = self._new_id(type_, self._position[place.id], 0.3)
        kind = OBJECTS.get(type_)
        if kind is None:
            thing = Thing(thing_id, type_, place.location, (place.id,), toggleable=type_ == LAMP)
        else:
            thing = Thing(
                thing_id,
                type_,
                place.location,
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
        wall = self.draw.between(0, 3)
        along, away = (width, depth) if wall % 2 == 0 else (depth, width)
        t = self.draw.between(0, int(along * 4)) / 4 - along / 2
        sign = 1 if wall < 2 else -1
        height = HEIGHTS.get(type_, 0.9)
        x, z = (t, sign * away / 2) if wall % 2 == 0 else (sign * away / 2, t)
        horizon = -30 if height > 1.5 else self.draw.choice((30, 45, 60))
        back = 0.5 * sign
        location = self._free_location(
            x + offset - back * (wall % 2), z - back * (1 - wall % 2), (0, 1, 2, 3)[wall], horizon
        )
        self._add(type_, location, (x + offset, height, z))

    def _stand_beside(self, type_: str) -> None:
        before = self.receptacles[-1]
        x, _, z = self._position[before.id]
        self._add(type_, before.location, (x, HEIGHTS.get(type_, 0.9), z))

    def _add(self, type_: str, location: str, near: tuple[float, float, float]) -> None:
        place_id, position = self._new_id(type_, near, 0.12)
        place = Receptacle(place_id, type_, location, type_ in OPENABLE)
        self.receptacles.append(place)
        self.by_type[type_].append(place)
        self._position[place_id] = position

    def _new_id(
        self, type_: str, near: tuple[float, float, float], spread: float
    ) -> tuple[str, tuple[float, float, float]]:
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


def _furnish(draw: _Draw, house: _House, task_type: TaskType) -> tuple[str, ...]:
    """Furnish the rooms, one of which can host the task, and return the types of objects that belong in them."""
    first = draw.choice(HOSTS[task_type])
    rooms = [first, *draw.shuffled(room for room in ROOMS if room != first)][: house.size.rooms]
    total = draw.between(*house.size.receptacles)
    for index, room in enumerate(rooms):
        house.furnish(room, total // len(rooms) + (index < total % len(rooms)), index)
    return tuple(dict.fromkeys(type_ for room in rooms for type_ in ROOMS[room].objects))


def _goal(draw: _Draw, house: _House, object_types: Iterable[str], task_type: TaskType) -> Goal:
    """A goal that this house can meet and does not meet yet: the object has somewhere else to start from."""
    appliance = APPLIANCES.get(task_type, "")
    options: dict[str, list[str]] = {}
    for type_ in object_types:
        kind, places = OBJECTS[type_], house.places_for(type_)
        fit = {"sinkbasin": kind.cleanable, "microwave": kind.heatable, "fridge": kind.coolable}.get(appliance, True)
        if task_type is TaskType.LOOK_AT_IN_LIGHT:
            targets = [LAMP] if places else []
        else:
            targets = [place for place in places if place != appliance and len(places) > 1]
        if fit and targets:
            options[type_] = targets
    object_type = draw.choice(tuple(options))
    return Goal(task_type, object_type, draw.choice(options[object_type]))


def _fill(draw: _Draw, house: _House, object_types: Iterable[str], goal: Goal) -> None:
    """Put everything into the furnished house: fixtures, what the goal needs, distractors."""
    number = draw.between(*house.size.objects)
    chilled = draw.chance(0.25)
    for fixture in FIXED:
        places = house.places_for(fixture)
        if places and (fixture == goal.target or (house.size.cluttered and draw.chance(0.5))):
            house.put(fixture, places)
    away = house.places_for(goal.object_type)
    away.pop(goal.target, None)
    wanted = 2 if goal.kind is TaskType.PICK_TWO else 1
    for _ in range(wanted + (house.size.cluttered and draw.chance(0.4))):
        house.put(goal.object_type, away, chilled=chilled)
    others = [t for t in object_types if t != goal.object_type and house.places_for(t)]
    queue: list[str] = []
    while len(house.things) < number:
        queue = queue or draw.shuffled(others)
        type_ = queue.pop()
        house.put(type_, house.places_for(type_), chilled=chilled)
    if house.size.cluttered:
        house.nest()
