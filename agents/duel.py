"""Agents at one table: a match of `selfgym.envs.games.match` between them, without an environment around it.

A duel is a process of the rollout engine (`selfgym.agents.rollout.drive`): agents may ask a language model, and many
duels share its batches. Nothing is recorded here; training by self-play goes through `GameEnv` and its opponents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Generic

from selfgym.agents.agent import Agent
from selfgym.agents.rollout import Process, decide
from selfgym.envs.core import Outcome
from selfgym.envs.games.game import Game, S
from selfgym.envs.games.match import Against, Match, Sitting
from selfgym.envs.tools import ActionError


@dataclass(frozen=True, slots=True)
class Result:
    """How a duel ended, for player 0 and on."""

    rewards: tuple[float, ...]
    outcomes: tuple[Outcome, ...]
    steps: int


class Seat(Generic[S]):
    """What an agent is given at `begin`: its place at the table, with what a solver asks for."""

    def __init__(self, game: Against[S], sitting: Sitting[S]) -> None:
        self.game: Game[Sitting[S]] = game
        self.state = sitting

    def solution(self) -> list[str]:
        """The command of a scripted player; asking for it is cheating."""
        return self.game.solution(self.state)


def duel(match: Match[S], agents: Sequence[Agent], *, level: int = 1, seed: int = 0) -> Process[Result]:
    """Agents, one for each player, play a match that ``seed`` draws; the first one is player 0.

    >>> from selfgym.agents.rollout import drive
    >>> from selfgym.agents.solver import SolverAgent
    >>> from selfgym.envs.games.tictactoe import TicTacToe
    >>> dict(drive([duel(TicTacToe(), [SolverAgent(), SolverAgent()], level=3, seed=1)]))[0].rewards
    (0.5, 0.5)

    Who writes no possible command may try again; after as many commands as the level allows all are truncated. What an
    agent raises reaches the caller, and so does `selfgym.envs.games.game.GameFailed`.
    """
    game, rng = Against(match), Random(f"duel {level} {seed}")
    first, _ = match.start(rng, level)
    players = range(match.players)
    seats = [Seat(game, Sitting(first, first, player, rng.getrandbits(48))) for player in players]
    for agent, seat in zip(agents, seats, strict=True):
        if hasattr(agent, "begin"):
            agent.begin(seat)
    now, steps, totals, error = first, 0, [0.0 for _ in players], None
    seen = [[f"Task: {match.goal(first, player)}", ""] for player in players]
    while (player := match.turn(now)) is not None and steps < len(players) * match.steps[level - 1]:
        info: dict[str, Any] = {"outcome": Outcome.RUNNING, "task": match.goal(first, player), "action_error": error}
        if (legal := match.legal(now)) is not None:
            info["admissible_commands"] = legal
        observation = error or "\n".join([*seen[player], match.describe(now, player)])
        decision = yield from decide(agents[player], observation, info)
        steps += 1
        try:
            after, said = match.apply(now, game.command(decision.action))
        except ActionError as refused:
            error = str(refused)
            continue
        totals = [total + won for total, won in zip(totals, match.rewards(now, after), strict=True)]
        now, error, seen[player] = after, None, []
        for one in players:
            seen[one] += [said] if said else []
            seats[one].state = Sitting(first, now, one, seats[one].state.seed, steps)
    over = match.turn(now) is None
    ended = [match.outcome(first, now, one) if over else Outcome.TRUNCATED for one in players]
    return Result(tuple(totals), tuple(ended), steps)
