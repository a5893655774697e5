"""Tic-tac-toe from openings of a few marks, against a random or a perfect opponent.

The opening is drawn so that the player to move, who is the learner, does not lose under perfect play. Rewards are 1 for
a win, 0.5 for a draw and 0 for a loss. A draw is a **success** where perfect play from the opening gives no more than a
draw, and a failure where a win was to be had: an episode succeeds if it ends at least as well as perfect play would.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from pydantic import BaseModel, Field

from selfgym.envs.core import Outcome
from selfgym.envs.games.env import GameEnv
from selfgym.envs.games.game import Verb
from selfgym.envs.games.match import Against, Match, Sitting
from selfgym.envs.tools import ActionError

LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
_OPENING = {1: 4, 2: 3, 3: 2}  # marks that are there at first
_TURN = (6, 3, 0, 7, 4, 1, 8, 5, 2)
_MIRROR = (2, 1, 0, 5, 4, 3, 8, 7, 6)
_PLACES = "123456789"


@dataclass(frozen=True, slots=True)
class Grid:
    """Nine cells row by row: ``X``, ``O`` or a full stop. X began."""

    cells: str

    @property
    def mark(self) -> str:
        """Whose turn it is."""
        return "XO"[(9 - self.cells.count(".")) % 2]


class _Cell(BaseModel):
    cell: int = Field(description="1 to 9, row by row.")


class TicTacToe(Match[Grid]):
    """The rules, and perfect play. Player 0 is X."""

    name = "tictactoe"
    steps = (10, 10, 10)
    skills = ("random", "optimal")
    form = Grid
    verbs = (Verb("mark", "Put your mark into a free cell.", _Cell, "{cell}"),)

    def start(self, rng: Random, level: int) -> tuple[Grid, int]:
        """An opening in which nobody has won and the player to move need not lose."""
        while True:
            cells = ["."] * 9
            for at, place in enumerate(rng.sample(range(9), _OPENING[level])):
                cells[place] = "XO"[at % 2]
            grid = Grid("".join(cells))
            if winner(grid.cells) is None and value(grid.cells) >= 0:
                return grid, "XO".index(grid.mark)

    def key(self, state: Grid) -> str:
        """The opening, however it is turned or mirrored."""
        return min(_alike(state.cells))

    def goal(self, state: Grid, player: int) -> str:
        """In words."""
        return (
            f"Win at tic-tac-toe as {'XO'[player]}, or at least do not lose: three of your marks in a row, column or "
            "diagonal win. Commands: the number of a free cell."
        )

    def describe(self, state: Grid, player: int) -> str:
        """The grid, with the numbers of free cells."""
        shown = [number if cell == "." else cell for number, cell in zip(_PLACES, state.cells, strict=True)]
        return "\n".join(" ".join(shown[at : at + 3]) for at in (0, 3, 6))

    def turn(self, state: Grid) -> int | None:
        """X, O, X ... until a line or the ninth mark."""
        over = winner(state.cells) is not None or "." not in state.cells
        return None if over else "XO".index(state.mark)

    def legal(self, state: Grid) -> list[str]:
        """The free cells."""
        return [number for number, cell in zip(_PLACES, state.cells, strict=True) if cell == "."]

    def apply(self, state: Grid, words: str) -> tuple[Grid, str]:
        """Put a mark."""
        if words not in _PLACES or len(words) != 1:
            raise ActionError(f"Write the number of a free cell: {', '.join(self.legal(state))}.")
        at = int(words) - 1
        if state.cells[at] != ".":
            raise ActionError(f"Cell {words} is taken. Free cells: {', '.join(self.legal(state))}.")
        return Grid(_marked(state.cells, at)), f"{state.mark} takes {words}."

    def rewards(self, before: Grid, after: Grid) -> tuple[float, float]:
        """1 for a win, 0.5 for a draw, at the end."""
        if self.turn(after) is not None:
            return 0.0, 0.0
        won = winner(after.cells)
        return (0.5, 0.5) if won is None else (float(won == "X"), float(won == "O"))

    def outcome(self, first: Grid, last: Grid, player: int) -> Outcome:
        """Success where the end is at least as good as perfect play from the opening."""
        won = winner(last.cells)
        result = 0 if won is None else 1 if won == "XO"[player] else -1
        expected = value(first.cells) * (1 if first.mark == "XO"[player] else -1)
        return Outcome.SUCCESS if result >= expected else Outcome.FAILURE

    def choose(self, state: Grid, skill: str, rng: Random) -> str:
        """Any free cell, or one of the best."""
        return rng.choice(self.legal(state) if skill == "random" else best_cells(state.cells))


class TicTacToeEnv(GameEnv[Sitting[Grid]]):
    """Tic-tac-toe from drawn openings, against a ``random`` or an ``optimal`` opponent.

    ``level`` 1 begins with four marks, 2 with three, 3 with two. An episode succeeds if it ends at least as well as
    perfect play from its opening would: a draw is a success where there is no way to win by force.
    """

    def __init__(
        self,
        level: int = 1,
        split: str = "train",
        opponent: str = "optimal",
        max_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(Against(TicTacToe(), opponent), level, split, max_steps, render_mode)


@lru_cache(maxsize=8192)
def winner(cells: str) -> str | None:
    """Who has a line."""
    for one, two, three in LINES:
        if cells[one] != "." and cells[one] == cells[two] == cells[three]:
            return cells[one]
    return None


@lru_cache(maxsize=8192)
def value(cells: str) -> int:
    """For the player to move, under perfect play of both: 1 a win, 0 a draw, -1 a loss."""
    if winner(cells) is not None:
        return -1
    free = [at for at, cell in enumerate(cells) if cell == "."]
    return max((-value(_marked(cells, at)) for at in free), default=0)


@lru_cache(maxsize=8192)
def best_cells(cells: str) -> tuple[str, ...]:
    """The cells that keep the value of a position."""
    best = value(cells)
    free = (at for at, cell in enumerate(cells) if cell == ".")
    return tuple(str(at + 1) for at in free if -value(_marked(cells, at)) == best)


def _marked(cells: str, at: int) -> str:
    return cells[:at] + Grid(cells).mark + cells[at + 1 :]


def _alike(cells: str) -> list[str]:
    """The eight ways to look at a grid."""
    seen = []
    for _ in range(4):
        cells = "".join(cells[at] for at in _TURN)
        seen += [cells, "".join(cells[at] for at in _MIRROR)]
    return seen
