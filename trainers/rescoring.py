"""The sampler's log-probabilities, worked out by the trainer.

Needed where the record's are of another distribution than the one that is trained: with a temperature, a nucleus or a
restriction to some answers, a ratio of the two would not be 1 before the first step, and clipping would act on that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from selfgym.trainers.objectives import token_logprobs
from selfgym.trainers.packing import collate, pack
from selfgym.trainers.rows import Row


def samples_plainly(agent: dict[str, Any]) -> bool:
    """Whether an agent with these options samples from the model's own distribution."""
    return agent.get("temperature", 1.0) == 1.0 and agent.get("top_p", 1.0) == 1.0 and not agent.get("restrict")


def rescored(model: Any, rows: Sequence[Row], *, tokens: int, pad_id: int, tree: bool) -> Iterator[Row]:
    """The rows in their order, ``old_logprob`` being that of ``model`` at temperature 1 where a weight asks for one."""
    found: dict[int, Row] = {}
    with torch.no_grad():
        for numbers in pack(rows, tokens=tokens, seed=0, tree=tree):
            batch = collate([rows[number] for number in numbers], pad_id=pad_id, tree=tree).to(model.device)
            for number, logprobs in zip(numbers, token_logprobs(model, batch).cpu().numpy(), strict=True):
                found[number] = replace(rows[number], old_logprob=logprobs[: len(rows[number])].copy())
    yield from (found[number] for number in range(len(rows)))
