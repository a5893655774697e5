"""Tic-tac-toe, Kuhn poker and negotiation: the rules, what opponents are worth, and two agents at one table."""

from collections import Counter
from fractions import Fraction
from itertools import permutations
from random import Random

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the environments)
from selfgym.agents.agent import Decision
from selfgym.agents.duel import duel
from selfgym.agents.policies.policy import Completion, PolicyError, Prompt
from selfgym.agents.random import RandomAgent
from selfgym.agents.rollout import drive
from selfgym.agents.solver import SolverAgent
from selfgym.envs.core import Outcome
from selfgym.envs.games.kuhn import BOLD, Deal, KuhnPoker, payoff
from selfgym.envs.games.negotiation import ENOUGH, Negotiation, Talk, aspiration, divisions, shares
from selfgym.envs.games.tictactoe import Grid, TicTacToe, best_cells, value, winner
from selfgym.envs.tools import ActionError

TTT, KUHN, TALKS = TicTacToe(), KuhnPoker(), Negotiation()


def applied(match, state, *commands):
    for command in commands:
        state, _ = match.apply(state, command)
    return state


# Tic-tac-toe


def test_marks_go_by_turns_until_a_line():
    state = applied(TTT, Grid("." * 9), "5", "1", "4", "2", "6")
    assert state.cells == "OO.XXX..."
    assert TTT.turn(state) is None
    assert TTT.rewards(Grid("OO.XX...."), state) == (1.0, 0.0)
    assert TTT.describe(applied(TTT, Grid("." * 9), "5"), 0) == "1 2 3\n4 X 6\n7 8 9"


@pytest.mark.parametrize("cell", ["5", "0", "10", "12", "", "x", "٣"])
def test_a_cell_that_is_taken_or_none_is_refused(cell):
    with pytest.raises(ActionError, match="1, 2, 3, 4, 6, 7, 8, 9"):
        TTT.apply(applied(TTT, Grid("." * 9), "5"), cell)


def test_the_empty_grid_is_a_draw_and_known_positions_are_what_they_are():
    assert value("." * 9) == 0
    assert value("XX.OO....") == 1
    assert best_cells("XX.OO....") == ("3",)
    assert value("X...O...X") == 0
    assert best_cells("X...O...X") == ("2", "4", "6", "8")
    assert value("X.......O") == 1


def test_minimax_never_loses_whatever_the_other_does():
    """Every game against either seat of the optimal player, from the empty grid, over all of its best cells."""
    seen = set()

    def walk(state, optimal):
        if (state, optimal) in seen:
            return
        seen.add((state, optimal))
        if TTT.turn(state) is None:
            assert winner(state.cells) in (None, "XO"[optimal])
            return
        cells = best_cells(state.cells) if TTT.turn(state) == optimal else TTT.legal(state)
        for cell in cells:
            walk(applied(TTT, state, cell), optimal)

    walk(Grid("." * 9), 0)
    walk(Grid("." * 9), 1)
    assert len(seen) > 1000


def test_openings_can_be_held_and_outcomes_compare_with_perfect_play():
    results = Counter()
    for level in (1, 2, 3):
        for seed in range(60):
            env = gymnasium.make("selfgym/TicTacToe-v0", level=level).unwrapped
            _, info = env.reset(seed=seed)
            first = env.state.first
            assert value(first.cells) in (0, 1)
            assert winner(first.cells) is None
            assert len(first.cells.replace(".", "")) == 5 - level
            rng, reward = Random(seed), 0.0
            while info["outcome"] is Outcome.RUNNING:
                _, reward, _, _, info = env.step(rng.choice(info["admissible_commands"]))
            expected = {1: (1.0,), 0: (0.5, 1.0)}[value(first.cells)]
            assert (info["outcome"] is Outcome.SUCCESS) == (reward in expected)
            results[info["outcome"], reward] += 1
    assert {(Outcome.SUCCESS, 1.0), (Outcome.SUCCESS, 0.5), (Outcome.FAILURE, 0.5), (Outcome.FAILURE, 0.0)} <= set(
        results
    )


# Kuhn poker


def hand_value(cards, done, first, other):
    """What a hand is worth to who is first, if both play strategies as in `BOLD`."""
    if done not in BOLD:
        return Fraction(payoff(cards, done))
    player = len(done) % 2
    likely = Fraction((first, other)[player][done][cards[player]])
    meek, bold = ("c", "b") if done in ("", "c") else ("f", "k")
    return likely * hand_value(cards, done + bold, first, other) + (1 - likely) * hand_value(
        cards, done + meek, first, other
    )


def game_value(first, other):
    deals = list(permutations(range(3), 2))
    return sum(hand_value(cards, "", first, other) for cards in deals) / len(deals)


def pure_strategies():
    """Every way to play either seat: for each card and each place whether to be bold."""
    for mask in range(2**12):
        bits = [(mask >> at) & 1 for at in range(12)]
        yield {done: tuple(bits[3 * at : 3 * at + 3]) for at, done in enumerate(("", "c", "b", "cb"))}


