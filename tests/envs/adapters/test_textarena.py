"""TextArena's games through our interface, against the genuine package: test_elsewhere.py runs this where that is."""

import random

import pytest

pytest.importorskip("textarena", reason="TEXTARENA IS NOT INSTALLED HERE: test_elsewhere.py goes where it is")

from selfgym.agents.duel import duel
from selfgym.agents.rollout import drive
from selfgym.envs.adapters.tables import Played
from selfgym.envs.adapters.textarena import TextArenaEnv, TextArenaMatch
from selfgym.envs.core import SnapshotError
from selfgym.envs.games.game import GameFailed


class Player:
    """Takes the first of its cells that is free."""

    def __init__(self, cells="012345678"):
        self.cells = cells

    def act(self, observation, info):
        board = observation.rpartition("Available Moves:")[2]
        return next((f"[{cell}]" for cell in self.cells if f"'[{cell}]'" in board), "[0]")


class Broken:
    """Fails when it is asked."""

    def act(self, observation, info):
        raise OSError("no model answers")


def played(env, seed, moves):
    seen = [env.reset(seed=seed)]
    for move in moves:
        seen.append(env.step(move))
        if seen[-1][4]["outcome"] != "running":
            break
    return seen


def test_a_game_for_two_is_played_against_a_random_opponent():
    env = TextArenaEnv("TicTacToe-v0", seat=0)
    ends = set()
    for seed in range(30):
        observation, info = env.reset(seed=seed)
        assert "You are Player 0 in Tic Tac Toe" in info["task"]
        assert observation.count("Current Board") == 1
        total = 0.0
        while info["outcome"] == "running":
            observation, reward, *_, info = env.step(Player("480261357").act(observation, info))
            total += reward
        ends.add((str(info["outcome"]), total))
    assert ("success", 1.0) in ends
    assert ends <= {("success", 1.0), ("failure", -1.0), ("failure", 0.0)}


def test_an_impossible_move_is_refused_with_the_games_reason_and_loses_nothing():
    env = TextArenaEnv("TicTacToe-v0", seat=0)
    env.reset(seed=1)
    key = env.state_key()
    for move, reason in (("9", "Must be between 0 and 8"), ("middle", "does not follow the correct format")) * 3:
        _, reward, terminated, truncated, info = env.step(move)
        assert reason in info["action_error"]
        assert (reward, terminated, truncated, env.state_key()) == (0.0, False, False, key)
    assert env.step("[4]")[4]["action_error"] is None
    assert env.step({"name": "move", "arguments": {"move": "[4]"}})[4]["action_error"] == "cell 4 is already occupied."


@pytest.mark.parametrize("game", ["TicTacToe-v0", "KuhnPoker-v0", "ThreePlayerTicTacToe-v0", "Sudoku-v0-easy"])
def test_the_same_seed_and_moves_give_the_same_whatever_else_is_drawn(game):
    env, other = TextArenaEnv(game), TextArenaEnv(game)
    moves = ["[check]", "[call]", "[bet]", "[fold]", "[4]", "[1 1 5]", "[0]", "[13]", "[2 3 4]"] * 2
    first = played(env, 5, moves)
    kept = random.getstate()
    random.seed(3)
    assert played(other, 5, moves) == first
    state = random.Random(3).getstate()
    assert random.getstate() == state, "TextArena has drawn from everybody's generator"
    random.setstate(kept)


def test_snapshots_go_back_within_a_game_and_into_another():
    env, other = TextArenaEnv("KuhnPoker-v0-long"), TextArenaEnv("KuhnPoker-v0-long")
    moves = ["[check]", "[call]", "[bet]", "[fold]"] * 5
    before = played(env, 2, moves[:6])
    snapshot = env.snapshot()
    assert before[-1][4]["outcome"] == "running"
    after = [env.step(move) for move in moves[6:12]]
    for one in (env, other):
        assert one.restore(snapshot)[0] == before[-1][0]
        assert [one.step(move) for move in moves[6:12]] == after


def test_where_a_game_is_not_repeated_that_is_said():
    match = TextArenaMatch("TicTacToe-v0")
    state, _ = match.start(random.Random(1), 1)
    state, _ = match.apply(state, "[4]")
    false = Played(state.seed, state.moves, (state.keys[0], "0" * 12), state.turn, state.totals)
    match.close()
    with pytest.raises(SnapshotError, match="differs from that of then after 1 moves"):
        match.describe(false, 0)


def test_a_duel_is_the_game_between_two_agents():
    jobs = [duel(TextArenaMatch("TicTacToe-v0"), [Player("048"), Player("123567")], seed=seed) for seed in range(2)]
    for _, result in drive(jobs):
        assert result.rewards == (1.0, -1.0)
        assert [str(outcome) for outcome in result.outcomes] == ["success", "failure"]
        assert result.steps == 5


def test_three_can_play():
    match = TextArenaMatch("ThreePlayerTicTacToe-v0")
    assert match.players == 3
    env = TextArenaEnv("ThreePlayerTicTacToe-v0", seat=2)
    observation, _ = env.reset(seed=1)
    assert "You are Player 2" in observation
    assert "[Player 0]" in observation
    assert "[Player 1]" in observation


def test_an_agent_can_have_the_other_seats():
    env = TextArenaEnv("TicTacToe-v0", seat=0, opponent=Player("876543210"))
    env.reset(seed=0)
    observation, *_ = env.step("[0]")
    assert "Player 1 placed their symbol (X) in cell 8" in observation
    with pytest.raises(ValueError, match="no opponent 'clever'"):
        TextArenaEnv("TicTacToe-v0", opponent="clever")


def test_an_opponent_that_fails_is_no_failure_of_the_agent():
    env = TextArenaEnv("TicTacToe-v0", seat=0, opponent=Broken())
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step("[0]")
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, True, "env_error")
    assert "no model answers" in observation
    with pytest.raises(GameFailed, match="no model answers"):
        TextArenaEnv("TicTacToe-v0", seat=1, opponent=Broken()).reset(seed=0)


def test_names_and_numbers_of_players_are_checked():
    with pytest.raises(ValueError, match=r"no game 'TicTacTo-v0'. Did you mean 'TicTacToe-v0'\?"):
        TextArenaEnv("TicTacTo-v0")
    with pytest.raises(ValueError, match="cannot be played by 3 players"):
        TextArenaEnv("TicTacToe-v0", players=3)
    with pytest.raises(ValueError, match="has no seat 2"):
        TextArenaEnv("TicTacToe-v0", seat=2)
