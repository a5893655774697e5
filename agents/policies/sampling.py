"""Drawing tokens: temperature, nucleus, restriction to allowed tokens, one random stream for each prompt.

Everything is computed in float64 from the model's logits, row by row, so that a row's answer does not depend on which
other rows are in the batch. What remains is the noise of the logits themselves: the matrix kernels of a CPU or GPU may
round differently for another batch shape (about 1e-6 in float32, 1e-2 in bfloat16). Such noise changes a sampled token
only where the uniform number falls within it of a boundary between two tokens, and a greedy one only at a near tie.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch


def uniforms(seed: int, count: int) -> list[float]:
    """The ``count`` numbers in [0, 1) that decide a completion's tokens, one for each; any integer is a seed."""
    return np.random.default_rng([abs(seed), int(seed < 0)]).random(count).tolist()  # type: ignore[no-any-return]


def distribution(logits: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """Log-probabilities in nats (float64, shape [..., vocabulary]) of what is sampled at ``temperature`` and ``top_p``.

    ``temperature`` 0 (greedy) gives the plain distribution at temperature 1. The nucleus is the smallest set of most
    likely tokens whose probability reaches ``top_p``; equally likely tokens enter it in order of their ids.
    """
    logits = logits.double()
    if temperature == 0:
        return logits.log_softmax(-1)
    logprobs = (logits / temperature).log_softmax(-1)
    if top_p >= 1:
        return logprobs
    ordered, order = logprobs.sort(dim=-1, descending=True, stable=True)
    mass_before = ordered.exp().cumsum(-1) - ordered.exp()
    outside = torch.zeros_like(logprobs, dtype=torch.bool).scatter(-1, order, mass_before >= top_p)
    outside.scatter_(-1, order[..., :1], False)
    return logprobs.masked_fill(outside, -torch.inf).log_softmax(-1)


def draw(
    logits: torch.Tensor,
    temperatures: Sequence[float],
    top_ps: Sequence[float],
    numbers: Sequence[float],
    allowed: Sequence[Sequence[int] | None],
) -> tuple[list[int], list[float]]:
    """One token for each row of ``logits`` ([rows, vocabulary]) and its log-probability in nats.

    ``numbers`` are uniform in [0, 1); ``allowed`` restricts a row to some token ids (the rest have probability 0).
    """
    tokens, logprobs = [0] * len(numbers), [0.0] * len(numbers)
    alike: dict[tuple[float, float, bool], list[int]] = {}
    for row, restriction in enumerate(allowed):
        alike.setdefault((temperatures[row], top_ps[row], restriction is not None), []).append(row)
    for (temperature, top_p, restricted), rows in alike.items():
        here = logits[rows] if len(rows) < len(logits) else logits
        candidates = _candidates([allowed[row] or () for row in rows], here.device) if restricted else None
        if candidates is not None:
            here = here.gather(-1, candidates.clamp(min=0)).masked_fill(candidates < 0, -torch.inf)
        here = distribution(here, temperature, top_p)
        picked = _pick(here, temperature, [numbers[row] for row in rows])
        ids = picked if candidates is None else candidates.gather(-1, picked)
        values = here.gather(-1, picked)
        for row, token, value in zip(rows, ids[:, 0].tolist(), values[:, 0].tolist(), strict=True):
            tokens[row], logprobs[row] = token, value
    return tokens, logprobs


def _candidates(allowed: Sequence[Sequence[int]], device: torch.device) -> torch.Tensor:
    """The ids of each row in ascending order, filled up with -1: [rows, longest]."""
    longest = max(map(len, allowed))
    table = [sorted(ids) + [-1] * (longest - len(ids)) for ids in allowed]
    return torch.tensor(table, device=device)


def _pick(logprobs: torch.Tensor, temperature: float, numbers: Sequence[float]) -> torch.Tensor:
    """Greedy or by inverse cumulative probability, [rows, 1]; never a token of probability 0."""
    if temperature == 0:
        return logprobs.argmax(-1, keepdim=True)
    cumulative = logprobs.exp().cumsum(-1)
    target = torch.tensor(numbers, dtype=torch.float64, device=logprobs.device)[:, None] * cumulative[:, -1:]
    # "right": the first token whose cumulative probability exceeds the target, hence one of positive probability.
    # The last such token bounds the case where rounding puts the target at the very end.
    found = torch.searchsorted(cumulative, target, right=True)
    last = torch.searchsorted(cumulative, cumulative[:, -1:].contiguous())
    return torch.minimum(found, last)
