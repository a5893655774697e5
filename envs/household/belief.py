"""What can be known of a household from its texts alone: the memory of the searching expert.

A `Belief` is fed observations and the commands between them, in any number and from any moment on, and says what they
showed. It never sees a `World`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from selfgym.envs.household.catalogue import FIXED, OBJECTS
from selfgym.envs.household.layout import Goal, TaskType

_NAME = r"(\S+ \d+)"
_ITEM = re.compile(rf"\ba {_NAME}")
_ROOM = re.compile(r"Looking quickly around you, you see ([^.]*)")
_FACING = re.compile(r"You are facing ([^.]*)\.")
_ARRIVED = re.compile(rf"You arrive at {_NAME}\.")
_VIEW = re.compile(rf"(?:On the {_NAME}|The {_NAME} is open\. In it), you see ([^.]*)\.")
_SHUT = re.compile(rf"(?:The {_NAME} is closed|You close the {_NAME})\.")
_TAKEN = re.compile(rf"You pick up the {_NAME} from the {_NAME}\.")
_MOVED = re.compile(rf"You (?:move|put) the {_NAME} (?:to|in/on) the {_NAME}\.")
_TREATED = re.compile(rf"You (heat|cool|clean) the {_NAME} using the {_NAME}\.")
_CARRYING = re.compile(rf"You are carrying: a {_NAME}\.")
_PUT_DOWN = re.compile(rf"(move|put) {_NAME} ")
_COMMAND = re.compile(rf"(go to|open|use|take|move|put|heat|cool|clean) {_NAME}(?: (?:from|to|in/on|with) {_NAME})?")

_SENTENCES = (
    (re.compile(r"(?:look at|examine the) (\w+) (?:under|with) the (\w+)"), TaskType.LOOK_AT_IN_LIGHT),
    (re.compile(r"(?:put|find) two (\w+) (?:in|and put them in) (\w+)"), TaskType.PICK_TWO),
    (re.compile(r"(?:put a clean (\w+) in|clean some (\w+) and put it in) (\w+)"), TaskType.CLEAN_AND_PLACE),
    (re.compile(r"(?:put a hot (\w+) in|heat some (\w+) and put it in) (\w+)"), TaskType.HEAT_AND_PLACE),
    (re.compile(r"(?:put a cool (\w+) in|cool some (\w+) and put it in) (\w+)"), TaskType.COOL_AND_PLACE),
    (re.compile(r"put (?:a|some) (\w+) (?:in|on) (\w+)"), TaskType.PICK_AND_PLACE),
)


class UnknownTaskError(ValueError):
    """A task in words that none of ALFWorld's sentences explain."""


def parse_task(text: str) -> Goal:
    """The goal that one of ALFWorld's task sentences asks for, with or without ``Your task is to:``.

    >>> parse_task("Your task is to: clean some mug and put it in shelf.")
    Goal(kind=<TaskType.CLEAN_AND_PLACE: 'pick_clean_then_place_in_recep'>, object_type='mug', target='shelf')

    Raises `UnknownTaskError` for any other sentence, such as those that people wrote for ALFRED.
    """
    sentence = text.rpartition("Your task is to: ")[2].strip().removesuffix(".")
    for pattern, kind in _SENTENCES:
        if found := pattern.fullmatch(sentence):
            object_type, target = (word for word in found.groups() if word)
            return Goal(kind, object_type, target)
    raise UnknownTaskError(f"the task {sentence!r} is none of ALFWorld's twelve sentences")


def type_of(name: str) -> str:
    """The type in a name: ``mug 2`` is a ``mug``."""
    return name.partition(" ")[0]


def number_of(name: str) -> int:
    """The number in a name."""
    return int(name.rpartition(" ")[2])


