"""Experts of guessing, counting, waiting and of a game of tic-tac-toe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from selfgym.envs.web.miniwob.experts.scene import Expert, Scene, call
from selfgym.envs.web.miniwob.experts.steps import part, prose, rows, submit

_LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
_RANDOM = 0.55  # how often the page's player moves at random


def find_greatest(scene: Scene) -> Iterator[str]:
    """The greatest card; all are told, turned or not."""
    greatest = max(scene.all("clickable"), key=lambda card: int(card["name"]))
    yield call("click", greatest["number"])
    yield submit(scene)


def generate_number(scene: Scene) -> Iterator[str]:
    """Draw until the number is as it should be."""
    fits = _condition(scene.goal)
    shown = ""
    while not (shown.isdigit() and fits(int(shown))):
        yield call("click", scene.one("button", "Generate"))
        shown = prose(scene)[0].strip()
    yield submit(scene)


def _condition(goal: str) -> Callable[[int], bool]:
    if "odd" in goal or "even" in goal:
        return lambda number: (number % 2 == 1) == ("odd" in goal)
    word, bound = part(r"(less|greater) than (\d+)", goal)
    return lambda number: number < int(bound) if word == "less" else number > int(bound)


def guess_number(scene: Scene) -> Iterator[str]:
    """Halve what is left."""
    low, high = 0, 9
    while True:
        guess = (low + high) // 2
        yield call("fill", scene.one("spinbutton"), str(guess))
        yield submit(scene)
        low, high = (guess + 1, high) if "higher" in scene.text else (low, guess - 1)


def odd_or_even(scene: Scene) -> Iterator[str]:
    """Each number stands between its two buttons."""
    page = rows(scene)
    for before, row, after in zip(page, page[1:], page[2:], strict=False):
        if isinstance(row, str) and not isinstance(before, str) and not isinstance(after, str):
            yield call("click", (before if int(row) % 2 else after)["number"])
    yield submit(scene)


def simon_says(scene: Scene) -> Iterator[str]:
    """The buttons light up every 600 ms, 250 ms long; the first look is at 500 ms."""
    dark = {one["number"]: one["name"] for one in scene.all("button")}
    lit: list[int] = []
    yield call("noop", 200)
    while bright := [one["number"] for one in scene.all("button") if one["name"] != dark[one["number"]]]:
        lit += bright
        yield call("noop", 600)
    for number in lit:
        yield call("click", number)


def stock_market(scene: Scene) -> Iterator[str]:
    """Wait for the price; the goal's is that of 7600 to 7700 ms, and the page takes it too. The first look is at 500."""
    limit = float(part(r"less than \$([\d.]+\d)", scene.goal)[0])
    wait = 150
    while float(part(r"price: \$([\d.]+)", scene.text)[0]) > limit:
        yield call("noop", wait)
        wait = 500
    yield call("click", scene.one("button", "Buy"))


def tic_tac_toe(scene: Scene) -> Iterator[str]:
    """The move that wins most often against a player of whom half of the moves are random."""
    while True:
        cells = scene.all("clickable")
        board = "".join({"mark-x": "x", "mark-o": "o"}.get(one["name"], ".") for one in cells)
        yield call("click", cells[_best(board)]["number"])


def _best(board: str) -> int:
    return max(_free(board), key=lambda place: _chance(_put(board, place, "x")))


def _free(board: str) -> list[int]:
    return [place for place, mark in enumerate(board) if mark == "."]


def _put(board: str, place: int, mark: str) -> str:
    return board[:place] + mark + board[place + 1 :]


def _won(board: str, mark: str) -> bool:
    return any(all(board[place] == mark for place in line) for line in _LINES)


@cache
def _chance(board: str) -> float:
    """How likely x wins once it has moved: o moves at random, or wins or hinders x where it can."""
    if _won(board, "x"):
        return 1.0
    free = _free(board)
    if not free:
        return 0.0
    wins, hinders = ([place for place in free if _won(_put(board, place, mark), mark)] for mark in "ox")
    return _RANDOM * _mean(board, free) + (1 - _RANDOM) * _mean(board, wins or hinders or free)


def _mean(board: str, places: list[int]) -> float:
    return sum(_after(_put(board, place, "o")) for place in places) / len(places)


def _after(board: str) -> float:
    """How likely x wins when it is to move."""
    free = _free(board)
    if _won(board, "o") or not free:
        return 0.0
    return max(_chance(_put(board, place, "x")) for place in free)


EXPERTS: dict[str, Expert] = {
    "find-greatest": find_greatest,
    "generate-number": generate_number,
    "guess-number": guess_number,
    "odd-or-even": odd_or_even,
    "simon-says": simon_says,
    "stock-market": stock_market,
    "tic-tac-toe": tic_tac_toe,
}
