"""The update trains on the tokens it is told to, and an interrupted one ends with the same weights."""

import copy

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from selfgym.trainers.objectives import log_likelihood, token_logprobs
from selfgym.trainers.packing import collate
from selfgym.trainers.rows import Row
from selfgym.trainers.update import UpdateConfig, update


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=40, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=128,
        )  # fmt: skip
        return LlamaForCausalLM(config).eval()


def row(ids, weight=None):
    weight = np.array(weight if weight is not None else [0] + [1] * (len(ids) - 1), np.float32)
    return Row(np.array(ids, np.int32), weight, np.full(len(ids), np.nan, np.float32), float(np.count_nonzero(weight)))


ROWS = [row([1, 2, 3, 4, 5]), row([6, 7, 8]), row([9, 10, 11, 12, 13, 14], [0, 0, 0, 1, 1, 0])]


def test_log_probabilities_equal_a_plain_forward_pass(model):
    batch = collate(ROWS, pad_id=0)
    found = token_logprobs(model, batch)
    for place, one in enumerate(ROWS):
        ids = torch.tensor(one.token_ids[None].astype(np.int64))
        plain = model(input_ids=ids).logits[0].log_softmax(-1)
        for t in range(len(one)):
            expected = float(plain[t - 1, ids[0, t]].detach()) if t and one.weight[t] else 0.0
            assert float(found[place, t].detach()) == pytest.approx(expected, abs=1e-5)


def test_no_gradient_comes_from_masked_tokens(model):
    one = collate([row([1, 2, 3, 4], [0, 0, 1, 0])], pad_id=0)
    other = collate([row([1, 2, 3, 9], [0, 0, 1, 0])], pad_id=0)
    gradients = []
    for batch in (one, other):
        model.zero_grad()
        log_likelihood(model, batch).backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*gradients, strict=True))


def test_accumulation_weighs_every_token_the_same(model):
    whole, parts = copy.deepcopy(model), copy.deepcopy(model)
    settings = {"steps": 1, "learning_rate": 1e-2, "clip": 1e9}
    update(whole, ROWS, UpdateConfig(**settings, batch_tokens=1000), seed=0, pad_id=0)
    update(parts, ROWS, UpdateConfig(**settings, batch_tokens=1, accumulate=3), seed=0, pad_id=0)
    for ours, theirs in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_training_makes_the_rows_likely(model):
    before = float(log_likelihood(model, collate(ROWS, pad_id=0)).detach())
    report = update(model, ROWS, UpdateConfig(steps=60, learning_rate=3e-3), seed=1, pad_id=0)
    after = float(log_likelihood(model, collate(ROWS, pad_id=0)).detach())
    assert after < 0.2 * before
    assert report.steps == 60
    assert report.tokens == 60 * 8
    assert not model.training


class Killed(BaseException):
    pass


@pytest.mark.parametrize("stop_after", [1, 3, 4, 7])
def test_an_interrupted_update_ends_with_the_same_weights(model, tmp_path, stop_after):
    config = UpdateConfig(steps=8, batch_tokens=6, checkpoint_every=2)
    straight, broken, resumed = (copy.deepcopy(model) for _ in range(3))
    expected = update(straight, ROWS, config, seed=5, pad_id=0)

    def stop(step, steps, loss):
        if step == stop_after:
            raise Killed

    path = tmp_path / "update.safetensors"
    with pytest.raises(Killed):
        update(broken, ROWS, config, seed=5, pad_id=0, checkpoint=path, on_step=stop)
    report = update(resumed, ROWS, config, seed=5, pad_id=0, checkpoint=path)
    assert report == expected
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), resumed.parameters(), strict=True))


def test_nothing_to_train_on_is_said(model):
    with pytest.raises(ValueError, match="no rows"):
        update(model, [], UpdateConfig(), seed=0, pad_id=0)


def test_a_loss_that_is_not_finite_stops_the_update(model):
    with pytest.raises(ValueError, match="lower the learning rate"):
        update(
            model, ROWS, UpdateConfig(steps=2), seed=0, pad_id=0,
            objective=lambda model, batch: log_likelihood(model, batch) * float("nan"),
        )  # fmt: skip
