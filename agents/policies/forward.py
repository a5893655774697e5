"""What a policy asks of a model: contexts that grow, token by token or turn by turn, and scores.

`make_forward` picks `CachedForward`, which computes every token of a context once, where the model allows it, and
`PlainForward`, which computes everything again each time, where it does not. Both give the same numbers.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from selfgym.agents.policies.cached_forward import CachedForward

_CACHE_BYTES = 2 << 30
_SHARE_OF_GPU = 3


class Forward(Protocol):
    """What `TransformersPolicy` needs of a model: contexts that grow, and scores."""

    tokens_computed: int

    def open(self, keys: Sequence[str], contexts: Sequence[Sequence[int]], room: int) -> tuple[list[int], torch.Tensor]:
        """A handle for each context, good until the next call, and the logits [contexts, vocabulary] after it.

        ``room`` is the largest number of tokens a context will have in the end.
        """
        ...

    def advance(self, handles: Sequence[int], tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Logits [handles, vocabulary] after at least one more token for each of some handles."""
        ...

    def score(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[tuple[float, ...]]:
        """Log-probabilities of the continuations' tokens; nothing that is cached changes."""
        ...

    def drop(self, key: str) -> None:
        """Forget the context of ``key``."""
        ...

    def clear(self) -> None:
        """Forget everything: the weights have changed."""
        ...


def make_forward(model: Any, max_cached_tokens: int | None) -> Forward:
    """The cached way of running ``model`` if it can be; otherwise the plain way, and a warning that says why.

    ``max_cached_tokens`` is by default what fits into 2 GiB, or into a third of what is free on a GPU.
    """
    reason = why_not_cached(model)
    if not reason:
        return CachedForward(model, max_cached_tokens or _default_budget(model))
    warnings.warn(
        f"the history is computed again at every turn, because the key-value cache cannot serve this model: {reason}",
        stacklevel=2,
    )
    return PlainForward(model)


def why_not_cached(model: Any) -> str:
    """What keeps `CachedForward` from running ``model`` ("" if nothing does): first by its configuration, then tried.

    The trial compares the two ways on a few tokens, and so also finds models that ignore positions or masks: on
    ordinary ones followed by what the model itself thinks second most likely, since log-probabilities of the unlikely
    are mostly rounding in bfloat16.
    """
    config = model.config.get_text_config()
    odd = {type(layer).__name__ for layer in DynamicCache(config=config).layers if type(layer) is not DynamicLayer}
    if odd:
        return f"it has layers that are not full attention ({', '.join(sorted(odd))})"
    attention = config._attn_implementation
    if attention not in ("sdpa", "eager"):
        return f"its attention implementation is {attention!r}: load it with attn_implementation='sdpa'"
    exact = model.dtype == torch.float32
    tolerance = (1e-4 if model.device.type == "cpu" else 5e-3) if exact else 0.5
    half = config.vocab_size // 2
    ordinary = [half + number * (half // 8) for number in range(7)]
    prompts = [ordinary[:length] for length in (7, 3, 5)]
    try:
        with torch.inference_mode():
            plain, cached = PlainForward(model.eval()), CachedForward(model, 1)
            rest = _runners_up(plain, prompts, 4)
            cached.open(["", "", ""], prompts, 16)
            tried, expected = cached.score(prompts, rest), plain.score(prompts, rest)
    except Exception as error:
        return f"a trial failed with {type(error).__name__}: {error}"
    pairs = [pair for x, y in zip(tried, expected, strict=True) for pair in zip(x, y, strict=True)]
    # weights that give no finite number say nothing about the cache
    apart = [abs(a - b) for a, b in pairs if math.isfinite(b)] or [0.0]
    off = sum(apart) / len(apart)
    return "" if off <= tolerance else f"a trial gave log-probabilities that were {off:.2g} apart on average"


def _runners_up(plain: PlainForward, prompts: Sequence[Sequence[int]], count: int) -> list[list[int]]:
    """``count`` tokens after each prompt, each the second most likely."""
    handles, logits = plain.open([""] * len(prompts), prompts, 0)
    found: list[list[int]] = [[] for _ in prompts]
    for _ in range(count):
        second = logits.topk(2).indices[:, 1].tolist()
        for tokens, token in zip(found, second, strict=True):
            tokens.append(token)
        logits = plain.advance(handles, [[token] for token in second])
    return found


def _default_budget(model: Any) -> int:
    """How many tokens fit into the memory a cache may take by default."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    dimension = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    device = model.device
    free = torch.cuda.mem_get_info(device)[0] // _SHARE_OF_GPU if device.type == "cuda" else _CACHE_BYTES
    return int(free // (2 * config.num_hidden_layers * heads * dimension * model.dtype.itemsize))


class PlainForward:
    """Every sequence alone and from its beginning: slow, and right for every decoder."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._contexts: list[list[int]] = []
        self.tokens_computed = 0

    def open(self, keys: Sequence[str], contexts: Sequence[Sequence[int]], room: int) -> tuple[list[int], torch.Tensor]:
        """See `Forward`."""
        self._contexts = [list(ids) for ids in contexts]
        return list(range(len(contexts))), torch.stack([self._logits(ids)[-1] for ids in self._contexts])

    def advance(self, handles: Sequence[int], tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """See `Forward`."""
        for handle, new in zip(handles, tokens, strict=True):
            self._contexts[handle] += new
        return torch.stack([self._logits(self._contexts[handle])[-1] for handle in handles])

    def score(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[tuple[float, ...]]:
        """See `Forward`."""
        answers: list[tuple[float, ...]] = []
        for prompt, rest in zip(prompts, continuations, strict=True):
            if not rest:
                answers.append(())
                continue
            logits = self._logits([*prompt, *rest[:-1]])[len(prompt) - 1 :].float()
            chosen = logits.gather(1, torch.tensor(rest, device=logits.device)[:, None])[:, 0]
            answers.append(tuple((chosen - logits.logsumexp(-1)).double().tolist()))
        return answers

    def drop(self, key: str) -> None:
        """Nothing is kept."""

    def clear(self) -> None:
        """Nothing is kept."""

    def _logits(self, ids: Sequence[int]) -> torch.Tensor:
        self.tokens_computed += len(ids)
        logits: torch.Tensor = self._model(
            input_ids=torch.tensor([list(ids)], device=self._model.device), use_cache=False
        ).logits[0]
        return logits
