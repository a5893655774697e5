"""An update by two processes is that of one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from selfgym.agents.policies.nano import make_nano
from selfgym.agents.policies.transformers import TransformersPolicy
from selfgym.trainers.distributed import LaunchError, update_with
from selfgym.trainers.objectives import clipped
from selfgym.trainers.row_file import load_rows, save_rows
from selfgym.trainers.rows import Row
from selfgym.trainers.stage import EvolveConfig
from selfgym.trainers.update import update

UPDATE = {"epochs": 1, "batch_tokens": 60, "accumulate": 3, "learning_rate": 1e-3, "tree": True}


def rows(count=14):
    rng = np.random.default_rng(0)
    for number in range(count):
        length = int(rng.integers(8, 20))
        ids = rng.integers(300, 400, length).astype(np.int32)
        weight = rng.choice([0.5, -0.25, 0.0], length).astype(np.float32)
        weight[0] = 0
        old = np.where(rng.random(length) < 0.8, -5.0, np.nan).astype(np.float32)
        yield Row(ids, weight, old, float(np.count_nonzero(weight)), f"g{number % 5}")


def test_rows_come_back_from_their_file(tmp_path):
    before = list(rows())
    save_rows(before, tmp_path / "rows.safetensors")
    after = load_rows(tmp_path / "rows.safetensors")
    assert [(one.normaliser, one.group) for one in after] == [(one.normaliser, one.group) for one in before]
    for one, other in zip(before, after, strict=True):
        for name in ("token_ids", "weight", "old_logprob"):
            assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)


@pytest.mark.parametrize("how", ["ddp", "fsdp"])
def test_two_processes_end_with_the_weights_of_one(how, tmp_path):
    config = EvolveConfig(
        recipe="dapo", update=UPDATE, processes=2, accelerate=str(tmp_path / "fsdp.yaml") * (how == "fsdp")
    )
    (tmp_path / "fsdp.yaml").write_text(FSDP)
    alone, shared = (TransformersPolicy(*make_nano(seed=3), name="nano") for _ in range(2))
    given = list(rows())
    expected = update(
        alone.model, given, config.update, seed=7, pad_id=alone.tokenizer.pad_token_id, objective=clipped(0.2, 0.28)
    )
    report = update_with(shared, given, "update", config, seed=7, folder=tmp_path / "launch")
    assert (report.steps, report.tokens) == (expected.steps, expected.tokens)
    assert report.loss == pytest.approx(expected.loss, abs=1e-5)
    start = make_nano(seed=3)[0].state_dict()
    gaps, moved = [], []
    for name, weight in alone.model.state_dict().items():
        gaps.append(float((weight - shared.model.state_dict()[name]).abs().max()))
        moved.append(float((weight - start[name]).abs().max()))
    assert max(moved) > 1e-3
    assert max(gaps) < 1e-5


FSDP = """
compute_environment: LOCAL_MACHINE
distributed_type: FSDP
fsdp_config:
  fsdp_version: 2
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_transformer_layer_cls_to_wrap: LlamaDecoderLayer
  fsdp_state_dict_type: FULL_STATE_DICT
  fsdp_reshard_after_forward: true
mixed_precision: 'no'
num_machines: 1
num_processes: 2
use_cpu: true
"""


def test_adapters_are_not_passed_over_in_silence():
    with pytest.raises(ValueError, match="adapters are trained by one process"):
        EvolveConfig(processes=2, lora=8)


def test_what_the_processes_said_is_told_where_they_fail(tmp_path):
    config = EvolveConfig(processes=2, accelerate=str(tmp_path / "nowhere.yaml"))
    policy = TransformersPolicy(*make_nano(seed=3), name="nano")
    with pytest.raises(LaunchError, match=r"an update by 2 processes failed(.|\n)*nowhere\.yaml"):
        update_with(policy, list(rows()), "update", config, seed=7, folder=tmp_path / "launch")
    assert torch.isfinite(next(policy.model.parameters())).all()
