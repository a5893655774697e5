"""MetaAgent: an agent that may ask for help in words; a router finds the tool, and experience is distilled afterwards.

arXiv 2508.00271; code qhjqhj00/MetaAgent: requests in natural language go to a tool that fits, results are kept in a
knowledge base, lessons of each task are shown at the next. Here a request goes to the recalled tool with the most words
of it, called with the values of its own that the request names; where no tool fits, to what the library says of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from selfgym.agents.agent import Agent
from selfgym.agents.methods.alita import made_tool
from selfgym.agents.methods.beside import Beside
from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer, lessons, told
from selfgym.agents.recalling import shown
from selfgym.agents.remembering import Recall
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.symbolic import propose
from selfgym.memory.retrieve import SearchConfig, search
from selfgym.memory.skills.running import SkillError, answer
from selfgym.memory.views import members

ASKING = "You may ask for help instead of acting: help: what you need to know."
_ASK = (
    "Reflect on how this task went. Write at most two lessons for other tasks, general, in your own words, each one "
    "line starting with '- '."
)
_FOUND = SearchConfig(most=4, kinds=(Kind.INSIGHT, Kind.DOC), explore=0.0)


@dataclass(frozen=True)
class MetaAgent:
    """Help on request, and lessons."""

    lessons: int = 2
    """Shown from the start; the rest has to be asked for."""

    name: ClassVar[str] = "metaagent"
    source: ClassVar[str] = "arXiv 2508.00271; github.com/qhjqhj00/MetaAgent"
    heading: ClassVar[str] = "Tools that can be asked, and lessons"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """All tools, and the lessons that the goal calls for."""
        near = SearchConfig(most=self.lessons, kinds=(Kind.INSIGHT,))
        tools = [item for item in members(library, (Kind.SKILL,), task.env) if item.code and item.code.runtime == "mcp"]
        return [*tools, *(hit.item for hit in search(library, task.goal, env=task.env, seed=task.seed, config=near))]

    def help(self, library: Library, task: Task, sandbox: Sandbox | None, request: str, recall: Recall) -> Recall:
        """What the best tool answers to ``request``, else what the library has about it; empty where nobody knows."""
        for tool in sorted(recall.skills, key=lambda item: -_fit(item, request)):
            given = _arguments(tool, request)
            if given is None or tool.code is None or tool.code.runtime != "mcp":
                continue
            try:
                said = answer(tool, given, recall.required.get(tool.id, ()), sandbox=sandbox)
            except SkillError:
                continue
            if said not in ("null", "[]", '""', "{}"):
                return Recall(f"{tool.code.entry} answers: {said}", (tool.id,))
        hits = search(library, request, env=task.env, seed=task.seed, config=_FOUND)
        return shown(library, [hit.item for hit in hits], task.episode, task=task.id)

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """Lessons, and the knowledge base as a tool that can be asked."""
        tools = made_tool(self.name, practice, None)
        if writer is None:
            return [*tools, *propose(practice.past, run=practice.run, method=self.name)]
        return [
            *tools,
            *(
                practice.item(self.name, Kind.INSIGHT, text, [episode], when=episode.task, body=text, model=writer.name)
                for episode in practice.new
                for text in lessons(writer.ask(_ASK, told(episode)), 2)
            ),
        ]

    def wrap(self, agent: Agent, writer: Writer | None) -> Agent:
        """The agent, told that it may ask."""
        return Beside(agent, lambda past, seen: "" if past else ASKING)


def _fit(item: Item, request: str) -> int:
    words = set(re.findall(r"\w+", request.lower()))
    return len(words & set(re.findall(r"[^\W_]+", f"{item.title} {item.when} {item.body}".lower())))


def _arguments(tool: Item, request: str) -> dict[str, str] | None:
    """For each parameter the one of its values that the request names; None where it names none."""
    given: dict[str, str] = {}
    for name, schema in (tool.code.params.get("properties", {}) if tool.code else {}).items():
        named = [one for one in schema.get("enum", ()) if re.search(rf"\b{re.escape(str(one))}", request.lower())]
        if not named:
            return None
        given[name] = max(named, key=len)
    return given
