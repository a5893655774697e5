"""The scripted pupil as an agent: plays a household by what its notes say.

For experiments on memory that need no model.
"""

from __future__ import annotations

import re
from typing import Any

from selfgym.agents.agent import Decision
from selfgym.envs.household.pupil import Pupil, read_notes
from selfgym.memory.episode import Source

_MEMORY = re.compile(r"\n*[^\n]*\n<memory>\n(.*?)</memory>", re.DOTALL)
_ASIDE = re.compile(r"\n+(You may ask for help|Your teacher says).*", re.DOTALL)


class PupilAgent:
    """Reads the notes in what it sees, as `selfgym.agents.remembering` shows them, and believes them.

    Args:
        seed: of its whims: the order in which it looks into places that no note speaks of.
        competence: the share of steps in which it does what it means to, 0 to 1.
    """

    def __init__(self, *, seed: int = 0, competence: float = 1.0) -> None:
        if not 0 <= competence <= 1:
            raise ValueError(f"the competence must be from 0 to 1, not {competence!r}")
        self.seed, self.competence = seed, competence
        self._pupil: Pupil | None = None

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._pupil = None

    def act(self, observation: Any, info: dict[str, Any]) -> str:
        """The pupil's command. Raises `UnknownTaskError` for a task in other words than ALFWorld's."""
        return self._reading(str(observation)).act(_plain(observation), info)

    def write(self, observation: Any, info: dict[str, Any], action: str) -> Decision:
        """Take note of an action that somebody else chose."""
        self._reading(str(observation)).observe(_plain(observation), action)
        return Decision(action, source=Source.INJECTED, trainable=False)

    def _reading(self, text: str) -> Pupil:
        notes = "\n".join([*_MEMORY.findall(text), *(found[0] for found in _ASIDE.finditer(text))])
        if self._pupil is None:
            self._pupil = Pupil(read_notes(notes), seed=self.seed, competence=self.competence)
        elif notes:
            self._pupil.hear_notes(notes)
        return self._pupil


def _plain(observation: Any) -> str:
    """What the environment said, without what others added to it."""
    return _ASIDE.sub("", _MEMORY.sub("", str(observation)))
