"""The household expert as a teacher of skills: it writes down how it treated a thing, and later calls that.

After it has heated, cooled or cleaned something it thinks ``skill heat(thing): go to microwave 1; heat {thing} with
microwave 1`` (see `selfgym.agents.skill_writing`); where it knows such a skill, from before or from what it is shown,
it calls it instead of taking the two actions.
"""

from __future__ import annotations

import re
from typing import Any

from selfgym.agents.agent import Decision
from selfgym.agents.expert import ExpertAgent
from selfgym.envs.household.belief import parse_task
from selfgym.envs.household.layout import TaskType
from selfgym.memory.episode import Source

_BLOCK = re.compile(r"\n*[^\n]*\n<memory>\n.*?</memory>", re.DOTALL)
_TREAT = re.compile(r"(clean|heat|cool) (\S+ \d+) with (\S+ \d+)")
_KNOWN = re.compile(r"call (clean|heat|cool)\(thing\)\. go to (\S+ \d+), then")
_TAKE = re.compile(r"take (\S+ \d+) from ")
_VERBS = {TaskType.CLEAN_AND_PLACE: "clean", TaskType.HEAT_AND_PLACE: "heat", TaskType.COOL_AND_PLACE: "cool"}


class SkilledExpertAgent:
    """Plays as the explorer of `ExpertAgent` does, for agents whose thoughts may define skills."""

    def __init__(self) -> None:
        self._expert = ExpertAgent()
        self._places: dict[str, str] = {}
        self._held = self._last = ""
        self._verb: str | None = None

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._expert.begin(env)
        self._places, self._held, self._last, self._verb = {}, "", "", None

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The expert's command, or a call; the thought defines a skill. Raises what the explorer raises."""
        self._places |= dict(_KNOWN.findall(str(observation)))
        self._verb = self._verb or _VERBS.get(parse_task(str(info["task"])).kind, "")
        action = self._expert.act(_BLOCK.sub("", str(observation)), info).action
        thought = self._definition()
        self._note(action)
        if self._held and self._verb in self._places and action == f"go to {self._places[self._verb]}":
            return Decision(f'call {self._verb}(thing="{self._held}")', thought, source=Source.TEACHER)
        return Decision(action, thought, source=Source.TEACHER)

    def write(self, observation: Any, info: dict[str, Any], action: str) -> Decision:
        """Take note of an action of a skill, or of somebody else's."""
        self._note(action)
        return self._expert.write(_BLOCK.sub("", str(observation)), info, action)

    def _note(self, action: str) -> None:
        if taken := _TAKE.match(action):
            self._held = taken[1]
        self._last = action

    def _definition(self) -> str:
        """A skill for what was done last, once."""
        treated = _TREAT.fullmatch(self._last)
        if treated is None or treated[1] in self._places:
            return ""
        verb, _, place = treated.groups()
        self._places[verb] = place
        return f"skill {verb}(thing): go to {place}; {verb} {{thing}} with {place}"
