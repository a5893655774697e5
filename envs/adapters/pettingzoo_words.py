"""What players of PettingZoo see and do, in words.

Its observations are arrays for networks. For the classic games they are told as a person would see them, with nothing
that the observation does not hold; of any other game texts and numbers are given as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from selfgym.envs.adapters.replayed import load

_MOST_NUMBERS = 200


def _numbered(game: Any, name: str, actions: Sequence[int]) -> list[str]:
    return [str(action) for action in actions]


def plain(game: Any, name: str, observed: Any) -> str:
    """Any observation: texts and numbers as they are, of large arrays what is not 0."""
    if isinstance(observed, dict):
        told = {key: plain(game, name, one) for key, one in observed.items() if key != "action_mask"}
        return "\n".join(f"{key}: {one}" for key, one in told.items())
    if isinstance(observed, np.ndarray):
        if observed.size <= _MOST_NUMBERS:
            return str(observed.tolist())
        places = [tuple(int(at) for at in place) for place in np.argwhere(observed)[:_MOST_NUMBERS]]
        told_one = ", ".join(f"{list(place)}={observed[place]:g}" for place in places)
        return f"an array of shape {list(observed.shape)} with {told_one}"
    return str(observed)


@dataclass(frozen=True, slots=True)
class Words:
    """How one game is told."""

    goal: str
    seen: Callable[[Any, str, Any], str] = plain
    """Of the game, a player's name and its observation."""
    moves: Callable[[Any, str, Sequence[int]], list[str]] = _numbered
    """Of the game, a player's name and possible actions: a word for each, in small letters."""


def _grid(game: Any, name: str, observed: Any) -> str:
    """Boards whose first two planes are one's own pieces and the other's."""
    own, other = observed["observation"][..., 0], observed["observation"][..., 1]
    rows = [
        " ".join("X" if mine else "O" if theirs else "." for mine, theirs in zip(*row, strict=True))
        for row in zip(own, other, strict=True)
    ]
    return "\n".join(rows)


def _go_moves(game: Any, name: str, actions: Sequence[int]) -> list[str]:
    last = int(game.action_space(name).n) - 1
    return ["pass" if action == last else str(action) for action in actions]


def _cards(game: Any, name: str, observed: Any) -> str:
    """What RLCard says that a player knows."""
    raw = game.unwrapped.env.get_state(game.possible_agents.index(name))["raw_obs"]
    kept = {key: one for key, one in raw.items() if key not in ("legal_actions", "current_player")}
    return "\n".join(f"{key.replace('_', ' ')}: {_card(one)}" for key, one in kept.items())


def _card(one: Any) -> str:
    if isinstance(one, list | tuple):
        return ", ".join(map(_card, one)) or "none"
    return "none" if one is None else str(getattr(one, "name", one))


def _card_moves(game: Any, name: str, actions: Sequence[int]) -> list[str]:
    state = game.unwrapped.env.get_state(game.possible_agents.index(name))
    names = dict(zip(state["legal_actions"], state["raw_legal_actions"], strict=True))
    return [_card(names.get(action, action)).lower().replace("_", " ") for action in actions]


def _throws(game: Any, name: str, observed: Any) -> str:
    thrown = game.unwrapped._moves[int(observed)].lower()
    return "Nothing was thrown yet." if thrown == "none" else f"The other player's last throw: {thrown}."


def _throw_moves(game: Any, name: str, actions: Sequence[int]) -> list[str]:
    return [game.unwrapped._moves[action].lower() for action in actions]


def _chess(game: Any, name: str, observed: Any) -> str:
    board = game.unwrapped.board
    ranks = [f"{8 - at} {line}" for at, line in enumerate(str(board).splitlines())]
    colour = "white, in capitals" if game.possible_agents.index(name) == 0 else "black, in small letters"
    return "\n".join([*ranks, "  a b c d e f g h", f"You are {colour}. FEN: {board.fen()}"])


def _chess_moves(game: Any, name: str, actions: Sequence[int]) -> list[str]:
    player = game.possible_agents.index(name)
    utils = load("pettingzoo.classic.chess.chess_utils", "'pettingzoo[classic]'")
    return [utils.action_to_move(game.unwrapped.board, action, player).uci() for action in actions]


def _hanabi(game: Any, name: str, observed: Any) -> str:
    state = game.unwrapped.hanabi_env.game_state
    return str(state.observation_string(game.possible_agents.index(name)))


def _hanabi_moves(game: Any, name: str, actions: Sequence[int]) -> list[str]:
    state, player = game.unwrapped.hanabi_env.game_state, game.possible_agents.index(name)
    return [state.action_to_string(player, action).strip("()").lower() for action in actions]


_POKER = "Your hand, the public cards and the chips are named below; S, H, D, C are the suits."
_TOLD = {
    "tictactoe_v3": Words(
        "Play tic-tac-toe: three in a row win. Your marks are X. Cells are numbered 0 to 8, row by row.", _grid
    ),
    "connect_four_v3": Words(
        "Play Connect Four: four in a row win. Your discs are X. A move is a column, 0 to 6 from the left.", _grid
    ),
    "go_v5": Words(
        "Play Go. Your stones are X. Points are numbered from 0, row by row; 'pass' passes.", _grid, _go_moves
    ),
    "rps_v2": Words("Play rock, paper, scissors, several rounds.", _throws, _throw_moves),
    "leduc_holdem_v4": Words(f"Play Leduc Hold'em. {_POKER}", _cards, _card_moves),
    "texas_holdem_v4": Words(f"Play Texas Hold'em with fixed raises. {_POKER}", _cards, _card_moves),
    "texas_holdem_no_limit_v6": Words(f"Play Texas Hold'em without a limit. {_POKER}", _cards, _card_moves),
    "chess_v6": Words("Play chess. A move names the squares from and to, as e2e4.", _chess, _chess_moves),
    "hanabi_v5": Words(
        "Play Hanabi together: build each colour's firework from 1 up. Nobody sees their own cards.",
        _hanabi, _hanabi_moves,
    ),
}  # fmt: skip


def words_of(game: Any) -> Words:
    """How a game is told."""
    name = str(game.metadata.get("name", type(game.unwrapped).__name__))
    return _TOLD.get(name, Words(f"Play {name}."))
