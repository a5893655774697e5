"""Advantages, from the definitions in the papers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfgym.trainers.advantages import (
    bilevel_gae,
    bucket_advantages,
    bucket_values,
    gae,
    group_advantages,
    returns_to_go,
)

RETURNS = st.lists(st.floats(-10, 10), min_size=2, max_size=9)


@given(RETURNS, st.booleans(), st.sampled_from(["mean", "leave-one-out"]))
def test_the_advantages_of_a_group_sum_to_nothing(returns, std, baseline):
    assert abs(group_advantages(returns, std=std, baseline=baseline).sum()) < 1e-6


def test_by_hand():
    assert group_advantages([1, 0, 0, 0]).tolist() == [0.75, -0.25, -0.25, -0.25]
    assert group_advantages([1, 0, 0, 0], std=True) == pytest.approx([1.5, -0.5, -0.5, -0.5], rel=1e-5)
    assert group_advantages([1, 0, 0, 0], baseline="leave-one-out") == pytest.approx([1, -1 / 3, -1 / 3, -1 / 3])
    assert group_advantages([3.0]).tolist() == [0.0]
    assert group_advantages([2.0, 2.0], std=True).tolist() == [0.0, 0.0]
    assert returns_to_go([0, 1, 2], 0.5).tolist() == [1.0, 2.0, 2.0]


@given(RETURNS)
def test_leave_one_out_is_the_return_less_the_mean_of_the_others(returns):
    others = [np.mean(returns[:n] + returns[n + 1 :]) for n in range(len(returns))]
    assert group_advantages(returns, baseline="leave-one-out") == pytest.approx(np.array(returns) - others, abs=1e-9)


def test_steps_are_compared_with_steps_in_the_same_state_only():
    returns = [[1.0, 4.0], [3.0, 9.0, 5.0]]
    found = bucket_advantages(returns, [["a", "b"], ["a", "c", "a"]])
    assert found[0].tolist() == [-2.0, 0.0]  # "b" is alone
    assert found[1].tolist() == [0.0, 0.0, 2.0]
    values = bucket_values(returns, [["a", "b"], ["a", "c", "a"]])
    assert [one.tolist() for one in values] == [[3.0, 4.0], [3.0, 9.0, 3.0]]


@given(RETURNS, st.floats(0, 1))
def test_generalised_advantages_at_their_ends(rewards, gamma):
    values = np.linspace(-1, 1, len(rewards))
    one_step = np.array(rewards) + gamma * np.append(values[1:], 0) - values
    assert gae(rewards, values, gamma=gamma, lam=0) == pytest.approx(one_step)
    assert gae(rewards, values, gamma=gamma, lam=1) == pytest.approx(returns_to_go(rewards, gamma) - values, abs=1e-9)


def test_two_levels_with_token_values_of_nothing_pay_every_token_what_its_turn_is_worth():
    found = bilevel_gae([0.0, 1.0], [[0, 0, 0], [0, 0]], gamma=0.5)
    assert [one.tolist() for one in found] == [[0.5, 0.5, 0.5], [1.0, 1.0]]


def test_two_levels_by_hand():
    found = bilevel_gae([1.0, 2.0], [[0.5, 0.25], [1.0]], gamma=0.9, lam=0.8)
    second = 2.0 - 1.0
    first = 1.0 + 0.9 * 1.0 - 0.5 + 0.9 * 0.8 * second
    assert found[1] == pytest.approx([second])
    worth = 0.5 + first
    assert found[0] == pytest.approx([worth - 0.5, worth - 0.25])
