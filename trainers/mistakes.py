"""Wrong clicks that are noticed and taken back: reflection data after GUI-Reflection (arXiv 2506.08012), played out.

A demonstration of a desktop's task is played once to know its steps. At one of its clicks another element is tried: the
click has to change something, and there has to be a way back, which is tried too. Then a whole episode is played in
which the demonstrator makes that click, takes it back and goes on. Nothing is made up: each observation is what
followed the actions on record, and what differs from the paper is just that. Its offline data are made by rewriting the
goal of a step or putting in a click without effect, since a recorded screen cannot answer to another one.

The wrong click is ``injected`` and never trained on; what follows it is the teacher's and is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from selfgym.agents.agent import Agent, Decision
from selfgym.agents.react import ReactAgent
from selfgym.envs.around import innermost
from selfgym.envs.core import Outcome
from selfgym.envs.desktop.actions import Click, written
from selfgym.envs.desktop.marks import marks_of, middle
from selfgym.envs.desktop.mini.saving import plain
from selfgym.envs.desktop.node import Node
from selfgym.memory.episode import Source
from selfgym.trainers.collectors import Task
from selfgym.trainers.splice import REVISIONS

WAYS_BACK = (("key('Escape')",), ("key('ctrl+z')",), ("key('alt+F4')",), ("key('Escape')", "key('alt+F4')"))
"""What is tried to take a click back, besides the same click once more and a button that says so."""
_BACK_BUTTONS = ("Up", "Cancel")
_TRIED = 12  # other elements at each step


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong click in the place of step ``at``, and what takes it back before that step is done after all."""

    at: int
    wrong: str
    back: tuple[str, ...]
    """Calls after which all is as it was; none where the right click alone puts it right."""


def find_mistake(task: Task, teacher: Callable[[], Agent], seed: int) -> Mistake | None:
    """A mistake that can be made and mended in ``task``, drawn by ``seed``; None where no click of it has one.

    ``task`` is one of the small desktop, with marks or without.
    """
    rng, env = random.Random(seed), task.make()
    try:
        steps = _played(env, task, teacher())
        order = [at for at, (_, action) in enumerate(steps) if action.startswith(("click(", "double_click("))]
        rng.shuffle(order)
        return next((found for at in order if (found := _mistake_at(env, at, steps, rng)) is not None), None)
    finally:
        env.close()


def _played(env: Any, task: Task, teacher: Any) -> list[tuple[bytes, str]]:
    """Each step of a demonstration: a snapshot before it, and its action; none where it does not succeed."""
    observation, info = env.reset(seed=task.seed, options=dict(task.options) if task.options else None)
    teacher.begin(env)
    steps: list[tuple[bytes, str]] = []
    while info["outcome"] is Outcome.RUNNING:
        answer = teacher.act(observation, info)
        action = answer.action if isinstance(answer, Decision) else str(answer)
        steps.append((env.snapshot(), action))
        observation, *_, info = env.step(action)
    return steps if info["outcome"] is Outcome.SUCCESS else []


def _mistake_at(env: Any, at: int, steps: Sequence[tuple[bytes, str]], rng: random.Random) -> Mistake | None:
    before, right = steps[at]
    env.restore(before)
    state = _state(env)
    wrong = _other_clicks(env, right, rng)
    env.step(right)
    after = _state(env)
    for call in wrong[:_TRIED]:
        env.restore(before)
        env.step(call)
        if _state(env) in (state, after):
            continue  # nothing has changed, or it is right as well
        buttons = [(one,) for one, node in _clicks(env).items() if node.name in _BACK_BUTTONS]
        for back in (*buttons, *WAYS_BACK, (call,), ()):
            env.restore(before)
            env.step(call)
            admitted = [env.step(action)[-1]["action_error"] is None for action in back]
            if not back:
                env.step(right)
            if all(admitted) and _state(env) == (state if back else after):
                return Mistake(at, call, back)
    return None


def _other_clicks(env: Any, right: str, rng: random.Random) -> list[str]:
    """Clicks on the other elements: those of the same kind as the right one first, and of these the nearest."""
    found = _clicks(env, count=2 if right.startswith("double") else 1)
    meant = found.pop(right, None)
    calls = list(found)
    rng.shuffle(calls)
    if meant is None:
        return calls
    x, y = middle(meant)

    def unlikeness(call: str) -> tuple[bool, int]:
        across, down = middle(found[call])
        return found[call].role != meant.role, (across - x) ** 2 + (down - y) ** 2

    return sorted(calls, key=unlikeness)


def _clicks(env: Any, count: int = 1) -> dict[str, Node]:
    """The elements that can be clicked, by the call that does it."""
    write = getattr(env, "written", written)
    return {write(Click(*middle(node), count=count)): node for node in marks_of(env.nodes())}


def _state(env: Any) -> dict[str, Any]:
    """The true world, less where the pointer is and how many windows there have been: no way back undoes these."""
    world = plain(innermost(env).world)
    del world["pointer"], world["opened"]
    return world


class ErringAgent:
    """Plays as ``teacher`` does, but for one mistake that it notices; all in the tokens of ``voice``."""

    def __init__(self, teacher: Any, voice: ReactAgent, mistake: Mistake, thought: str) -> None:
        self.teacher, self.voice, self.mistake, self.thought = teacher, voice, mistake, thought
        self._at = 0
        self._lines: Iterator[tuple[str, str, Source]] = iter(())

    def begin(self, env: Any) -> None:
        """Pass the environment on."""
        self.teacher.begin(env)

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The next line: of the mistake and its mending, or the teacher's own."""
        line = next(self._lines, None)
        if line is None:
            self._lines = self._next(observation, info)
            line = next(self._lines)
        action, thought, source = line
        return self.voice.write(
            observation, info, action, thought, source=source, trainable=source is not Source.INJECTED
        )

    def _next(self, observation: Any, info: dict[str, Any]) -> Iterator[tuple[str, str, Source]]:
        answer = self.teacher.act(observation, info)
        said = answer if isinstance(answer, Decision) else Decision(str(answer))
        mended = [said.action]
        if self._at == self.mistake.at:
            yield self.mistake.wrong, "", Source.INJECTED
            mended = [*self.mistake.back, said.action]
        thoughts = [self.thought if self._at == self.mistake.at else said.thought, *[""] * len(mended)]
        self._at += 1
        yield from ((action, thought, Source.TEACHER) for action, thought in zip(mended, thoughts, strict=False))


def thought_of(seed: int) -> str:
    """What is said where the mistake is noticed."""
    return REVISIONS[seed % len(REVISIONS)]
