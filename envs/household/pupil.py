"""A player that knows how to act in a household and nothing of what is where, unless notes tell it.

The scripted stand-in for a language model in experiments on memory: what its notes say changes what it does, for better
or worse, in a way that can be followed. It believes every note in its small language:

    take apple: often from fridge, countertop    where to look for apples first
    heat: often with microwave                   where to heat things (also: heat apple: often with ...)
    cool with toaster: never works               an appliance not to try
    take from drawer: never works                a place not to look into
    looked in vain: drawer 1, shelf 2            places of this very household not to look into again
    heat {thing} with microwave                  a step of a workflow; also of an example: take mug 1 from shelf 2
    call heat(thing)                             a skill that it calls, once, when something is to be heated
    call where_is(thing)                         a tool that it asks, once, when it does not know where to look
    You may ask for help                         which it does then, once, in words

Without notes it looks into places in an order drawn from its seed, and tries appliances likewise.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selfgym.envs.household.belief import parse_task, type_of
from selfgym.envs.household.explorer import APPLIANCES, Explorer

_OFTEN = re.compile(r"\btake (\w+): often from ([a-z]+(?:, [a-z]+)*)")
_TOOK = re.compile(r"\btake (\w+) \d+ from ([a-z]+) \d+")
_USE = re.compile(r"\b(clean|heat|cool)(?: \w+: often| \w+ \d+|: often| \{thing\}) with ([a-z]+)")
_VAIN = re.compile(r"looked in vain: ([a-z]+ \d+(?:, [a-z]+ \d+)*)")
_NEVER = re.compile(r"\b(\w+) (?:with|from) ([a-z]+): never works")
_SKILL = re.compile(r"\bcall (clean|heat|cool)\(thing\)")
_TOOL = re.compile(r"\bcall (where_is)\(thing\)")
_ANSWER = re.compile(r"\bwhere_is answers: (\[.*\])")
_MAY_ASK = "You may ask for help"
_TRIED = ("microwave", "fridge", "sinkbasin", "stoveburner", "toaster", "coffeemachine", "countertop")
_TREAT = re.compile(r"(clean|heat|cool) (\S+ \d+) with (\S+) \d+")


@dataclass
class Notes:
    """What a text says in the language of the notes."""

    often: dict[str, list[str]] = field(default_factory=dict)
    """Thing -> receptacle types, the most likely first."""
    use: dict[str, str] = field(default_factory=dict)
    """Verb -> appliance type."""
    never: set[tuple[str, str]] = field(default_factory=set)
    """(Verb, receptacle type) pairs."""
    skills: set[str] = field(default_factory=set)
    """Verbs for which a skill is offered."""
    vain: set[str] = field(default_factory=set)
    """Receptacles that somebody has looked into."""
    asks: str = ""
    """What to say to ask where a thing is, ``%s`` standing for it; empty where nobody can be asked."""


def read_notes(text: str) -> Notes:
    """Every note in ``text``; of two that disagree the first counts.

    >>> notes = read_notes("- Tip: take apple: often from fridge, sidetable. heat: often with microwave")
    >>> notes.often, notes.use
    ({'apple': ['fridge', 'sidetable']}, {'heat': 'microwave'})
    """
    notes = Notes(never=set(_NEVER.findall(text)), skills=set(_SKILL.findall(text)))
    for thing, places in [*_OFTEN.findall(text), *_TOOK.findall(text)]:
        notes.often.setdefault(thing, places.split(", "))
    for places in _VAIN.findall(text):
        notes.vain.update(places.split(", "))
    if _TOOL.search(text):
        notes.asks = 'call where_is(thing="%s")'
    elif _MAY_ASK in text:
        notes.asks = "help: where is a %s?"
    for verb, appliance in _USE.findall(text):
        notes.use.setdefault(verb, appliance)
    return notes


class Pupil(Explorer):
    """One episode's player.

    Args:
        notes: what it has been told.
        seed: of its whims.
        competence: the share of steps in which it does what it means to; otherwise anything that is admissible.
    """

    def __init__(self, notes: Notes, *, seed: int = 0, competence: float = 1.0) -> None:
        super().__init__()
        self._notes, self._seed, self._competence = notes, seed, competence
        self._steps = 0
        self._failed = set(notes.never)
        self._called: set[str] = set()
        self._asked = ""

    def act(self, observation: str, info: Mapping[str, Any]) -> str:
        """The next command; see `Explorer.act`. The goal is that of ``info``, for an observation may say anything."""
        self._steps += 1
        if self._goal is None and info.get("task"):
            self._goal = parse_task(str(info["task"]))
        self._note_failure(observation)
        admissible = info.get("admissible_commands") or []
        meant = super().act(observation, {key: value for key, value in info.items() if key != "admissible_commands"})
        if admissible and self._whim(f"slip {self._steps}") >= self._competence:
            meant = admissible[int(self._whim(f"which {self._steps}") * len(admissible))]
        self._last = meant
        return meant

    def hear_notes(self, text: str) -> None:
        """Learn from notes that come later, e.g. from somebody who was asked; what is known already stays."""
        told = read_notes(text)
        self._notes.often = told.often | self._notes.often
        self._notes.use = told.use | self._notes.use
        self._failed |= told.never

    def _search(self, type_: str) -> str:
        if self._notes.asks and type_ not in self._notes.often and not self._asked:
            self._asked = type_
            return self._notes.asks % type_
        for place in self._notes.vain & set(self._belief.receptacles) - self._belief.contents.keys():
            self._belief.contents[place] = []
        return super()._search(type_)

    def _hear(self, observation: str) -> None:
        if (found := _ANSWER.search(observation)) and self._asked:
            self._notes.often.setdefault(self._asked, [str(place) for place in json.loads(found.group(1))])
        super()._hear(observation)

    def _note_failure(self, observation: str) -> None:
        found = _TREAT.fullmatch(self._last or "")
        if found and observation.startswith("Nothing happens"):
            verb, _, appliance = found.groups()
            self._failed.add((verb, appliance))
            self._last = None  # it was the wrong appliance; the thing is not hopeless

    def _treat(self, verb: str, thing: str) -> str:
        if verb in self._notes.skills - self._called:
            self._called.add(verb)
            return f'call {verb}(thing="{thing}")'
        return super()._treat(verb, thing)

    def _appliance(self, verb: str) -> str:
        known = {type_of(name) for name in self._belief.receptacles}
        told = [self._notes.use[verb]] if verb in self._notes.use else []
        order = [*told, *sorted(_TRIED, key=lambda one: self._whim(f"{verb} {one}"))]
        untried = [one for one in order if one in known and (verb, one) not in self._failed]
        kind = untried[0] if untried else APPLIANCES[verb]
        return self._nearest([name for name in self._belief.receptacles if type_of(name) == kind])

    def _places(self, type_: str) -> Mapping[str, float]:
        kinds = {type_of(name) for name in self._belief.receptacles}
        weights = {kind: 0.01 + 0.01 * self._whim(f"look {kind}") for kind in kinds}
        weights |= dict.fromkeys({place for verb, place in self._notes.never if verb == "take"} & kinds, 1e-6)
        return weights | {kind: 1.0 / rank for rank, kind in enumerate(self._notes.often.get(type_, ()), 1)}

    def _whim(self, what: str) -> float:
        """A number from 0 to 1, the same for the same seed and words."""
        return int.from_bytes(hashlib.sha256(f"{self._seed} {what}".encode()).digest()[:8]) / 2**64
