"""Generated households: repeatable, plausible, and never solved or hopeless at the start."""

import hashlib
import os
import random
import subprocess
import sys

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfgym.envs.household.catalogue import CAN_CONTAIN, OBJECTS, ROOMS, likely_places
from selfgym.envs.household.generate import APPLIANCES, SIZES, VERSION, generate_layout
from selfgym.envs.household.layout import Layout, TaskType

SEEDS = st.integers(min_value=-(2**70), max_value=2**70)
TYPES = st.sampled_from(list(TaskType))


def _check_furniture(layout: Layout) -> None:
    places = {place.id: place for place in layout.receptacles}
    ids = [*places, *(thing.id for thing in layout.things)]
    assert len(set(ids)) == len(ids)
    assert layout.start in layout.locations
    assert layout.start not in {place.location for place in layout.receptacles}
    assert {place.location for place in layout.receptacles} < set(layout.locations)
    for thing in layout.things:
        (place,) = (places[name] for name in thing.receptacles)
        assert thing.locations == (place.location,)
        assert not thing.pickupable or (place.type, thing.type) in layout.can_contain
        assert not thing.cool or place.type == "fridge"


def _check_goal(layout: Layout) -> None:
    goal = layout.goal
    places = {place.id: place.type for place in layout.receptacles}
    wanted = [thing for thing in layout.things if thing.type == goal.object_type]
    assert len(wanted) >= (2 if goal.kind is TaskType.PICK_TWO else 1)
    assert all(thing.pickupable for thing in wanted)
    if goal.kind is TaskType.LOOK_AT_IN_LIGHT:
        assert any(thing.type == goal.target and thing.toggleable for thing in layout.things)
        return
    assert goal.target in places.values()
    assert (goal.target, goal.object_type) in layout.can_contain
    assert all(places[name] != goal.target for thing in wanted for name in thing.receptacles)
    if goal.kind in APPLIANCES:
        assert APPLIANCES[goal.kind] in places.values()
        assert goal.target != APPLIANCES[goal.kind]


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, task_type=TYPES)
def test_layouts_are_sound_at_every_size(size: str, seed: int, task_type: TaskType) -> None:
    layout = generate_layout(seed, size=size, task_type=task_type)
    assert layout.goal.kind is task_type
    _check_furniture(layout)
    _check_goal(layout)
    low, high = SIZES[size].receptacles
    assert low <= len(layout.receptacles) <= high
    low, high = SIZES[size].objects
    assert low <= len(layout.things) <= high


def test_the_six_types_come_up_about_equally_often() -> None:
    kinds = [generate_layout(seed, size="tiny").goal.kind for seed in range(600)]
    assert all(60 <= kinds.count(kind) <= 140 for kind in TaskType)


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_naming_the_type_that_the_seed_chose_changes_nothing(seed: int) -> None:
    layout = generate_layout(seed, size="tiny")
    assert generate_layout(seed, size="tiny", task_type=layout.goal.kind) == layout


def test_splits_and_seeds_differ_and_numpy_seeds_count_as_numbers() -> None:
    assert generate_layout(3).receptacles != generate_layout(3, split="valid").receptacles
    assert generate_layout(3).receptacles != generate_layout(4).receptacles
    assert generate_layout(numpy.int64(3)) == generate_layout(3)  # type: ignore[arg-type]


def test_tiny_layouts_hardly_repeat() -> None:
    def content(layout: Layout) -> tuple[object, ...]:
        kinds = {place.id: place.type for place in layout.receptacles}
        where = sorted((thing.type, kinds[thing.receptacles[0]]) for thing in layout.things)
        return (layout.task, tuple(sorted(kinds.values())), tuple(where))

    train = {content(generate_layout(seed, size="tiny")) for seed in range(1000)}
    held_out = {content(generate_layout(seed, size="tiny", split="valid")) for seed in range(200)}
    assert len(train) >= 990
    assert len(train & held_out) <= 2


def _digest(layouts: list[Layout]) -> str:
    text = repr([(x.name, x.receptacles, x.things, x.task, sorted(x.can_contain)) for x in layouts])
    return hashlib.sha256(text.encode()).hexdigest()


def test_layouts_change_only_with_the_version() -> None:
    layouts = [generate_layout(seed, size=size) for size in SIZES for seed in range(6)]
    assert (VERSION, _digest(layouts)[:16]) == ("1", "eff4df37a734d0c3")


def test_same_layout_in_another_process_and_no_global_randomness() -> None:
    script = (
        "import hashlib; from selfgym.envs.household.generate import generate_layout as g;"
        "print(hashlib.sha256(repr([(l.name, l.receptacles, l.things, l.task, sorted(l.can_contain)) for l in"
        " [g(s, size=z) for z in ('tiny', 'medium') for s in range(5)]]).encode()).hexdigest())"
    )
    digests = set()
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        digests.add(
            subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True).stdout
        )
    state = random.getstate()
    layouts = [generate_layout(seed, size=size) for size in ("tiny", "medium") for seed in range(5)]
    assert random.getstate() == state
    digests.add(_digest(layouts).encode() + b"\n")
    assert len(digests) == 1


def test_bigger_houses_share_spots_and_chill_food() -> None:
    layouts = [generate_layout(seed, size="large", task_type=TaskType.COOL_AND_PLACE) for seed in range(20)]
    assert any(len({p.location for p in layout.receptacles}) < len(layout.receptacles) for layout in layouts)
    assert any(thing.cool for layout in layouts for thing in layout.things)
    assert any(thing.inside for layout in layouts for thing in layout.things)


def test_bad_arguments_are_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="choose one of tiny, small"):
        generate_layout(0, size="enormous")
    with pytest.raises(ValueError, match="split"):
        generate_layout(0, split="")


def test_catalogue_holds_together() -> None:
    assert all(name in OBJECTS for room in ROOMS.values() for name in room.objects)
    known = {place for room in ROOMS.values() for place in (*room.always, *(name for name, _, _ in room.often))}
    assert {place for place, _ in CAN_CONTAIN} <= known
    assert {place for place, type_ in CAN_CONTAIN if type_ == "mug"} == set(likely_places("mug"))
    assert not likely_places("teapot")
