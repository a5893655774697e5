"""Running a model on a batch: on padded rows, or on a tree of them under a mask of ancestors.

The mask takes the form that the model's attention understands: a dense one for ``sdpa`` and ``eager`` (N x N, for small
batches and CPUs), a block mask for ``flex_attention``. Another implementation would ignore it, and is refused.
"""

from __future__ import annotations

from typing import Any

import torch

from selfgym.trainers.packing import Batch
from selfgym.trainers.trees import Tree


def hidden_states(model: Any, batch: Batch) -> torch.Tensor:
    """The last hidden states: (B, T, H), or (1, N, H) for a tree."""
    decoder = model.get_decoder()
    if batch.tree is None:
        out = decoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)
    else:
        out = decoder(
            input_ids=batch.tree.ids[None], position_ids=batch.tree.depth[None],
            attention_mask=_mask(model, batch.tree), use_cache=False,
        )  # fmt: skip
    hidden: torch.Tensor = out.last_hidden_state
    return hidden


def _mask(model: Any, tree: Tree) -> Any:
    kind = model.config._attn_implementation
    if kind == "sdpa":
        return tree.mask()
    if kind == "eager":
        allowed = tree.mask()
        lowest = torch.finfo(model.dtype).min
        return torch.zeros(allowed.shape, dtype=model.dtype, device=allowed.device).masked_fill(~allowed, lowest)
    if kind == "flex_attention":
        return _block_mask(tree)
    raise ValueError(
        f"trees cannot be trained with attention {kind!r}: load the model with attn_implementation='sdpa' or "
        "'flex_attention', or set update.tree=false"
    )


def _block_mask(tree: Tree) -> Any:
    from torch.nn.attention.flex_attention import create_block_mask

    def sees(batch: Any, head: Any, query: Any, key: Any) -> Any:
        return (key <= query) & (query <= tree.last[key])

    size = len(tree.ids)
    return create_block_mask(sees, None, None, size, size, device=str(tree.ids.device))
