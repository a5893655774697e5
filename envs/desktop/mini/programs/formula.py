"""Formulas of the sheet: ``=A1+2*(B2-1)`` and ``=SUM(A1:A5)``, read by hand and never run as code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

COLUMNS = "ABCDEF"
ROWS = 12
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z]+\d+)|([A-Za-z]+)|([-+*/():,]))")
_FUNCTIONS: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "AVERAGE": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
    "COUNT": lambda values: float(len(values)),
}


class FormulaError(ValueError):
    """A formula that means nothing, or refers to itself."""


def shown(cells: dict[str, str], cell: str) -> str:
    """What a cell shows: its text, or what its formula comes to."""
    text = cells.get(cell, "")
    if not text.startswith("="):
        return text
    try:
        return f"{_number(cells, cell, ()):.10g}"
    except (FormulaError, ZeroDivisionError, RecursionError):
        return "#ERROR"


def _number(cells: dict[str, str], cell: str, above: tuple[str, ...]) -> float:
    """A cell as a number; what is no number counts as 0."""
    if cell in above or len(above) > 50:
        raise FormulaError("it refers to itself")
    text = cells.get(cell, "")
    if text.startswith("="):
        return _Reader(text[1:], cells, (*above, cell)).whole()
    try:
        return float(text)
    except ValueError:
        return 0.0


class _Reader:
    """Works a formula out while it is read: sums of products of atoms."""

    def __init__(self, text: str, cells: dict[str, str], above: tuple[str, ...]) -> None:
        self._tokens = list(_tokens(text))
        self._cells, self._above, self._at = cells, above, 0

    def whole(self) -> float:
        value = self._sum()
        if self._at < len(self._tokens):
            raise FormulaError("something is left over")
        return value

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise FormulaError(f"{token} is missing")

    def _sum(self) -> float:
        value = self._product()
        while self._next() in ("+", "-"):
            value = value + self._product() if self._take() == "+" else value - self._product()
        return value

    def _product(self) -> float:
        value = self._atom()
        while self._next() in ("*", "/"):
            value = value * self._atom() if self._take() == "*" else value / self._atom()
        return value

    def _atom(self) -> float:
        token = self._take()
        if token == "-":
            return -self._atom()
        if token == "(":
            value = self._sum()
            self._expect(")")
            return value
        if token in _FUNCTIONS:
            self._expect("(")
            values = self._arguments()
            self._expect(")")
            return _FUNCTIONS[token](values)
        if token and token[0].isdigit():
            return float(token)
        return _number(self._cells, _cell(token), self._above)

    def _arguments(self) -> list[float]:
        values: list[float] = []
        while True:
            if self._at + 1 < len(self._tokens) and self._tokens[self._at + 1] == ":":
                first, _, last = self._take(), self._take(), self._take()
                values += [_number(self._cells, cell, self._above) for cell in _between(_cell(first), _cell(last))]
            else:
                values.append(self._sum())
            if self._next() != ",":
                return values
            self._take()


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise FormulaError(f"{text[at:]!r} means nothing")
        at = found.end()
        yield found.group().strip().upper()


def _cell(name: str) -> str:
    if len(name) < 2 or name[0] not in COLUMNS or not name[1:].isdigit() or not 1 <= int(name[1:]) <= ROWS:
        raise FormulaError(f"there is no cell {name!r}")
    return name


def _between(first: str, last: str) -> Iterator[str]:
    """The cells of a rectangle between two corners."""
    columns = sorted((COLUMNS.index(first[0]), COLUMNS.index(last[0])))
    rows = sorted((int(first[1:]), int(last[1:])))
    for row in range(rows[0], rows[1] + 1):
        for column in range(columns[0], columns[1] + 1):
            yield f"{COLUMNS[column]}{row}"
