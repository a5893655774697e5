"""Countdown and the Game of 24: reading expressions, both sets of rules, and what can be solved."""

from fractions import Fraction
from itertools import combinations_with_replacement, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfgym.envs.core import Outcome
from selfgym.envs.games.arithmetic import combined, read_expression
from selfgym.envs.games.countdown import Board, Countdown, Game24, right_first_moves
from selfgym.envs.games.game import NoSolutionError, drawn
from selfgym.envs.tools import ActionError

COUNTDOWN, GAME24 = Countdown(), Game24()


def ended(game, state, *commands):
    for command in commands:
        move = game.apply(state, command)
        state = move.state
    return move


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("1+2*3", 7),
        ("(1+2)*3", 9),
        ("8/(3-8/3)", 24),
        ("10-4-3", 3),
        ("24/4/3", 2),
        ("2*(3+(4-1))", 12),
        (" 7 ", 7),
        ("1-9", -8),
    ],
)
def test_expressions_are_read_as_at_school(text, worth):
    assert read_expression(text).worth == worth


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "ends there"),
        ("1+", "ends there"),
        ("(1+2", "not closed"),
        ("1 2", "makes no sense from '2' on"),
        ("1)", "makes no sense"),
        ("2**3", "needs a number"),
        ("-3+4", "needs a number"),
        ("1/0", "divides by zero"),
        ("4/(2-2)", "divides by zero"),
        ("a+1", "only numbers"),
        ("٣+1", "only numbers"),
        ("__import__('os')", "only numbers"),
        ("1.5", "only numbers"),
        ("1234567", "makes no sense"),
        ("(" * 500, "limit is 200"),
        ("(" * 200, "ends there"),
    ],
)
def test_what_is_no_expression_is_named(text, why):
    with pytest.raises(ActionError, match=why):
        read_expression(text)


TREES = st.recursive(
    st.integers(0, 99).map(lambda number: (str(number), Fraction(number))),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*/"), inner)
        .map(lambda parts: (f"({parts[0][0]} {parts[1]} {parts[2][0]})", *worth(*parts)))
        .filter(lambda pair: pair[1] is not None)
    ),
    max_leaves=8,
)


def worth(one, sign, two):
    return (combined(one[1], sign, two[1]),)


@given(TREES)
def test_an_expression_is_worth_what_its_tree_is(tree):
    text, value = tree
    if len(text) <= 200:
        assert read_expression(text).worth == value


def test_countdown_step_by_step():
    board = Board(("75", "25", "3", "4"), 150)
    move = ended(COUNTDOWN, board, "75 - 25", "3 * 50")
    assert (move.outcome, move.reward) == (Outcome.SUCCESS, 1.0)
    assert move.state.numbers == ("4", "150")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("25 - 75", "is -50"),
        ("25 - 25", "no 25 left"),
        ("75 / 4", "is 75/4"),
        ("7 + 3", "no 7 left"),
        ("3 + 3", "no 3 left"),
        ("1/0 + 3", "divides by zero"),
        ("75", "two of the numbers"),
    ],
)
def test_countdown_refuses(command, why):
    with pytest.raises(ActionError, match=why):
        COUNTDOWN.apply(Board(("75", "25", "3", "4"), 150), command)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("(75-25)*3", Outcome.SUCCESS),
        ("75*4/2", Outcome.FAILURE),  # there is no 2
        ("75+75", Outcome.FAILURE),  # only one of them
        ("75+25", Outcome.FAILURE),
        ("(25-75)*3+75*4", Outcome.FAILURE),  # used twice
        ("75/4*3+25", Outcome.FAILURE),
        ("(3-75)*(4-25)", Outcome.FAILURE),  # negative on the way
    ],
)
def test_an_answer_ends_countdown(answer, outcome):
    move = COUNTDOWN.apply(Board(("75", "25", "3", "4"), 150), f"answer {answer}")
    assert move.outcome is outcome
    assert move.reward == float(outcome is Outcome.SUCCESS)


def test_negative_values_on_the_way_do_not_count_in_countdown():
    board = Board(("2", "5", "1", "4"), 9)
    assert read_expression("(2-5)*(1-4)").worth == 9
    assert COUNTDOWN.apply(board, "answer (2-5)*(1-4)").outcome is Outcome.FAILURE


def test_the_last_number_that_is_wrong_ends_the_game():
    move = ended(COUNTDOWN, Board(("2", "3", "5"), 30), "2 + 3", "5 + 5")
    assert (move.outcome, move.reward) == (Outcome.FAILURE, 0.0)


def test_24_wants_every_number():
    board = Board(("4", "6", "1", "1"), 24)
    assert ended(GAME24, board, "4 * 6").outcome is Outcome.RUNNING
    assert ended(GAME24, board, "answer 4*6").outcome is Outcome.FAILURE
    assert ended(GAME24, board, "4 * 6", "24 * 1", "24 / 1").outcome is Outcome.SUCCESS


def test_24_by_fractions_and_negative_numbers():
    board = Board(("8", "3", "8", "3"), 24)
    assert GAME24.apply(board, "answer 8/(3-8/3)").outcome is Outcome.SUCCESS
    assert ended(GAME24, board, "8 / 3", "3 - 8/3", "8 / 1/3").outcome is Outcome.SUCCESS
    assert ended(GAME24, Board(("1", "2", "9", "16"), 24), "1 - 2", "-1 * 16").state.numbers == ("9", "-16")


def can_make_24(numbers):
    """Every order, every sign, all five ways to put brackets; divisions by zero are None."""

    def op(sign, one, two):
        return None if one is None or two is None else combined(one, sign, two)

    for a, b, c, d in set(permutations(map(Fraction, numbers))):
        for x, y, z in product("+-*/", repeat=3):
            if Fraction(24) in (
                op(z, op(y, op(x, a, b), c), d),
                op(z, op(x, a, op(y, b, c)), d),
                op(y, op(x, a, b), op(z, c, d)),
                op(x, a, op(z, op(y, b, c), d)),
                op(x, a, op(y, b, op(z, c, d))),
            ):
                return True
    return False


def test_the_search_for_24_finds_what_there_is():
    for numbers in list(combinations_with_replacement(range(1, 14), 4))[::37]:
        assert (right_first_moves(numbers) > 0) == can_make_24(numbers), numbers


@pytest.mark.parametrize("game", [COUNTDOWN, GAME24])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_every_task_can_be_solved_and_says_no_where_it_cannot(game, level):
    for seed in range(40):
        state = drawn(game, seed, level, "test")
        assert ended(game, state, *game.solution(state)).outcome is Outcome.SUCCESS
        assert all(int(number) > 0 for number in state.numbers)
    with pytest.raises(NoSolutionError):
        game.solution(Board(("1", "1"), 24))


def test_levels_of_24_count_the_right_first_moves():
    for level, (least, most) in {1: (8, 99), 2: (3, 7), 3: (1, 2)}.items():
        for seed in range(10):
            numbers = tuple(sorted(map(int, drawn(GAME24, seed, level, "train").numbers)))
            assert least <= right_first_moves(numbers) <= most
