"""An agent with a memory: shown what a method recalls for its task, and able to call the skills among it.

The recalled text stands in the first observation, as data, after what the environment said; the goal it was searched by
is the one the environment gave, never a text that was observed. A skill is called as an action, ``call
heat(thing="apple 1")``: its actions are then taken one by one, each a step of the record, until it ends or one is
refused. The first of these steps holds the tokens of the call. A tool (a skill that answers with a value) and a request
for help, ``help: where are apples?``, are answered at once, without a step.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from selfgym.agents.agent import Agent, Asking, Decision
from selfgym.agents.around import Around
from selfgym.agents.policies.policy import Completion, Prompt
from selfgym.agents.skill_writing import skills_in
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.episode import Source
from selfgym.memory.item import Item
from selfgym.memory.skills.running import SkillError, actions, answer
from selfgym.memory.views import approximate_tokens

_CALL = re.compile(r"\s*call\s+(?=\w+\()")
_HELP = re.compile(r"\s*help:\s*(.+)", re.DOTALL)
ANSWERS = " answers: "
"""Between the name of a tool and its answer, in what an agent is told aside."""
_MOST_ASIDES = 5  # for one decision: what cannot be called must not be called for ever


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


class RememberingAgent(Around):
    """Plays as ``agent`` does, with what ``recall`` brings back for the goal.

    Args:
        agent: who decides.
        recall: a method's way to remember, asked once an episode.
        episode: the id that the episode will be logged under.
        sandbox: where skills that are functions run.
        used: called with the id of each skill that was called.
        help: answers a request for help, given what is shown, with a text and the items in it; without it such a
            request is an action like any other.
        writes: whether skills that the agent's thoughts define can be called from then on
            (`selfgym.agents.skill_writing`).
    """

    def __init__(
        self,
        agent: Agent,
        recall: Recalling,
        *,
        episode: str,
        sandbox: Sandbox | None = None,
        used: Callable[[str], None] | None = None,
        help: Callable[[str, Recall], Recall] | None = None,
        writes: bool = False,
    ) -> None:
        super().__init__(agent)
        self._recall, self._episode, self._sandbox = recall, episode, sandbox
        self._help, self._writes = help, writes
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
    def tokens(self) -> int:
        """About how many tokens what was shown has."""
        return approximate_tokens(self._recalled.text) if self._recalled and self._recalled.text else 0

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._recalled, self._running, self.called = None, None, []
        super().begin(env)

    def act(self, observation: Any, info: dict[str, Any]) -> Asking:
        """The next action of the skill that runs, else of the agent."""
        shown = str(observation)
        if self._recalled is None:
            self._recalled = self._recall(str(info.get("task", "")), self._episode)
            shown = f"{shown}\n\n{self._recalled.text}" if self._recalled.text else shown
        if (action := self._go_on(shown, info)) is not None:
            return self._tell(shown, info, action)
        asides: list[tuple[Decision, str]] = []
        while True:
            decision = yield from self._decide(shown, info)
            if self._writes:
                self._learn(decision.thought)
            action, said = self._understand(decision.action) if len(asides) < _MOST_ASIDES else (decision.action, "")
            if not said:
                break
            asides.append((decision, said))
            shown = f"{observation}\n\n{said}"
        if action != decision.action:
            decision = replace(
                decision, action=action, info={**decision.info, "skill": self.called[-1], "call": decision.action}
            )
        return _with_asides(decision, asides)

    def _decide(self, shown: str, info: dict[str, Any]) -> Generator[list[Prompt], list[Completion], Decision]:
        answer = self.agent.act(shown, info)
        decided = (yield from answer) if isinstance(answer, Generator) else answer
        return decided if isinstance(decided, Decision) else Decision(str(decided))

    def _learn(self, thought: str) -> None:
        """Let the skills that a thought defines take the place of others of their names."""
        if new := skills_in(thought):
            assert self._recalled is not None
            kept = (skill for skill in self._recalled.skills if skill.code is None or skill.code.entry not in new)
            self._recalled = replace(self._recalled, skills=(*kept, *new.values()))

    def _understand(self, said: str) -> tuple[str, str]:
        """The action to take, or what is answered instead: a call begins a skill, a tool or a helper answers."""
        assert self._recalled is not None
        if self._help is not None and (request := _HELP.fullmatch(said)):
            told = self._help(request.group(1), self._recalled)
            self._recalled = replace(self._recalled, items=tuple(dict.fromkeys((*self._recalled.items, *told.items))))
            for tool in [skill.id for skill in self._recalled.skills if skill.id in told.items]:
                self._note_use(tool)
            return "", told.text or "Nobody knows."
        if not _CALL.match(said):
            return said, ""
        try:
            return self._call(*read_call(said))
        except (SkillError, ValueError) as error:
            return "", f"The call failed: {error}"

    def _call(self, name: str, given: dict[str, Any]) -> tuple[str, str]:
        """A skill's first action, or a tool's answer. Raises `SkillError`, or `ValueError` where there is none."""
        assert self._recalled is not None
        skill = _named(self._recalled.skills, name)
        required = self._recalled.required.get(skill.id, ())
        if skill.code is not None and skill.code.runtime == "mcp":
            first, said = "", f"{name}{ANSWERS}{answer(skill, given, required, sandbox=self._sandbox)}"
        else:
            running = actions(skill, given, required, sandbox=self._sandbox)
            first, said = next(running, ""), ""
            if not first:
                raise SkillError(f"{name} took no action.")
            self._running = running
        self._note_use(skill.id)
        return first, said

    def _note_use(self, skill: str) -> None:
        self.called.append(skill)
        self._used(skill)

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


def _with_asides(decision: Decision, asides: Sequence[tuple[Decision, str]]) -> Decision:
    """The decision with what was said before it: its context holds their tokens, and no loss is put on them."""
    if not asides:
        return decision
    prompt: tuple[int, ...] = ()
    fresh = False
    for aside, _ in asides:
        prompt, fresh = (() if aside.fresh else prompt) + aside.prompt_ids + aside.response_ids, fresh or aside.fresh
    if not decision.fresh:
        decision = replace(decision, prompt_ids=prompt + decision.prompt_ids, fresh=fresh)
    told = [[aside.action, said] for aside, said in asides]
    return replace(decision, info={**decision.info, "asides": told})


def _named(skills: Sequence[Item], name: str) -> Item:
    for skill in skills:
        if skill.code is not None and skill.code.entry == name:
            return skill
    known = ", ".join(skill.code.entry for skill in skills if skill.code) or "none"
    raise ValueError(f"there is no skill {name!r}; there are: {known}")
