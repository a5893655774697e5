"""Trajectories of AgentGym (AgentTraj-L, AgentEvol) and of ETO: conversations between ``human`` and ``gpt``.

One JSON array, or one object a line: ``{"item_id": ..., "conversations": [{"from", "loss", "value"}, ...]}``.
Replies in AgentGym's three styles are understood: ``Thought: ... Action: ...``, a function call
``{"thought", "function_name", "arguments"}`` (the action becomes a tool call), and code (the action is the reply).
The opening exchange in which the rules are explained goes to ``info["instructions"]``; a reply with ``"loss": false``
is not trainable. These files hold demonstrations and rarely say how an episode ended: the outcome is ``running`` unless
``success`` or ``reward`` stands beside the conversation. Say otherwise with ``outcome="success"`` on import.
Sources: AgentGym, ``agentenv/controller`` and ``agentenv/envs``; ETO, ``data/*_sft.json``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Source, Step
from selfgym.memory.exchange.files import DamagedFileError, naming, read_json, read_json_lines, read_lines

_STYLE = re.compile(r"\s*(?:Thought:\s*(?P<thought>.*?)\s*)?Action:\s*(?P<action>.*)", re.DOTALL)
_TASK = re.compile(r"Your task is to: (.+?)\.?\s*$", re.MULTILINE)
_ROLES = {"human": "human", "user": "human", "gpt": "gpt", "assistant": "gpt", "system": "system"}


class _Turn(BaseModel):
    speaker: str = Field(alias="from")
    value: str
    loss: bool | None = None


class _Item(BaseModel):
    model_config = ConfigDict(extra="allow")

    item_id: str | int = ""
    conversations: list[_Turn]
    success: bool | int | None = None
    reward: float | None = None


def read(path: Path) -> Iterator[Episode]:
    """The episodes of a ``.json`` or ``.jsonl`` file, in order."""
    _, first = next(read_lines(path), (0, ""))
    items: Iterator[tuple[str, Any]]
    if first.lstrip().startswith("["):
        items = ((f"{path}, item {number}", item) for number, item in enumerate(read_json(path), 1))
    else:
        items = read_json_lines(path)
    for where, data in items:
        with naming(where, "an AgentGym trajectory"):
            item = _Item.model_validate(data)
            episode = _episode(item, data, where)
        yield episode


def _episode(item: _Item, data: Any, where: str) -> Episode:
    rules, turns = _split_off_rules(item.conversations, where)
    steps: list[Step] = []
    heard: list[str] = []
    for turn in turns:
        if _ROLES[turn.speaker] == "human":
            heard.append(turn.value)
            continue
        thought, action = _read_reply(turn.value)
        steps.append(
            Step(
                observation="\n".join(heard),
                action=action,
                thought=thought,
                source=Source.TEACHER,
                trainable=turn.loss is not False,
            )
        )
        heard = []
    first = steps[0].observation if steps else ""
    task = _TASK.search(first)
    digest = hashlib.blake2b(json.dumps(data, sort_keys=True).encode(), digest_size=6).hexdigest()
    family = re.fullmatch(r"([a-zA-Z]+)_\d+", str(item.item_id))
    reward = item.reward if item.reward is not None else float(item.success or 0)
    if steps and reward:
        steps[-1] = steps[-1].model_copy(update={"reward": reward})
    return Episode(
        id=f"agentgym/{item.item_id}/{digest}",
        env=f"agentgym/{family[1]}" if family else "agentgym",
        task=task[1] if task else first,
        task_id=str(item.item_id),
        agent="teacher",
        steps=tuple(steps),
        final_observation="\n".join(heard),
        outcome=_outcome(item),
        info={"instructions": rules} if rules else {},
    )


def _outcome(item: _Item) -> Outcome:
    if item.success is None and item.reward is None:
        return Outcome.RUNNING
    return Outcome.SUCCESS if (item.success if item.success is not None else item.reward == 1) else Outcome.FAILURE


def _split_off_rules(turns: list[_Turn], where: str) -> tuple[str, list[_Turn]]:
    """The opening turns that explain the task's rules, as text, and the turns of the episode."""
    for number, turn in enumerate(turns, 1):
        if turn.speaker not in _ROLES:
            raise DamagedFileError(f"{where}: turn {number} is from {turn.speaker!r}; known: {', '.join(_ROLES)}")
    rules: list[str] = []
    while turns and _ROLES[turns[0].speaker] == "system":
        rules.append(turns[0].value)
        turns = turns[1:]
    replies = [turn for turn in turns if _ROLES[turn.speaker] == "gpt"]
    acts = [_STYLE.match(turn.value) is not None for turn in replies]
    agreed = len(replies) > 1 and (replies[0].loss is False or (not acts[0] and all(acts[1:])))
    if agreed and turns[1] is replies[0]:
        rules.append(turns[0].value)
        turns = turns[2:]
    return "\n\n".join(rules), turns


def _read_reply(reply: str) -> tuple[str, str]:
    """Thought and action of a reply; all of it is the action where it has no form we know."""
    match = _STYLE.match(reply)
    if match:
        return match["thought"] or "", match["action"].strip()
    try:
        call = json.loads(reply, strict=False)
    except (ValueError, RecursionError):
        return "", reply.strip()
    if not isinstance(call, dict) or not {"function_name", "arguments"} <= call.keys():
        return "", reply.strip()
    action = json.dumps({"name": call["function_name"], "arguments": call["arguments"]}, ensure_ascii=False)
    return str(call.get("thought", "")), action
