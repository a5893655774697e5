"""OmniReflect: a constitution, a few principles that are always shown.

arXiv 2506.17449 (no code published). ``self-sustaining``: the agent curates it as it goes, after each batch of episodes
and, every few steps, within one; ``co-operative``: an adviser writes it once, from a small calibration set, and another
agent lives by it. ``symbolic``: regularities of the log; ``neural``: a model's; ``both``: a model puts into words what
the regularities say. Shared: principles are capped by the gate (ten).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from selfgym.agents.agent import Agent
from selfgym.agents.methods.beside import Beside
from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer, lessons, told
from selfgym.memory.gate import MOST_PRINCIPLES
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.deeds import taken_apart
from selfgym.memory.propose.symbolic import propose
from selfgym.memory.views import members, quoted

_ASK = (
    "Write the principles that would have helped an agent in the tasks below: at most five, general, in your own "
    "words, each one line starting with '- '."
)
_TOLD = 4  # episodes told to a model at once


@dataclass(frozen=True)
class OmniReflect:
    """A constitution."""

    mode: Literal["self-sustaining", "co-operative"] = "self-sustaining"
    reflector: Literal["symbolic", "neural", "both"] = "symbolic"
    calibration: int = 30
    """Episodes of the adviser; for ``co-operative``."""
    every: int = 5
    """Steps between two looks within an episode; for ``self-sustaining``."""

    name: ClassVar[str] = "omnireflect"
    source: ClassVar[str] = "arXiv 2506.17449"
    heading: ClassVar[str] = "Constitution"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """All principles."""
        return members(library, (Kind.PRINCIPLE,), task.env)

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """Principles of everything so far; of the calibration set alone where another agent is advised."""
        episodes = practice.past
        if self.mode == "co-operative":
            if len(episodes) - len(practice.new) >= self.calibration:
                return []  # the constitution stands
            episodes = episodes[: self.calibration]
        if self.reflector != "neural" or writer is None:
            rules = _general(propose(episodes, run=practice.run, method=self.name))
            if self.reflector == "symbolic" or writer is None:
                return rules
            answer = writer.ask(_ASK, "\n".join(f"- {rule.body}" for rule in rules))
        else:
            answer = writer.ask(_ASK, "\n\n".join(told(one, longest=80) for one in episodes[-_TOLD:]))
        return [
            practice.item(self.name, Kind.PRINCIPLE, text, episodes, body=text, model=writer.name)
            for text in lessons(answer, 5)
        ]

    def wrap(self, agent: Agent, writer: Writer | None) -> Agent:
        """The agent, told every few steps what has been refused so far in this episode."""
        return Beside(agent, self._so_far) if self.mode == "self-sustaining" else agent

    def _so_far(self, past: Sequence[tuple[str, bool]], observation: str) -> str:
        if not past or len(past) % self.every:
            return ""
        refused = {
            f"{deed.verb} {deed.preposition} {deed.place}: never works"
            for action, admitted in past
            if not admitted and (deed := taken_apart(action))
        }
        return quoted("So far in this task", [(line, line) for line in sorted(refused)], 200)[0]


def _general(found: Sequence[Item]) -> list[Item]:
    """The regularities that hold whatever the thing is, those seen most often first, as principles."""
    general = [item for item in found if item.when.endswith("something")]
    order = sorted(general, key=lambda item: -len(item.origin.episodes))[:MOST_PRINCIPLES]
    return [item.model_copy(update={"kind": Kind.PRINCIPLE}) for item in order]
