"""Countdown and the Game of 24: combine numbers by + - * / until one of them is the target.

Countdown is the numbers round of the television game (Des chiffres et des lettres, 1972; rules as in Hutton, "The
Countdown problem", 2002): every number at most once, and only natural numbers on the way. The Game of 24 uses all four
numbers, and fractions and negative numbers are allowed on the way (as in Yao et al. 2023, arXiv 2305.10601).
Both can be played step by step (``75 - 25``) or at once (``answer (75 - 25) * 3``, which ends the game).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from random import Random

from pydantic import BaseModel, Field

from selfgym.envs.core import Outcome
from selfgym.envs.games.arithmetic import (
    Number,
    Numbers,
    combinations,
    combined,
    is_natural,
    read_expression,
    ways_to,
)
from selfgym.envs.games.env import GameEnv
from selfgym.envs.games.game import Game, Move, NoSolutionError, Verb, quoted
from selfgym.envs.tools import ActionError

_STEP = re.compile(r"(-?[0-9]{1,9}(?:/[0-9]{1,9})?) ?([-+*/]) ?(-?[0-9]{1,9}(?:/[0-9]{1,9})?)", re.ASCII)
_LARGE = (25, 50, 75, 100)
_TARGETS = {1: (10, 60), 2: (30, 200), 3: (101, 999)}
_FIRST_MOVES = {1: (8, 99), 2: (3, 7), 3: (1, 2)}
"""Of the Game of 24: how many of the first moves leave 24 possible, by level."""


@dataclass(frozen=True, slots=True)
class Board:
    """The numbers that are left, as texts such as ``"8/3"``, and the target."""

    numbers: tuple[str, ...]
    target: int


class _Combine(BaseModel):
    left: str = Field(description="A number that is left, e.g. '75'.")
    sign: str = Field(description="+, -, * or /")
    right: str = Field(description="Another number that is left.")


class _Answer(BaseModel):
    expression: str = Field(description="An expression over the numbers that are left, e.g. '(75 - 25) * 3'.")


class _NumberGame(Game[Board]):
    """What both games share: ``whole`` allows only natural numbers, ``use_all`` wants every number used."""

    whole: bool
    use_all: bool
    form = Board
    verbs = (
        Verb("combine", "Replace two of the numbers by one.", _Combine, "{left} {sign} {right}"),
        Verb("answer", "Say a whole expression; this ends the game.", _Answer, "answer {expression}"),
    )

    def key(self, state: Board) -> str:
        """The numbers in order, and the target."""
        return f"{sorted(map(int, state.numbers))} {state.target}"

    def describe(self, state: Board) -> str:
        """The numbers that are left."""
        return f"Numbers: {', '.join(state.numbers)}. Target: {state.target}."

    def legal(self, state: Board) -> list[str]:
        """Every way to combine two of the numbers; an answer is possible too."""
        return [f"{one} {sign} {other}" for one, sign, other, _ in combinations(_read(state), whole=self.whole)]

    def apply(self, state: Board, words: str) -> Move[Board]:
        """Combine two numbers, or answer."""
        if words.lower().startswith("answer "):
            return self._answer(state, words[len("answer ") :])
        found = _STEP.fullmatch(words)
        if found is None:
            raise ActionError("Write two of the numbers with + - * / between, or: answer and an expression.")
        left, right = _number(found[1]), _number(found[3])
        rest = list(_read(state))
        for number in (left, right):
            if number not in rest:
                raise ActionError(f"There is no {number} left to use. {self.describe(state)}")
            rest.remove(number)
        worth = combined(left, found[2], right)
        if worth is None:
            raise ActionError("Nothing can be divided by zero.")
        if self.whole and not is_natural(worth):
            raise ActionError(f"{found[0]} is {worth}; only 1, 2, 3 and so on are allowed.")
        return self._after(Board((*map(str, rest), str(worth)), state.target), f"{left} {found[2]} {right} = {worth}.")

    def _after(self, state: Board, said: str) -> Move[Board]:
        last = len(state.numbers) == 1
        if state.numbers[-1] == str(state.target) and (last or not self.use_all):
            return Move(state, f"{said} That is the target.", 1.0, Outcome.SUCCESS)
        if last:
            return Move(state, f"{said} No other number is left, and the target is {state.target}.", 0.0, _LOST)
        return Move(state, f"{said} {self.describe(state)}")

    def _answer(self, state: Board, expression: str) -> Move[Board]:
        value = read_expression(expression)
        unused = Counter(state.numbers)
        unused.subtract(map(str, value.used))
        missing = [number for number, count in unused.items() if count < 0]
        if missing:
            return Move(state, f"{missing[0]} is not there to be used (again). The game is over.", 0.0, _LOST)
        if self.use_all and unused.total():
            return Move(state, "Not every number is used. The game is over.", 0.0, _LOST)
        if self.whole and not value.whole:
            return Move(state, "A value on the way is none of 1, 2, 3 and so on. The game is over.", 0.0, _LOST)
        if value.worth != state.target:
            return Move(state, f"That makes {quoted(str(value.worth))[1:-1]}. The game is over.", 0.0, _LOST)
        return Move(state, f"That makes {state.target}, the target.", 1.0, Outcome.SUCCESS)

    def solution(self, state: Board) -> list[str]:
        """Commands by search in depth: not the fewest that would do."""
        found = ways_to(state.target, _read(state), whole=self.whole, use_all=self.use_all)
        if not found:
            raise NoSolutionError(f"{state.target} cannot be reached any more")
        return found


class Countdown(_NumberGame):
    """Countdown: the target must come up, natural numbers on the way."""

    name = "countdown"
    steps = (10, 10, 15)
    whole, use_all = True, False

    def start(self, rng: Random, level: int) -> Board:
        """Numbers, and a target that combining some of them at random gave."""
        while True:
            large = rng.sample(_LARGE, level - 1)
            small = [rng.randint(1, 10) for _ in range({1: 3, 2: 3, 3: 4}[level])]
            numbers = (*large, *small)
            left: Numbers = numbers
            for _ in range(rng.randint(2, len(numbers) - 1)):
                left = rng.choice([after for *_, after in combinations(left, whole=True)])
            least, most = _TARGETS[level]
            if least <= left[-1] <= most and left[-1] not in numbers:
                return Board(tuple(map(str, numbers)), int(left[-1]))

    def goal(self, state: Board) -> str:
        """In words."""
        return (
            f"Reach {state.target} from the numbers {', '.join(state.numbers)} by + - * /. Each may be used once, and "
            "only 1, 2, 3 and so on may come up on the way. Commands: two of the numbers with a sign between, such as "
            "'6 * 4', which are replaced by the result; or 'answer' and an expression, which ends the game."
        )


class Game24(_NumberGame):
    """The Game of 24: all four numbers, fractions allowed."""

    name = "game24"
    steps = (10, 10, 10)
    whole, use_all = False, True

    def start(self, rng: Random, level: int) -> Board:
        """Four numbers from 1 to 13 of which as many first moves are right as the level says."""
        least, most = _FIRST_MOVES[level]
        while True:
            numbers = [rng.randint(1, 13) for _ in range(4)]
            if least <= right_first_moves(tuple(sorted(numbers))) <= most:
                return Board(tuple(map(str, numbers)), 24)

    def goal(self, state: Board) -> str:
        """In words."""
        return (
            f"Make 24 of all four numbers {', '.join(state.numbers)} by + - * /. Fractions and negative numbers may "
            "come up on the way. Commands: two of the numbers with a sign between, such as '6 * 4', which are replaced "
            "by the result; or 'answer' and an expression, which ends the game."
        )


@lru_cache(maxsize=2048)
def right_first_moves(numbers: tuple[int, ...]) -> int:
    """How many ways to combine two of the numbers still allow 24; 0 where it cannot be made at all."""
    moves = combinations(numbers, whole=False)
    return sum(ways_to(24, after, whole=False, use_all=True) is not None for *_, after in moves)


class CountdownEnv(GameEnv[Board]):
    """Countdown: reach a target from some numbers by + - * /, step by step or by one expression.

    ``level`` 1 has three small numbers, 2 four with a large one, 3 six with two large ones and a target above 100.
    """

    def __init__(
        self, level: int = 1, split: str = "train", max_steps: int | None = None, render_mode: str | None = None
    ) -> None:
        super().__init__(Countdown(), level, split, max_steps, render_mode)


class Game24Env(GameEnv[Board]):
    """The Game of 24: make 24 of four numbers, step by step or by one expression.

    ``level`` says how many first moves are right: 1 eight or more, 2 three to seven, 3 one or two.
    """

    def __init__(
        self, level: int = 1, split: str = "train", max_steps: int | None = None, render_mode: str | None = None
    ) -> None:
        super().__init__(Game24(), level, split, max_steps, render_mode)


_LOST = Outcome.FAILURE


def _read(state: Board) -> Numbers:
    return tuple(map(_number, state.numbers))


def _number(text: str) -> Number:
    try:
        return Fraction(text) if "/" in text else int(text)
    except ZeroDivisionError:
        raise ActionError(f"{text} divides by zero.") from None
