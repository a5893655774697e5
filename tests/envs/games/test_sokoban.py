"""Sokoban: the rules on small maps, and solutions against a search that knows nothing of the game's own."""

from collections import deque
from random import Random

import pytest

from selfgym.envs.core import Outcome
from selfgym.envs.games.game import NoSolutionError, drawn
from selfgym.envs.games.sokoban import Sokoban, Warehouse
from selfgym.envs.tools import ActionError

GAME = Sokoban()
STEPS = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}


def read(*rows):
    """A position from a map."""
    text = "".join(rows)
    places = {sign: tuple(at for at, one in enumerate(text) if one in sign) for sign in ("$*", ".+*", "@+")}
    walls = "".join("#" if sign == "#" else " " for sign in text)
    return Warehouse(len(rows[0]), walls, places[".+*"], places["$*"], places["@+"][0])


def after(state, *commands):
    for command in commands:
        state = GAME.apply(state, command).state
    return state.rows()


def replayed(rows, commands):
    """Plays on the signs of a map; the second implementation of the rules."""
    cells = {(x, y): sign for y, row in enumerate(rows) for x, sign in enumerate(row)}
    for command in commands:
        dx, dy = STEPS[command]
        x, y = next(at for at, sign in cells.items() if sign in "@+")
        to, beyond = (x + dx, y + dy), (x + 2 * dx, y + 2 * dy)
        if cells[to] in "$*":
            assert cells[beyond] in " ."
            cells[beyond] = "*" if cells[beyond] == "." else "$"
            cells[to] = "." if cells[to] == "*" else " "
        assert cells[to] in " ."
        cells[to] = "+" if cells[to] == "." else "@"
        cells[x, y] = "." if cells[x, y] == "+" else " "
    return ["".join(cells[x, y] for x in range(len(rows[0]))) for y in range(len(rows))]


def fewest_steps(rows):
    """Breadth first over maps as texts."""
    seen, queue = {"".join(rows)}, deque([(rows, 0)])
    while queue:
        rows, steps = queue.popleft()
        if not any("$" in row for row in rows):
            return steps
        for command in STEPS:
            try:
                then = replayed(rows, [command])
            except AssertionError:
                continue
            if "".join(then) not in seen:
                seen.add("".join(then))
                queue.append((then, steps + 1))
    return None


def test_a_map_is_shown_as_it_was_written():
    rows = ["######", "#+ *.#", "# $$ #", "######"]
    assert read(*rows).rows() == rows


def test_a_box_is_pushed_and_a_goal_shows_through():
    state = read("#######", "#@$.  #", "#######")
    assert after(state, "right") == ["#######", "# @*  #", "#######"]
    state = read("#######", "#@$. .#", "#   $ #", "#######")
    assert after(state, "right", "right") == ["#######", "#  +$.#", "#   $ #", "#######"]
    assert after(state, "right", "right", "left") == ["#######", "# @.$.#", "#   $ #", "#######"]


@pytest.mark.parametrize(
    ("rows", "command", "why"),
    [
        (["####", "#@$#", "#. #", "####"], "right", "the box would go into a wall"),
        (["####", "#@$#", "#. #", "####"], "up", "there is a wall"),
        (["######", "#@$$.#", "#   .#", "######"], "right", "another box"),
    ],
)
def test_what_is_in_the_way_is_named(rows, command, why):
    state = read(*rows)
    with pytest.raises(ActionError, match=why):
        GAME.apply(state, command)
    assert command not in GAME.legal(state)


def test_the_last_box_home_wins_and_one_of_two_does_not():
    move = GAME.apply(read("#####", "#@$.#", "#####"), "right")
    assert (move.reward, move.outcome) == (1.0, Outcome.SUCCESS)
    move = GAME.apply(read("#####", "#@$.#", "#.$ #", "#####"), "right")
    assert (move.reward, move.outcome) == (0.0, Outcome.RUNNING)


def test_a_box_in_a_corner_is_lost_and_the_game_goes_on():
    state = read("######", "#  . #", "#@$  #", "#    #", "######")
    lost = GAME.apply(GAME.apply(state, "right").state, "right")
    assert lost.outcome is Outcome.RUNNING
    with pytest.raises(NoSolutionError):
        GAME.solution(lost.state)


@pytest.mark.parametrize("level", [1, 2])
def test_solutions_are_shortest_and_valid_by_other_rules(level):
    for seed in range(25 if level == 1 else 6):
        state = drawn(GAME, seed, level, "train")
        plan = GAME.solution(state)
        assert not any("$" in row for row in replayed(state.rows(), plan))
        assert len(plan) == fewest_steps(state.rows())


def test_levels_grow():
    shape = {level: drawn(GAME, 1, level, "train") for level in (1, 2, 3)}
    assert [(state.width, len(state.rows()), len(state.boxes)) for state in shape.values()] == [
        (6, 6, 1),
        (7, 7, 2),
        (8, 8, 3),
    ]
    lengths = [
        sorted(len(GAME.solution(drawn(GAME, seed, level, "train"))) for seed in range(15))[7] for level in (1, 2, 3)
    ]
    assert lengths == sorted(set(lengths))


def test_turned_and_mirrored_maps_are_one_task():
    rows = drawn(GAME, 4, 2, "train").rows()
    turned = ["".join(column) for column in zip(*rows[::-1], strict=True)]
    assert GAME.key(read(*rows)) == GAME.key(read(*turned)) == GAME.key(read(*[row[::-1] for row in rows]))
    assert GAME.key(read(*rows)) != GAME.key(drawn(GAME, 5, 2, "train"))


def test_a_walk_at_random_keeps_walls_and_boxes():
    rng = Random(0)
    for seed in range(20):
        state = drawn(GAME, seed, 3, "train")
        rows = state.rows()
        for _ in range(60):
            command = rng.choice(GAME.legal(state))
            move = GAME.apply(state, command)
            rows, state = replayed(rows, [command]), move.state
            assert state.rows() == rows
            if move.outcome is Outcome.SUCCESS:
                break
