"""Kuhn poker (Kuhn 1950, "A simplified two-person poker"): three cards, one chip each, one bet of one chip.

The three cards of a match are drawn from thirteen ranks, so that who learns the game has to compare them. A match has
one hand or several, and the seats change after each. Rewards are chips: +1 or +2 with the last command of a hand that
was won, -1 or -2 with that of one that was lost. An episode **succeeds** if more chips were won than lost over the
match, and fails otherwise; luck has a part in that, so compare mean rewards over many episodes. The optimal opponent
plays one of the Nash equilibria, in which a hand is worth -1/18 to who is first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from pydantic import BaseModel

from selfgym.envs.core import Outcome
from selfgym.envs.games.env import GameEnv
from selfgym.envs.games.game import Verb
from selfgym.envs.games.match import Against, Match, Sitting
from selfgym.envs.tools import ActionError

RANKS = ("2", "3", "4", "5", "6", "7", "8", "9", "10", "jack", "queen", "king", "ace")
HANDS = {1: 1, 2: 5, 3: 15}
"""The hands of a match, by level."""
_CHOICES = {"": ("check", "bet"), "c": ("check", "bet"), "b": ("fold", "call"), "cb": ("fold", "call")}
_LETTERS = {"check": "c", "bet": "b", "fold": "f", "call": "k"}
_BLUFF = Fraction(1, 3)  # any from 0 to 1/3 is an equilibrium of the player who is first

BOLD: dict[str, tuple[Fraction, Fraction, Fraction]] = {
    "": (_BLUFF, Fraction(0), 3 * _BLUFF),
    "cb": (Fraction(0), _BLUFF + Fraction(1, 3), Fraction(1)),
    "c": (Fraction(1, 3), Fraction(0), Fraction(1)),
    "b": (Fraction(0), Fraction(1, 3), Fraction(1)),
}
"""The equilibrium: how likely to bet or call, by what was done in the hand, with the low, middle and high card."""


@dataclass(frozen=True, slots=True)
class Deal:
    """A match: the ranks of its cards (low to high), the two cards of every hand, the present hand, and the chips.

    ``cards[n]`` are those of who is first in hand n and of the other, as 0, 1 or 2; player n % 2 is first.
    """

    ranks: tuple[int, int, int]
    cards: tuple[tuple[int, int], ...]
    hand: int = 0
    done: str = ""
    chips: int = 0
    """What player 0 has won so far, less what was lost."""


class _Nothing(BaseModel):
    pass


class KuhnPoker(Match[Deal]):
    """The rules, and an equilibrium."""

    name = "kuhnpoker"
    steps = (10, 25, 60)
    skills = ("random", "optimal")
    form = Deal
    verbs = tuple(
        Verb(name, about, _Nothing, name)
        for name, about in (
            ("check", "Bet nothing."),
            ("bet", "Bet one chip."),
            ("call", "Put in a chip against a bet."),
            ("fold", "Give the hand up."),
        )
    )

    def start(self, rng: Random, level: int) -> tuple[Deal, int]:
        """Three ranks and the cards of all hands."""
        low, middle, high = sorted(rng.sample(range(len(RANKS)), 3))
        hands = [rng.sample(range(3), 2) for _ in range(HANDS[level])]
        return Deal((low, middle, high), tuple((one, two) for one, two in hands)), rng.randrange(2)

    def key(self, state: Deal) -> str:
        """The three ranks."""
        return str(state.ranks)

    def goal(self, state: Deal, player: int) -> str:
        """In words."""
        names = ", ".join(RANKS[rank] for rank in state.ranks)
        hands = "one hand" if len(state.cards) == 1 else f"{len(state.cards)} hands"
        return (
            f"Win chips at Kuhn poker, {hands}, as player {player + 1}. The deck has three cards, from low to high: "
            f"{names}. Each player puts in one chip and gets one card. You can check or bet one chip; against a bet, "
            "call or fold. Without a fold the higher card wins."
        )

    def describe(self, state: Deal, player: int) -> str:
        """The player's card and chips, and what was done in this hand."""
        chips = state.chips if player == 0 else -state.chips
        if state.hand == len(state.cards):
            return f"The match is over. Your chips: {chips:+d}."
        card = RANKS[state.ranks[state.cards[state.hand][(player + state.hand) % 2]]]
        first = "You are first" if state.hand % 2 == player else "The other player is first"
        hand = f"Hand {state.hand + 1} of {len(state.cards)}. {first}. Your card: {card}. Your chips: {chips:+d}."
        names = {letter: word for word, letter in _LETTERS.items()}
        done = ", ".join(names[letter] for letter in state.done) or "nothing"
        return f"{hand} So far: {done}. You can {' or '.join(_CHOICES[state.done])}."

    def turn(self, state: Deal) -> int | None:
        """The player who is first, then the other, then perhaps the first again."""
        return None if state.hand == len(state.cards) else (state.hand + len(state.done)) % 2

    def legal(self, state: Deal) -> list[str]:
        """Check or bet; call or fold."""
        return list(_CHOICES[state.done])

    def apply(self, state: Deal, words: str) -> tuple[Deal, str]:
        """One decision; where it ends a hand, the next one begins."""
        word = words.lower()
        if word not in _CHOICES[state.done]:
            raise ActionError(f"Write one of: {', '.join(_CHOICES[state.done])}.")
        who = f"Player {(state.hand + len(state.done)) % 2 + 1}"
        done = state.done + _LETTERS[word]
        if done in _CHOICES:
            return replace(state, done=done), f"{who}: {word}."
        won = payoff(state.cards[state.hand], done)
        sign = 1 if state.hand % 2 == 0 else -1
        names = [RANKS[state.ranks[card]] for card in state.cards[state.hand]][::sign]
        shown = "" if done.endswith("f") else f" Player 1 had the {names[0]}, player 2 the {names[1]}."
        winner = 1 if won * sign > 0 else 2
        said = f"{who}: {word}.{shown} Player {winner} wins {abs(won)}."
        return replace(state, hand=state.hand + 1, done="", chips=state.chips + sign * won), said

    def rewards(self, before: Deal, after: Deal) -> tuple[float, float]:
        """Chips."""
        won = float(after.chips - before.chips)
        return won, -won if won else 0.0

    def outcome(self, first: Deal, last: Deal, player: int) -> Outcome:
        """Success for chips won."""
        chips = last.chips if player == 0 else -last.chips
        return Outcome.SUCCESS if chips > 0 else Outcome.FAILURE

    def choose(self, state: Deal, skill: str, rng: Random) -> str:
        """Either at random, or as the equilibrium has it."""
        meek, bold = _CHOICES[state.done]
        card = state.cards[state.hand][len(state.done) % 2]
        likely = Fraction(1, 2) if skill == "random" else BOLD[state.done][card]
        return bold if rng.random() < likely else meek


class KuhnPokerEnv(GameEnv[Sitting[Deal]]):
    """Kuhn poker against a ``random`` opponent or an ``optimal`` one, who plays an equilibrium.

    ``level`` 1 is one hand, 2 five, 3 fifteen. The reward is chips; an episode succeeds if more were won than lost.
    """

    def __init__(
        self,
        level: int = 1,
        split: str = "train",
        opponent: str = "optimal",
        max_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(Against(KuhnPoker(), opponent), level, split, max_steps, render_mode)


def payoff(cards: tuple[int, int], done: str) -> int:
    """The chips that who was first in a hand won, by both cards (first, other) and what was done to the end."""
    if done == "bf":
        return 1
    if done == "cbf":
        return -1
    stake = 2 if done.endswith("k") else 1
    return stake if cards[0] > cards[1] else -stake
