"""Where tokens come from: the contract between agents and language models.

A policy completes prompts of token ids and says with which probability. It is stateless to its callers: what it keeps
(key-value caches by longest shared prefix) only changes the cost of an answer, never the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request for a completion."""

    ids: tuple[int, ...]
    """The whole context as token ids."""
    key: str = ""
    """Whose context this is (an episode, a tree node): a hint where to look for cached keys and values."""
    max_new_tokens: int = 32
    stop: tuple[str, ...] = ()
    """The completion ends after the first token whose text completes one of these."""
    temperature: float = 1.0
    """0 is greedy. Log-probabilities are of the distribution that was sampled from, or of temperature 1 if greedy."""
    top_p: float = 1.0
    seed: int = 0
    """Of this completion's own random stream: the same prompt and seed give the same tokens in any batch."""
    choices: tuple[tuple[int, ...], ...] = ()
    """If given, the completion is exactly one of these token sequences, however long: each token is drawn from the
    model's distribution (at ``temperature`` and ``top_p``) over the tokens that still lead to one."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer."""

    ids: tuple[int, ...]
    """Tokens sampled, the stop token included."""
    logprobs: tuple[float, ...]
    """Nats, one for each token. With ``choices``: under the restriction, summing to the choice's log-probability."""
    text: str
    """The decoded tokens without special tokens and without the stop string."""
    finish: str = "stop"
    """``stop`` or ``length``."""


class PolicyError(RuntimeError):
    """A policy could not answer; the episode that asked ends as ``policy_error``."""


@runtime_checkable
class Policy(Protocol):
    """A language model that agents can ask."""

    name: str
    version: int
    """Number of updates its weights have seen."""
    tokenizer: Any
    """A Hugging Face tokenizer (``encode``, ``decode``, ``apply_chat_template``)."""

    def generate(self, prompts: Sequence[Prompt]) -> list[Completion | PolicyError]:
        """Complete every prompt, in order. A prompt that cannot be answered gives a `PolicyError` in its place."""
        ...

    def score(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[tuple[float, ...]]:
        """Log-probabilities in nats of each continuation's tokens after its prompt, at temperature 1."""
        ...

    def forget(self, key: str | None) -> None:
        """Drop what is cached for ``key``; for all if None, so that what follows is independent of the past."""
        ...
