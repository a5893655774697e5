"""What the policies share whose model runs in an inference engine: vLLM in this process, or a server.

An engine answers `Request`s in a batch. A `Prompt` is one request, or with ``choices`` one for each token at which the
choices branch: the engine draws that token among those that still lead to a choice, which its prefix cache makes cheap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selfgym.agents.policies.choices import Choices
from selfgym.agents.policies.policy import Completion, PolicyError, Prompt

_END_OF_TURN = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>")


@dataclass(frozen=True, slots=True)
class Request:
    """A continuation of ``ids``, sampled as ``prompt`` says."""

    prompt: Prompt
    ids: tuple[int, ...]
    max_tokens: int
    seed: int
    """In [0, 2**31): what any engine takes."""
    allowed: tuple[int, ...] = ()
    """If given, the only token ids that may be drawn."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine sampled: the end or stop token included, nats for each token or none at all."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    finish: str


def complete(
    prompts: Sequence[Prompt],
    ask: Callable[[list[Request]], list[Answer | PolicyError]],
    tokenizer: Any,
    ends: Sequence[int],
) -> list[Completion | PolicyError]:
    """A completion, or the error in its place, for each prompt; ``ask`` answers requests in order."""
    rows = [_Row(prompt, tokenizer, ends) for prompt in prompts]
    while active := [row for row in rows if row.result is None]:
        answers = ask([row.request() for row in active])
        for row, answer in zip(active, answers, strict=True):
            row.take(answer)
    return [row.result for row in rows if row.result is not None]


def end_ids(tokenizer: Any, listed: int | Sequence[int] | None = None) -> list[int]:
    """The ids that end a completion: of a chat turn first, then of the text, then those that the model lists."""
    special = set(tokenizer.all_special_tokens)
    ids = [tokenizer.convert_tokens_to_ids(token) for token in _END_OF_TURN if token in special]
    ids += [tokenizer.eos_token_id, *([listed] if listed is None or isinstance(listed, int) else listed)]
    return list(dict.fromkeys(token for token in ids if token is not None))


def tensor_shapes(folder: str | Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a folder's (or cached hub model's) safetensors files."""
    from huggingface_hub import snapshot_download
    from safetensors import safe_open

    path = Path(folder) if Path(folder).is_dir() else Path(snapshot_download(str(folder), local_files_only=True))
    shapes: dict[str, tuple[int, ...]] = {}
    for file in sorted(path.glob("*.safetensors")):
        with safe_open(file, "numpy") as tensors:
            shapes |= {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    return shapes


class _Row:
    """One prompt while it is being completed."""

    def __init__(self, prompt: Prompt, tokenizer: Any, ends: Sequence[int]) -> None:
        self.result: Completion | PolicyError | None = None
        self._prompt = prompt
        self._tokenizer = tokenizer
        self._asked = 0
        self._ids: list[int] = []
        self._logprobs: list[float] | None = []
        self._choices: Choices | None = None
        if not prompt.choices:
            return
        if not all(prompt.choices):
            self.result = PolicyError("a choice has no tokens")
            return
        try:
            self._choices = Choices(prompt.choices, ends[0] if ends else None)
        except ValueError as error:
            self.result = PolicyError(str(error))
            return
        self._follow()

    def request(self) -> Request:
        """What the engine is to answer next."""
        seed = _stream(self._prompt.seed, self._asked)
        self._asked += 1
        if self._choices is None:
            return Request(self._prompt, self._prompt.ids, self._prompt.max_new_tokens, seed)
        allowed = tuple(sorted(self._choices.allowed()))
        return Request(self._prompt, (*self._prompt.ids, *self._ids), 1, seed, allowed)

    def take(self, answer: Answer | PolicyError) -> None:
        """Go on with the engine's answer."""
        if isinstance(answer, PolicyError):
            self.result = answer
        elif not all(map(math.isfinite, answer.logprobs)):
            self.result = PolicyError("the engine gave log-probabilities that are not finite: are the weights?")
        elif self._choices is None:
            self._finish(answer)
        elif len(answer.ids) != 1 or answer.ids[0] not in self._choices.allowed():
            self.result = PolicyError(f"the engine drew {answer.ids}, which leads to no choice")
        else:
            self._step(self._choices, answer)

    def _step(self, choices: Choices, answer: Answer) -> None:
        [token] = answer.ids
        if not answer.logprobs:
            self._logprobs = None
        if choices.step(token):
            self._ids.append(token)
            if self._logprobs is not None:
                self._logprobs += answer.logprobs
            self._follow()
        else:
            if self._logprobs is not None:
                self._logprobs[-1] += answer.logprobs[0]
            self._end()

    def _follow(self) -> None:
        """Append the tokens that are certain because no other choice is left."""
        assert self._choices is not None
        forced, done = self._choices.forced()
        self._ids += forced
        if self._logprobs is not None:
            self._logprobs += [0.0] * len(forced)
        if done:
            self._end()

    def _end(self) -> None:
        text = self._tokenizer.decode(self._ids, skip_special_tokens=True)
        self.result = Completion(tuple(self._ids), tuple(self._logprobs or ()), text)

    def _finish(self, answer: Answer) -> None:
        """Cut the answer after the first token whose text completes a stop string."""
        ids, logprobs, finish = answer.ids, answer.logprobs, answer.finish
        stop = self._prompt.stop
        if stop and _cut(self._tokenizer.decode(ids), stop) is not None:
            length = next(n for n in range(1, len(ids) + 1) if _cut(self._tokenizer.decode(ids[:n]), stop) is not None)
            ids, logprobs, finish = ids[:length], logprobs[:length], "stop"
        text = self._tokenizer.decode(ids, skip_special_tokens=True)
        self.result = Completion(ids, logprobs, text[: _cut(text, stop)], finish)


def _cut(text: str, stop: Sequence[str]) -> int | None:
    """Where the first stop string begins."""
    return min((place for word in stop if (place := text.find(word)) >= 0), default=None)


def _stream(seed: int, number: int) -> int:
    """The engine's seed for the request ``number`` of a prompt, so that no two draw from the same stream."""
    return int(np.random.SeedSequence([abs(seed), int(seed < 0), number]).generate_state(1)[0]) >> 1
