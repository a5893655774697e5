"""`selfgym/TextArena-v0`: the games of TextArena (Guertler et al. 2025, arXiv 2504.11442), for one, two and more.

Games, rules and rewards are TextArena's own; only an impossible move is what it is everywhere in selfgym: refused with
a reason, and no step of the game, where TextArena has a second one in a row lose it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from random import Random
from typing import Any

from gymnasium.error import DependencyNotInstalled

from selfgym.envs.adapters.randomness import OwnRandomness
from selfgym.envs.adapters.replayed import load
from selfgym.envs.adapters.tables import ForeignGameEnv, ForeignMatch, Table
from selfgym.envs.tools import ActionError

VERSION = "1"
_MOST_PLAYERS = 15
_REASON = re.compile(r"Reason: (.*?)(?: Please resubmit a valid move.*)?$", re.DOTALL)
_NUMBER = re.compile(r"\d+|\$X|<[^<>]*>")
_NUMBERS, _TRIES = 10, 40
_BRACKETED = re.compile(r"\[[^\[\]\n]{1,30}\]")


class TextArenaMatch(ForeignMatch):
    """A game of TextArena, for a `duel` or an environment.

    Args:
        env: TextArena's id, such as ``"TicTacToe-v0"``; its own wrappers of actions are kept.
        players: how many; None for the fewest that the game allows.
        opponent: as of `ForeignMatch`; the random one chooses from what the game shows in square brackets.
        seat: the learner's; None draws it.
        max_steps: of each player.
        settings: the game's own.
    """

    def __init__(
        self,
        env: str,
        *,
        players: int | None = None,
        opponent: Any = "random",
        seat: int | None = None,
        max_steps: int = 100,
        **settings: Any,
    ) -> None:
        arena = load("textarena", "textarena")
        known = load("textarena.envs.registration", "textarena").ENV_REGISTRY
        if env not in known:
            near = get_close_matches(env, known, n=1)
            raise ValueError(f"TextArena has no game {env!r}.{f' Did you mean {near[0]!r}?' if near else ''}")
        self._env, self._settings = env, settings
        self._count = players or next(filter(self._plays, range(1, _MOST_PLAYERS + 1)), 0)
        if not self._count or not self._plays(self._count):
            raise ValueError(f"{env} cannot be played by {players or f'1 to {_MOST_PLAYERS}'} players")
        shown = "".join(f",{key}={one!r}" for key, one in sorted(settings.items()))
        name = f"textarena:{env}:{self._count}{shown}"
        super().__init__(
            name, f"{VERSION}.{arena.__version__}", self._count, self._table,
            max_steps=max_steps, opponent=opponent, seat=seat,
        )  # fmt: skip

    def _table(self, seed: int) -> TextArenaTable:
        return TextArenaTable(self._env, self._count, seed, self._settings)

    def _plays(self, players: int) -> bool:
        """Whether the game begins with so many."""
        try:
            TextArenaTable(self._env, players, 0, self._settings)
        except WrongNumberError:
            return False
        return True


class TextArenaEnv(ForeignGameEnv):
    """A game of TextArena against the other players. The arguments are those of `TextArenaMatch`.

    The seed of TextArena is drawn from that of `reset`, and ``split`` goes by it.
    """

    def __init__(self, env: str, *, split: str = "train", render_mode: str | None = None, **settings: Any) -> None:
        super().__init__(TextArenaMatch(env, **settings), split, render_mode)


class WrongNumberError(ValueError):
    """A game is for another number of players."""


class TextArenaTable(Table):
    """One running game. What every player has been told is taken from TextArena's own messages."""

    def __init__(self, env: str, players: int, seed: int, settings: dict[str, Any]) -> None:
        arena = load("textarena", "textarena")
        self._kinds, self._game_id = arena.ObservationType, arena.GAME_ID
        self._own = OwnRandomness(seed)
        with self._own.used():
            self._game = _made(arena, env, settings)
            self._raw = self._game
            while isinstance(self._raw, arena.Wrapper):
                self._raw = self._raw.env
            try:
                self._game.reset(num_players=players, seed=seed)
            except OSError as error:
                raise _missing(env, error) from error
            except (AssertionError, ValueError, LookupError) as error:
                raise WrongNumberError(f"{env} does not begin with {players} players: {error}") from error
        if len(self._raw.state.observations) != players:
            raise WrongNumberError(f"{env} has {len(self._raw.state.observations)} players, not {players}")
        self._goals: list[str] = [""] * players
        self._news: list[list[tuple[Any, str]]] = [[] for _ in range(players)]
        self.totals = (0.0,) * players
        self._look()

    def goal(self, player: int) -> str:
        """TextArena's prompt."""
        return self._goals[player]

    def shown(self, player: int) -> str:
        """The messages since the player's last move, but its own words and boards of which there is a newer one."""
        boards = [at for at, (kind, _) in enumerate(self._news[player]) if kind is self._kinds.GAME_BOARD]
        return "\n".join(text for at, (_, text) in enumerate(self._news[player]) if at not in boards[:-1])

    def move(self, words: str) -> None:
        """Say something. Raises `ActionError` with TextArena's reason."""
        state, player = self._raw.state, self._raw.state.current_player_id
        state.error_count, state.error_allowance = 0, max(1, state.error_allowance or 0)
        with self._own.used():
            self._game.step(words)
        if state.error_count and not state.done:
            raise ActionError(self._reason(player))
        self._news[player] = []
        self._look(player)

    def guesses(self, rng: Random) -> Iterator[str]:
        """What stands in square brackets in the player's last message, or others; then in its task, and with other
        numbers."""
        player = self._raw.state.current_player_id
        last = self._news[player][-1][1] if self._news[player] else ""
        for text in (last, self.shown(player), self.goal(player)):
            moves = list(dict.fromkeys(_BRACKETED.findall(text)))
            yield from rng.sample(moves, len(moves))
        for _ in range(_TRIES if moves else 0):
            yield _NUMBER.sub(lambda _: str(rng.randrange(_NUMBERS)), rng.choice(moves))
        yield "Hello."

    def close(self) -> None:
        """Nothing is held."""

    def _look(self, mover: int | None = None) -> None:
        state = self._raw.state
        for player, messages in state.observations.items():
            for sender, text, kind in messages:
                if kind is self._kinds.PROMPT:
                    self._goals[player] = str(text).strip()
                elif sender != mover or player != mover:
                    named = "" if sender == self._game_id else f"[{state.role_mapping.get(sender, sender)}] "
                    self._news[player].append((kind, f"{named}{str(text).strip()}"))
            state.observations[player] = []
        self.turn = None if state.done else int(state.current_player_id)
        if state.rewards:
            self.totals = tuple(float(state.rewards.get(player, 0)) for player in range(len(self.totals)))
        if state.done and (reason := state.game_info[0].get("reason")):
            for news in self._news:
                news.append((None, str(reason)))

    def _reason(self, player: int) -> str:
        told = [text for _, text, kind in self._raw.state.observations[player] if kind is self._kinds.GAME_ADMIN]
        found = _REASON.search(told[-1]) if told else None
        return found[1].strip() if found else "That move is not possible."


def _made(arena: Any, env: str, settings: dict[str, Any]) -> Any:
    """A game with TextArena's wrappers. Raises `DependencyNotInstalled` where something that it needs is missing."""
    try:
        return arena.make(env, **settings)
    except (ImportError, LookupError, OSError, SyntaxError, ValueError) as error:
        raise _missing(env, error) from error


def _missing(env: str, error: Exception) -> DependencyNotInstalled:
    why = " ".join(str(error).replace("*", " ").split())[:300]
    return DependencyNotInstalled(f"TextArena cannot make {env} here: {type(error).__name__}: {why}")
