"""The rules of the household, quirk by quirk, in a kitchen small enough to follow by eye."""

import threading
from dataclasses import replace

import pytest

from selfgym.envs.core import SnapshotError
from selfgym.envs.household.game import compile_game
from selfgym.envs.household.generate import generate_layout
from selfgym.envs.household.layout import Goal, Layout, Receptacle, TaskType, Thing
from selfgym.envs.household.text import HELP, NOTHING
from selfgym.envs.household.world import World

FOOD = {"pickupable": True, "cleanable": True, "heatable": True, "coolable": True}

KITCHEN = Layout(
    name="kitchen",
    receptacles=(
        Receptacle("fridge_bar_1", "fridge", "loc_bar_a", openable=True),
        Receptacle("countertop_bar_1", "countertop", "loc_bar_b"),
        Receptacle("sink_bar_1_bar_sinkbasin", "sinkbasin", "loc_bar_b"),
        Receptacle("microwave_bar_1", "microwave", "loc_bar_c", openable=True),
        Receptacle("shelf_bar_1", "shelf", "loc_bar_d"),
        Receptacle("shelf_bar_2", "shelf", "loc_bar_e"),
        Receptacle("cabinet_bar_1", "", "loc_bar_e", openable=True),
    ),
    things=(
        Thing("tomato_bar_1", "tomato", ("loc_bar_a",), ("fridge_bar_1",), sliceable=True, cool=True, **FOOD),
        Thing("tomato_bar_2", "tomato", ("loc_bar_b",), (), sliceable=True, pickupable=True),
        Thing("tomato_bar_3", "tomato", ("loc_bar_b",), ("sink_bar_1_bar_sinkbasin",), sliceable=True, **FOOD),
        Thing("knife_bar_1", "knife", ("loc_bar_b",), ("countertop_bar_1",), pickupable=True),
        Thing("desklamp_bar_1", "desklamp", ("loc_bar_b",), ("countertop_bar_1",), toggleable=True),
        Thing(
            "bowl_bar_1", "bowl", ("loc_bar_d",), ("shelf_bar_1",), holds_objects=True, inside=("egg_bar_1",), **FOOD
        ),
        Thing("egg_bar_1", "egg", ("loc_bar_d",), ("shelf_bar_1",), **FOOD),
        Thing("plate_bar_1", "plate", ("loc_bar_d",), ("shelf_bar_1", "shelf_bar_2"), **FOOD),
        Thing("box_bar_1", "", ("loc_bar_d",), ("shelf_bar_1",), pickupable=True),
    ),
    start="loc_bar_start",
    locations=("loc_bar_a", "loc_bar_b", "loc_bar_c", "loc_bar_d", "loc_bar_e", "loc_bar_start"),
    can_contain=frozenset(
        {("countertop", kind) for kind in ("tomato", "knife", "bowl", "plate")}
        | {("shelf", kind) for kind in ("plate", "tomato", "bowl")}
        | {("sinkbasin", "tomato"), ("", "plate"), ("countertop", "")}
    ),
    goal=Goal(TaskType.PICK_AND_PLACE, "tomato", "shelf"),
    task="put a tomato in shelf",
)


def kitchen(goal=None, dialect="0.4", fixes=(), **changes):
    layout = replace(KITCHEN, goal=goal or KITCHEN.goal, **changes)
    return World(compile_game(layout, dialect=dialect, fixes=frozenset(fixes)))


def play(world, *commands):
    return [world.step(command) for command in commands][-1]


def test_the_intro_lists_receptacles_by_id_and_numbers_them_downwards():
    assert kitchen().reset() == (
        "-= Welcome to TextWorld, ALFRED! =-\n\nYou are in the middle of a room. Looking quickly around you, you see "
        "a cabinet 1, a countertop 1, a fridge 1, a microwave 1, a shelf 2, a shelf 1, and a sinkbasin 1.\n\n"
        "Your task is to: put a tomato in shelf."
    )


