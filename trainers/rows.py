"""What every converter emits: `Row`, one token sequence with a weight on each token.

The loss of nearly every method is ``-(1/Z) * sum_t w_t * f(rho_t)`` (f: log-likelihood, clipped ratio, NFT transform),
so a row says which tokens count and how much, what the sampler thought of them, and what Z counts. Token ids come from
the record as they were sampled; nothing here tokenises text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selfgym.memory.episode import Episode, Step


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """One training sequence of T tokens.

    ``weight[t]`` multiplies the loss of predicting ``token_ids[t]`` from the tokens before it (0: no loss; the first
    token can have none). ``old_logprob[t]`` is the sampler's log-probability in nats, NaN where unknown.
    ``normaliser`` is this row's contribution to Z: by default the number of tokens with a weight.
    """

    token_ids: NDArray[np.int32]
    weight: NDArray[np.float32]
    old_logprob: NDArray[np.float32]
    normaliser: float
    group: str = ""
    """Rows of one group are trained in one batch if they fit into it: they share a prefix, or are a pair."""

    def __len__(self) -> int:
        return len(self.token_ids)


def rows_from(
    episode: Episode,
    weight: Callable[[int, Step], float] | None = None,
    *,
    context: float = 0.0,
    max_tokens: int | None = None,
) -> Iterator[Row]:
    """The rows of an episode: one for each stretch of growing context, loss on trainable responses only.

    ``weight(index of step, step)`` scales the tokens of a trainable step (default 1). ``context`` puts a weight on the
    prompts too, and counts them in Z by as much: for a model made from scratch, which has to learn the language of the
    texts as well. A row longer than ``max_tokens`` raises ValueError: cutting it would train on a context the policy
    never had.
    """
    index = {id(step): number for number, step in enumerate(episode.steps)}
    for segment in episode.token_segments():
        ids: list[int] = []
        weights: list[float] = []
        old: list[float] = []
        for step in segment:
            loss = 0.0
            if step.trainable:
                loss = weight(index[id(step)], step) if weight else 1.0
            ids += step.prompt_ids + step.response_ids
            weights += [context] * len(step.prompt_ids) + [loss] * len(step.response_ids)
            old += [float("nan")] * len(step.prompt_ids)
            old += step.logprobs or [float("nan")] * len(step.response_ids)
        if max_tokens is not None and len(ids) > max_tokens:
            raise ValueError(f"episode {episode.id} has a context of {len(ids)} tokens, more than {max_tokens}")
        weights[0] = 0.0
        row_weight = np.asarray(weights, np.float32)
        if row_weight.any():
            prompts = sum(len(step.prompt_ids) for step in segment) - 1 if context else 0
            counted = float(np.count_nonzero(row_weight)) - (1.0 - context) * prompts
            yield Row(np.asarray(ids, np.int32), row_weight, np.asarray(old, np.float32), counted)


def trained_tokens(rows: Iterable[Row]) -> int:
    """How many tokens carry a loss: the unit in which methods are given equal compute."""
    return sum(int(np.count_nonzero(row.weight)) for row in rows)
