"""The checker for other people's environments: it passes a sound one and names the rule that an unsound one breaks."""

import itertools
import json

import gymnasium
import pytest

from selfgym.envs import checking
from selfgym.envs.core import Outcome
from selfgym.envs.games.sokoban import SokobanEnv

COUNT = itertools.count()


class Short(SokobanEnv):
    """Sound, and over soon."""

    def __init__(self):
        super().__init__(max_steps=12)


class WithoutSpace(Short):
    def __init__(self):
        super().__init__()
        self.observation_space = None


class WithoutError(Short):
    def step(self, action):
        *rest, info = super().step(action)
        return *rest, {key: value for key, value in info.items() if key != "action_error"}


class Endless(Short):
    def __init__(self):
        SokobanEnv.__init__(self, max_steps=10**6)


class WholeRewards(Short):
    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, 0, *rest


class Impossible(Short):
    def _info(self):
        info = super()._info()
        return info | {"admissible_commands": [*info["admissible_commands"], "fly"]}


class Eager(Short):
    def step(self, action):
        if not self._id:
            self.reset(seed=0)
        return super().step(action)


class Unseeded(Short):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=next(COUNT), options=options)


class OneTask(Short):
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return super().reset(seed=1, options=options)


class Remembering(Short):
    taken = 0

    def step(self, action):
        self.taken += 1
        observation, *rest = super().step(action)
        return f"{observation}\nStep {self.taken} of your life.", *rest


class WithoutSteps(Short):
    def restore(self, snapshot):
        state = super().restore(snapshot)
        self._steps = 0
        return state


class Reviving(Short):
    def restore(self, snapshot):
        state = super().restore(snapshot)
        self._outcome = Outcome.RUNNING
        return state


class Trusting(Short):
    def restore(self, snapshot):
        try:
            return super().restore(snapshot)
        except ValueError:
            return self.reset(seed=1)


class Touchy(Short):
    def step(self, action):
        return super().step(json.loads(action) if str(action).startswith("{") else action)


class Wordless(Short):
    def _info(self):
        return super()._info() | {"action_error": None}


class Counting(Short):
    def state_key(self):
        return f"{self._steps}"


@pytest.mark.parametrize("env", [Short, lambda: gymnasium.make("selfgym:selfgym/KuhnPoker-v0").unwrapped])
def test_a_sound_environment_passes_and_is_closed(env, monkeypatch):
    made, closed = [], []

    def make():
        made.append(env())
        monkeypatch.setattr(made[-1], "close", lambda: closed.append(1), raising=False)
        return made[-1]

    checking.check_agent_env(make)
    assert len(closed) == len(made) > len(checking.RULES)


@pytest.mark.parametrize(
    ("env", "rule", "words"),
    [
        (WithoutSpace, checking.satisfies_gymnasium, "Gymnasium's checker says"),
        (WithoutError, checking.returns_what_is_promised, r"info\['action_error'\] should be None or text"),
        (Endless, checking.returns_what_is_promised, "no end in 400 steps"),
        (WholeRewards, checking.returns_what_is_promised, "the reward 0 is a int"),
        (Impossible, checking.admits_only_what_is_possible, "'fly' was admissible"),
        (Eager, checking.needs_a_reset_first, "before the first reset"),
        (Unseeded, checking.follows_the_seed, "seed 0 in a second environment differs at step 0"),
        (OneTask, checking.draws_several_tasks, "is the seed used?"),
        (Remembering, checking.forgets_an_aborted_episode, "after 1 steps of another episode differs at step 1"),
        (WithoutSteps, checking.restores_exactly, "a restored state differs"),
        (Reviving, checking.restores_a_finished_episode, "after restoring a finished episode"),
        (Trusting, checking.refuses_what_is_no_snapshot, "should raise SnapshotError"),
        (Touchy, checking.answers_any_action_in_words, "an action that is 'brackets': JSONDecodeError"),
        (Wordless, checking.answers_any_action_in_words, "should say what was wrong, not None"),
        (Counting, checking.answers_any_action_in_words, "override state_key"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_rule_is_named(env, rule, words):
    with pytest.raises(AssertionError, match=words):
        rule(env)
    with pytest.raises(AssertionError):
        checking.check_agent_env(env)


def test_every_rule_has_been_seen_broken():
    (seen,) = (mark for mark in test_a_broken_rule_is_named.pytestmark if mark.name == "parametrize")
    assert {rule for _, rule, _ in seen.args[1]} == set(checking.RULES)