def test_the_value_of_kuhn_poker_under_equilibrium_is_minus_an_eighteenth():
    assert game_value(BOLD, BOLD) == Fraction(-1, 18)


def test_nobody_gains_by_leaving_the_equilibrium():
    first = {tuple(one[done] for done in ("", "cb")): one for one in pure_strategies()}.values()
    other = {tuple(one[done] for done in ("c", "b")): one for one in pure_strategies()}.values()
    assert len(first) == len(other) == 64
    assert max(game_value(one, BOLD) for one in first) == Fraction(-1, 18)
    assert min(game_value(BOLD, one) for one in other) == Fraction(-1, 18)


def test_the_scripted_player_plays_the_equilibrium():
    rng = Random(0)
    deck = (0, 1, 2)
    for done, likely in BOLD.items():
        for card in range(3):
            cards = [(card + 1) % 3, (card + 1) % 3]
            cards[len(done) % 2] = card
            state = Deal(deck, (tuple(cards),), 0, done)
            bold = sum(KUHN.choose(state, "optimal", rng) in ("bet", "call") for _ in range(3000))
            assert abs(bold / 3000 - likely[card]) < 0.05, (done, card)


@pytest.mark.parametrize(
    ("commands", "won"),
    [
        (("check", "check"), 1),
        (("bet", "call"), 2),
        (("bet", "fold"), 1),
        (("check", "bet", "call"), 2),
        (("check", "bet", "fold"), -1),
    ],
)
def test_hands_are_paid_as_kuhn_says(commands, won):
    first = Deal((3, 7, 12), ((2, 0), (1, 0)))
    last = applied(KUHN, first, *commands)
    assert last.chips == won
    assert KUHN.rewards(first, last) == (won, -won)
    assert (last.hand, last.done) == (1, "")
    assert KUHN.turn(last) == 1  # the seats have changed
    lost = applied(KUHN, Deal((3, 7, 12), ((0, 2),)), *commands)
    assert lost.chips == (won if commands[-1] == "fold" else -won)
    assert KUHN.turn(lost) is None


def test_a_player_never_sees_the_others_card_before_a_showdown():
    state = Deal((3, 7, 12), ((2, 0),))
    assert "ace" in KUHN.describe(state, 0)
    assert "ace" not in KUHN.describe(state, 1)
    _, said = KUHN.apply(applied(KUHN, state, "bet"), "fold")
    assert said == "Player 2: fold. Player 1 wins 1."
    _, said = KUHN.apply(applied(KUHN, state, "bet"), "call")
    assert "Player 1 had the ace, player 2 the 5" in said


def test_an_observation_of_kuhn_poker_does_not_depend_on_what_is_hidden():
    seen = {}
    for seed in range(300):
        env = gymnasium.make("selfgym/KuhnPoker-v0", opponent="random").unwrapped
        observation, _ = env.reset(seed=seed)
        sitting = env.state
        other = sitting.now.cards[0][1 - sitting.seat]
        seen.setdefault(observation, set()).add(other)
    assert any(len(cards) == 2 for cards in seen.values())


def test_checking_against_a_bet_is_refused():
    with pytest.raises(ActionError, match="fold, call"):
        KUHN.apply(applied(KUHN, Deal((0, 1, 2), ((0, 1),)), "bet"), "check")


# Negotiation

TALK = Talk((2, 1, 3), ((1, 8, 0), (2, 0, 2)))


def test_an_accepted_proposal_is_the_deal():
    state = applied(TALKS, TALK, "propose 1 1 0: I want the hat")
    assert state.offer == (1, 1, 0)
    assert "Proposed to you: 1 books, 0 hats, 3 balls." in TALKS.describe(state, 1)
    last = applied(TALKS, state, "accept")
    assert TALKS.turn(last) is None
    assert TALKS.rewards(state, last) == (0.9, 0.8)
    assert TALKS.outcome(TALK, last, 0) is TALKS.outcome(TALK, last, 1) is Outcome.SUCCESS


def test_the_second_players_proposal_is_what_the_second_player_gets():
    state = applied(TALKS, TALK, "say: hello", "propose 2 0 3")
    last = applied(TALKS, state, "accept")
    assert TALKS.rewards(state, last) == (0.8, 1.0)


def test_only_the_last_proposal_can_be_accepted():
    with pytest.raises(ActionError, match="nothing to accept"):
        TALKS.apply(TALK, "accept")
    with pytest.raises(ActionError, match="nothing to accept"):
        TALKS.apply(applied(TALKS, TALK, "propose 0 0 0", "say: no"), "accept")


@pytest.mark.parametrize(
    "words", ["propose 3 0 0", "propose 0 0 4", "propose 1 1", "propose a b c", "propose -1 0 0", "agree", "say hello"]
)
def test_other_words_are_refused(words):
    with pytest.raises(ActionError):
        TALKS.apply(TALK, words)


def test_ten_turns_without_a_deal_end_in_nothing():
    state = applied(TALKS, TALK, *["propose 0 0 0"] * 10)
    assert TALKS.turn(state) is None
    assert TALKS.rewards(TALK, state) == (0.0, 0.0)
    assert TALKS.outcome(TALK, state, 0) is Outcome.FAILURE


