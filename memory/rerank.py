"""Embeddings for the last word on forty candidates: the optional second half of `selfgym.memory.retrieve.search`.

Full-text search finds better than small embeddings do; the two together find best (FTS5's first 40, then relevance plus
0.6 to 1.0 times cosine: recall@8 on LoCoMo 0.533 to 0.57, shared/research/memory.md). Needs the extra
``selfgym[rerank]`` and the weights of an encoder, from a folder or a hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfgym.memory.item import Item
from selfgym.memory.retrieve import Rerank
from selfgym.memory.views import plain_line

_LONGEST = 256  # tokens of a text
_MOST = 20_000  # texts whose vectors are remembered


def embedding_rerank(model: str | Path, *, weight: float = 0.8) -> Rerank:
    """For ``search(..., rerank=...)``: ``weight`` times the cosine between the goal and each item, at least 0.

    Args:
        model: a Hugging Face encoder such as ``sentence-transformers/all-MiniLM-L6-v2``: hub id or folder. A text is
            the mean of its last layer.
        weight: beside a relevance of 0 to 1.

    Raises `ImportError` with what to install.
    """
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError:
        raise ImportError("to rerank by embeddings: pip install 'selfgym[rerank]'") from None
    tokenizer, encoder = AutoTokenizer.from_pretrained(str(model)), AutoModel.from_pretrained(str(model)).eval()
    known: dict[str, Any] = {}

    def vectors(texts: Sequence[str]) -> Any:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if len(known) + len(new) > _MOST:
            known.clear()
            new = list(dict.fromkeys(texts))
        if new:
            tokens = tokenizer(new, padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt")
            with torch.inference_mode():
                hidden = encoder(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1)
            made = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
            known.update(zip(new, made, strict=True))
        return torch.stack([known[text] for text in texts])

    def near(goal: str, items: Sequence[Item]) -> list[float]:
        if not items:
            return []
        [meant, *rest] = vectors([goal, *map(plain_line, items)])
        return [weight * max(0.0, float(meant @ one)) for one in rest]

    return near
