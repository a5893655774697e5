"""Measure an amount of water with jugs that have no marks: a small, complete environment to begin with.

The rules are a `Game`: a pure function from a state and a command to the next state. Seeds, splits, step limits, tool
calls, outcomes and exact snapshots come from `GameEnv`. An environment that is no such game is an `AgentEnv`.
"""

from collections import deque
from dataclasses import dataclass, replace
from math import gcd
from random import Random

from pydantic import BaseModel

from selfgym.envs.core import Outcome
from selfgym.envs.games.env import GameEnv
from selfgym.envs.games.game import Game, Move, NoSolutionError, Verb, quoted
from selfgym.envs.tools import ActionError


@dataclass(frozen=True, slots=True)
class Jugs:
    """A state: all there is to know, as plain data."""

    sizes: tuple[int, ...]
    water: tuple[int, ...]
    wanted: int


class _One(BaseModel):
    jug: int


class _Two(BaseModel):
    source: int
    target: int


class Rules(Game[Jugs]):
    """The rules; ``version`` changes whenever the same seed and commands could give another episode."""

    name, version = "my_game", "1"
    steps = (50, 50)  # after which an episode is cut, at level 1, 2 ...
    form = Jugs
    verbs = (
        Verb("fill", "Fill a jug.", _One, "fill {jug}"),
        Verb("empty", "Empty a jug.", _One, "empty {jug}"),
        Verb("pour", "Pour one jug into another until it is full.", _Two, "pour {source} into {target}"),
    )

    def start(self, rng: Random, level: int) -> Jugs:
        """A first state: two jugs at level 1, three at level 2, and an amount that can be measured."""
        while True:
            sizes = tuple(sorted(rng.sample(range(3, 13), level + 1)))
            wanted = rng.choice([amount for amount in range(1, sizes[-1]) if amount not in sizes])
            if wanted % gcd(*sizes) == 0:
                return Jugs(sizes, (0,) * len(sizes), wanted)

    def key(self, state: Jugs) -> str:
        """What the task is: by this it belongs to the split ``train`` or ``test``."""
        return f"{state.sizes} {state.wanted}"

    def goal(self, state: Jugs) -> str:
        """The task in words."""
        return f"Have exactly {state.wanted} litres in one jug. Commands: fill 1, empty 1, pour 1 into 2 ..."

    def describe(self, state: Jugs) -> str:
        """All that the player may know."""
        jugs = enumerate(zip(state.water, state.sizes, strict=True), start=1)
        return " ".join(f"Jug {number} holds {water} of {size} litres." for number, (water, size) in jugs)

    def legal(self, state: Jugs) -> list[str]:
        """The commands that change something."""
        jugs = range(1, len(state.sizes) + 1)
        full = [jug for jug in jugs if state.water[jug - 1] == state.sizes[jug - 1]]
        dry = [jug for jug in jugs if not state.water[jug - 1]]
        ways = [(one, two) for one in jugs for two in jugs if one != two and one not in dry and two not in full]
        return [
            *(f"fill {jug}" for jug in jugs if jug not in full),
            *(f"empty {jug}" for jug in jugs if jug not in dry),
            *(f"pour {one} into {two}" for one, two in ways),
        ]

    def apply(self, state: Jugs, words: str) -> Move[Jugs]:
        """What a command does."""
        if words not in self.legal(state):
            raise ActionError(f"{quoted(words)} is not possible. Possible: {', '.join(self.legal(state))}.")
        after = _after(state, words)
        won = after.wanted in after.water
        return Move(after, self.describe(after), float(won), Outcome.SUCCESS if won else Outcome.RUNNING)

    def solution(self, state: Jugs) -> list[str]:
        """A shortest way from here: what the agent ``solver`` plays, as a teacher and as the ceiling."""
        ways: dict[Jugs, list[str]] = {state: []}
        queue = deque(ways)
        while queue:
            here = queue.popleft()
            if here.wanted in here.water:
                return ways[here]
            for command in self.legal(here):
                there = _after(here, command)
                if there not in ways:
                    ways[there] = [*ways[here], command]
                    queue.append(there)
        raise NoSolutionError(f"{state.wanted} litres cannot be measured with these jugs")


def _after(state: Jugs, command: str) -> Jugs:
    verb, *numbers = command.replace(" into", "").split()
    jug, *others = (int(number) - 1 for number in numbers)
    water = list(state.water)
    if verb == "pour":
        poured = min(water[jug], state.sizes[others[0]] - water[others[0]])
        water[jug] -= poured
        water[others[0]] += poured
    else:
        water[jug] = state.sizes[jug] if verb == "fill" else 0
    return replace(state, water=tuple(water))


class MyGameEnv(GameEnv[Jugs]):
    """Measure an amount of water with jugs that have no marks."""

    def __init__(
        self, level: int = 1, split: str = "train", max_steps: int | None = None, render_mode: str | None = None
    ) -> None:
        super().__init__(Rules(), level, split, max_steps, render_mode)
