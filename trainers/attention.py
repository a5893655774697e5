"""Running a model on a batch: on padded rows, or on a tree of them, where a token sees its ancestors and itself.

Models loaded with ``sdpa`` attention are switched to an attention of their own name here, `ON_TREES`. On padded rows it
is ``sdpa``. On a tree, on a CPU, each run of tokens between branches attends to its path from the root and to nothing
else, so what is computed is what rows would compute, less what they share, and no N x N mask is made; on a GPU, where
many small products would wait for one another, FlexAttention does it in one with a block mask. ``flex_attention`` gets
that everywhere and ``eager`` a dense mask. Another implementation would ignore a mask, and is refused.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from selfgym.agents.policies.kernels import planned_once
from selfgym.trainers.packing import Batch
from selfgym.trainers.trees import Tree

ON_TREES = "selfgym_tree"


def hidden_states(model: Any, batch: Batch) -> torch.Tensor:
    """The last hidden states: (B, T, H), or (1, N, H) for a tree."""
    decoder = model.get_decoder()
    if batch.tree is None:
        with planned_once():
            out = decoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)
    else:
        out = decoder(
            input_ids=batch.tree.ids[None], position_ids=batch.tree.depth[None], use_cache=False,
            **_sight(model, batch.tree),
        )  # fmt: skip
    hidden: torch.Tensor = out.last_hidden_state
    return hidden


def _sight(model: Any, tree: Tree) -> dict[str, Any]:
    """The arguments that tell the model's attention what each token may see."""
    kind = model.config._attn_implementation
    if kind == "sdpa":
        _register()
        model.set_attn_implementation(kind := ON_TREES)
    if kind == ON_TREES:
        taken_as_it_is = torch.ones((1, 1, 1, 1), dtype=torch.bool, device=tree.ids.device)
        on_gpu = tree.ids.device.type == "cuda"
        sight = {"blocks": _block_mask(tree)} if on_gpu else {"segments": tree.segments()}
        return {"attention_mask": taken_as_it_is, **sight}
    if kind == "eager":
        allowed = tree.mask()
        lowest = torch.finfo(model.dtype).min
        mask = torch.zeros(allowed.shape, dtype=model.dtype, device=allowed.device).masked_fill(~allowed, lowest)
        return {"attention_mask": mask}
    if kind == "flex_attention":
        return {"attention_mask": _block_mask(tree)}
    raise ValueError(
        f"trees cannot be trained with attention {kind!r}: load the model with attn_implementation='sdpa' or "
        "'flex_attention', or set update.tree=false"
    )


def _register() -> None:
    """Make `ON_TREES` known to transformers."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(ON_TREES, _attend)
    AttentionMaskInterface.register(ON_TREES, sdpa_mask)


def _attend(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None,
    segments: list[tuple[int, tuple[int, ...]]] | None = None, blocks: Any = None, scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Attention of (1, heads, N, D) queries over ``blocks``, or segment by segment; as transformers calls it."""
    if blocks is not None:
        from transformers.integrations.flex_attention import flex_attention_forward

        # under autocast rotated queries and keys are of another precision than values
        query, key = query.to(value.dtype), key.to(value.dtype)
        answer, _ = flex_attention_forward(module, query, key, value, blocks, scaling=scaling, **more)
        return answer, None
    if segments is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **more
        )
        return found
    if more.get("dropout"):
        raise ValueError("on a tree a token stands for several rows: set the model's attention_dropout to 0")
    lengths = [length for length, _ in segments]
    groups = query.shape[1] // key.shape[1]
    queries = torch.split(query, lengths, dim=2)
    keys, values = (torch.split(one.repeat_interleave(groups, dim=1), lengths, dim=2) for one in (key, value))
    answers = []
    for number, (length, above) in enumerate(segments):
        path = [*above, number]
        known = sum(lengths[one] for one in above)
        sees = torch.ones((length, known + length), dtype=torch.bool, device=query.device).tril(known)
        k, v = (torch.cat([one[piece] for piece in path], dim=2) for one in (keys, values))
        answers.append(F.scaled_dot_product_attention(queries[number], k, v, attn_mask=sees, scale=scaling))
    return torch.cat(answers, dim=2).transpose(1, 2).contiguous(), None


def _block_mask(tree: Tree) -> Any:
    from torch.nn.attention.flex_attention import create_block_mask

    def sees(batch: Any, head: Any, query: Any, key: Any) -> Any:
        return (key <= query) & (query <= tree.last[key])

    size = len(tree.ids)
    return create_block_mask(sees, None, None, size, size, device=str(tree.ids.device))
