"""A conversation as the token ids that the model really saw.

Only new text is ever tokenised: what the model sampled stays as it was sampled, and each turn appends to the context.
The text between two answers (end of turn, the next message, the opening of the answer) is read off the tokenizer's own
chat template once, by rendering a marker and cutting it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

Message = dict[str, str]
_ANSWER, _NEXT = "\x02answer\x02", "\x02next\x02"


class TemplateError(ValueError):
    """A tokenizer's chat template that cannot be continued turn by turn."""


class Chat:
    """Renders turns for one tokenizer. Stateless: the context itself belongs to the caller."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._between, self._after = self._frame()
        self.end = self._end()
        """The token (at most one) that closes an answer."""

    def open(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The context that asks for an answer to ``messages`` (system and user turns, possibly earlier answers)."""
        return self._encode(self._render(messages))

    def answer(self, text: str) -> tuple[int, ...]:
        """An answer as the model would have sampled it, its end-of-turn token included."""
        return self._encode(text) + self.end

    def follow(self, message: str, answer: Sequence[int]) -> tuple[int, ...]:
        """The tokens between ``answer`` (as sampled) and the opening of the answer to a user's ``message``."""
        tokens = self._encode(self._between + message + self._after)
        ended = bool(self.end) and tuple(answer[-len(self.end) :]) == self.end
        return tokens[len(self.end) :] if ended else tokens

    def _end(self) -> tuple[int, ...]:
        first = self._encode(self._between)[:1]
        special: set[int] = set(self.tokenizer.all_special_ids)
        return first if first and first[0] in special else ()

    def _frame(self) -> tuple[str, str]:
        turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": _ANSWER}]
        text = self._render([*turns, {"role": "user", "content": _NEXT}])
        _, found, tail = text.partition(_ANSWER)
        between, also, after = tail.partition(_NEXT)
        if not (found and also):
            raise TemplateError("the chat template drops or rewrites messages, so that turns cannot be appended")
        return between, after

    def _render(self, messages: Sequence[Message]) -> str:
        return str(self.tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True))

    def _encode(self, text: str) -> tuple[int, ...]:
        return _encode(self.tokenizer, text)


@lru_cache(maxsize=16384)
def _encode(tokenizer: Any, text: str) -> tuple[int, ...]:
    # Not verbose: whoever shortens a long context to what fits must first see how long it is, and needs no warning.
    return tuple(tokenizer.encode(text, add_special_tokens=False, verbose=False))