def test_look_sees_nothing_until_something_taken_here_is_put_elsewhere_here():
    world = kitchen()
    assert world.step("look") == "You are in the middle of a room. Looking quickly around you, you see nothing."
    assert play(world, "go to sinkbasin 1", "look") == (
        "You are facing the countertop 1, and sinkbasin 1. Next to it, you see nothing."
    )
    play(world, "take tomato 1 from sinkbasin 1", "move tomato 1 to countertop 1")
    assert world.step("look").endswith("Next to it, you see a tomato 1.")
    play(world, "take tomato 1 from countertop 1", "move tomato 1 to sinkbasin 1", "take knife 1 from countertop 1")
    assert world.step("look").endswith("Next to it, you see a tomato 1."), "it left the countertop"


def test_closed_receptacles_open_show_and_close():
    world = kitchen()
    assert world.step("go to fridge 1") == "You arrive at fridge 1. The fridge 1 is closed."
    assert world.step("take tomato 3 from fridge 1") == NOTHING
    assert world.step("close fridge 1") == NOTHING
    assert world.step("open fridge 1") == "You open the fridge 1. The fridge 1 is open. In it, you see a tomato 3."
    assert world.step("open fridge 1") == NOTHING
    assert world.step("take tomato 3 from fridge 1") == "You pick up the tomato 3 from the fridge 1."
    assert world.step("examine fridge 1") == "The fridge 1 is open. In it, you see nothing."
    assert world.step("close fridge 1") == "You close the fridge 1."
    assert world.step("open countertop 1") == NOTHING


def test_a_receptacle_beside_the_agent_cannot_be_gone_to_but_can_be_used():
    world = kitchen()
    world.step("go to countertop 1")
    assert world.step("go to sinkbasin 1") == NOTHING
    assert world.step("go to countertop 1") == NOTHING
    assert world.step("examine sinkbasin 1") == "On the sinkbasin 1, you see a tomato 1."
    fixed = kitchen(fixes=["go_to_shared_location"])
    assert play(fixed, "go to countertop 1", "go to sinkbasin 1").startswith("You arrive at sinkbasin 1. On the")
    assert "go to sinkbasin 1" in fixed.admissible()


def test_the_appliance_need_not_be_open_and_heat_and_cold_replace_each_other():
    world = kitchen()
    play(world, "go to fridge 1", "open fridge 1", "take tomato 3 from fridge 1", "close fridge 1")
    assert world.step("examine tomato 3") == "This is a cold tomato 3."
    assert play(world, "go to microwave 1", "heat tomato 3 with microwave 1") == (
        "You heat the tomato 3 using the microwave 1."
    )
    assert world.step("examine tomato 3") == "This is a hot tomato 3."
    assert play(world, "go to sinkbasin 1", "clean tomato 3 with sinkbasin 1", "examine tomato 3") == (
        "This is a hot and clean tomato 3."
    )
    assert play(world, "go to fridge 1", "cool tomato 3 with fridge 1", "examine tomato 3") == (
        "This is a cool and clean tomato 3."
    )
    assert world.properties("tomato_bar_1") == {"cool", "clean"}
    assert world.step("heat tomato 3 with fridge 1") == NOTHING


def test_a_sliced_thing_says_so():
    world = kitchen()
    play(world, "go to countertop 1", "take knife 1 from countertop 1", "slice tomato 1 with knife 1")
    play(world, "move knife 1 to countertop 1", "take tomato 1 from sinkbasin 1")
    assert world.step("examine tomato 1") == "This is a sliced tomato 1."
    assert play(world, "clean tomato 1 with sinkbasin 1", "examine tomato 1") == "This is a clean sliced tomato 1."
    assert play(world, "go to microwave 1", "heat tomato 1 with microwave 1", "examine tomato 1") == (
        "This is a hot and clean sliced tomato 1."
    )


