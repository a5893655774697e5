"""Deal or no deal: two players divide books, hats and balls that are worth different things to each.

After Lewis et al. 2017, arXiv 1706.05125 (and DeVault et al. 2015): there are 5 to 7 items of three kinds, all of them
together are worth 10 to each player, every kind is worth something to one of them, and some to both; what they are
worth to the other is not known. Players take turns: propose what they would get, accept, or just say something; ten
turns without a deal and both get nothing. There, a deal is made by both stating it at the end; here by accepting.
The reward is the value of what one got, over 10. An episode **succeeds** with a deal worth 5 or more of the 10; tasks
are drawn so that both players can have that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from random import Random

from pydantic import BaseModel, Field

from selfgym.envs.core import Outcome
from selfgym.envs.games.env import GameEnv
from selfgym.envs.games.game import Verb
from selfgym.envs.games.match import Against, Match, Sitting
from selfgym.envs.tools import ActionError

KINDS = ("books", "hats", "balls")
TURNS = 10
TOTAL = 10
ENOUGH = 5
MOST_CHARACTERS = 200
"""Of a message; the rest is cut off."""
_SPREAD = {1: (9, 20), 2: (5, 12), 3: (0, 6)}  # how different the two players' values are, by level
_PROPOSE = re.compile(r"propose ([0-9]{1,2}) ([0-9]{1,2}) ([0-9]{1,2})(?: ?: ?(.*))?", re.ASCII | re.IGNORECASE)

Items = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Talk:
    """The items, what they are worth to each player, the turns taken, and the proposal that can be accepted."""

    items: Items
    worth: tuple[Items, Items]
    turns: int = 0
    offer: Items | None = None
    """What player 0 would get."""
    deal: bool = False


class _Proposal(BaseModel):
    books: int = Field(ge=0, description="Books that you would get.")
    hats: int = Field(ge=0, description="Hats that you would get.")
    balls: int = Field(ge=0, description="Balls that you would get.")
    message: str = Field("", description="What you say with it.")


class _Message(BaseModel):
    message: str


class _Nothing(BaseModel):
    pass


class Negotiation(Match[Talk]):
    """The rules, and a player who gives in bit by bit."""

    name = "negotiation"
    steps = (10, 10, 10)
    skills = ("random", "conceding")
    form = Talk
    verbs = (
        Verb("propose", "Propose what you get.", _Proposal, "propose {books} {hats} {balls}: {message}"),
        Verb("accept", "Accept what was proposed last.", _Nothing, "accept"),
        Verb("say", "Say something and propose nothing.", _Message, "say: {message}"),
    )

    def start(self, rng: Random, level: int) -> tuple[Talk, int]:
        """Items and values as in the paper, with a deal that is enough for both."""
        while True:
            items = (rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 4))
            if not 5 <= sum(items) <= 7:
                continue
            one, two = _values(rng, items), _values(rng, items)
            least, most = _SPREAD[level]
            spread = sum(abs(a - b) * n for a, b, n in zip(one, two, items, strict=True))
            state = Talk(items, (one, two))
            if (
                all(a or b for a, b in zip(one, two, strict=True))
                and any(a and b for a, b in zip(one, two, strict=True))
                and least <= spread <= most
                and any(min(shares(state, got)) >= ENOUGH for got in divisions(items))
            ):
                return state, rng.randrange(2)

    def key(self, state: Talk) -> str:
        """The items and both players' values, in any order of the kinds and of the players."""
        ways = (sorted(zip(state.items, one, two, strict=True)) for one, two in (state.worth, state.worth[::-1]))
        return str(min(ways))

    def goal(self, state: Talk, player: int) -> str:
        """In words, with the player's own values."""
        things = ", ".join(
            f"{count} {kind} worth {worth} each"
            for kind, count, worth in zip(KINDS, state.items, state.worth[player], strict=True)
        )
        return (
            f"As player {player + 1}, divide these with another, to whom they are worth something else: {things}. Get "
            f"at least {ENOUGH} of {TOTAL}. Commands: 'propose 1 0 2' is what you would get of books, hats and balls, "
            f"with a message after a colon if you like; accept; 'say:' and a message. After {TURNS} turns without a "
            "deal nobody gets anything."
        )

    def describe(self, state: Talk, player: int) -> str:
        """The proposal and the turns that are left."""
        if state.deal:
            return f"There is a deal: you get {_listed(self._of(state, player))}, worth {self._value(state, player)}."
        if state.turns >= TURNS:
            return "There is no deal."
        last = state.offer is not None and state.turns % 2 == player
        offer = f"Proposed to you: {_listed(self._of(state, player))}. " if last else ""
        return f"{offer}Turns left: {TURNS - state.turns}."

    def turn(self, state: Talk) -> int | None:
        """By turns, player 0 first."""
        return None if state.deal or state.turns >= TURNS else state.turns % 2

    def legal(self, state: Talk) -> list[str]:
        """Acceptance where something was proposed, and every proposal; messages are possible too."""
        proposals = [f"propose {got[0]} {got[1]} {got[2]}" for got in divisions(state.items)]
        return proposals if state.offer is None else ["accept", *proposals]

    def apply(self, state: Talk, words: str) -> tuple[Talk, str]:
        """Propose, accept or say something."""
        player = state.turns % 2
        who, then = f"Player {player + 1}", replace(state, turns=state.turns + 1)
        if words.lower() == "accept":
            if state.offer is None:
                raise ActionError("There is nothing to accept: the other player did not propose anything just now.")
            return replace(then, deal=True), f"{who} accepts."
        if words.lower().startswith("say:"):
            return replace(then, offer=None), f"{who} says: {_clean(words[4:])}"
        found = _PROPOSE.fullmatch(words)
        if found is None:
            raise ActionError("Write one of: propose BOOKS HATS BALLS, which you would get; accept; say: MESSAGE.")
        got = (int(found[1]), int(found[2]), int(found[3]))
        if any(part > count for part, count in zip(got, state.items, strict=True)):
            raise ActionError(f"There are only {_listed(state.items)}.")
        offer = got if player == 0 else _rest(state.items, got)
        said = f" and says: {_clean(found[4])}" if found[4] and found[4].strip() else ""
        return replace(then, offer=offer), f"{who} proposes to get {_listed(got)}{said}"

    def rewards(self, before: Talk, after: Talk) -> tuple[float, float]:
        """The value of what each got, over 10."""
        if not after.deal or before.deal:
            return 0.0, 0.0
        return self._value(after, 0) / TOTAL, self._value(after, 1) / TOTAL

    def outcome(self, first: Talk, last: Talk, player: int) -> Outcome:
        """Success for a deal that is worth enough."""
        return Outcome.SUCCESS if last.deal and self._value(last, player) >= ENOUGH else Outcome.FAILURE

    def choose(self, state: Talk, skill: str, rng: Random) -> str:
        """At random, or: accept what is worth enough by now, else propose that, and the most to the other."""
        player = state.turns % 2
        if skill == "random":
            accepts = state.offer is not None and rng.random() < 0.25
            return "accept" if accepts else rng.choice(self.legal(replace(state, offer=None)))
        aim = aspiration(state.turns)
        if state.offer is not None and self._value(state, player) >= aim:
            return "accept"
        worth = state.worth[player]
        enough = [got for got in divisions(state.items) if _sum(worth, got) >= aim]
        fewest = min(sum(got) for got in enough)
        got = rng.choice([got for got in enough if sum(got) == fewest])
        return f"propose {got[0]} {got[1]} {got[2]}"

    def advise(self, state: Talk, rng: Random) -> str:
        """What is best against a conceding player, knowing what things are worth to them (which is cheating).

        That is the deal worth most to oneself among those that they would accept in their next turn, if it is worth
        enough, and otherwise to ask for everything until they want less.
        """
        player, other = state.turns % 2, 1 - state.turns % 2
        if state.offer is not None and (self._value(state, player) >= 8 or state.turns >= TURNS - 2):
            return "accept"
        worth, aim = state.worth[player], aspiration(state.turns + 1)
        good = [
            got
            for got in divisions(state.items)
            if _sum(state.worth[other], _rest(state.items, got)) >= aim and _sum(worth, got) >= ENOUGH
        ]
        best = max(good, key=lambda got: _sum(worth, got), default=state.items)
        return f"propose {best[0]} {best[1]} {best[2]}"

    def _of(self, state: Talk, player: int) -> Items:
        """What a player gets by the proposal."""
        offer = state.offer or (0, 0, 0)
        return offer if player == 0 else _rest(state.items, offer)

    def _value(self, state: Talk, player: int) -> int:
        return _sum(state.worth[player], self._of(state, player))


