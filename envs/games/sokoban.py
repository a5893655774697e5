"""Sokoban: push every box onto a goal. Levels are made by playing backwards from the end, so each can be solved.

Rules and signs are the usual ones (Imabayashi, 1982; the XSB notation): ``#`` wall, ``@`` you, ``+`` you on a goal,
``$`` box, ``*`` box on a goal, ``.`` goal. A box may be pushed to where it can never leave; nothing takes that back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from heapq import heappop, heappush
from random import Random

from pydantic import BaseModel, Field

from selfgym.envs.core import Outcome
from selfgym.envs.games.env import GameEnv
from selfgym.envs.games.game import Game, Move, NoSolutionError, Verb
from selfgym.envs.tools import ActionError

_SIZES = {1: (6, 6, 1), 2: (7, 7, 2), 3: (8, 8, 3)}  # width, height, boxes
_PUSHES = {1: 3, 2: 7, 3: 12}  # at least so many are needed
_WAYS = ("up", "down", "left", "right")
_SEARCHED = 400_000
_Place = tuple[int, tuple[int, ...]]  # the player, and the boxes in order


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A position; places are numbered row by row."""

    width: int
    walls: str
    """``#`` or a blank for each place; the border is walls."""
    goals: tuple[int, ...]
    boxes: tuple[int, ...]
    player: int

    @property
    def steps(self) -> dict[str, int]:
        """How far a step goes in the numbering."""
        return {"up": -self.width, "down": self.width, "left": -1, "right": 1}

    def rows(self) -> list[str]:
        """The map."""
        signs = list(self.walls)
        for goal in self.goals:
            signs[goal] = "."
        for box in self.boxes:
            signs[box] = "*" if signs[box] == "." else "$"
        signs[self.player] = "+" if signs[self.player] == "." else "@"
        text = "".join(signs)
        return [text[at : at + self.width] for at in range(0, len(text), self.width)]


class _Direction(BaseModel):
    direction: str = Field(description="up, down, left or right")


class Sokoban(Game[Warehouse]):
    """The rules, and the search for a shortest solution."""

    name = "sokoban"
    steps = (50, 100, 200)
    form = Warehouse
    verbs = (Verb("move", "Go one place, pushing the box that is there.", _Direction, "{direction}"),)

    def start(self, rng: Random, level: int) -> Warehouse:
        """A room with some walls in it, and boxes pulled away from the goals."""
        while True:
            state = _pulled(_room(rng, *_SIZES[level]), rng)
            far = _pushes_needed(state.width, state.walls, state.goals)
            if sum(far[box] for box in state.boxes) >= _PUSHES[level]:
                return state

    def key(self, state: Warehouse) -> str:
        """The map, however it is turned or mirrored."""
        rows, seen = state.rows(), []
        for _ in range(4):
            rows = ["".join(column) for column in zip(*rows[::-1], strict=True)]
            seen += ["\n".join(rows), "\n".join(row[::-1] for row in rows)]
        return min(seen)

    def goal(self, state: Warehouse) -> str:
        """In words, with what the signs mean."""
        return (
            "Push every box onto a goal. Signs: # wall, @ you, + you on a goal, $ box, * box on a goal, . goal. "
            "You can push one box at a time and never pull. Commands: up, down, left, right."
        )

    def describe(self, state: Warehouse) -> str:
        """The map."""
        return "\n".join(state.rows())

    def legal(self, state: Warehouse) -> list[str]:
        """Steps that no wall and no second box prevents."""
        return [way for way, step in state.steps.items() if _blocked(state, step) is None]

    def apply(self, state: Warehouse, words: str) -> Move[Warehouse]:
        """One step."""
        step = state.steps.get(words.lower())
        if step is None:
            raise ActionError("Write one of: up, down, left, right.")
        if (why := _blocked(state, step)) is not None:
            raise ActionError(f"You cannot go {words.lower()}: {why}.")
        after = _stepped(state, step)
        if set(after.boxes) == set(after.goals):
            return Move(after, f"{self.describe(after)}\n\nEvery box is on a goal.", 1.0, Outcome.SUCCESS)
        return Move(after, self.describe(after))

    def solution(self, state: Warehouse) -> list[str]:
        """A solution of fewest steps, by A* with the pushes that are still needed as its estimate.

        Raises `NoSolutionError` where there is none, and after 400,000 positions.
        """
        far = _pushes_needed(state.width, state.walls, state.goals)

        def estimate(boxes: tuple[int, ...]) -> int | None:
            needed = [far.get(box) for box in boxes]
            return None if None in needed else sum(number or 0 for number in needed)

        first: _Place = (state.player, state.boxes)
        came: dict[_Place, tuple[_Place, str] | None] = {first: None}
        cost, goal = {first: 0}, set(state.goals)
        closed: set[_Place] = set()
        start = estimate(state.boxes)
        queue = [] if start is None else [(start, 0, first)]
        while queue and len(closed) < _SEARCHED:
            _, done, place = heappop(queue)
            if place in closed:
                continue
            closed.add(place)
            if set(place[1]) == goal:
                return _way_back(came, place)
            here = Warehouse(state.width, state.walls, state.goals, place[1], place[0])
            for way, step in here.steps.items():
                if _blocked(here, step) is not None:
                    continue
                after = _stepped(here, step)
                then = (after.player, after.boxes)
                left = estimate(after.boxes)
                if left is not None and -done + 1 < cost.get(then, 1 << 30):
                    cost[then], came[then] = -done + 1, (place, way)
                    heappush(queue, (left - done + 1, done - 1, then))
        raise NoSolutionError("not every box can be brought home any more" if not queue else "the search took too long")


