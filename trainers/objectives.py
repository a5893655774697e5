"""What is minimised. One function a family of methods; each returns a sum, which the update divides by Z."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from selfgym.trainers.packing import Batch


def token_logprobs(model: Any, batch: Batch) -> torch.Tensor:
    """Log-probability in nats of each token given those before it: (B, T); 0 at position 0 and where no loss is put.

    Logits are computed only where a weight asks for them, in float32.
    """
    hidden = model.get_decoder()(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)
    wanted = batch.weight[:, 1:] != 0
    logits = model.get_output_embeddings()(hidden.last_hidden_state[:, :-1][wanted])
    found = -F.cross_entropy(logits.float(), batch.input_ids[:, 1:][wanted], reduction="none")
    logprobs = torch.zeros(batch.weight.shape, dtype=torch.float32, device=found.device)
    places = torch.zeros_like(batch.weight, dtype=torch.bool)
    places[:, 1:] = wanted
    return logprobs.masked_scatter(places, found)


def log_likelihood(model: Any, batch: Batch) -> torch.Tensor:
    """``-sum_t w_t log p(token_t)``: cloning for w in {0, 1}, signed log-likelihood otherwise. Not yet divided by Z."""
    return -(batch.weight * token_logprobs(model, batch)).sum()
