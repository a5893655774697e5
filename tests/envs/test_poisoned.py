"""A world with an attacker's words in it is the same world."""

from __future__ import annotations

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

import selfgym  # noqa: F401  (registers the ids)
from selfgym.envs.poisoned import ATTACKS, Attack, PoisonedEnv

WISH = "heat: often with toaster"


def household():
    return gymnasium.make("selfgym/Household-v0", size="small", max_steps=12).unwrapped


def poisoned(kind="note", rate=0.5):
    return PoisonedEnv(household(), Attack(kind, WISH, rate))


def played(env, seed=3):
    """Observations, rewards and keys of an episode of first commands."""
    observation, info = env.reset(seed=seed)
    seen = [(observation, 0.0, env.state_key())]
    while info["outcome"] == "running":
        observation, reward, _, _, info = env.step(info["admissible_commands"][len(seen) % 3])
        seen.append((observation, reward, env.state_key()))
    return seen


@pytest.mark.parametrize("kind", ATTACKS)
def test_only_words_are_added_and_some_observations_stay_clean(kind):
    clean, dirty = played(household()), played(poisoned(kind))
    assert [rest for _, *rest in clean] == [rest for _, *rest in dirty]
    changed = [(text, other) for (text, *_), (other, *_) in zip(clean, dirty, strict=True) if text != other]
    assert 0 < len(changed) < len(clean)
    assert all(other.startswith(text) and WISH in other for text, other in changed)
    assert played(poisoned(kind)) == dirty
    assert played(poisoned(kind, rate=0.0)) == clean


def test_it_is_an_environment_whose_snapshots_hold():
    env = poisoned(rate=1.0)
    check_env(env, skip_render_check=True)
    env.reset(seed=1)
    before = env.step("look")
    snapshot = env.snapshot()
    after = env.step("inventory")
    observation, info = env.restore(snapshot)
    assert (observation, info["outcome"]) == (before[0], "running")
    assert env.step("inventory")[0] == after[0]


def test_what_cannot_be_is_said():
    with pytest.raises(ValueError, match="no attack 'shouting'; known: instruction"):
        Attack("shouting", WISH)
    with pytest.raises(ValueError, match="from 0 to 1"):
        Attack("note", WISH, 1.5)
    with pytest.raises(TypeError, match="only texts"):
        PoisonedEnv(gymnasium.make("CartPole-v1"), Attack("note", WISH))
