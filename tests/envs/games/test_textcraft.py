"""TextCraft: the rules by hand, and plans against a search that tries everything."""

from collections import deque

import pytest

from selfgym.envs.core import Outcome
from selfgym.envs.games.game import NoSolutionError, drawn
from selfgym.envs.games.textcraft import Bench, Recipe, TextCraft
from selfgym.envs.tools import ActionError

GAME = TextCraft()
BENCH = Bench(
    (
        Recipe("plank", 4, (("log", 1),)),
        Recipe("stick", 2, (("plank", 2),)),
        Recipe("ladder", 1, (("stick", 3), ("plank", 1))),
        Recipe("charm", 1, (("plank", 1), ("feather", 2))),
    ),
    "ladder",
)


def played(state, *commands):
    for command in commands:
        move = GAME.apply(state, command)
        state = move.state
    return move


def test_a_recipe_takes_and_gives():
    move = played(BENCH, "get 3 log", "craft 4 plank using 1 log")
    assert dict(move.state.have) == {"log": 2, "plank": 4}
    assert played(move.state, "craft 2 stick using 2 plank", "inventory").said == "You have 2 log, 2 plank, 2 stick."


def test_the_order_of_ingredients_does_not_matter():
    state = Bench(BENCH.recipes, "ladder", (("plank", 1), ("stick", 3)))
    move = played(state, "CRAFT 1 Ladder using 1 plank, 3 stick")
    assert (move.outcome, move.reward, move.state.have) == (Outcome.SUCCESS, 1.0, (("ladder", 1),))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("get 1 plank", "plank has to be crafted"),
        ("get 1 gold", "there is no 'gold'"),
        ("get 0 log", "1 or more"),
        ("get 65 log", "64"),
        ("craft 4 plank using 1 log", "needs 1 log and you have 0"),
        ("craft 1 plank using 1 log", "its recipe, which is: craft 4 plank using 1 log"),
        ("craft 4 plank using 2 log", "its recipe"),
        ("craft 4 plank using 1 log, 1 log", "its recipe"),
        ("craft 4 plank using log", "its recipe"),
        ("craft 1 crown using 1 log", "no recipe for 'crown'"),
        ("smelt 1 log", "Write one of"),
    ],
)
def test_what_is_not_possible_is_named(command, why):
    with pytest.raises(ActionError, match=why):
        GAME.apply(BENCH, command)


def test_only_the_target_wins():
    assert played(BENCH, "get 1 log", "craft 4 plank using 1 log").outcome is Outcome.RUNNING


def test_a_plan_uses_what_is_there():
    assert GAME.solution(BENCH)[0] == "get 2 log"
    ready = Bench(BENCH.recipes, "ladder", (("plank", 1), ("stick", 3)))
    assert GAME.solution(ready) == ["craft 1 ladder using 3 stick, 1 plank"]


def test_more_than_can_be_held_is_no_plan():
    with pytest.raises(NoSolutionError):
        GAME.solution(Bench((Recipe("tower", 1, (("stone", 65),)),), "tower"))


def fewest_commands(state, amounts):
    """Breadth first over all crafts and over getting any of ``amounts`` of each raw item."""
    seen, queue = {state.have}, deque([(state, 0)])
    while queue:
        state, steps = queue.popleft()
        commands = [f"get {count} {item}" for item in state.raw() for count in amounts]
        for command in [*commands, *(recipe.command() for recipe in state.recipes)]:
            try:
                move = GAME.apply(state, command)
            except ActionError:
                continue
            if move.outcome is Outcome.SUCCESS:
                return steps + 1
            if move.state.have not in seen:
                seen.add(move.state.have)
                queue.append((move.state, steps + 1))
    return None


def test_plans_are_shortest():
    compared = 0
    for seed in range(40):
        state = drawn(GAME, seed, 1 + seed % 2, "train")
        plan = GAME.solution(state)
        if len(plan) > 4:
            continue
        amounts = sorted({int(command.split()[1]) for command in plan if command.startswith("get")})
        assert fewest_commands(state, amounts) == len(plan)
        compared += 1
    assert compared >= 15


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_the_tree_is_as_deep_as_the_level_and_has_distractors(level):
    for seed in range(30):
        state = drawn(GAME, seed, level, "test")
        recipes = {recipe.item: recipe for recipe in state.recipes}
        assert len(recipes) == len(state.recipes)

        def depth(item, recipes=recipes):
            return 1 + max(depth(need) for need, _ in recipes[item].needs) if item in recipes else 0

        assert depth(state.target) == level
        used = {command.split(" using ")[0] for command in GAME.solution(state) if command.startswith("craft")}
        assert len(used) < len(recipes)