def test_a_knife_reaches_what_cannot_be_seen():
    world = kitchen()
    play(world, "go to countertop 1", "take knife 1 from countertop 1")
    assert world.step("slice tomato 2 with knife 1") == "You sliced the tomato 2 with the knife 1."
    assert play(world, "go to fridge 1", "slice tomato 3 with knife 1").startswith("You sliced")
    fixed = kitchen(fixes=["no_slice_leak"])
    play(fixed, "go to countertop 1", "take knife 1 from countertop 1")
    assert [command for command in fixed.admissible() if command.startswith("slice")] == ["slice tomato 1 with knife 1"]
    assert play(fixed, "go to fridge 1", "slice tomato 3 with knife 1") == NOTHING
    assert play(fixed, "open fridge 1", "slice tomato 3 with knife 1").startswith("You sliced")


def test_only_the_thing_in_hand_can_be_examined():
    world = kitchen()
    world.step("go to shelf 2")
    assert world.step("examine egg 1") == NOTHING
    world.step("take egg 1 from shelf 2")
    assert world.step("examine egg 1") == "There's nothing special about egg 1."
    fixed = kitchen(fixes=["examine_visible"])
    assert play(fixed, "go to shelf 2", "examine egg 1") == "There's nothing special about egg 1."
    assert play(fixed, "go to fridge 1", "examine tomato 3") == NOTHING, "the fridge is closed"


def test_a_receptacle_object_always_shows_what_it_held_first():
    world = kitchen()
    play(world, "go to shelf 2", "take egg 1 from shelf 2", "go to countertop 1")
    assert world.step("move egg 1 to countertop 1") == NOTHING, "an egg does not belong there"
    world.reset()
    play(world, "go to shelf 2", "take bowl 1 from shelf 2", "go to sinkbasin 1", "clean bowl 1 with sinkbasin 1")
    assert world.step("examine bowl 1") == "This is a normal bowl 1. In it, you see a egg 1."


def test_a_ghost_lies_in_two_places_until_it_is_taken_from_both():
    world = kitchen()
    assert world.where("plate_bar_1") == ["shelf_bar_1", "shelf_bar_2"]
    play(world, "go to shelf 2", "take plate 1 from shelf 2")
    assert "a plate 1" in world.step("go to shelf 1")
    assert world.step("take plate 1 from shelf 1") == NOTHING, "the hand holds it already"
    play(world, "go to countertop 1", "move plate 1 to countertop 1", "go to shelf 1")
    assert world.step("take plate 1 from shelf 1") == "You pick up the plate 1 from the shelf 1."
    assert world.contents("countertop_bar_1") == ["desklamp_bar_1", "knife_bar_1", "plate_bar_1"]


def test_the_hand_holds_one_thing_and_a_lamp_stays_on():
    world = kitchen()
    assert world.step("inventory") == "You are not carrying anything."
    play(world, "go to countertop 1", "take knife 1 from countertop 1")
    assert world.holding == "knife_bar_1"
    assert world.step("inventory") == "You are carrying: a knife 1."
    assert world.step("take tomato 1 from sinkbasin 1") == NOTHING
    assert world.step("take desklamp 1 from countertop 1") == NOTHING, "it cannot be picked up"
    assert [world.step("use desklamp 1") for _ in range(2)] == ["You turn on the desklamp 1."] * 2


def test_untyped_things_and_receptacles_take_no_part_in_putting():
    world = kitchen()
    play(world, "go to shelf 2", "take box 1 from shelf 2", "go to countertop 1")
    assert world.step("move box 1 to countertop 1") == NOTHING
    world.reset()
    play(world, "go to shelf 1", "open cabinet 1", "take plate 1 from shelf 1")
    assert world.step("move plate 1 to cabinet 1") == NOTHING


