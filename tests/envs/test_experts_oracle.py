"""The oracle: its plans win, and brute force finds nothing shorter."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfgym.envs.household.game import compile_game
from selfgym.envs.household.generate import SIZES, generate_layout
from selfgym.envs.household.layout import Layout, TaskType
from selfgym.envs.household.oracle import NoPlanError, shortest_plan
from selfgym.envs.household.world import World

TYPES = st.sampled_from(list(TaskType))
_VERBS = ("go", "open", "take", "move", "put", "heat", "cool", "clean", "use")


def _play(world: World, plan: list[str]) -> None:
    for number, command in enumerate(plan):
        assert not world.won, f"won after {number} of {plan}"
        assert command in world.admissible(), f"{command!r} of {plan}"
        world.step(command)
    assert world.won, plan


def _can_win_within(world: World, steps: int) -> bool:
    """Try everything. Examining, looking, slicing and closing are left out: they bring no goal nearer."""
    start = world.save()
    seen, edge = {start}, [start]
    for _ in range(steps):
        beyond = []
        for state in edge:
            world.load(state)
            for command in [c for c in world.admissible() if c.startswith(_VERBS)]:
                world.step(command)
                if world.won:
                    return True
                after = world.save()
                if after not in seen:
                    seen.add(after)
                    beyond.append(after)
                world.load(state)
        edge = beyond
    return False


def _wander(world: World, seed: int, steps: int) -> None:
    draw = random.Random(seed)
    for _ in range(steps):
        world.step(draw.choice([c for c in world.admissible() if c.startswith((*_VERBS, "close"))]))


def _with_quirks(layout: Layout, seed: int) -> Layout:
    """The same household with a thing listed in two receptacles and two receptacles at one place."""
    draw = random.Random(seed)
    receptacles = list(layout.receptacles)
    a, b = draw.sample(range(len(receptacles)), 2)
    receptacles[a] = replace(receptacles[a], location=receptacles[b].location)
    places = {place.id: place.location for place in receptacles}
    things = [replace(thing, locations=(places[thing.receptacles[0]],)) for thing in layout.things]
    wanted = [i for i, thing in enumerate(things) if thing.type == layout.goal.object_type]
    for i in (draw.choice(wanted), draw.randrange(len(things))):
        other = draw.choice(receptacles).id
        things[i] = replace(things[i], receptacles=tuple(dict.fromkeys((*things[i].receptacles, other))))
    return replace(layout, receptacles=tuple(receptacles), things=tuple(things))


def _small_enough(layout: Layout) -> Layout:
    """Only what the goal needs and two distractors, so that brute force ends."""
    needed = {layout.goal.object_type, layout.goal.target}
    spare = [thing for thing in layout.things if thing.type not in needed][:2]
    return replace(layout, things=tuple(t for t in layout.things if t.type in needed or t in spare))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), task_type=TYPES, wander=st.integers(0, 12), quirks=st.booleans())
def test_no_shorter_plan_exists(seed: int, task_type: TaskType, wander: int, quirks: bool) -> None:
    layout = _small_enough(generate_layout(seed, size="tiny", task_type=task_type))
    world = World(compile_game(_with_quirks(layout, seed) if quirks else layout))
    _wander(world, seed, wander)
    start = world.save()
    try:
        plan = shortest_plan(world)
    except NoPlanError:
        assert not _can_win_within(world, 6)
        return
    assert world.save() == start
    _play(world, plan)
    world.load(start)
    assert not plan or not world.won
    assert not _can_win_within(world, min(len(plan) - 1, 7))


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), task_type=TYPES, wander=st.integers(0, 40))
def test_plans_win_at_every_size_from_any_state(size: str, seed: int, task_type: TaskType, wander: int) -> None:
    world = World(compile_game(generate_layout(seed, size=size, task_type=task_type)))
    _wander(world, seed, wander)
    plan = shortest_plan(world)
    assert (plan == []) == world.won
    if plan:
        _play(world, plan)


def test_a_plan_is_written_in_the_dialect_of_its_game() -> None:
    layout = generate_layout(1, size="tiny", task_type=TaskType.PICK_AND_PLACE)
    world = World(compile_game(layout, dialect="0.3"))
    plan = shortest_plan(world)
    assert plan[-1].startswith("put ")
    assert " in/on " in plan[-1]
    _play(world, plan)


def test_a_thing_in_hand_that_fits_nowhere_leaves_no_plan() -> None:
    layout = generate_layout(5, size="tiny", task_type=TaskType.PICK_AND_PLACE)
    stuck = next(thing for thing in layout.things if thing.type != layout.goal.object_type)
    world = World(
        compile_game(replace(layout, can_contain=frozenset(x for x in layout.can_contain if x[1] != stuck.type)))
    )
    name = world.game.name_of[stuck.id]
    place = world.game.name_of[stuck.receptacles[0]]
    for command in (f"go to {place}", f"open {place}", f"take {name} from {place}"):
        world.step(command)
    assert world.holding == stuck.id
    with pytest.raises(NoPlanError, match="cannot be reached"):
        shortest_plan(world)
