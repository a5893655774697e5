"""A language model that writes lessons: the half of every method that its paper gives to a model.

Any `Policy` serves. Episodes are told to it as data, cut to what fits; what it answers is read as a list. Whatever it
writes is tainted (`selfgym.memory.taint`), so the worst it can do is to waste the episodes that look into it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from selfgym.agents.chat import Chat
from selfgym.agents.policies.policy import Policy, PolicyError, Prompt
from selfgym.memory.episode import Episode
from selfgym.memory.item import visible

_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d+[.)])\s+(.+?)\s*$", re.MULTILINE)
_LEAST, _MOST = 8, 400  # characters of a lesson


@dataclass(frozen=True, slots=True)
class Writer:
    """Asks ``policy``."""

    policy: Policy
    max_new_tokens: int = 256
    temperature: float = 0.0
    max_context: int = 2048
    """Tokens of a prompt with its answer: the text is cut to that."""

    @property
    def name(self) -> str:
        """The model's, as `Origin.model` holds it."""
        return self.policy.name

    def ask(self, instruction: str, text: str, *, seed: int = 0) -> str:
        """One answer to ``instruction`` about ``text``, asked at once. Raises `PolicyError`."""
        chat = Chat(self.policy.tokenizer)
        room = self.max_context - self.max_new_tokens
        while True:
            ids = chat.open([{"role": "system", "content": instruction}, {"role": "user", "content": text}])
            if len(ids) <= room or len(text) < 200:
                break
            text = text[: int(len(text) * max(0.5, 0.95 * room / len(ids)))]
        prompt = Prompt(ids, key="writer", max_new_tokens=self.max_new_tokens, temperature=self.temperature, seed=seed)
        [completion] = self.policy.generate([prompt])
        self.policy.forget("writer")
        if isinstance(completion, PolicyError):
            raise completion
        return visible(completion.text).strip()


def told(episode: Episode, *, longest: int = 200) -> str:
    """An episode in words: the task, what was done, what was seen, how it ended."""
    lines = [f"Task: {episode.task}"]
    for step in episode.steps:
        lines += [
            f"Saw: {_cut(step.observation, longest)}",
            f"Did: {step.action}" + ("" if step.valid else " (refused)"),
        ]
    lines.append(f"Result: {episode.outcome}")
    return "\n".join(lines)


def _cut(text: str, longest: int) -> str:
    """A text on one line, its middle left out where it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest // 2]} ... {line[-(longest // 2) :]}"


def lessons(answer: str, most: int) -> list[str]:
    """The first ``most`` entries of a list in an answer, each on one line; none where it holds no list.

    >>> lessons("Sure:\\n- Look into the fridge first.\\n2) Mugs are heated in the microwave.\\nGood luck!", 5)
    ['Look into the fridge first.', 'Mugs are heated in the microwave.']
    """
    found: Sequence[str] = _BULLET.findall(answer)
    return list(dict.fromkeys(text[:_MOST] for text in found if len(text) >= _LEAST))[:most]
