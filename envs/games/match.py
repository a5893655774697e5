"""Games for several: what their rules are, and how one becomes a game for one player against scripted opponents.

A `Match` knows nothing of environments or agents, so it also serves where two agents play each other
(`selfgym.agents.duel`). The scripted opponent draws from a seed that is part of the state: the same moves always get
the same answers, also after a snapshot.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from random import Random
from typing import Generic

from selfgym.envs.core import Outcome
from selfgym.envs.games.game import Game, Move, S, Verb


class Match(ABC, Generic[S]):
    """The rules of one game for ``players``, 0 and on. Its states are plain data as those of a `Game`."""

    name: str
    version: str = "1"
    players: int = 2
    steps: tuple[int, ...]
    verbs: tuple[Verb, ...]
    skills: tuple[str, ...]
    """What scripted opponents there are, the strongest last."""
    form: type[S]

    @abstractmethod
    def start(self, rng: Random, level: int) -> tuple[S, int]:
        """A first state, and which player the learner is."""

    @abstractmethod
    def key(self, state: S) -> str:
        """As `Game.key`."""

    @abstractmethod
    def goal(self, state: S, player: int) -> str:
        """The task of a player in words."""

    @abstractmethod
    def describe(self, state: S, player: int) -> str:
        """All that a player may know."""

    @abstractmethod
    def turn(self, state: S) -> int | None:
        """Whose turn it is; None when the match is over."""

    @abstractmethod
    def legal(self, state: S) -> list[str] | None:
        """Commands of the player whose turn it is; None where nobody can say."""

    @abstractmethod
    def apply(self, state: S, words: str) -> tuple[S, str]:
        """The state after a command, and what all players see of it. Raises `ActionError`."""

    @abstractmethod
    def rewards(self, before: S, after: S) -> tuple[float, ...]:
        """What a command brought each player."""

    @abstractmethod
    def outcome(self, first: S, last: S, player: int) -> Outcome:
        """Success or failure of a player in a match that is over; each game's docstring says what counts."""

    @abstractmethod
    def choose(self, state: S, skill: str, rng: Random) -> str:
        """The command of a scripted player whose turn it is."""

    def advise(self, state: S, rng: Random) -> str:
        """What a teacher would do: as the strongest scripted player."""
        return self.choose(state, self.skills[-1], rng)


@dataclass(frozen=True, slots=True)
class Sitting(Generic[S]):
    """A match with its learner: the first state, the present one, the seat, and the opponents' seed."""

    first: S
    now: S
    seat: int
    seed: int
    ply: int = 0


class Against(Game[Sitting[S]], Generic[S]):
    """A match against scripted opponents in all other seats, as a game for one."""

    def __init__(self, match: Match[S], opponent: str | None = None) -> None:
        skill = match.skills[-1] if opponent is None else opponent
        if skill not in match.skills:
            raise ValueError(f"{match.name} has no opponent {skill!r}: choose one of {', '.join(match.skills)}")
        self.match, self.opponent = match, skill
        self.verbs, self.steps = match.verbs, match.steps
        self.name, self.version = match.name, f"{match.version}-{skill}"
        self.form = Sitting[match.form]  # type: ignore[name-defined]
        super().__init__()

    def start(self, rng: Random, level: int) -> Sitting[S]:
        """A first state in which it is the learner's turn; drawn anew where the others end the match before."""
        while True:
            first, seat = self.match.start(rng, level)
            state = self._answered(Sitting(first, first, seat, rng.getrandbits(48)))[0]
            if self.match.turn(state.now) == seat:
                return state

    def key(self, state: Sitting[S]) -> str:
        """That of the match, whoever begins."""
        return self.match.key(state.first)

    def goal(self, state: Sitting[S]) -> str:
        """That of the learner."""
        return self.match.goal(state.first, state.seat)

    def describe(self, state: Sitting[S]) -> str:
        """What the learner may know."""
        return self.match.describe(state.now, state.seat)

    def legal(self, state: Sitting[S]) -> list[str] | None:
        """The learner's commands."""
        return self.match.legal(state.now)

    def apply(self, state: Sitting[S], words: str) -> Move[Sitting[S]]:
        """The learner's command and the opponents' answers."""
        now, seen = self.match.apply(state.now, words)
        after = Sitting(state.first, now, state.seat, state.seed, state.ply + 1)
        after, answers, reward = self._answered(after)
        reward += self.match.rewards(state.now, now)[state.seat]
        said = "\n".join(filter(None, [seen, *answers, self.describe(after)]))
        if self.match.turn(after.now) is None:
            return Move(after, said, reward, self.match.outcome(after.first, after.now, after.seat))
        return Move(after, said, reward)

    def solution(self, state: Sitting[S]) -> list[str]:
        """The next command that `Match.advise` gives; it need not win."""
        return [self.match.advise(state.now, Random(f"advice {state.seed} {state.ply}"))]

    def _answered(self, state: Sitting[S]) -> tuple[Sitting[S], list[str], float]:
        """After the opponents' commands, until it is the learner's turn: the state, what was seen, the reward."""
        now, ply, seen, reward = state.now, state.ply, list[str](), 0.0
        while self.match.turn(now) not in (None, state.seat):
            rng = Random(f"{self.opponent} {state.seed} {ply}")
            after, said = self.match.apply(now, self.match.choose(now, self.opponent, rng))
            reward += self.match.rewards(now, after)[state.seat]
            now, ply = after, ply + 1
            seen.append(said)
        return Sitting(state.first, now, state.seat, state.seed, ply), seen, reward
