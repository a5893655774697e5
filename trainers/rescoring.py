"""What a row's tokens were sampled with, and what to do where that is not the policy that is trained.

The record's log-probabilities will not do where they are of another distribution than the one that is trained: with a
temperature, a nucleus or a restriction to some answers, a ratio of the two would not be 1 before the first step, and
clipping would act on that. They are then worked out anew, with the weights that sampled.

Other weights may have sampled (older ones, with ``lag``), or the same ones in other arithmetic (vLLM; bfloat16 on a
GPU). Every token's weight is then multiplied by min(cap, p_trainer / p_sampler) and its ratio taken to the trainer's
policy before the update: truncated importance sampling, and under the clipped objective decoupled PPO (arXiv
2110.00641), whose clip is not used up by how far the sampler was away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from selfgym.agents.policies.load import load_policy
from selfgym.trainers.acting import device_of
from selfgym.trainers.checkpoints import checkpoint
from selfgym.trainers.objectives import token_logprobs
from selfgym.trainers.packing import collate, pack
from selfgym.trainers.rows import Row
from selfgym.trainers.stage import played_with

if TYPE_CHECKING:
    from selfgym.trainers.stage import Stage


def samples_plainly(agent: dict[str, Any]) -> bool:
    """Whether an agent with these options samples from the model's own distribution."""
    return agent.get("temperature", 1.0) == 1.0 and agent.get("top_p", 1.0) == 1.0 and not agent.get("restrict")


def comparable(stage: Stage, rows: Sequence[Row]) -> Iterator[Row]:
    """The rows with log-probabilities of the model that sampled them at temperature 1: the record's, if those are."""
    if not rows or samples_plainly(stage.config.agent):
        return iter(rows)
    played = played_with(stage.config, stage.iteration)
    if played == stage.iteration:
        return _rescored_by(stage.policy, stage, rows)
    folder = str(checkpoint(stage.folder, played))
    return _rescored_by(load_policy(folder, device=device_of(stage.config), dtype="float32"), stage, rows)


def corrected(stage: Stage, rows: Sequence[Row], cap: float) -> Iterator[Row]:
    """The `comparable` rows as if the trainer's policy had sampled them, but for the truncation of weights."""
    config = stage.config
    older = played_with(config, stage.iteration) < stage.iteration
    # it is the trainer that rescores
    otherwise = config.sampler != "transformers" or bool(config.sampler_options) or device_of(config) != "cpu"
    found = list(comparable(stage, rows))
    if not found or not (older or (otherwise and samples_plainly(config.agent))):
        return iter(found)
    return truncated(found, list(_rescored_by(stage.policy, stage, found)), cap)


def truncated(sampled: Sequence[Row], trained: Sequence[Row], cap: float) -> Iterator[Row]:
    """``trained``, the rows with the trainer's log-probabilities, weighted by min(cap, p_trainer / p_sampler).

    Where the sampler's is not known, as for a teacher's text, weight and log-probability are left alone.
    """
    for row, ours in zip(sampled, trained, strict=True):
        unknown = np.isnan(row.old_logprob)
        gap = np.where(unknown, 0.0, ours.old_logprob - row.old_logprob)
        factor = np.exp(np.minimum(gap, math.log(cap)), dtype=np.float32)
        factor[unknown] = 1.0
        yield replace(row, weight=row.weight * factor, old_logprob=np.where(unknown, row.old_logprob, ours.old_logprob))


def _rescored_by(policy: Any, stage: Stage, rows: Sequence[Row]) -> Iterator[Row]:
    config, pad_id = stage.config.update, policy.tokenizer.pad_token_id
    return rescored(policy.model, rows, tokens=config.batch_tokens, pad_id=pad_id, tree=config.tree)


def rescored(model: Any, rows: Sequence[Row], *, tokens: int, pad_id: int, tree: bool) -> Iterator[Row]:
    """The rows in their order, ``old_logprob`` being that of ``model`` at temperature 1 where a weight asks for one."""
    found: dict[int, Row] = {}
    with torch.no_grad():
        for numbers in pack(rows, tokens=tokens, seed=0, tree=tree):
            batch = collate([rows[number] for number in numbers], pad_id=pad_id, tree=tree).to(model.device)
            for number, logprobs in zip(numbers, token_logprobs(model, batch).cpu().numpy(), strict=True):
                found[number] = replace(rows[number], old_logprob=logprobs[: len(rows[number])].copy())
    yield from (found[number] for number in range(len(rows)))
