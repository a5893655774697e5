"""Rows that other weights sampled, or the same in other arithmetic: the correction, from its definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from selfgym.agents.policies.nano import make_nano
from selfgym.agents.policies.transformers import TransformersPolicy
from selfgym.trainers.checkpoints import checkpoint
from selfgym.trainers.objectives import clipped, log_likelihood, token_logprobs
from selfgym.trainers.packing import collate
from selfgym.trainers.rescoring import comparable, corrected, truncated
from selfgym.trainers.rows import Row
from selfgym.trainers.stage import EvolveConfig, Stage

CAP = 1.5
SETTINGS = {"recipe": "grpo", "agent": {"instruction": ""}, "update": {"batch_tokens": 200, "tree": True}}


def policy(seed):
    model, tokenizer = make_nano(seed=seed, layers=1)
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(2)  # far from uniform, so that two of them differ
    return TransformersPolicy(model, tokenizer, name="nano")


@pytest.fixture(scope="module")
def sampler():
    return policy(1)


@pytest.fixture(scope="module")
def trainer():
    return policy(2)


@pytest.fixture(scope="module")
def folder(sampler, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    sampler.model.save_pretrained(checkpoint(folder, 0))
    sampler.tokenizer.save_pretrained(checkpoint(folder, 0))
    return folder


@pytest.fixture(scope="module")
def rows(sampler):
    """Rows with what the sampler thought of their tokens; the last three of each nobody sampled."""
    rng, found = np.random.default_rng(0), []
    for number in range(4):
        length = 12 + 3 * number
        weight = rng.choice([0.5, -0.25], length).astype(np.float32)
        weight[:4] = 0
        row = Row(rng.integers(300, 400, length).astype(np.int32), weight, np.empty(0), float(length - 4))
        old = logprobs(sampler, row)
        old[:4] = old[-3:] = np.nan
        found.append(replace(row, old_logprob=old))
    return found


def logprobs(policy, row):
    blank = replace(row, old_logprob=np.zeros(len(row), np.float32))
    with torch.no_grad():
        return token_logprobs(policy.model, collate([blank], pad_id=0)).numpy()[0]


def gradient(policy, objective, rows):
    policy.model.zero_grad()
    objective(policy.model, collate(rows, pad_id=0)).backward()
    return torch.cat([p.grad.flatten() for p in policy.model.parameters() if p.grad is not None])


def by_hand(trainer, rows, cap):
    """Weights times min(cap, p_trainer / p_sampler), 1 where the sampler is unknown."""
    for row in rows:
        ratio = np.exp(logprobs(trainer, row) - row.old_logprob)
        yield replace(row, weight=row.weight * np.where(np.isnan(ratio), 1, np.minimum(cap, ratio)).astype(np.float32))


def test_before_the_first_step_the_gradient_is_the_truncated_importance_weighted_one(trainer, rows, folder):
    stage = Stage(EvolveConfig(**SETTINGS, lag=1), folder, trainer, iteration=1)
    found = list(corrected(stage, rows, CAP))
    expected = list(by_hand(trainer, rows, CAP))
    factors = np.concatenate([one.weight[4:-3] / row.weight[4:-3] for one, row in zip(expected, rows, strict=True)])
    assert (factors > 0.999 * CAP).any() and (factors < 0.9).any()  # noqa: PT018 (both kinds are in the test)
    plain = gradient(trainer, log_likelihood, expected)
    assert plain.norm() > 1e-2
    for objective in (log_likelihood, clipped(), clipped(0.01, 0.01)):  # the clip is not used up by the lag
        assert torch.allclose(gradient(trainer, objective, found), plain, atol=1e-5)
    assert [row.normaliser for row in found] == [row.normaliser for row in rows]


def test_without_truncation_the_mean_over_the_sampler_is_that_over_the_trainer(trainer, sampler):
    """Importance sampling's own promise, summed over all tokens instead of sampled."""
    context = [301, 302, 303]
    with torch.no_grad():
        theirs, ours = (one.model(torch.tensor([context])).logits[0, -1].log_softmax(-1) for one in (sampler, trainer))
    reward = np.random.default_rng(1).random(len(ours)).astype(np.float32)
    row = Row(np.arange(len(ours)), reward, theirs.numpy(), 1.0)
    [found] = truncated([row], [replace(row, old_logprob=ours.numpy())], np.inf)
    assert (theirs.exp().numpy() * found.weight).sum() == pytest.approx((ours.exp().numpy() * reward).sum(), rel=1e-4)


def test_with_a_temperature_the_weights_that_sampled_are_asked_what_they_think_at_1(trainer, rows, folder):
    config = EvolveConfig(**{**SETTINGS, "agent": {"temperature": 0.7}}, lag=1)
    recorded = [replace(row, old_logprob=row.old_logprob - 1) for row in rows]  # of another distribution
    found = list(comparable(Stage(config, folder, trainer, iteration=1), recorded))
    for one, row in zip(found, rows, strict=True):
        assert one.old_logprob[4:-3] == pytest.approx(row.old_logprob[4:-3], abs=1e-4)


@pytest.mark.parametrize(
    ("changes", "iteration", "touched"),
    [
        ({}, 1, False),
        ({"lag": 1}, 0, False),  # the first iteration is played by the newest weights
        ({"lag": 1}, 1, True),
        ({"sampler": "vllm"}, 0, True),
        ({"sampler_options": {"dtype": "bfloat16"}}, 0, True),
        ({"sampler": "vllm", "agent": {"temperature": 0.7}}, 1, False),  # scored anew by the trainer itself
    ],
)
def test_rows_are_reweighted_where_the_trainer_did_not_sample(changes, iteration, touched, trainer, rows, folder):
    config = EvolveConfig(**{**SETTINGS, **changes})
    found = list(corrected(Stage(config, folder, trainer, iteration=iteration), rows, CAP))
    same = [np.array_equal(one.weight, row.weight) for one, row in zip(found, rows, strict=True)]
    assert same == [not touched] * len(rows)
