"""`selfgym/PettingZoo-v0`: environments of PettingZoo (Terry et al. 2021, arXiv 2009.14471) in which agents take turns.

Moves and observations are words (`selfgym.envs.adapters.pettingzoo_words`); what is possible is read from the action
mask, and the rest is refused before PettingZoo would end the game for it. A player is shown its own observation only.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import Any

from gymnasium import spaces
from gymnasium.error import DependencyNotInstalled

from selfgym.envs.adapters.pettingzoo_words import Words, words_of
from selfgym.envs.adapters.randomness import OwnRandomness
from selfgym.envs.adapters.replayed import load, unknown
from selfgym.envs.adapters.tables import ForeignGameEnv, ForeignMatch, Table
from selfgym.envs.tools import ActionError

VERSION = "1"
_PACKAGE = "'pettingzoo[classic]'"


class PettingZooMatch(ForeignMatch):
    """A game of PettingZoo, for a `duel` or an environment.

    Args:
        env: PettingZoo's id, such as ``"classic/connect_four-v3"``, or ``"module:function"`` for any other; the
            function makes an AEC environment, or a parallel one, whose players then move one after the other.
        opponent: as of `ForeignMatch`.
        seat: the learner's; None draws it.
        max_steps: of each player.
        settings: the function's own.
    """

    def __init__(
        self, env: str, *, opponent: Any = "random", seat: int | None = None, max_steps: int = 100, **settings: Any
    ) -> None:
        zoo = load("pettingzoo", _PACKAGE)
        self._game: Any = None
        self._make = _maker(env, settings)
        game = self._made()
        for player in game.possible_agents:
            if not isinstance(kind := game.action_space(player), spaces.Discrete | spaces.Text):
                raise ValueError(f"{env} has actions of {kind}: they should be Discrete or Text")
        shown = "".join(f",{key}={one!r}" for key, one in sorted(settings.items()))
        super().__init__(
            f"pettingzoo:{env}{shown}", f"{VERSION}.{zoo.__version__}", len(game.possible_agents), self._table,
            max_steps=max_steps, opponent=opponent, seat=seat,
        )  # fmt: skip

    def _table(self, seed: int) -> PettingZooTable:
        return PettingZooTable(self._made(), seed)

    def close(self) -> None:
        """Let go of the environment."""
        super().close()
        game, self._game = self._game, None
        if game is not None:
            game.close()

    def _made(self) -> Any:
        """The environment, of which there is one: `reset` begins anew."""
        if self._game is None:
            zoo, made = load("pettingzoo", _PACKAGE), self._make()
            turns = load("pettingzoo.utils", _PACKAGE).parallel_to_aec
            self._game = turns(made) if isinstance(made, zoo.ParallelEnv) else made
        return self._game


class PettingZooEnv(ForeignGameEnv):
    """A game of PettingZoo against the other players. The arguments are those of `PettingZooMatch`.

    The seed of PettingZoo is drawn from that of `reset`, and ``split`` goes by it.
    """

    def __init__(self, env: str, *, split: str = "train", render_mode: str | None = None, **settings: Any) -> None:
        super().__init__(PettingZooMatch(env, **settings), split, render_mode)


class PettingZooTable(Table):
    """One running game."""

    def __init__(self, game: Any, seed: int) -> None:
        self._game, self._own = game, OwnRandomness(seed)
        with self._own.used():
            self._game.reset(seed=seed)
        self._players = list(self._game.possible_agents)
        self._words: Words = words_of(self._game)
        self.totals = (0.0,) * len(self._players)
        self._go_on()

    def goal(self, player: int) -> str:
        """What is known of the game in words."""
        return f"{self._words.goal} You are {self._players[player]}. Win as much reward as you can."

    def shown(self, player: int) -> str:
        """The player's observation, and the end."""
        if player not in self._shown:
            name = self._players[player]
            gone = name not in self._game.agents
            seen = "You are out." if gone else self._words.seen(self._game, name, self._game.observe(name))
            over = f"\nThe game is over. Your reward: {self.totals[player]:g}." if self.turn is None else ""
            self._shown[player] = seen + over
        return self._shown[player]

    def legal(self) -> list[str] | None:
        """The moves that the mask allows; None where actions are texts."""
        return None if self._possible is None else list(self._possible)

    def move(self, words: str) -> None:
        """One action. Raises `ActionError` where the mask or the space has it not."""
        moves = self._possible
        if moves is None:
            action: Any = words
            if not self._game.action_space(self._game.agent_selection).contains(action):
                raise ActionError("That text is not one of this game's action space.")
        elif words.lower() not in moves:
            raise ActionError(unknown(words, list(moves)))
        else:
            action = moves[words.lower()]
        with self._own.used():
            self._game.step(action)
            rewards = self._game.rewards
        self.totals = tuple(
            total + float(rewards.get(name, 0)) for name, total in zip(self._players, self.totals, strict=True)
        )
        self._go_on()

    def close(self) -> None:
        """The environment is its match's."""

    def _go_on(self) -> None:
        """Find whose turn it is; who has ended while others play on is taken off the table."""
        game = self._game
        ended = {name for name in game.agents if game.terminations[name] or game.truncations[name]}
        self._shown: dict[int, str] = {}
        self._possible: dict[str, Any] | None = {}
        if ended >= set(game.agents):
            self.turn = None
            return
        with self._own.used():
            while game.agent_selection in ended:
                ended.discard(game.agent_selection)
                game.step(None)
        self.turn = self._players.index(game.agent_selection)
        self._possible = self._moves()

    def _moves(self) -> dict[str, Any] | None:
        """The possible moves of the player whose turn it is, with the actions they stand for."""
        name = self._game.agent_selection
        space = self._game.action_space(name)
        if isinstance(space, spaces.Text):
            return None
        mask = self._game.infos[name].get("action_mask")
        observed = self._game.observe(name) if mask is None else None
        if isinstance(observed, dict):
            mask = observed.get("action_mask")
        first = int(space.start)
        possible = [first + at for at in range(int(space.n)) if mask is None or mask[at]]
        return dict(zip(self._words.moves(self._game, name, possible), possible, strict=True))


def _maker(env: str, settings: dict[str, Any]) -> Callable[[], Any]:
    """What makes the environment. Raises `ValueError` where there is none of that name."""
    module, colon, function = env.partition(":")
    if colon:
        try:
            return partial(getattr(import_module(module), function), **settings)
        except (ImportError, AttributeError) as error:
            raise ValueError(f"there is no environment {env!r}: {error}") from error
    zoo = load("pettingzoo", _PACKAGE)
    wrong = load("pettingzoo.env_registry.exceptions", _PACKAGE)
    try:
        zoo.spec("aec", env)
    except wrong.PettingZooRegistryError as error:
        near = get_close_matches(env, zoo.aec_registry, n=1)
        raise ValueError(f"PettingZoo has no {env!r}.{f' Did you mean {near[0]!r}?' if near else ''}") from error
    return partial(_from_registry, zoo, wrong.FailedToImport, env, settings)


def _from_registry(zoo: Any, failed: type[Exception], env: str, settings: dict[str, Any]) -> Any:
    try:
        return zoo.make("aec", env, **settings)
    except failed as error:
        raise DependencyNotInstalled(str(error)) from error
