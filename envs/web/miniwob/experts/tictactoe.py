"""An expert of tic-tac-toe that knows how the page's player moves, and its dice.

An honest player that knows how the other one moves wins 83 of 100 games; this one looks at the random numbers that are
to come, and so at the other's answer to each of its moves.
"""

from __future__ import annotations

from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.scene import Expert, Scene, call

_LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
_MISSING = (
    ((0, 1, 2), (3, 4, 5), (6, 7, 8)),
    ((1, 0, 2), (4, 3, 5), (7, 6, 8)),
    ((2, 0, 1), (5, 3, 4), (8, 6, 7)),
    ((0, 4, 8), (4, 0, 8), (8, 0, 4), (2, 4, 6), (4, 2, 6), (6, 2, 4)),
    *(((c, 3 + c, 6 + c), (3 + c, c, 6 + c), (6 + c, c, 3 + c)) for c in range(3)),
)
"""A place and the two others of its line, in the order in which the page looks."""
_DICE = """(() => {
  const draw = Math.random, ahead = Array.from({length: 12}, () => draw());
  const kept = [...ahead];
  Math.random = () => kept.length ? kept.shift() : draw();
  return ahead;
})()"""


def tic_tac_toe(scene: Scene) -> Iterator[str]:
    """The moves that win, foreseen once."""
    cells = scene.all("clickable")
    board = "".join({"mark-x": "x", "mark-o": "o"}.get(one["name"], ".") for one in cells)
    moves = _winning(board, scene.peek(_DICE), 0)
    for place in moves if moves is not None else _free(board):
        yield call("click", cells[place]["number"])


def _winning(board: str, dice: list[float], rolled: int) -> list[int] | None:
    """The moves by which x wins, or None."""
    for place in _free(board):
        mine = _put(board, place, "x")
        if _won(mine, "x"):
            return [place]
        if "." not in mine:
            continue
        answer, after = _answer(mine, dice, rolled)
        theirs = _put(mine, answer, "o")
        rest = None if _won(theirs, "o") else _winning(theirs, dice, after)
        if rest is not None:
            return [place, *rest]
    return None


def _answer(board: str, dice: list[float], rolled: int) -> tuple[int, int]:
    """Where the page's player moves, and how many dice were rolled by then."""
    free = _free(board)
    if int(dice[rolled] * 100) >= 55:
        for mark in "ox":
            found = [_first(board, mark, places) for places in _MISSING]
            known = [place for place in found if place is not None]
            if known:
                return known[-1], rolled + 1
    return free[int(dice[rolled + 1] * len(free))], rolled + 2


def _first(board: str, mark: str, places: tuple[tuple[int, int, int], ...]) -> int | None:
    return next((a for a, b, c in places if board[a] == "." and board[b] == board[c] == mark), None)


def _free(board: str) -> list[int]:
    return [place for place, mark in enumerate(board) if mark == "."]


def _put(board: str, place: int, mark: str) -> str:
    return board[:place] + mark + board[place + 1 :]


def _won(board: str, mark: str) -> bool:
    return any(all(board[place] == mark for place in line) for line in _LINES)


EXPERTS: dict[str, Expert] = {"tic-tac-toe": tic_tac_toe}
