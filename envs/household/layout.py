"""A household as plain data: what the loader reads, the generator draws, the exporter writes and the engine compiles.

Names follow the genuine PDDL in lower case: an entity id is ``type_bar_x_bar_y_bar_z`` (sink basins end in
``_bar_sinkbasin``), a location id ``loc_bar_x_bar_z_bar_rotation_bar_horizon``. Types are lower-case words
(``fridge``, ``butterknife``) without the suffix ``type``. Source: the game files of ALFWorld 0.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TaskType(StrEnum):
    """The six task types of ALFRED, by the names ALFWorld gives them in folder names."""

    PICK_AND_PLACE = "pick_and_place_simple"
    LOOK_AT_IN_LIGHT = "look_at_obj_in_light"
    CLEAN_AND_PLACE = "pick_clean_then_place_in_recep"
    HEAT_AND_PLACE = "pick_heat_then_place_in_recep"
    COOL_AND_PLACE = "pick_cool_then_place_in_recep"
    PICK_TWO = "pick_two_obj_and_place"


@dataclass(frozen=True, slots=True)
class Receptacle:
    """A place that holds things: furniture, an appliance, a drawer."""

    id: str
    type: str  # the ``rtype``; "" for the few receptacles that the data leaves untyped
    location: str
    openable: bool = False


@dataclass(frozen=True, slots=True)
class Thing:
    """A movable or fixed object.

    ``locations`` and ``receptacles`` list every place and every receptacle that the data puts it in at the start: one
    as a rule, none or several now and then.
    """

    id: str
    type: str  # the ``otype``; "" where the data leaves it untyped
    locations: tuple[str, ...]
    receptacles: tuple[str, ...] = ()
    pickupable: bool = False
    cleanable: bool = False
    heatable: bool = False
    coolable: bool = False
    sliceable: bool = False
    toggleable: bool = False
    cool: bool = False
    holds_objects: bool = False  # ``isReceptacleObject``
    inside: tuple[str, ...] = ()  # ids of objects ``inReceptacleObject`` this one; never updated by the rules


@dataclass(frozen=True, slots=True)
class Goal:
    """What wins. ``target`` is a receptacle type, or a lamp's object type for ``LOOK_AT_IN_LIGHT``."""

    kind: TaskType
    object_type: str
    target: str


@dataclass(frozen=True, slots=True)
class Layout:
    """One household with one task.

    ``extra_ids`` are the entities of the initial facts that are neither receptacle nor thing but take part in the
    numbering of names; ``can_contain`` holds (receptacle type, object type) pairs.
    """

    name: str
    receptacles: tuple[Receptacle, ...]
    things: tuple[Thing, ...]
    start: str
    locations: tuple[str, ...]
    can_contain: frozenset[tuple[str, str]]
    goal: Goal
    task: str  # "Your task is to: ..." without that prefix and without the final full stop
    extra_ids: tuple[str, ...] = ()
    walkthrough: tuple[str, ...] = ()
