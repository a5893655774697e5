"""Draws households: the same arguments give the same layout in any process, on any machine.

A layout is drawn in four parts: rooms and their receptacles, the goal, what the goal needs, distractors. Every layout
can be solved, none is solved at the start, and only `TaskType.PICK_TWO` asks for more than one object of its type.
Nothing here knows the rules of the world; positions are plausible, not physical.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from selfgym.envs.household.catalogue import CAN_CONTAIN, FIXED, LAMP, OBJECTS, ROOMS
from selfgym.envs.household.house import Draw, House
from selfgym.envs.household.layout import Goal, Layout, TaskType

VERSION = "1"
"""Changes whenever the same arguments would give another layout."""


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
        task_type = Draw(VERSION, split, size, "task type", seed).choice(tuple(TaskType))
    draw = Draw(VERSION, split, size, task_type.value, seed)
    house = House(draw)
    object_types = _furnish(draw, house, SIZES[size], task_type)
    goal = _goal(draw, house, object_types, task_type)
    _fill(draw, house, SIZES[size], object_types, goal)
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


def _furnish(draw: Draw, house: House, size: Size, task_type: TaskType) -> tuple[str, ...]:
    """Furnish the rooms, one of which can host the task, and return the types of objects that belong in them."""
    first = draw.choice(HOSTS[task_type])
    rooms = [first, *draw.shuffled(room for room in ROOMS if room != first)][: size.rooms]
    total = draw.between(*size.receptacles)
    for index, room in enumerate(rooms):
        house.furnish(room, index, total // len(rooms) + (index < total % len(rooms)), size.shared_location)
    return tuple(dict.fromkeys(type_ for room in rooms for type_ in ROOMS[room].objects))


def _goal(draw: Draw, house: House, object_types: Iterable[str], task_type: TaskType) -> Goal:
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


def _fill(draw: Draw, house: House, size: Size, object_types: Iterable[str], goal: Goal) -> None:
    """Put everything into the furnished house: fixtures, what the goal needs, distractors."""
    number = draw.between(*size.objects)
    chilled = draw.chance(0.25)
    for fixture in FIXED:
        places = house.places_for(fixture)
        if places and (fixture == goal.target or (size.cluttered and draw.chance(0.5))):
            house.put(fixture, places)
    away = house.places_for(goal.object_type)
    away.pop(goal.target, None)
    wanted = 2 if goal.kind is TaskType.PICK_TWO else 1
    for _ in range(wanted + (size.cluttered and draw.chance(0.4))):
        house.put(goal.object_type, away, chilled=chilled)
    others = [t for t in object_types if t != goal.object_type and house.places_for(t)]
    queue: list[str] = []
    while len(house.things) < number:
        queue = queue or draw.shuffled(others)
        type_ = queue.pop()
        house.put(type_, house.places_for(type_), chilled=chilled)
    if size.cluttered:
        house.nest()
