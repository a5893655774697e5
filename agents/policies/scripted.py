"""A policy without a model, for tests and for trying an agent: it answers what a function or a list says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from selfgym.agents.policies.policy import Completion, PolicyError, Prompt

_END, _START = "<|im_end|>", "<|im_start|>"
_END_ID = 0x110000
_START_ID = 0x110001


class CharacterTokenizer:
    """One token for each character (its code point) and two for the turns of a chat; the few methods agents use."""

    eos_token = _END
    eos_token_id = _END_ID
    pad_token_id = _END_ID
    all_special_tokens = (_END, _START)
    all_special_ids = (_END_ID, _START_ID)

    def encode(self, text: str, add_special_tokens: bool = False, verbose: bool = True) -> list[int]:
        """The token ids of ``text``; special tokens written out become theirs."""
        special = {_END: _END_ID, _START: _START_ID}
        pieces = re.split(f"({re.escape(_END)}|{re.escape(_START)})", text)
        return [id for piece in pieces for id in ([special[piece]] if piece in special else map(ord, piece))]

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        """The text of ``ids``."""
        special = {_END_ID: _END, _START_ID: _START}
        return "".join(
            ("" if skip_special_tokens else special[token]) if token in special else chr(token) for token in ids
        )

    def apply_chat_template(
        self,
        conversation: Sequence[dict[str, str]],
        tokenize: bool = True,
        add_generation_prompt: bool = False,
        **options: Any,
    ) -> Any:
        """The text of a chat (``tokenize=False``), or its ids, in a dictionary unless ``return_dict=False``."""
        text = "".join(f"{_START}{turn['role']}\n{turn['content']}{_END}\n" for turn in conversation)
        if add_generation_prompt:
            text += f"{_START}assistant\n"
        if not tokenize:
            return text
        ids = self.encode(text)
        return ids if options.get("return_dict") is False else {"input_ids": ids, "attention_mask": [1] * len(ids)}


class ScriptedPolicy:
    """Answers with ``answer(prompt text)``, or with the entries of a list in turn, over and over.

    Log-probabilities are 0: nothing was drawn. An answer ends with the end-of-turn token unless a stop string or
    ``max_new_tokens`` cut it first. With ``choices``, the choice whose text the answer is, else the first one. A
    `PolicyError` raised by ``answer`` is the answer to that prompt.
    """

    def __init__(
        self, answer: Callable[[str], str] | Sequence[str], *, name: str = "scripted", version: int = 0
    ) -> None:
        if not callable(answer) and not answer:
            raise ValueError("a scripted policy needs at least one answer")
        self._answer = answer
        self._next = 0
        self.name = name
        self.version = version
        self.tokenizer = CharacterTokenizer()

    def generate(self, prompts: Sequence[Prompt]) -> list[Completion | PolicyError]:
        """One answer for each prompt, in order."""
        return [self._complete(prompt) for prompt in prompts]

    def score(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[tuple[float, ...]]:
        """Zero for every token."""
        return [(0.0,) * len(rest) for _, rest in zip(prompts, continuations, strict=True)]

    def forget(self, key: str | None) -> None:
        """Nothing is kept."""

    def _say(self, text: str) -> str:
        if callable(self._answer):
            return self._answer(text)
        self._next += 1
        return self._answer[(self._next - 1) % len(self._answer)]

    def _complete(self, prompt: Prompt) -> Completion | PolicyError:
        try:
            text = self._say(self.tokenizer.decode(prompt.ids))
        except PolicyError as error:
            return error
        if prompt.choices:
            choice = next((ids for ids in prompt.choices if self._text(ids) == text), prompt.choices[0])
            return Completion(choice, (0.0,) * len(choice), self._text(choice))
        ids = self._until(prompt.stop, self.tokenizer.encode(text))
        finish = "stop" if len(ids) <= prompt.max_new_tokens else "length"
        ids = ids[: prompt.max_new_tokens]
        said = self._text(ids)
        cuts = [said.find(stop) for stop in prompt.stop if stop in said]
        return Completion(tuple(ids), (0.0,) * len(ids), said[: min(cuts)] if cuts else said, finish)

    def _until(self, stops: Sequence[str], ids: list[int]) -> list[int]:
        """The ids up to the one that completes a stop string, or all and the end of the turn."""
        said = self.tokenizer.decode(ids)
        ends = [said.find(stop) + len(stop) for stop in stops if stop in said]
        length = 0
        for number, token in enumerate(ids if ends else (), start=1):
            length += len(self.tokenizer.decode([token]))
            if length >= min(ends):
                return ids[:number]
        return [*ids, _END_ID]

    def _text(self, ids: Sequence[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)
