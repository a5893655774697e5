"""An agent with somebody beside it, who may add a word to what it sees.

How a method speaks during an episode; what it says is gone when the episode ends.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from selfgym.agents.agent import Agent, Asking, Decision
from selfgym.agents.around import Around
from selfgym.memory.episode import Source

Word = Callable[[Sequence[tuple[str, bool]], str], str]
"""((action, whether it was admitted) of every step so far, what is seen now) -> what to add; empty for nothing."""


class Beside(Around):
    """Plays as ``agent`` does, shown what ``word`` adds."""

    def __init__(self, agent: Agent, word: Word) -> None:
        super().__init__(agent)
        self._word = word
        self._past: list[tuple[str, bool]] = []
        self._last: str | None = None

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._past, self._last = [], None
        super().begin(env)

    def act(self, observation: Any, info: dict[str, Any]) -> Asking:
        """The agent's action."""
        self._note(info)
        shown = str(observation)
        if word := self._word(self._past, shown):
            shown = f"{shown}\n\n{word}"
        answer = self.agent.act(shown, info)
        decided = (yield from answer) if isinstance(answer, Generator) else answer
        decision = decided if isinstance(decided, Decision) else Decision(str(decided))
        self._last = decision.action
        return decision

    def write(self, observation: Any, info: dict[str, Any], action: str) -> Decision:
        """Take note of an action that somebody else chose."""
        self._note(info)
        self._last = action
        if hasattr(self.agent, "write"):
            made: Decision = self.agent.write(observation, info, action)
            return made
        return Decision(action, source=Source.INJECTED, trainable=False)

    def _note(self, info: dict[str, Any]) -> None:
        if self._last is not None:
            self._past.append((self._last, not info.get("action_error")))
