"""The scripted programmer as a learner: tries single changes, in the order that its notes give.

The counterpart of `selfgym.agents.pupil` for `selfgym/Code-v0`, for experiments on memory that need no model. It
believes two kinds of note (`selfgym.memory.propose.deeds` says what ``<=`` and ``name`` stand for):

    change <=: often to <                 tried first
    change to name: never works           tried last

Without notes it tries what the reported test runs and names, in an order drawn from its seed.
"""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Sequence
from typing import Any

from selfgym.agents.agent import Decision
from selfgym.envs.code.experts import Calls
from selfgym.envs.code.mutation_search import Candidate, try_mutations
from selfgym.memory.propose.deeds import change

_MEMORY = re.compile(r"<memory>\n(.*?)</memory>", re.DOTALL)
_OFTEN = re.compile(r"\bchange (\S[^:\n]*): often to ([^\n]+)")
_NEVER = re.compile(r"\bchange to ([^:\n]+): never works")


class MenderAgent:
    """Works on a repair task of `selfgym/Code-v0`, told what every agent is told.

    Args:
        seed: of the order in which it tries what no note speaks of.
        most: how many changes it tries; each takes two to four steps.
    """

    def __init__(self, *, seed: int = 0, most: int = 15) -> None:
        self.seed, self.most = seed, most
        self._calls: Calls | None = None

    def begin(self, env: Any) -> None:
        """Forget the episode before."""
        self._calls = None

    def act(self, observation: Any, info: dict[str, Any]) -> Decision:
        """The next call as JSON; ``submit`` once there is nothing left to try."""
        try:
            if self._calls is None:
                notes = html.unescape("\n".join(_MEMORY.findall(str(observation))))
                order = _Order(notes, random.Random(self.seed))
                self._calls = try_mutations(info["task"], self.most, order)
                call = next(self._calls)
            else:
                call = self._calls.send(str(observation))
        except StopIteration:
            call = {"name": "submit", "arguments": {}}
        return Decision(json.dumps(call))


class _Order:
    """Candidates as notes have it: what often mends, what nothing is said of, what never does."""

    def __init__(self, notes: str, rng: random.Random) -> None:
        often = ((old, new) for old, places in _OFTEN.findall(notes) for new in places.split(", "))
        self._often = {pair: at for at, pair in enumerate(dict.fromkeys(often))}
        self._never = set(_NEVER.findall(notes))
        self._rng = rng

    def __call__(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        chance = {id(candidate): self._rng.random() for candidate in candidates}
        return sorted(candidates, key=lambda one: (self._rank(one), one.tier, chance[id(one)]))

    def _rank(self, candidate: Candidate) -> int:
        old, new = change(*candidate.lines)
        return self._often.get((old, new), len(self._often) + (new in self._never))
