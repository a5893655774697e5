"""Answers to questions about a site's data, compared as a fair reader would: case, blanks and formats do not matter."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass


class Answer(ABC):
    """What a question has for its answer; ``str`` of it is the plainest way to give it."""

    @abstractmethod
    def fits(self, given: str) -> bool:
        """Whether what was given is this answer."""


@dataclass(frozen=True)
class Text(Answer):
    """A name or a title.

    >>> Text("Olive oil").fits(' "olive  oil". ')
    True
    """

    text: str
    also: tuple[str, ...] = ()
    """Other ways to say it."""

    def fits(self, given: str) -> bool:
        """Whether it is the same text."""
        return _bare(given) in {_bare(text) for text in (self.text, *self.also)}

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Number(Answer):
    """A count or an amount of money; the sign of an amount that is owed may be left out or said in words.

    >>> Number(-1234.5, 0.006).fits("€ 1,234.50")
    True
    >>> [Number(7).fits(given) for given in ("seven", "7 bills", "7 or 8")]
    [True, True, False]
    """

    value: float
    tolerance: float = 0.0

    def fits(self, given: str) -> bool:
        """Whether the only number in what was given is this one."""
        said = _WORDS.get(_bare(given))
        found = [float(said)] if said is not None else [_number(part) for part in _NUMBER.findall(given)]
        return len(found) == 1 and abs(found[0] - abs(self.value)) <= self.tolerance

    def __str__(self) -> str:
        return f"{self.value:.2f}" if self.tolerance else f"{self.value:g}"


_NUMBER = re.compile(r"\d[\d.,]*")
_TO_TWELVE = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORDS = {word: number for number, word in enumerate(_TO_TWELVE)} | {"none": 0, "nobody": 0}


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!\"'“”`@")


def _number(text: str) -> float:
    """Read digits with marks: the last mark is the decimal one, unless it groups thousands."""
    text = text.rstrip(".,")
    last = max(text.rfind("."), text.rfind(","))
    if last < 0:
        return float(text)
    mark, rest = text[last], text[last + 1 :]
    groups = text.count(mark) > 1 or (len(rest) == 3 and not set(",.") <= set(text))
    digits = re.sub("[.,]", "", text)
    return float(digits if groups else f"{digits[: len(digits) - len(rest)]}.{rest}")
