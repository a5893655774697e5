"""Other people's games for one or several players as a `Match`: played in an environment, or by agents in a `duel`.

A `Table` is one running game of another package. Such games cannot be copied, so the state of a `ForeignMatch` is what
was done: the seed and every move, each with a digest of what the players were shown. The table that was used last is
kept, and goes on where a state continues it; for any other state the moves are made again at a new table, and what is
shown then must be the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random
from typing import Any

from pydantic import BaseModel, Field

from selfgym.envs.adapters.opponents import agent_of, asked
from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.games.env import GameEnv
from selfgym.envs.games.game import GameFailed, NoSolutionError, Verb
from selfgym.envs.games.match import Against, Match, Sitting
from selfgym.envs.tools import ActionError

_MOST_SHOWN, _MOST_MOVE = 12_000, 4096  # characters
_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, RecursionError)


class Table(ABC):
    """A game of another package that is being played. ``totals`` are the rewards so far, by player."""

    turn: int | None
    """Whose turn it is; None when the game is over."""
    totals: tuple[float, ...]

    @abstractmethod
    def goal(self, player: int) -> str:
        """The task of a player in words."""

    @abstractmethod
    def shown(self, player: int) -> str:
        """What a player was shown since its last move."""

    @abstractmethod
    def move(self, words: str) -> None:
        """A move of the player whose turn it is. Raises `ActionError`; the table is not used any more then."""

    def legal(self) -> list[str] | None:
        """The moves that are possible now, where the game says so."""
        return None

    def guesses(self, rng: Random) -> Iterable[str]:
        """Moves that may be possible, in the order in which a random player tries them."""
        moves = self.legal() or []
        return rng.sample(moves, len(moves))

    @abstractmethod
    def close(self) -> None:
        """Let go of everything."""


@dataclass(frozen=True, slots=True)
class Played:
    """A game as far as it was played, and how it stands."""

    seed: int
    moves: tuple[str, ...]
    keys: tuple[str, ...]
    """Of what all players were shown at the beginning and after each move."""
    turn: int | None
    totals: tuple[float, ...]


@dataclass(slots=True)
class _Seated:
    table: Table
    seed: int
    moves: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def state(self) -> Played:
        return Played(self.seed, tuple(self.moves), tuple(self.keys), self.table.turn, self.table.totals)


class _Move(BaseModel):
    move: str = Field(description="The move, as the game asks for it.")


class ForeignMatch(Match[Played]):
    """A game of another package.

    Args:
        name: of the game, with all settings that change it.
        version: of the adapter and the package.
        players: how many.
        open: makes the table of a seed.
        max_steps: of each player.
        opponent: who has the other seats: ``"random"``, an agent (``act(observation, info) -> str``), or where to find
            one, as ``"module:Class"``. A snapshot holds no agent: what one says should follow from what it is shown.
        seat: the learner's; None draws it.
    """

    form = Played
    verbs = (Verb("move", "Make a move.", _Move, "{move}"),)

    def __init__(
        self,
        name: str,
        version: str,
        players: int,
        open: Callable[[int], Table],
        *,
        max_steps: int,
        opponent: Any = "random",
        seat: int | None = None,
    ) -> None:
        if seat is not None and seat not in range(players):
            raise ValueError(f"{name} has no seat {seat!r}: its seats are 0 to {players - 1}")
        self.name, self.version, self.players, self.steps = name, version, players, (max_steps,)
        self._open, self._seat = open, seat
        self._agents = None if opponent == "random" else [agent_of(opponent) for _ in range(players)]
        self.skills = (opponent if isinstance(opponent, str) else type(opponent).__name__,)
        self._seated: _Seated | None = None
        self._tried: tuple[Played, str, Played] | None = None

    def start(self, rng: Random, level: int) -> tuple[Played, int]:
        """A game of a drawn seed, and a seat."""
        seated = self._begun(rng.getrandbits(31))
        return seated.state(), rng.randrange(self.players) if self._seat is None else self._seat

    def key(self, state: Played) -> str:
        """The seed."""
        return str(state.seed)

    def goal(self, state: Played, player: int) -> str:
        """As the game has it."""
        return _cut(self._at(state).goal(player))

    def describe(self, state: Played, player: int) -> str:
        """What a player was shown since its last move."""
        return _cut(self._at(state).shown(player))

    def turn(self, state: Played) -> int | None:
        """As the game has it."""
        return state.turn

    def legal(self, state: Played) -> list[str] | None:
        """The moves, where the game says which there are."""
        return self._at(state).legal() if state.turn is not None else []

    def apply(self, state: Played, words: str) -> tuple[Played, str]:
        """A move. What the game cannot read is refused, and nothing has happened. Raises `GameFailed` for the rest."""
        if self._tried is not None and self._tried[:2] == (state, words):
            return self._tried[2], ""
        if len(words) > _MOST_MOVE:
            raise ActionError(f"The move has {len(words)} characters; the limit is {_MOST_MOVE}.")
        table = self._at(state)
        try:
            table.move(words)
        except ActionError:
            self._drop()
            raise
        except _UNREADABLE as error:
            self._drop()
            raise ActionError(f"The game cannot read that move: {type(error).__name__}.") from error
        except Exception as error:
            self._drop()
            raise GameFailed(f"{type(error).__name__}: {error}"[:500]) from error
        assert self._seated is not None
        self._seated.moves.append(words)
        self._seated.keys.append(_key(table))
        return self._seated.state(), ""

    def rewards(self, before: Played, after: Played) -> tuple[float, ...]:
        """What the totals grew by."""
        return tuple(float(now - then) for then, now in zip(before.totals, after.totals, strict=True))

    def outcome(self, first: Played, last: Played, player: int) -> Outcome:
        """Success for a total above 0 that nobody else exceeds; in a game for one it has to be 1 or more."""
        won = last.totals[player] >= 1 if self.players == 1 else last.totals[player] > 0
        return Outcome.SUCCESS if won and last.totals[player] == max(last.totals) else Outcome.FAILURE

    def choose(self, state: Played, skill: str, rng: Random) -> str:
        """A possible move of whoever has the other seats. Raises `GameFailed` where none is found."""
        player = state.turn or 0
        if self._agents is None:
            moves: Iterable[str] = self._at(state).guesses(rng)
        else:
            moves = asked(
                self._agents[player], self.goal(state, player), self.describe(state, player), self.legal(state)
            )
        for words in moves:
            try:
                self._tried = (state, words, self.apply(state, words)[0])
            except ActionError:
                continue
            return words
        raise GameFailed(f"player {player} ({skill}) found no possible move of {self.name}; give it an opponent")

    def advise(self, state: Played, rng: Random) -> str:
        """Nobody knows."""
        raise NoSolutionError(f"no solution of {self.name} is known")

    def close(self) -> None:
        """Let go of the other side; a state can be played on all the same."""
        self._drop()

    def _drop(self) -> None:
        seated, self._seated, self._tried = self._seated, None, None
        if seated is not None:
            seated.table.close()

    def _at(self, state: Played) -> Table:
        """A table at which just this was played. Raises `SnapshotError` where it cannot be had again."""
        one = self._seated
        done = len(one.moves) if one is not None else 0
        goes_on = one is not None and one.seed == state.seed and tuple(one.moves) == state.moves[:done]
        if one is None or not goes_on or tuple(one.keys) != state.keys[: done + 1]:
            one, done = self._begun(state.seed), 0
        try:
            for words in state.moves[done:]:
                one.table.move(words)
                one.moves.append(words)
                one.keys.append(_key(one.table))
        except Exception as wrong:
            self._drop()
            raise SnapshotError(f"cannot restore: move {len(one.moves) + 1} failed: {wrong}") from wrong
        if one.state() != state:
            self._drop()
            same = [now == then for now, then in zip(one.keys, state.keys, strict=False)]
            at = same.index(False) if False in same else len(same) - 1
            raise SnapshotError(f"cannot restore: what is shown differs from that of then after {at} moves")
        return one.table

    def _begun(self, seed: int) -> _Seated:
        self._drop()
        table = self._open(seed)
        self._seated = _Seated(table, seed, keys=[_key(table)])
        return self._seated


class ForeignGameEnv(GameEnv[Sitting[Played]]):
    """A `ForeignMatch` against the other players; ``split`` goes by the game's seed."""

    def __init__(self, match: ForeignMatch, split: str, render_mode: str | None) -> None:
        super().__init__(Against(match), 1, split, None, render_mode, max_characters=2 * _MOST_SHOWN + 100)
        self.match = match

    def close(self) -> None:
        """Let go of the other side."""
        self.match.close()


def _key(table: Table) -> str:
    shown = [table.shown(player) for player in range(len(table.totals))]
    return blake2b(repr((shown, table.turn, table.totals)).encode(), digest_size=6).hexdigest()


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 4]} ..."
