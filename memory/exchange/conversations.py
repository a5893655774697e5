"""Conversations for fine-tuning tools: ShareGPT (LLaMA-Factory, FastChat) and ``messages`` (TRL, OpenAI).

Each episode is one line. The user says the observation, the assistant says ``Thought: ...`` and ``Action: ...``, or
the bare action where nothing was thought. Kept beside it: ``id``, ``task``, ``outcome`` and ``reward`` (the sum).

Lost: tokens and log-probabilities, so training on these files tokenises again; rewards of single steps; the observation
after the last action (a conversation ends with the assistant); ``trainable`` and ``source`` (every assistant turn looks
alike, so leave out episodes whose steps must not be learnt); every link between episodes. Episodes without a step are
left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from selfgym.memory.episode import Episode, Step
from selfgym.memory.exchange.files import write_lines


def say(step: Step) -> str:
    """What the assistant says at ``step``."""
    return f"Thought: {step.thought}\nAction: {step.action}" if step.thought else step.action


def _lines(
    episodes: Iterable[Episode], column: str, speaker: str, text: str, user: str, assistant: str
) -> Iterator[str]:
    for episode in episodes:
        turns = [
            turn
            for step in episode.steps
            for turn in ({speaker: user, text: step.observation}, {speaker: assistant, text: say(step)})
        ]
        if turns:
            row = {
                "id": episode.id,
                column: turns,
                "task": episode.task,
                "outcome": episode.outcome,
                "reward": episode.total_reward,
            }
            yield json.dumps(row, ensure_ascii=False)


_sharegpt = partial(_lines, column="conversations", speaker="from", text="value", user="human", assistant="gpt")
_messages = partial(_lines, column="messages", speaker="role", text="content", user="user", assistant="assistant")


def write_sharegpt(episodes: Iterable[Episode], path: Path) -> int:
    """``{"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}, ...]}`` a line."""
    return write_lines(path, _sharegpt(episodes))


def write_messages(episodes: Iterable[Episode], path: Path) -> int:
    """``{"messages": [{"role": "user", "content": ...}, {"role": "assistant", "content": ...}, ...]}`` a line."""
    return write_lines(path, _messages(episodes))