def test_messages_are_harmless():
    _, said = TALKS.apply(TALK, "say: a\ud800b\x1b[31m\u202e" + "x" * 999)
    said.encode()
    assert said.startswith("Player 1 says: a?b?[31m?x")
    assert len(said) < 230


def test_values_are_those_of_the_paper():
    for level in (1, 2, 3):
        for seed in range(60):
            state, _ = TALKS.start(Random(seed), level)
            assert 5 <= sum(state.items) <= 7
            assert all(sum(n * w for n, w in zip(state.items, worth, strict=True)) == 10 for worth in state.worth)
            assert all(one or two for one, two in zip(*state.worth, strict=True))
            assert any(min(shares(state, got)) >= ENOUGH for got in divisions(state.items))


def test_a_players_task_does_not_tell_what_things_are_worth_to_the_other():
    other = Talk(TALK.items, (TALK.worth[0], (5, 0, 0)))
    assert TALKS.goal(TALK, 0) == TALKS.goal(other, 0)
    assert TALKS.describe(TALK, 0) == TALKS.describe(other, 0)


def test_the_conceding_player_wants_less_and_less_and_keeps_to_it():
    wants = [aspiration(turn) for turn in range(10)]
    assert wants == sorted(wants, reverse=True)
    assert (wants[0], wants[-1]) == (8, ENOUGH)
    for seed in range(100):
        state, _ = TALKS.start(Random(seed), 2)
        for turn in range(10):
            words = TALKS.choose(state, "conceding", Random(seed))
            assert words.startswith("propose")
            after = applied(TALKS, state, words)
            assert shares(state, after.offer)[turn % 2] >= aspiration(turn)
            state = applied(TALKS, state, "propose 0 0 0" if turn == 9 else "say: no")


def test_a_teacher_always_gets_enough_of_a_conceding_player():
    for level in (1, 2, 3):
        for seed in range(100):
            env = gymnasium.make("selfgym/Negotiation-v0", level=level).unwrapped
            _, info = env.reset(seed=seed)
            reward = 0.0
            while info["outcome"] is Outcome.RUNNING:
                _, reward, _, _, info = env.step(env.solution()[0])
            assert info["outcome"] is Outcome.SUCCESS
            assert reward >= ENOUGH / 10


# Two agents


def played(match, agents, seeds=40, level=1, policy=None):
    return [result for _, result in drive((duel(match, agents(), level=level, seed=s) for s in range(seeds)), policy)]


def test_two_perfect_players_draw_where_they_should():
    for result in played(TTT, lambda: [SolverAgent(), SolverAgent()], level=3):
        assert sum(result.rewards) == 1.0
        assert Outcome.SUCCESS in result.outcomes


def test_a_solver_beats_a_random_agent_and_rewards_are_by_seat():
    mine = [result.rewards[0] for result in played(TTT, lambda: [SolverAgent(), RandomAgent(1)], level=3)]
    others = [result.rewards[1] for result in played(TTT, lambda: [RandomAgent(1), SolverAgent()], level=3)]
    assert sum(mine) / len(mine) > 0.8
    assert sum(others) / len(others) > 0.6


@pytest.mark.parametrize("match", [KUHN, TALKS])
def test_duels_are_reproducible_and_end(match):
    once = played(match, lambda: [RandomAgent(1), RandomAgent(2)], level=2)
    again = played(match, lambda: [RandomAgent(1), RandomAgent(2)], level=2)
    assert once == again
    assert len({result.rewards for result in once}) > 2
    assert all(Outcome.RUNNING not in result.outcomes for result in once)
    if match is KUHN:
        assert all(sum(result.rewards) == 0 for result in once)


class Mute:
    """Never says anything that makes sense."""

    def __init__(self):
        self.errors = 0

    def act(self, observation, info):
        self.errors += info["action_error"] is not None
        return "mumble"


def test_who_never_makes_sense_is_cut_off():
    mute = Mute()
    (result,) = played(TTT, lambda: [mute, mute], seeds=1)
    assert result.outcomes == (Outcome.TRUNCATED, Outcome.TRUNCATED)
    assert result.steps == 20
    assert mute.errors == 19


class Asking:
    """Asks a language model for the number of a command, as agents with a policy do."""

    def act(self, observation, info):
        completions = yield [Prompt(tuple(observation.encode()))]
        return Decision(info["admissible_commands"][int(completions[0].text)])


class Last:
    """A language model that always says the same."""

    largest = 0

    def generate(self, prompts):
        self.largest = max(self.largest, len(prompts))
        return [Completion((1,), (0.0,), "-1") for _ in prompts]


def test_agents_that_ask_a_model_share_its_batches():
    policy = Last()
    results = played(TTT, lambda: [Asking(), Asking()], seeds=12, policy=policy)
    assert len(results) == 12
    assert policy.largest == 12
    assert all(sum(result.rewards) == 1.0 for result in results)
    with pytest.raises(PolicyError, match="has none"):
        played(TTT, lambda: [Asking(), Asking()], seeds=1)
