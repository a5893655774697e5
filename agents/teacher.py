"""Agents that speak through a language model's chat without asking the model: what training texts are made with.

Both wrap a `ReactAgent` and write its answers, so that the record holds exactly the tokens that the model would see
and be trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from selfgym.agents.agent import Agent, Decision
from selfgym.agents.react import ReactAgent
from selfgym.memory.episode import Source


class TeacherAgent:
    """Plays as ``teacher`` does and records its actions as answers of ``pupil`` that may be trained on."""

    def __init__(self, teacher: Agent, pupil: ReactAgent) -> None:
        self.teacher, self.pupil = teacher, pupil

    def begin(self, env: Any) -> None:
        """Pass the environment on, for teachers that look into it."""
        if hasattr(self.teacher, "begin"):
            self.teacher.begin(env)

    def write(self, observation: Any, info: dict[str, Any], action: str) -> Decision:
        """Both take note of an action that was forced on the environment."""
        if hasattr(self.teacher, "write"):
            self.teacher.write(observation, info, action)
        return self.pupil.write(observation, info, action)

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The teacher's action and thought, in the pupil's tokens."""
        answer = self.teacher.act(observation, info)
        said = answer if isinstance(answer, Decision) else Decision(str(answer))
        return self.pupil.write(observation, info, said.action, said.thought, source=Source.TEACHER, trainable=True)


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a script: an action with the tokens it was sampled as (none: they are written anew)."""

    action: str
    thought: str = ""
    response_ids: tuple[int, ...] = ()
    trainable: bool = False
    source: Source = Source.INJECTED


class ScriptDivergedError(RuntimeError):
    """The environment did not admit a scripted action, or the script ended before the episode did."""


class ScriptAgent:
    """Plays a script in the real environment and gives up as soon as an action is refused."""

    def __init__(self, script: Sequence[Line], voice: ReactAgent) -> None:
        self._script, self._voice, self._at = script, voice, 0

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The next line. Raises `ScriptDivergedError`."""
        refused = info.get("action_error")
        if refused is not None and self._script[self._at - 1].trainable:
            raise ScriptDivergedError(f"step {self._at} was refused: {refused}")
        if self._at == len(self._script):
            raise ScriptDivergedError("the script ended before the episode")
        line = self._script[self._at]
        self._at += 1
        return self._voice.write(
            observation, info, line.action, line.thought,
            response_ids=line.response_ids, source=line.source, trainable=line.trainable,
        )  # fmt: skip