class SokobanEnv(GameEnv[Warehouse]):
    """Sokoban in text: push every box onto a goal, without a way back.

    ``level`` 1 is 6 x 6 places with one box, 2 is 7 x 7 with two, 3 is 8 x 8 with three.
    """

    def __init__(
        self, level: int = 1, split: str = "train", max_steps: int | None = None, render_mode: str | None = None
    ) -> None:
        super().__init__(Sokoban(), level, split, max_steps, render_mode)


def _blocked(state: Warehouse, step: int) -> str | None:
    """Why a step is not possible."""
    to = state.player + step
    if state.walls[to] == "#":
        return "there is a wall"
    if to in state.boxes:
        if state.walls[to + step] == "#":
            return "the box would go into a wall"
        if to + step in state.boxes:
            return "there is another box behind the box"
    return None


def _stepped(state: Warehouse, step: int) -> Warehouse:
    to, boxes = state.player + step, state.boxes
    if to in boxes:
        boxes = tuple(sorted(to + step if box == to else box for box in boxes))
    return Warehouse(state.width, state.walls, state.goals, boxes, to)


def _way_back(came: dict[_Place, tuple[_Place, str] | None], place: _Place) -> list[str]:
    ways: list[str] = []
    while (link := came[place]) is not None:
        place = link[0]
        ways.append(link[1])
    return ways[::-1]


@lru_cache(maxsize=256)
def _pushes_needed(width: int, walls: str, goals: tuple[int, ...]) -> dict[int, int]:
    """The pushes that a box at each place needs to the nearest goal if nothing is in the way; none where it cannot."""
    far, queue = dict.fromkeys(goals, 0), deque(goals)
    while queue:
        place = queue.popleft()
        for step in (-width, width, -1, 1):
            before = place - step
            if walls[before] != "#" and before not in far and walls[before - step] != "#":
                far[before] = far[place] + 1
                queue.append(before)
    return far


def _room(rng: Random, width: int, height: int, boxes: int) -> Warehouse:
    """A connected room whose boxes are home."""
    while True:
        inside = [x + y * width for y in range(1, height - 1) for x in range(1, width - 1)]
        walls = ["#"] * (width * height)
        for place in inside:
            walls[place] = " " if rng.random() < 0.8 else "#"
        floor = [place for place in inside if walls[place] == " "]
        if len(floor) < boxes + 6 or not _connected(floor, width):
            continue
        chosen = rng.sample(floor, boxes + 1)
        goals = tuple(sorted(chosen[1:]))
        return Warehouse(width, "".join(walls), goals, goals, chosen[0])


def _connected(floor: list[int], width: int) -> bool:
    return len(_reached(floor[0], set(floor), width)) == len(floor)


def _reached(start: int, floor: set[int], width: int) -> set[int]:
    """Where one can walk to."""
    reached, queue = {start}, [start]
    while queue:
        place = queue.pop()
        for step in (-width, width, -1, 1):
            if place + step in floor and place + step not in reached:
                reached.add(place + step)
                queue.append(place + step)
    return reached


def _pulled(state: Warehouse, rng: Random) -> Warehouse:
    """A position from which ``state`` can be reached: boxes are pulled, rather away from the goals than back."""
    width, player, boxes = state.width, state.player, set(state.boxes)
    floor = {place for place, sign in enumerate(state.walls) if sign == " "}
    far = _pushes_needed(width, state.walls, state.goals)
    reached = _reached(player, floor - boxes, width)
    for _ in range(30 * len(boxes)):
        box, step = rng.choice(sorted(boxes)), rng.choice((-width, width, -1, 1))
        to = box + step
        if to not in reached or to + step not in floor or to + step in boxes:
            continue
        if far[to] < far[box] and rng.random() < 0.7:
            continue
        boxes = boxes - {box} | {to}
        player = to + step
        reached = _reached(player, floor - boxes, width)
    player = rng.choice(sorted(reached))
    return Warehouse(width, state.walls, state.goals, tuple(sorted(boxes)), player)
