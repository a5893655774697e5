"""An agent with a memory: shown what a method recalls for its task, and able to call the skills among it.

The recalled text stands in the first observation, as data, after what the environment said; the goal it was searched by
is the one the environment gave, never a text that was observed. A skill is called as an action, ``call
heat(thing="apple 1")``: its actions are then taken one by one, each a step of the record, until it ends or one is
refused. The first of these steps holds the tokens of the call.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from selfgym.agents.agent import Agent, Asking, Decision
from selfgym.agents.policies.policy import Completion, Prompt
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.episode import Episode, Source
from selfgym.memory.item import Item
from selfgym.memory.skills.running import SkillError, actions

_CALL = re.compile(r"\s*call\s+(?=\w+\()")
_MOST_CALLS = 5  # for one decision: a skill that cannot be called must not be called for ever


@dataclass(frozen=True, slots=True)
class Recall:
    """What is shown to an agent."""

    text: str = ""
    """A block as `selfgym.memory.views.quoted` makes it."""
    items: tuple[str, ...] = ()
    """The ids of the items in it."""
    skills: tuple[Item, ...] = ()
    """Those of them that can be called."""
    required: dict[str, tuple[Item, ...]] = field(default_factory=dict)
    """Skill id -> the skills that it requires."""


Recalling = Callable[[str, str], Recall]
"""(goal, episode id) -> what is shown."""


class RememberingAgent:
    """Plays as ``agent`` does, with what ``recall`` brings back for the goal.

    Args:
        agent: who decides.
        recall: a method's way to remember, asked once an episode.
        episode: the id that the episode will be logged under.
        sandbox: where skills that are functions run.
        used: called with the id of each skill that was called.
    """

    def __init__(
        self,
        agent: Agent,
        recall: Recalling,
        *,
        episode: str,
        sandbox: Sandbox | None = None,
        used: Callable[[str], None] | None = None,
    ) -> None:
        self.agent, self._recall, self._episode, self._sandbox = agent, recall, episode, sandbox
        self._used = used or (lambda id: None)
        self._recalled: Recall | None = None
        self._running: Generator[str, str, None] | None = None
        self.called: list[str] = []
        """Ids of the skills that were called, in order."""

    @property
    def items(self) -> tuple[str, ...]:
        """The ids of the items that were shown: `Episode.items`."""
        return self._recalled.items if self._recalled else ()

    @property
    def policy_version(self) -> int:
        """That of the agent inside."""
        return int(getattr(self.agent, "policy_version", 0))

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._recalled, self._running, self.called = None, None, []
        if hasattr(self.agent, "begin"):
            self.agent.begin(env)

    def end(self, episode: Episode) -> None:
        """Pass the episode on."""
        if hasattr(self.agent, "end"):
            self.agent.end(episode)

    def act(self, observation: Any, info: dict[str, Any]) -> Asking:
        """The next action of the skill that runs, else of the agent."""
        shown = str(observation)
        if self._recalled is None:
            self._recalled = self._recall(str(info.get("task", "")), self._episode)
            shown = f"{shown}\n\n{self._recalled.text}" if self._recalled.text else shown
        if (action := self._go_on(shown, info)) is not None:
            return self._tell(shown, info, action)
        for _ in range(_MOST_CALLS):
            decision = yield from self._decide(shown, info)
            if not _CALL.match(decision.action):
                break
            try:
                first = self._begin_skill(decision.action)
            except (SkillError, ValueError) as error:
                shown = f"{observation}\n\nThe call failed: {error}"
                continue
            return replace(
                decision, action=first, info={**decision.info, "skill": self.called[-1], "call": decision.action}
            )
        return decision

    def _decide(self, shown: str, info: dict[str, Any]) -> Generator[list[Prompt], list[Completion], Decision]:
        answer = self.agent.act(shown, info)
        decided = (yield from answer) if isinstance(answer, Generator) else answer
        return decided if isinstance(decided, Decision) else Decision(str(decided))

    def _begin_skill(self, action: str) -> str:
        """The first action of the skill that is called. Raises `SkillError`, or `ValueError` for what is no call."""
        assert self._recalled is not None
        name, given = read_call(action)
        skill = _named(self._recalled.skills, name)
        running = actions(skill, given, self._recalled.required.get(skill.id, ()), sandbox=self._sandbox)
        first = next(running, None)
        if first is None:
            raise SkillError(f"{name} took no action.")
        self._running = running
        self.called.append(skill.id)
        self._used(skill.id)
        return first

    def _go_on(self, shown: str, info: dict[str, Any]) -> str | None:
        """The running skill's next action; None where none runs, or it has ended, failed or was refused."""
        running, self._running = self._running, None
        if running is None or info.get("action_error"):
            return None
        try:
            action = running.send(shown)
        except (StopIteration, SkillError):
            return None
        self._running = running
        return action

    def _tell(self, shown: str, info: dict[str, Any], action: str) -> Decision:
        """A skill's action as a decision; the agent takes note of it where it can."""
        if hasattr(self.agent, "write"):
            decision: Decision = self.agent.write(shown, info, action)
        else:
            decision = Decision(action, source=Source.INJECTED, trainable=False)
        return replace(decision, info={**decision.info, "skill": self.called[-1]})


def read_call(action: str) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of a call, which must be literals. Raises `ValueError`.

    >>> read_call('call heat(thing="apple 1", times=2)')
    ('heat', {'thing': 'apple 1', 'times': 2})
    """
    text = _CALL.sub("", action, count=1).strip()
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise ValueError
        if any(one.arg is None for one in call.keywords):
            raise ValueError
        return call.func.id, {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{text[:80]!r} is no call: write call NAME(argument=value, ...)") from None


def _named(skills: Sequence[Item], name: str) -> Item:
    for skill in skills:
        if skill.code is not None and skill.code.entry == name:
            return skill
    known = ", ".join(skill.code.entry for skill in skills if skill.code) or "none"
    raise ValueError(f"there is no skill {name!r}; there are: {known}")
