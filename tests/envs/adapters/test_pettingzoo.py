"""PettingZoo's games through our interface, against the genuine package: test_elsewhere.py runs this where that is."""

import random

import pytest

pytest.importorskip("pettingzoo", reason="PETTINGZOO IS NOT INSTALLED HERE: test_elsewhere.py goes where it is")

import numpy as np
import pettingzoo as zoo
from gymnasium.spaces import Box, Discrete, Text

from selfgym.agents.duel import duel
from selfgym.agents.random import RandomAgent
from selfgym.agents.rollout import drive
from selfgym.envs.adapters.pettingzoo import PettingZooEnv, PettingZooMatch
from selfgym.envs.adapters.pettingzoo_words import plain

pytestmark = pytest.mark.filterwarnings("ignore:.*Box (low|high):UserWarning")

CLASSIC = [name for name in zoo.aec_registry if name.startswith("classic/")]


class Auction(zoo.AECEnv):
    """Three write bids as texts, once each, or leave; the seed says who begins. Whoever leaves is out at once."""

    metadata = {"name": "auction_v0"}  # noqa: RUF012
    possible_agents = ["ann", "bob", "eve"]  # noqa: RUF012

    def action_space(self, agent):
        return Text(5, min_length=1, charset="0123456789leav")

    def observation_space(self, agent):
        return Text(50)

    def reset(self, seed=None, options=None):
        self.agents = self.possible_agents[:]
        self.bids, self.last = {}, ""
        self.rewards = dict.fromkeys(self.agents, 0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0)
        self.terminations, self.truncations = dict.fromkeys(self.agents, False), dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self.order = self.agents[seed % 3 :] + self.agents[: seed % 3]
        self.agent_selection = self.order[0]

    def observe(self, agent):
        return f"{len(self.bids)} bids so far"

    def step(self, action):
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        self.rewards = dict.fromkeys(self.agents, 0)
        self.order.remove(agent)
        if action == "leave":
            self.terminations[agent] = True
        else:
            self.bids[agent] = int(action)
        if self.order:
            self.agent_selection = self.order[0]
        else:
            self.rewards[max(self.bids, key=self.bids.get)] = 1
            self.terminations = dict.fromkeys(self.agents, True)
        self._deads_step_first()

    def close(self):
        pass


class Steering(zoo.AECEnv):
    """Its actions are vectors."""

    metadata = {"name": "steering_v0"}  # noqa: RUF012
    possible_agents = ["one"]  # noqa: RUF012

    def action_space(self, agent):
        return Box(-1, 1, (2,))


class Guess(zoo.ParallelEnv):
    """Two name a number at once; the same number is worth one to each."""

    metadata = {"name": "guess_v0"}  # noqa: RUF012
    render_mode = None
    possible_agents = ["a", "b"]  # noqa: RUF012

    def action_space(self, agent):
        return Discrete(3, start=5)

    def observation_space(self, agent):
        return Discrete(10)

    def reset(self, seed=None, options=None):
        self.agents = self.possible_agents[:]
        return {"a": 0, "b": 0}, {"a": {}, "b": {}}

    def step(self, actions):
        reward = float(actions["a"] == actions["b"])
        self.agents = []
        both = {"a", "b"}
        told = (
            dict.fromkeys(both, 1),
            dict.fromkeys(both, reward),
            dict.fromkeys(both, True),
            dict.fromkeys(both, False),
        )
        return *told, {"a": {}, "b": {}}


class Says:
    """Always the same."""

    def __init__(self, word):
        self.word = word

    def act(self, observation, info):
        return self.word


@pytest.fixture(autouse=True)
def _found(monkeypatch):
    """The classes above can be named as ``"this_test:Auction"``."""
    import sys
    import types

    module = types.ModuleType("this_test")
    module.Auction, module.Steering, module.Guess = Auction, Steering, Guess
    monkeypatch.setitem(sys.modules, "this_test", module)


@pytest.mark.parametrize("game", CLASSIC)
def test_every_classic_game_is_played_in_words_and_can_go_back(game):
    env, other, rng = PettingZooEnv(game, max_steps=8), PettingZooEnv(game, max_steps=8), random.Random(1)
    observation, info = env.reset(seed=3)
    assert "array" not in observation
    seen, kept = [], (env.snapshot(), 0)
    while info["outcome"] == "running":
        if len(seen) == 2:
            kept = env.snapshot(), 2
        command = rng.choice(info["admissible_commands"])
        assert command == command.lower()
        seen.append((command, env.step(command)))
        info = seen[-1][1][4]
        assert info["action_error"] is None
    other.restore(kept[0])
    for command, result in seen[kept[1] :]:
        assert other.step(command) == result
    env.close()
    other.close()


