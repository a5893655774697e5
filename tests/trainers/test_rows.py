"""Rows hold exactly the sampled tokens, and the loss falls only where it may."""

import numpy as np
import pytest
from pydantic import ValidationError

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Step
from selfgym.trainers.packing import collate, pack
from selfgym.trainers.rows import rows_from, trained_tokens


def step(prompt, response, **fields):
    fields.setdefault("logprobs", tuple(-0.5 for _ in response))
    return Step(observation="o", action="a", prompt_ids=prompt, response_ids=response, **fields)


def episode(*steps):
    return Episode(id="e", env="x", task="t", outcome=Outcome.SUCCESS, steps=steps)


def test_a_growing_context_is_one_row_with_loss_on_the_responses():
    played = episode(step((1, 2), (3, 4), fresh=True), step((5,), (6,)))
    [row] = rows_from(played)
    assert row.token_ids.tolist() == [1, 2, 3, 4, 5, 6]
    assert row.weight.tolist() == [0, 0, 1, 1, 0, 1]
    assert row.normaliser == 3
    assert np.isnan(row.old_logprob[[0, 1, 4]]).all()
    assert row.old_logprob[[2, 3, 5]].tolist() == [-0.5] * 3


def test_a_rebuilt_context_starts_a_new_row():
    rows = list(rows_from(episode(step((1,), (2,), fresh=True), step((7, 8), (9,), fresh=True))))
    assert [row.token_ids.tolist() for row in rows] == [[1, 2], [7, 8, 9]]


def test_no_loss_on_what_may_not_be_trained_on():
    bad, good = step((1,), (2,), fresh=True, trainable=False), step((3,), (4,))
    [row] = rows_from(episode(bad, good))
    assert row.weight.tolist() == [0, 0, 0, 1]
    assert list(rows_from(episode(bad))) == []


def test_weights_come_step_by_step():
    [row] = rows_from(episode(step((1,), (2,), fresh=True), step((3,), (4, 5))), lambda number, _: [0.5, -2.0][number])
    assert row.weight.tolist() == [0, 0.5, 0, -2, -2]
    assert trained_tokens([row]) == 3


def test_a_model_from_scratch_may_learn_the_prompts_too():
    [row] = rows_from(episode(step((1, 2, 3), (4,), fresh=True), step((5,), (6,))), context=0.5)
    assert row.weight.tolist() == [0, 0.5, 0.5, 1, 0.5, 1]
    assert row.normaliser == pytest.approx(row.weight.sum())


def test_steps_without_tokens_give_no_row():
    assert list(rows_from(episode(Step(observation="o", action="a")))) == []


def test_a_row_is_refused_rather_than_cut():
    with pytest.raises(ValueError, match="3 tokens, more than 2"):
        list(rows_from(episode(step((1, 2), (3,), fresh=True)), max_tokens=2))


def test_log_probabilities_must_match_the_tokens():
    with pytest.raises(ValidationError, match="2 response tokens but 1 log-prob"):
        step((1,), (2, 3), logprobs=(-0.1,))


def test_packing_keeps_every_row_once_within_the_budget():
    rows = [next(rows_from(episode(step((1,), tuple(range(n + 1)), fresh=True)))) for n in range(40)]
    batches = pack(rows, tokens=60, seed=3)
    assert sorted(number for batch in batches for number in batch) == list(range(40))
    assert all(len(batch) == 1 or max(len(rows[n]) for n in batch) * len(batch) <= 60 for batch in batches)
    assert batches == pack(rows, tokens=60, seed=3) != pack(rows, tokens=60, seed=4)


def test_collating_pads_on_the_right_and_counts_original_tokens():
    rows = [
        next(rows_from(episode(step((1,), (2, 3), fresh=True)))),
        next(rows_from(episode(step((4,), (5,), fresh=True)))),
    ]
    batch = collate(rows, pad_id=0)
    assert batch.input_ids.tolist() == [[1, 2, 3], [4, 5, 0]]
    assert batch.attention_mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch.weight.tolist() == [[0, 1, 1], [0, 1, 0]]
    assert batch.normaliser == 3