@dataclass
class Belief:
    """What the texts so far showed. Names are as the player reads them."""

    receptacles: list[str] = field(default_factory=list)
    saw_room: bool = False
    """Whether the text that lists all receptacles was among those heard."""
    contents: dict[str, list[str]] = field(default_factory=dict)
    """What was last seen in a receptacle; no entry for one whose inside has not been seen."""
    shut: set[str] = field(default_factory=set)
    here: set[str] = field(default_factory=set)
    """Receptacles known to be within reach."""
    hand: str | None = None
    hand_known: bool = False
    treated: set[tuple[str, str]] = field(default_factory=set)
    """(``heat``, ``cool`` or ``clean``, thing) for treatments that still hold."""
    origin: dict[str, str] = field(default_factory=dict)
    """Where a thing was taken from."""
    refused: set[tuple[str, str]] = field(default_factory=set)
    """(thing, receptacle) pairs that do not go together."""
    hopeless: set[str] = field(default_factory=set)
    """Things that cannot be treated."""
    says_put: bool = False
    """Whether this household speaks the 0.3 dialect: ``put X in/on Y``."""

    def hear(self, text: str, command: str | None) -> None:
        """Learn from ``text``, which followed ``command`` (``None`` where that is unknown)."""
        if command and text.startswith("Nothing happens"):
            self._doubt(command)
        if room := _ROOM.search(text):
            self._enter(_ITEM.findall(room[1]))
        if arrived := _ARRIVED.match(text):
            self.says_put |= type_of(arrived[1]) == "loc"
            place = arrived[1] if not self.says_put else (command or "").removeprefix("go to ")
            self.here = {place} & set(self.receptacles)
        if facing := _FACING.search(text):
            self.here = set(re.findall(_NAME, facing[1].replace(",", " ")))
        for surface, inside, listed in _VIEW.findall(text):
            self.contents[surface or inside] = _ITEM.findall(listed)
            self.shut.discard(inside)
        for shown, closed in _SHUT.findall(text):
            self.shut.add(shown or closed)
        examined = command.removeprefix("examine ") if command and command.startswith("examine ") else ""
        if examined in self.receptacles and examined not in self.shut:
            self.contents.setdefault(examined, [])  # if it showed nothing, there is no use in asking again
        self._hear_deed(text)

    def look_over(self, admissible: Sequence[str]) -> None:
        """Learn from the list of what can be done now: what is in reach, what is shut, what is in hand."""
        by_verb: dict[str, set[str]] = {"go to ": set(), "examine ": set(), "close ": set(), "open ": set()}
        for command in admissible:
            for verb, names in by_verb.items():
                if command.startswith(verb):
                    names.add(command.removeprefix(verb))
            if command.startswith("take "):
                self.hand, self.hand_known = None, True
            elif found := _PUT_DOWN.match(command):
                self.hand, self.hand_known = found[2], True
                self.says_put |= found[1] == "put"
        reach, examined, opened, closed = by_verb.values()
        places = reach
        if not self.saw_room:  # then a thing in hand or in sight may look like a receptacle
            places |= {name for name in examined if type_of(name) not in OBJECTS and type_of(name) not in FIXED}
        self.receptacles += sorted(
            places.difference(self.receptacles), key=lambda name: (type_of(name), number_of(name))
        )
        self.here = examined.intersection(self.receptacles)
        self.shut = (self.shut | closed) - opened

    def refute(self, command: str) -> None:
        """Learn that ``command``, which seemed to be possible, is not."""
        found = _COMMAND.fullmatch(command)
        verb, first, second = found.groups() if found else ("", "", "")
        if verb == "go to":
            self.here.add(first)
        elif verb == "open":
            self.shut.discard(first)
        elif verb == "use":
            for place in self.contents:
                self._forget(first, place)
        elif verb == "take":
            self._forget(first, second)
        elif verb in ("move", "put"):
            self.refused.add((first, second))
        elif verb:
            self.hopeless.add(first)

    def _doubt(self, command: str) -> None:
        """A command without effect refutes itself only if everything else that it needs was there."""
        found = _COMMAND.fullmatch(command)
        if found is None:
            return
        verb, first, second = found.groups()
        if verb in ("go to", "open", "use"):
            in_place = verb != "go to" or first in self.receptacles
        elif verb == "take":
            in_place = self.hand_known and self.hand is None and second in self.here and second not in self.shut
        else:
            in_place = (
                self.hand == first and second in self.here and (verb not in ("move", "put") or second not in self.shut)
            )
        if in_place:
            self.refute(command)

    def _enter(self, receptacles: list[str]) -> None:
        if receptacles:  # not the "look" of somebody who stands in the middle of the room, who sees nothing
            self.receptacles, self.saw_room = receptacles, True
            self.hand, self.hand_known = None, True
        self.here = set()

    def _hear_deed(self, text: str) -> None:
        if found := _TAKEN.search(text):
            thing, place = found.groups()
            self.hand, self.hand_known = thing, True
            self.origin[thing] = place
            self._forget(thing, place)
        elif found := _MOVED.search(text):
            thing, place = found.groups()
            self.hand, self.hand_known = None, True
            self.contents[place] = [*self.contents.get(place, []), thing]
            self.says_put |= text.startswith("You put ")
        elif found := _TREATED.search(text):
            verb, thing, _ = found.groups()
            self.treated -= {("heat", thing), ("cool", thing)} if verb != "clean" else set()
            self.treated.add((verb, thing))
        elif found := _CARRYING.search(text):
            self.hand, self.hand_known = found[1], True
        elif text.startswith("You are not carrying anything."):
            self.hand, self.hand_known = None, True

    def _forget(self, thing: str, place: str) -> None:
        if thing in self.contents.get(place, []):
            self.contents[place].remove(thing)