@pytest.mark.parametrize(
    "command",
    ["", " ", "Look", "LOOK", "look around", "go to", "go fridge 1", "go to  fridge 1", "go to Fridge 1", "take",
     "go to fridge 1.", "put knife 1 in/on countertop 1", "take knife 1", "go to fridge", "use", "\ud800",
     "x" * 10_000],
)  # fmt: skip
def test_a_command_is_taken_by_the_letter(command):
    world = kitchen()
    before = world.save()
    assert world.step(command) == NOTHING
    assert world.save() == before


def test_white_space_around_a_command_is_dropped():
    assert kitchen().step(" \tgo to fridge 1\n") == "You arrive at fridge 1. The fridge 1 is closed."


def test_help_belongs_to_the_new_dialect_and_the_old_one_speaks_of_locations():
    assert kitchen().step("help") == HELP
    old = kitchen(dialect="0.3")
    assert old.step("help") == NOTHING
    assert old.step("go to countertop 1") == (
        "You arrive at loc 5. On the countertop 1, you see a desklamp 1, and a knife 1."
    )
    old.step("take knife 1 from countertop 1")
    assert "put knife 1 in/on countertop 1" in old.admissible()
    assert old.step("move knife 1 to countertop 1") == NOTHING
    assert old.step("put knife 1 in/on countertop 1") == "You put the knife 1 in/on the countertop 1."


@pytest.mark.parametrize("dialect", ["0.4", "0.3"])
@pytest.mark.parametrize("fixes", [(), ("examine_visible", "go_to_shared_location", "no_slice_leak")])
def test_admissible_is_sorted_and_is_exactly_what_does_something(dialect, fixes):
    layout = generate_layout(5, size="medium")
    world = World(compile_game(layout, dialect=dialect, fixes=frozenset(fixes)))
    seen = set()
    for step in range(200):
        admissible = world.admissible()
        assert admissible == sorted(set(admissible))
        state = world.save()
        for command in admissible:
            assert world.step(command) != NOTHING
            world.load(state)
        for command in seen - set(admissible):
            assert world.step(command) == NOTHING
        assert world.save() == state
        seen |= set(admissible)
        world.step(admissible[step * 7919 % len(admissible)])


@pytest.mark.parametrize(
    ("goal", "commands"),
    [
        (Goal(TaskType.PICK_AND_PLACE, "tomato", "shelf"),
         ["go to countertop 1", "take tomato 1 from sinkbasin 1", "go to shelf 1", "move tomato 1 to shelf 1"]),
        (Goal(TaskType.CLEAN_AND_PLACE, "tomato", "countertop"),
         ["go to countertop 1", "take tomato 1 from sinkbasin 1", "clean tomato 1 with sinkbasin 1",
          "move tomato 1 to countertop 1"]),
        (Goal(TaskType.HEAT_AND_PLACE, "tomato", "shelf"),
         ["go to countertop 1", "take tomato 1 from sinkbasin 1", "go to microwave 1",
          "heat tomato 1 with microwave 1", "go to shelf 1", "move tomato 1 to shelf 1"]),
        (Goal(TaskType.COOL_AND_PLACE, "tomato", "shelf"),
         ["go to fridge 1", "open fridge 1", "take tomato 3 from fridge 1", "go to shelf 1",
          "move tomato 3 to shelf 1"]),
        (Goal(TaskType.LOOK_AT_IN_LIGHT, "tomato", "desklamp"),
         ["go to countertop 1", "use desklamp 1", "take tomato 1 from sinkbasin 1"]),
        (Goal(TaskType.PICK_TWO, "tomato", "shelf"),
         ["go to countertop 1", "take tomato 1 from sinkbasin 1", "go to shelf 1", "move tomato 1 to shelf 1",
          "go to fridge 1", "open fridge 1", "take tomato 3 from fridge 1", "go to shelf 1",
          "move tomato 3 to shelf 1"]),
        (Goal(TaskType.HEAT_AND_PLACE, "plate", "shelf"),  # a ghost on the other shelf is hot, too
         ["go to shelf 2", "take plate 1 from shelf 2", "go to microwave 1", "heat plate 1 with microwave 1"]),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Goal) else "",
)  # fmt: skip
def test_every_kind_of_task_is_won_by_its_last_command_only(goal, commands):
    world = kitchen(goal)
    for command in commands:
        assert not world.won
        assert world.step(command) != NOTHING, command
    assert world.won


