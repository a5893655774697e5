"""A Hugging Face model as a `Policy`.

Prompts are answered in batches; what was computed for a context stays in a key-value cache (see `cached_forward`), so
a turn costs its new tokens. The cache changes the cost of an answer, never the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from selfgym.agents.policies.choices import Choices
from selfgym.agents.policies.engine import end_ids
from selfgym.agents.policies.forward import Forward, make_forward
from selfgym.agents.policies.policy import Completion, PolicyError, Prompt
from selfgym.agents.policies.pretrained import load_pretrained
from selfgym.agents.policies.sampling import draw, uniforms


class TransformersPolicy:
    """Completes prompts with a decoder-only Hugging Face model, PEFT adapters included.

    ``max_batch`` contexts are run at a time, by default 64 on a CPU and 512 on a GPU; ``max_cached_tokens`` bounds the
    cache (by default to about 2 GiB on a CPU, and to a third of a GPU's free memory).
    Call `updated` after the weights have changed.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        name: str,
        version: int = 0,
        device: str | torch.device | None = None,
        dtype: torch.dtype | None = None,
        max_batch: int | None = None,
        max_cached_tokens: int | None = None,
    ) -> None:
        self.model = model.to(device=device, dtype=dtype) if device or dtype else model
        self.tokenizer = tokenizer
        self.name = name
        self.version = version
        self.max_batch = max_batch or (64 if self.model.device.type == "cpu" else 512)
        config = model.config.get_text_config()
        self._vocabulary: int = config.vocab_size
        self._max_positions: int | None = getattr(config, "max_position_embeddings", None)
        self._ends = end_ids(tokenizer, getattr(getattr(model, "generation_config", None), "eos_token_id", None))
        self._max_cached_tokens = max_cached_tokens

    @cached_property
    def _forward(self) -> Forward:
        """How the model is run, chosen when it is first asked: a model that is only trained needs no cache."""
        return make_forward(self.model, self._max_cached_tokens)

    @classmethod
    def load(
        cls,
        name_or_path: str | Path,
        *,
        gguf_file: str | None = None,
        adapter: str | Path | None = None,
        dtype: str | torch.dtype = "auto",
        device: str | torch.device | None = None,
        **options: Any,
    ) -> TransformersPolicy:
        """The policy for ``nano``, ``smollm2``, a folder, a ``.gguf`` file or a hub id; see `load_pretrained`."""
        if dtype == "auto" and device is not None and torch.device(device).type != "cpu":
            dtype = "saved"  # what speaks for float32 on a processor does not hold for an accelerator
        model, tokenizer = load_pretrained(name_or_path, gguf_file=gguf_file, adapter=adapter, dtype=dtype)
        return cls(model, tokenizer, name=str(name_or_path), device=device, **options)

    @property
    def tokens_computed(self) -> int:
        """Tokens the model has been run on since the policy was made; padding is not counted."""
        return self._forward.tokens_computed

    def updated(self) -> None:
        """The weights have changed: count the update and drop what the old ones computed."""
        self.version += 1
        self._forward.clear()

    def forget(self, key: str | None) -> None:
        """Drop what is cached for ``key``; everything if ``None``, after which equal calls give equal bits again."""
        if key is None:
            self._forward.clear()
        else:
            self._forward.drop(key)

    @torch.inference_mode()
    def generate(self, prompts: Sequence[Prompt]) -> list[Completion | PolicyError]:
        """Complete every prompt, in order. A prompt that cannot be answered gives a `PolicyError` in its place."""
        if self.model.training:  # asked, because the call goes through every module
            self.model.eval()
        answers: list[Completion | PolicyError | None] = [self._refusal(prompt) for prompt in prompts]
        good = [index for index, refusal in enumerate(answers) if refusal is None]
        for begin in range(0, len(good), self.max_batch):
            chosen = good[begin : begin + self.max_batch]
            rows = [_Row(prompts[index], self.tokenizer, self._ends) for index in chosen]
            self._complete(rows)
            for index, row in zip(chosen, rows, strict=True):
                answers[index] = row.answer()
        return answers  # type: ignore[return-value]  # every refusal that was None is answered now

    @torch.inference_mode()
    def score(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[tuple[float, ...]]:
        """Log-probabilities in nats of each continuation's tokens after its prompt, at temperature 1.

        Raises `PolicyError` where a prompt is empty, too long or has ids that are not in the vocabulary.
        """
        self.model.eval()
        for index, (prompt, rest) in enumerate(zip(prompts, continuations, strict=True)):
            if problem := self._problem(prompt, rest):
                raise PolicyError(f"question {index} of {len(prompts)} cannot be scored: {problem}")
        return self._forward.score(prompts, continuations)

    def _complete(self, rows: list[_Row]) -> None:
        room = max(len(row.prompt.ids) + row.longest for row in rows)
        try:
            handles, logits = self._forward.open(
                [row.prompt.key for row in rows], [(*row.prompt.ids, *row.take()) for row in rows], room
            )
            active = list(zip(rows, handles, strict=True))
            while True:
                self._draw([row for row, _ in active], logits)
                active = [(row, handle) for row, handle in active if not row.done]
                if not active:
                    return
                logits = self._forward.advance([handle for _, handle in active], [row.take() for row, _ in active])
        except BaseException:
            self._forward.clear()  # a forward that broke off may have left slots half written
            raise

    def _draw(self, rows: list[_Row], logits: torch.Tensor) -> None:
        sound = logits.isfinite().all(-1).tolist()
        for row, is_sound in zip(rows, sound, strict=True):
            if not is_sound:
                row.fail(f"the model {self.name!r} gave logits that are not finite (version {self.version})")
        tokens, logprobs = draw(
            torch.nan_to_num(logits) if not all(sound) else logits,
            [row.prompt.temperature for row in rows],
            [row.prompt.top_p for row in rows],
            [row.number() for row in rows],
            [row.allowed() for row in rows],
        )
        for row, token, logprob in zip(rows, tokens, logprobs, strict=True):
            if not row.done:
                row.accept(token, logprob)

    def _refusal(self, prompt: Prompt) -> PolicyError | None:
        if prompt.temperature < 0 or not 0 < prompt.top_p <= 1:
            return PolicyError(
                f"temperature must be >= 0 and top_p in (0, 1], not {prompt.temperature} and {prompt.top_p}"
            )
        if prompt.choices:
            problems = [problem for choice in prompt.choices if (problem := self._problem(prompt.ids, choice))]
            if not all(prompt.choices):
                problems.append("a choice has no tokens")
            return PolicyError(problems[0]) if problems else None
        if prompt.max_new_tokens < 1:
            return PolicyError(f"max_new_tokens must be at least 1, not {prompt.max_new_tokens}")
        problem = self._problem(prompt.ids, (), prompt.max_new_tokens)
        return PolicyError(problem) if problem else None

    def _problem(self, ids: Sequence[int], rest: Sequence[int], room: int = 0) -> str:
        """What keeps the model from reading ``ids`` + ``rest`` and ``room`` more tokens; "" if nothing does."""
        if not ids:
            return "the prompt is empty"
        outside = [token for part in (ids, rest) for token in (min(part, default=0), max(part, default=0))]
        if min(outside) < 0 or max(outside) >= self._vocabulary:
            wrong = min(outside) if min(outside) < 0 else max(outside)
            return f"token id {wrong} is not in the vocabulary of {self.name!r} ({self._vocabulary} tokens)"
        total = len(ids) + len(rest) + room
        if self._max_positions is not None and total > self._max_positions:
            return (
                f"{len(ids)} tokens of prompt and {len(rest) + room} of answer are more than the "
                f"{self._max_positions} that {self.name!r} can see: shorten the history or the answer"
            )
        return ""


class _Row:
    """One prompt while it is being completed."""

    def __init__(self, prompt: Prompt, tokenizer: Any, ends: list[int]) -> None:
        self.prompt = prompt
        self.done = False
        self._tokenizer = tokenizer
        self._ends = ends
        self.longest = max(map(len, prompt.choices)) if prompt.choices else prompt.max_new_tokens
        self._numbers = iter(uniforms(prompt.seed, self.longest + 1))
        self._ids: list[int] = []
        self._logprobs: list[float] = []
        self._fed = 0
        self._finish = "stop"
        self._error: PolicyError | None = None
        self._choices: Choices | None = None
        if prompt.choices:
            try:
                self._choices = Choices(prompt.choices, ends[0] if ends else None)
                self._follow()
            except ValueError as error:
                self.fail(str(error))

    def number(self) -> float:
        """The uniform number that decides the next token."""
        return 0.0 if self.done else next(self._numbers)

    def allowed(self) -> Sequence[int] | None:
        """The token ids that may come next; ``None`` for all."""
        return None if self._choices is None or self.done else self._choices.allowed()

    def take(self) -> list[int]:
        """The tokens the model has not seen yet."""
        new = self._ids[self._fed :]
        self._fed = len(self._ids)
        return new

    def fail(self, sentence: str) -> None:
        """End without an answer."""
        self.done, self._error = True, PolicyError(sentence)

    def accept(self, token: int, logprob: float) -> None:
        """Take what was drawn."""
        if self._choices is not None:
            if self._choices.step(token):
                self._ids.append(token)
                self._logprobs.append(logprob)
                self._follow()
            else:
                self._logprobs[-1] += logprob
                self.done = True
            return
        self._ids.append(token)
        self._logprobs.append(logprob)
        if token in self._ends or self._cut(self._text(skip=False)) is not None:
            self.done = True
        elif len(self._ids) == self.prompt.max_new_tokens:
            self.done, self._finish = True, "length"

    def _follow(self) -> None:
        """Append the tokens that are certain because no other choice is left."""
        assert self._choices is not None
        forced, self.done = self._choices.forced()
        self._ids += forced
        self._logprobs += [0.0] * len(forced)

    def answer(self) -> Completion | PolicyError:
        """The completion."""
        if self._error is not None:
            return self._error
        text = self._text(skip=True)
        cut = self._cut(text)
        return Completion(tuple(self._ids), tuple(self._logprobs), text if cut is None else text[:cut], self._finish)

    def _text(self, skip: bool) -> str:
        if not skip and not self.prompt.stop:
            return ""
        return self._tokenizer.decode(self._ids, skip_special_tokens=skip)  # type: ignore[no-any-return]

    def _cut(self, text: str) -> int | None:
        """Where the first stop string begins."""
        if self._choices is not None:
            return None
        return min((place for stop in self.prompt.stop if (place := text.find(stop)) >= 0), default=None)
