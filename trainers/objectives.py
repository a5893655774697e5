"""What is minimised. One function a family of methods; each returns a sum, which the update divides by Z.

``w_t`` is the weight of a token (an advantage, or 1 for cloning) and ``rho_t`` its probability now over that when it
was sampled; where nobody knows the latter, as for a teacher's text, the ratio is 1 and its gradient the likelihood's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from selfgym.trainers.attention import hidden_states
from selfgym.trainers.packing import Batch

Objective = Callable[[Any, Batch], torch.Tensor]
"""(model, batch) -> summed loss."""


def token_logprobs(model: Any, batch: Batch) -> torch.Tensor:
    """Log-probability in nats of each token given those before it: (B, T); 0 at position 0 and where no loss is put.

    Logits are computed only where a weight asks for them, once for tokens that rows share, in float32.
    """
    wanted = batch.weight != 0
    wanted[:, 0] = False
    hidden = hidden_states(model, batch)
    if batch.tree is None:
        before, labels, back = hidden[:, :-1][wanted[:, 1:]], batch.input_ids[wanted], slice(None)
    else:
        tokens, back = torch.unique(batch.tree.places[wanted], return_inverse=True)
        before, labels = hidden[0, batch.tree.parent[tokens]], batch.tree.ids[tokens]
    logits = model.get_output_embeddings()(before)
    found = -F.cross_entropy(logits.float(), labels, reduction="none")
    return torch.zeros_like(batch.weight).masked_scatter(wanted, found[back])


def log_likelihood(model: Any, batch: Batch) -> torch.Tensor:
    """``-sum_t w_t log p(token_t)``: cloning for w in {0, 1}, REINFORCE with signed weights otherwise."""
    return -(batch.weight * token_logprobs(model, batch)).sum()


def clipped(low: float = 0.2, high: float = 0.2) -> Objective:
    """``-sum_t min(rho_t w_t, clip(rho_t, 1 - low, 1 + high) w_t)`` (PPO, arXiv 1707.06347; DAPO has high > low)."""

    def objective(model: Any, batch: Batch) -> torch.Tensor:
        ratio = _ratio(model, batch)
        held = ratio.clamp(1 - low, 1 + high)
        return -torch.minimum(ratio * batch.weight, held * batch.weight).sum()

    return objective


def nft(floor: float = 0.02) -> Objective:
    """Negative-aware fine-tuning (arXiv 2505.18116), with advantages ``w = reward - rate`` of rewards 0 and 1.

    ``-(1 - r) log rho`` for the tokens of a correct answer and ``-(1 - r) log((1 - r rho) / (1 - r))`` for those of a
    wrong one, r being the group's rate of success, which the advantage tells: its gradient at rho = 1 is that of the
    advantage. Both arguments are held above ``floor``, letting the gradient pass.
    """

    def objective(model: Any, batch: Batch) -> torch.Tensor:
        ratio = _ratio(model, batch)
        right = batch.weight > 0
        rate = torch.where(right, 1 - batch.weight, -batch.weight).clamp(0.02, 0.98)
        inner = torch.where(right, ratio, (1 - rate * ratio) / (1 - rate))
        inner = inner + (inner.clamp(min=floor) - inner).detach()
        return torch.where(batch.weight != 0, -(1 - rate) * inner.log(), torch.zeros_like(inner)).sum()

    return objective


def dpo(beta: float = 0.1) -> Objective:
    """``-log sigmoid(beta (log rho(better) - log rho(worse)))`` a pair (arXiv 2305.18290), of whole rows.

    Rows come in pairs, one with weights of 1 and one of -1; the reference is the policy that sampled them.
    """

    def objective(model: Any, batch: Batch) -> torch.Tensor:
        signs = batch.weight.sum(1).sign()
        if len(signs) % 2 or (signs[::2] + signs[1::2]).any():
            raise ValueError("a preference pair was parted: raise batch_tokens")
        gained = signs * _known_gap(token_logprobs(model, batch), batch).sum(1)
        return -F.logsigmoid(beta * (gained[::2] + gained[1::2])).sum()

    return objective


def _ratio(model: Any, batch: Batch) -> torch.Tensor:
    return _known_gap(token_logprobs(model, batch), batch).clamp(max=10.0).exp()


def _known_gap(logprobs: torch.Tensor, batch: Batch) -> torch.Tensor:
    """log rho, 0 with the likelihood's gradient where the sampler's log-probability is unknown; 0 without a weight."""
    old = torch.where(batch.old_logprob.isnan(), logprobs.detach(), batch.old_logprob)
    return torch.where(batch.weight != 0, logprobs - old, torch.zeros_like(logprobs))