def test_a_win_can_be_undone():
    world = kitchen(Goal(TaskType.LOOK_AT_IN_LIGHT, "tomato", "desklamp"))
    play(world, "go to countertop 1", "use desklamp 1", "take tomato 1 from sinkbasin 1")
    assert world.won
    world.step("go to fridge 1")
    assert not world.won
    world.step("go to countertop 1")
    assert world.won


def test_saved_states_are_exact_and_foreign_bytes_are_refused():
    world, twin = kitchen(), kitchen()
    play(world, "go to countertop 1", "take tomato 1 from sinkbasin 1", "clean tomato 1 with sinkbasin 1")
    saved = world.save()
    twin.load(saved)
    for command in ("look", "move tomato 1 to countertop 1", "look", "go to shelf 1", "inventory"):
        assert (twin.step(command), twin.admissible(), twin.save()) == (
            world.step(command), world.admissible(), world.save(),
        )  # fmt: skip
    world.load(saved)
    assert world.save() == saved
    for bad in (b"", saved[:-1], saved + b"\0", b"\xff" * len(saved)):
        with pytest.raises(SnapshotError, match="not a saved state of the game 'kitchen'"):
            world.load(bad)
    assert world.save() == saved
    world.reset()
    assert world.save() == kitchen().save()


def test_states_that_come_about_in_different_ways_are_equal():
    world, other = kitchen(), kitchen()
    play(world, "go to shelf 1", "go to countertop 1", "take knife 1 from countertop 1", "inventory")
    play(other, "go to countertop 1", "take knife 1 from countertop 1")
    assert world.save() == other.save()


def test_worlds_of_one_game_do_not_disturb_each_other_in_threads():
    game = compile_game(generate_layout(3, size="medium"))

    def episode(seed, log):
        world = World(game)
        for step in range(300):
            admissible = world.admissible()
            log.append(world.step(admissible[(step * 31 + seed * 17) % len(admissible)]))

    alone, together = [], [[] for _ in range(8)]
    for seed in range(8):
        alone.append([])
        episode(seed, alone[seed])
    threads = [threading.Thread(target=episode, args=(seed, together[seed])) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_what_cannot_be_compiled_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match=r"unknown dialect '0.5': choose one of 0.4, 0.3"):
        kitchen(dialect="0.5")
    with pytest.raises(ValueError, match="unknown fix 'faster': choose among go_to_shared_location"):
        kitchen(fixes=["faster"])
    with pytest.raises(ValueError, match=r"'shelf_bar_1' occurs twice"):
        kitchen(receptacles=(*KITCHEN.receptacles, KITCHEN.receptacles[4]))
    lost = Thing("cup_bar_1", "cup", (), ("table_bar_1",))
    with pytest.raises(ValueError, match="'cup_bar_1' lies in 'table_bar_1', which is no receptacle"):
        kitchen(things=(*KITCHEN.things, lost))


def test_a_thing_may_stand_at_two_locations_and_leaves_only_the_one_where_it_is_taken():
    tomato = Thing("tomato_bar_2", "tomato", ("loc_bar_a", "loc_bar_b"), ("countertop_bar_1",), sliceable=True, **FOOD)
    things = tuple(tomato if thing.id == tomato.id else thing for thing in KITCHEN.things)
    world = kitchen(things=things)
    before = play(world, "go to countertop 1", "look")
    assert play(world, "take tomato 2 from countertop 1").startswith("You pick up")
    assert play(world, "move tomato 2 to countertop 1").startswith("You move")
    assert play(world, "look") == before
    at_fridge = world.game.place_index["loc_bar_a"]
    assert world.around[at_fridge] >> world.game.thing_index["tomato_bar_2"] & 1