class NegotiationEnv(GameEnv[Sitting[Talk]]):
    """Deal or no deal: divide items with a ``random`` or a ``conceding`` player who values them differently.

    ``level`` says how much the values differ: 1 much, 2 less, 3 little. The reward is the value of the deal over 10; an
    episode succeeds with 5 or more.
    """

    def __init__(
        self,
        level: int = 1,
        split: str = "train",
        opponent: str = "conceding",
        max_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(Against(Negotiation(), opponent), level, split, max_steps, render_mode)


@lru_cache(maxsize=256)
def divisions(items: Items) -> tuple[Items, ...]:
    """Everything that one player could get."""
    return tuple((one, two, three) for one, two, three in product(*(range(count + 1) for count in items)))


def shares(state: Talk, got: Items) -> tuple[int, int]:
    """What a division is worth to both, ``got`` being what player 0 gets."""
    return _sum(state.worth[0], got), _sum(state.worth[1], _rest(state.items, got))


def aspiration(turn: int) -> int:
    """The least that the conceding player wants in a turn: 8 at first, 5 in the last ones."""
    return max(ENOUGH, 8 - turn // 2)


def _values(rng: Random, items: Items) -> Items:
    """Values of the kinds that make all items together worth 10."""
    while True:
        one, two = rng.randint(0, TOTAL // items[0]), rng.randint(0, TOTAL // items[1])
        left = TOTAL - one * items[0] - two * items[1]
        if left >= 0 and left % items[2] == 0:
            return one, two, left // items[2]


def _sum(worth: Items, got: Items) -> int:
    return sum(each * count for each, count in zip(worth, got, strict=True))


def _rest(items: Items, got: Items) -> Items:
    return items[0] - got[0], items[1] - got[1], items[2] - got[2]


def _listed(items: Items) -> str:
    return ", ".join(f"{count} {kind}" for count, kind in zip(items, KINDS, strict=True))


def _clean(message: str) -> str:
    """A message that can be shown and stored: printable, and not too long."""
    message = "".join(sign if sign.isprintable() else "?" for sign in message.strip())
    return message[:MOST_CHARACTERS]
