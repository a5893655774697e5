"""Groups of episodes: what their rows weigh, what Z counts, and what the losses have in common."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Step
from selfgym.trainers.groups import GroupConfig, group_rows, groups_of, preference_pairs, replayed, weights
from selfgym.trainers.objectives import clipped, dpo, log_likelihood, nft, token_logprobs
from selfgym.trainers.packing import collate
from selfgym.trainers.recipe import RECIPES, find_recipe
from selfgym.trainers.rescoring import rescored, samples_plainly


def episode(number, reward, lengths, states="abcdefgh", outcome=None, group="task"):
    """An episode whose responses have ``lengths``; its reward comes at the end."""
    steps = [
        Step(
            observation="o", action="a", prompt_ids=(1, 2) if n else (1, 2, 3), fresh=n == 0,
            response_ids=tuple(4 + (number + n + k) % 6 for k in range(length)), logprobs=(-2.0,) * length,
            reward=reward if n == len(lengths) - 1 else 0.0, state_key=states[n],
        )
        for n, length in enumerate(lengths)
    ]  # fmt: skip
    outcome = outcome or (Outcome.SUCCESS if reward else Outcome.FAILURE)
    return Episode(id=f"e{number}", env="x", task="t", group=group, outcome=outcome, steps=tuple(steps))


GROUP = [episode(0, 1.0, (2, 1)), episode(1, 0.0, (3, 3, 3)), episode(2, 0.0, (1,)), episode(3, 0.0, (2, 2))]


def model(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=12, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=64,
        )  # fmt: skip
        return LlamaForCausalLM(config).eval()


def on_policy(rows, net):
    """The rows with the model's own log-probabilities as the sampler's."""
    batch = collate(rows, pad_id=0, tree=True)
    batch.old_logprob.copy_(token_logprobs(net, batch).detach())
    return batch


def gradient(net, objective, batch):
    net.zero_grad()
    (objective(net, batch) / batch.normaliser).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])


def test_the_mean_is_over_episodes_however_long_they_are():
    found = weights(GROUP, GroupConfig())
    assert [set(one) for one in found] == [{0.75}, {-0.25}, {-0.25}, {-0.25}]
    assert [len(one) for one in found] == [2, 3, 1, 2]
    damped = weights(GROUP, GroupConfig(negative=0.2))
    assert [set(one) for one in damped] == [{0.75}, {-0.05}, {-0.05}, {-0.05}]
    alone = weights(GROUP, GroupConfig(baseline="none", negative=0.2))
    assert [set(one) for one in alone] == [{1.0}, {-0.2}, {-0.2}, {-0.2}]


def test_episodes_lost_to_errors_and_groups_without_differences_are_left_out():
    lost = episode(4, 0.0, (2,), outcome=Outcome.ENV_ERROR)
    even = [episode(n, 0.0, (2,), group="even") for n in (5, 6)]
    [group] = groups_of(iter([*GROUP, lost, *even]))
    assert [one.id for one in group] == ["e0", "e1", "e2", "e3"]
    assert list(groups_of(iter(even))) == []
    assert list(groups_of(iter(even), GroupConfig(baseline="none"))) == [even]


def test_a_refused_step_is_told_from_its_neighbours_also_where_all_failed():
    group = [episode(n, 0.0, (2, 1)) for n in range(2)]
    steps = (group[0].steps[0].model_copy(update={"valid": False}), group[0].steps[1])
    group[0] = group[0].model_copy(update={"steps": steps})
    config = GroupConfig(refused=0.8)
    assert list(groups_of(iter(group))) == []
    assert list(groups_of(iter(group), config)) == [group]
    found = weights(group, config)
    assert [one.tolist() for one in found] == [pytest.approx([-0.6, 0.2]), pytest.approx([0.2, 0.2])]
    assert sum(map(sum, found)) == pytest.approx(0)


@pytest.mark.parametrize(("mean_over", "total"), [("tokens", 3 + 9 + 1 + 4), ("episodes", 4), ("constant", 4)])
def test_what_z_counts(mean_over, total):
    rows = list(group_rows(GROUP, GroupConfig(mean_over=mean_over)))
    assert sum(row.normaliser for row in rows) == pytest.approx(total)
    summed = [float(np.abs(row.weight).sum()) for row in rows]
    expected = [0.75, 0.25, 0.25, 0.25] if mean_over == "episodes" else [3 * 0.75, 9 * 0.25, 0.25, 4 * 0.25]
    assert summed == pytest.approx(expected)
    assert {row.group for row in rows} == {"task"}
    assert all(row.weight[:3].tolist() == [0, 0, 0] for row in rows)  # the prompt


@pytest.mark.parametrize("mean_over", ["tokens", "episodes", "constant"])
def test_demonstrations_beside_groups_count_like_won_episodes(mean_over):
    demos = [episode(n, 1.0, (2, 2), group="") for n in range(9)]
    stage = SimpleNamespace(iteration=3, episodes=lambda kind: iter(demos if kind == "demo" else ()))
    config = GroupConfig(mean_over=mean_over, replay=0.8, std=True, refused=0.5)
    rows = list(replayed(stage, 2, config))
    assert len(rows) == 8
    assert {float(row.weight.sum()) for row in rows} == {1.0 if mean_over == "episodes" else 4.0}
    assert {row.normaliser for row in rows} == {4.0 if mean_over == "tokens" else 1.0}
    assert list(replayed(stage, 0, config)) == []
    assert list(replayed(stage, 2, GroupConfig())) == []
    with pytest.raises(ValueError, match="replay is a share"):
        GroupConfig(replay=1.0)


def test_steps_in_the_same_state_are_compared():
    group = [episode(0, 1.0, (1, 1), "ab"), episode(1, 0.0, (1, 1), "ac")]
    found = weights(group, GroupConfig(steps="buckets", gamma=0.5, omega=2.0))
    assert found[0].tolist() == [0.5 + 2 * 0.25, 0.5]
    assert found[1].tolist() == [-0.5 - 2 * 0.25, -0.5]
    values = weights(group, GroupConfig(steps="gae", gamma=0.5, lam=0.0))
    assert values[0].tolist() == [0.5 * 1.0 - 0.25, 0.0]


def test_episodes_that_ran_too_long_count_in_the_mean_and_are_not_trained_on():
    group = [*GROUP[:3], episode(3, 0.0, (2, 2), outcome=Outcome.TRUNCATED)]
    rows = list(group_rows(group, GroupConfig(overlong="mask")))
    assert len(rows) == 3
    assert rows[0].weight.max() == 0.75


def test_on_policy_the_clipped_and_the_nft_loss_have_the_gradient_of_the_advantages():
    net = model()
    batch = on_policy(list(group_rows(GROUP, GroupConfig())), net)
    plain = gradient(net, log_likelihood, batch)
    assert plain.norm() > 1e-3
    for objective in (clipped(), nft()):
        assert torch.allclose(gradient(net, objective, batch), plain, atol=1e-7)


def test_clipping_takes_the_gradient_of_what_has_moved_far_enough_only():
    net = model()
    batch = on_policy(list(group_rows(GROUP, GroupConfig())), net)
    batch.old_logprob.sub_(1.0)  # every ratio is e
    kept = torch.where(batch.weight < 0, batch.weight, torch.zeros_like(batch.weight))
    found = gradient(net, clipped(), batch)
    batch.weight.copy_(kept * torch.e)
    assert torch.allclose(found, gradient(net, log_likelihood, batch), atol=1e-6)


def test_nft_by_its_formula():
    net = model()
    batch = on_policy(list(group_rows(GROUP, GroupConfig())), net)
    batch.old_logprob.add_(0.3)
    rate, rho = 0.25, np.exp(-0.3)
    right, wrong = 3 * -np.log(rho), 14 * -np.log((1 - rate * rho) / (1 - rate))
    assert float(nft()(net, batch).detach()) == pytest.approx((1 - rate) * (right + wrong), rel=1e-4)


def test_preference_pairs_are_the_best_with_the_worst():
    pairs = list(preference_pairs(GROUP, 3))
    assert len(pairs) == 1  # one success only, and a middle that is not better than itself
    better, worse = pairs[0]
    assert better.group == worse.group
    assert (better.weight.sum(), worse.weight.sum()) == (3, -9)
    net = model()
    batch = on_policy([better, worse], net)
    assert float(dpo(0.1)(net, batch).detach()) == pytest.approx(np.log(2), rel=1e-5)
    before = gradient(net, log_likelihood, batch)
    assert torch.allclose(gradient(net, dpo(0.1), batch), 0.05 * before, atol=1e-6)


@pytest.mark.parametrize("name", [name for name, where in RECIPES.items() if "recipes.groups" in where])
def test_every_method_names_its_paper(name):
    recipe = find_recipe(name)
    assert recipe.name == name
    assert recipe.paper.startswith("https://arxiv.org/abs/2")


def test_rows_are_rescored_in_their_order_where_sampling_was_not_plain():
    assert samples_plainly({"max_new_tokens": 8})
    assert not any(samples_plainly(one) for one in ({"temperature": 0.7}, {"top_p": 0.9}, {"restrict": True}))
    net = model()
    rows = list(group_rows(GROUP, GroupConfig()))
    plain, tree = (list(rescored(net, rows, tokens=40, pad_id=0, tree=tree)) for tree in (False, True))
    for before, one, other in zip(rows, plain, tree, strict=True):
        assert one.token_ids is before.token_ids
        weighted = before.weight != 0
        assert one.old_logprob[weighted] == pytest.approx(other.old_logprob[weighted], abs=1e-5)
        alone = token_logprobs(net, collate([before], pad_id=0)).detach().numpy()[0]
        assert one.old_logprob[weighted] == pytest.approx(alone[weighted], abs=1e-5)
