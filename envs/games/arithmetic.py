"""Games of numbers to be combined by + - * /: reading an expression, and the moves and the search that they share.

An expression is read by a parser of its own that knows numbers, four signs and brackets; nothing is ever evaluated as
a program. Arithmetic is exact: whole numbers and fractions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from selfgym.envs.games.game import quoted
from selfgym.envs.tools import ActionError

Number = int | Fraction
"""A fraction only where it is no whole number."""
Numbers = tuple[Number, ...]
SIGNS = "+-*/"
MOST_CHARACTERS = 200
"""A longer expression is refused unread."""
_TOKEN = re.compile(r"\s*([0-9]{1,6}|[-+*/()])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression is worth, the numbers it uses in order, and whether every value on the way was allowed."""

    worth: Number
    used: tuple[int, ...]
    whole: bool


def combined(left: Number, sign: str, right: Number) -> Number | None:
    """``left sign right``; None for a division by zero."""
    if sign == "/":
        if not right:
            return None
        worth: Number = Fraction(left, right)
    else:
        worth = left + right if sign == "+" else left - right if sign == "-" else left * right
    return worth.numerator if worth.denominator == 1 else worth


def is_natural(number: Number) -> bool:
    """Whether it is 1, 2, 3 ..., which is all that Countdown allows on the way."""
    return number > 0 and number.denominator == 1


def read_expression(text: str) -> Value:
    """Read an expression such as ``(75 - 25) * 3``. Raises `ActionError` where it is none or divides by zero."""
    if len(text) > MOST_CHARACTERS:
        raise ActionError(f"The expression has {len(text)} characters; the limit is {MOST_CHARACTERS}.")
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ActionError(f"An expression has only numbers, + - * / and brackets; {quoted(text[at:])} is neither.")
        tokens.append(found[1])
        at = found.end()
    reader = _Reader(tokens)
    value = reader.sum()
    if reader.left:
        raise ActionError(f"The expression makes no sense from {quoted(' '.join(reader.left))} on.")
    return value


class _Reader:
    """Recursive descent; the depth is bounded by the length of the text."""

    def __init__(self, tokens: list[str]) -> None:
        self.left = tokens

    def sum(self) -> Value:
        return self._chain("+-")

    def _chain(self, signs: str) -> Value:
        one = self._chain("*/") if signs == "+-" else self._single()
        while self.left and self.left[0] in signs:
            sign = self.left.pop(0)
            other = self._chain("*/") if signs == "+-" else self._single()
            worth = combined(one.worth, sign, other.worth)
            if worth is None:
                raise ActionError("The expression divides by zero.")
            one = Value(worth, one.used + other.used, one.whole and other.whole and is_natural(worth))
        return one

    def _single(self) -> Value:
        token = self.left.pop(0) if self.left else ""
        if token.isdecimal():
            return Value(int(token), (int(token),), True)
        if token != "(":
            what = f"not {quoted(token)}" if token else "but it ends there"
            raise ActionError(f"The expression needs a number or a bracket in one place, {what}.")
        value = self.sum()
        if not self.left or self.left.pop(0) != ")":
            raise ActionError("A bracket of the expression is not closed.")
        return value


def combinations(numbers: Numbers, *, whole: bool) -> Iterator[tuple[Number, str, Number, Numbers]]:
    """Every way to combine two of the numbers: both, the sign, and the numbers afterwards (the result last).

    Of a sum and a product only one order; with ``whole`` only natural results.
    """
    told = set()
    for first in range(len(numbers)):
        for second in range(len(numbers)):
            if first == second:
                continue
            left, right = numbers[first], numbers[second]
            for sign in SIGNS:
                if (sign in "+*" and (right, second) < (left, first)) or (left, sign, right) in told:
                    continue
                told.add((left, sign, right))
                if whole and sign == "/" and left % right:
                    continue
                worth = combined(left, sign, right)
                if worth is None or (whole and not is_natural(worth)):
                    continue
                rest = tuple(number for at, number in enumerate(numbers) if at not in (first, second))
                yield left, sign, right, (*rest, worth)


def _of_two(one: Number, two: Number) -> tuple[Number | None, ...]:
    """All that two numbers can make."""
    return one + two, one * two, one - two, two - one, combined(one, "/", two), combined(two, "/", one)


def ways_to(target: int, numbers: Numbers, *, whole: bool, use_all: bool) -> list[str] | None:
    """Commands that lead to the target, by search in depth; None where there are none."""
    lost: set[Numbers] = set()

    def search(left: Numbers) -> list[str] | None:
        if left[-1] == target and (len(left) == 1 or not use_all):
            return []
        if use_all and len(left) == 2 and target not in _of_two(*left):
            return None
        key = tuple(sorted(left))
        if key in lost:
            return None
        for one, sign, other, after in combinations(left, whole=whole):
            found = search(after)
            if found is not None:
                return [f"{one} {sign} {other}", *found]
        lost.add(key)
        return None

    return search(numbers)