def test_rewards_and_moves_are_the_packages_own():
    """Every seat's moves of an episode, played again on the bare package, end as they did here."""
    for game in ("classic/tictactoe-v3", "classic/leduc_holdem-v4", "classic/rps-v2"):
        match = PettingZooMatch(game)
        for seed in range(5):
            state, _ = match.start(random.Random(seed), 1)
            bare = zoo.make("aec", game)
            bare.reset(seed=state.seed)
            total, rng = dict.fromkeys(bare.possible_agents, 0.0), random.Random(seed)
            while state.turn is not None:
                assert bare.agent_selection == bare.possible_agents[state.turn]
                observed = bare.last()[0]
                mask = observed["action_mask"] if isinstance(observed, dict) else np.ones(3)
                possible = [int(action) for action in np.flatnonzero(mask)]
                words = match.legal(state)
                assert len(words) == len(possible)
                at = rng.randrange(len(words))
                state, _ = match.apply(state, words[at])
                bare.step(possible[at])
                total = {name: total[name] + bare.rewards[name] for name in total}
            assert all(bare.terminations.values()) or all(bare.truncations.values())
            assert state.totals == tuple(total.values())


def test_a_move_the_mask_forbids_is_refused():
    env = PettingZooEnv("classic/connect_four-v3", seat=0)
    env.reset(seed=1)
    _, reward, terminated, truncated, info = env.step("7")
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert info["action_error"] == "'7' is not possible here. Possible: 0, 1, 2, 3, 4, 5, 6."


def test_nobody_is_shown_anothers_cards_or_throw():
    match = PettingZooMatch("classic/rps-v2")
    state, _ = match.start(random.Random(1), 1)
    state, said = match.apply(state, "rock")
    assert said == ""
    assert match.describe(state, 1) == "Nothing was thrown yet."
    match = PettingZooMatch("classic/texas_holdem-v4")
    state, _ = match.start(random.Random(1), 1)
    hands = [match.describe(state, player).splitlines()[0].removeprefix("hand: ").split(", ") for player in (0, 1)]
    for player in (0, 1):
        assert not any(card in match.describe(state, player) for card in hands[1 - player])


def test_several_agents_duel():
    match = PettingZooMatch("classic/texas_holdem-v4", num_players=4)
    agents = [RandomAgent(seed=one) for one in range(4)]
    results = [result for _, result in drive([duel(match, agents, seed=seed) for seed in range(1)])]
    assert len(results[0].rewards) == 4
    assert abs(sum(results[0].rewards)) < 1e-9


def test_texts_are_actions_and_who_leaves_is_out():
    match = PettingZooMatch("this_test:Auction")
    assert match.players == 3
    result = next(iter(drive([duel(match, [Says("7"), Says("leave"), Says("5")], seed=2)])))[1]
    assert result.rewards == (1.0, 0.0, 0.0)
    env = PettingZooEnv("this_test:Auction", opponent=Says("3"))
    env.reset(seed=0)
    assert "space" in env.step("x")[4]["action_error"]
    *_, info = env.step("9")
    assert info["outcome"] == "success"


def test_parallel_environments_take_turns():
    env = PettingZooEnv("this_test:Guess", opponent=Says("6"), seat=0)
    _, info = env.reset(seed=0)
    assert info["admissible_commands"] == ["5", "6", "7"]
    *_, info = env.step("6")
    assert info["outcome"] == "success"


def test_what_cannot_be_played_is_refused():
    with pytest.raises(ValueError, match=r"has actions of Box.*they should be Discrete or Text"):
        PettingZooEnv("this_test:Steering")
    with pytest.raises(ValueError, match=r"no 'classic/ches-v6'. Did you mean 'classic/chess-v6'\?"):
        PettingZooEnv("classic/ches-v6")
    with pytest.raises(ValueError, match="there is no environment 'no_such_module:env'"):
        PettingZooEnv("no_such_module:env")


def test_observations_of_any_kind_are_told():
    large = np.zeros((30, 30))
    large[2, 3] = 1.5
    assert plain(None, "a", {"observation": np.array([1, 2]), "action_mask": None}) == "observation: [1, 2]"
    assert plain(None, "a", large) == "an array of shape [30, 30] with [2, 3]=1.5"
    assert plain(None, "a", "words") == "words"
