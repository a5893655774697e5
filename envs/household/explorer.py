"""An expert that must search: it knows what the texts have told it, and where things usually are.

It decides anew at each step from what it believes, so it can take over at any moment of anyone's episode, whatever is
in hand or has been moved. There is no chance in it: the same texts give the same command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from selfgym.envs.household.belief import Belief, number_of, parse_task, type_of
from selfgym.envs.household.catalogue import CAN_CONTAIN, OPENABLE, likely_places
from selfgym.envs.household.layout import Goal, TaskType

VERBS = {TaskType.CLEAN_AND_PLACE: "clean", TaskType.HEAT_AND_PLACE: "heat", TaskType.COOL_AND_PLACE: "cool"}
APPLIANCES = {"clean": "sinkbasin", "heat": "microwave", "cool": "fridge"}
_UNLIKELY = 1e-3  # weight of a place where the catalogue does not expect a thing


class Explorer:
    """One episode's expert. Feed it what happened before with `observe`, then ask it with `act`."""

    def __init__(self) -> None:
        self._belief = Belief()
        self._goal: Goal | None = None
        self._last: str | None = None
        self._has_menu = False

    def observe(self, observation: str, action: str) -> None:
        """Learn from a past step: what was seen, and the command that somebody gave then."""
        self._hear(observation)
        self._last = action.strip()

    def act(self, observation: str, info: Mapping[str, Any]) -> str:
        """The next command.

        ``info`` may hold ``task`` (the goal in words; needed unless a text has said it) and ``admissible_commands``.

        Raises `UnknownTaskError` for a task in other words than ALFWorld's.
        """
        self._hear(observation)
        if self._goal is None:
            self._goal = parse_task(str(info.get("task", "")))
        admissible = info.get("admissible_commands")
        self._has_menu = admissible is not None
        if admissible is not None:
            self._belief.look_over(admissible)
        command = self._decide(self._goal)
        for _ in range(4 * len(self._belief.receptacles)):
            if admissible is None or command in admissible:
                break
            self._belief.refute(command)
            command = self._decide(self._goal)
        else:
            command = "look"
        self._last = command
        return command

    def _hear(self, observation: str) -> None:
        self._belief.hear(observation, self._last)
        if self._goal is None and "Your task is to: " in observation:
            self._goal = parse_task(observation)

    def _decide(self, goal: Goal) -> str:
        belief = self._belief
        if not belief.hand_known:
            return "inventory"
        if belief.hand is None:
            return self._fetch(goal)
        if type_of(belief.hand) != goal.object_type or belief.hand in belief.hopeless:
            return self._put_away(goal, belief.hand)
        if goal.kind is TaskType.LOOK_AT_IN_LIGHT:
            return self._light(goal)
        verb = VERBS.get(goal.kind, "")
        if verb and (verb, belief.hand) not in belief.treated:
            return self._treat(verb, belief.hand)
        return self._deliver(goal, belief.hand)

    def _treat(self, verb: str, thing: str) -> str:
        """Clean, heat or cool what is in hand."""
        place = self._appliance(verb)
        return self._go(place) or f"{verb} {thing} with {place}"

    def _appliance(self, verb: str) -> str:
        """Where a treatment is done."""
        return self._nearest([name for name in self._belief.receptacles if type_of(name) == APPLIANCES[verb]])

    def _places(self, type_: str) -> Mapping[str, float]:
        """Receptacle types where a thing may be, with weights."""
        return likely_places(type_)

    def _fetch(self, goal: Goal) -> str:
        """Take a wanted thing that has been seen, or look for one."""
        done = self._targets(goal)[:1] if goal.kind is TaskType.PICK_TWO else []
        seen = {place: self._wanted_in(goal, place) for place in self._belief.contents}
        places = [place for place, things in seen.items() if things and place not in done]
        if not places:
            return self._search(goal.object_type)
        place = self._nearest(places)
        return self._reach(place) or f"take {seen[place][0]} from {place}"

    def _wanted_in(self, goal: Goal, place: str) -> list[str]:
        things = self._belief.contents.get(place, [])
        return [name for name in things if type_of(name) == goal.object_type and name not in self._belief.hopeless]

    def _light(self, goal: Goal) -> str:
        for place, things in self._belief.contents.items():
            for lamp in things:
                if type_of(lamp) == goal.target:
                    return self._go(place) or f"use {lamp}"
        return self._search(goal.target)

    def _deliver(self, goal: Goal, thing: str) -> str:
        places = [place for place in self._targets(goal) if (thing, place) not in self._belief.refused]
        if not places:
            return "look"
        return self._reach(places[0]) or self._move(thing, places[0])

    def _targets(self, goal: Goal) -> list[str]:
        """The receptacles where the goal wants things, the most promising first."""
        belief = self._belief
        places = [name for name in belief.receptacles if type_of(name) == goal.target]
        return sorted(
            places,
            key=lambda place: (
                -len(self._wanted_in(goal, place)),
                place not in belief.here,
                place not in belief.contents,
                number_of(place),
            ),
        )

    def _put_away(self, goal: Goal, thing: str) -> str:
        """Free the hand: here if possible, else where a wanted thing waits, else at a place without a door."""
        belief = self._belief
        fits = [
            place
            for place in belief.receptacles
            if (thing, place) not in belief.refused
            and ((type_of(place), type_of(thing)) in CAN_CONTAIN or belief.origin.get(thing) == place)
        ]
        if not fits:
            return "look"
        place = min(
            fits,
            key=lambda place: (
                place not in belief.here,
                not self._wanted_in(goal, place),
                place in belief.shut or (type_of(place) in OPENABLE and place not in belief.contents),
                type_of(place),
                number_of(place),
            ),
        )
        return self._reach(place) or self._move(thing, place)

    def _search(self, type_: str) -> str:
        """Look into the place not yet seen that promises most for each command it costs."""
        belief = self._belief
        unseen = [place for place in belief.receptacles if place not in belief.contents]
        if not unseen:  # something was moved by somebody else: search again
            belief.contents.clear()
            unseen = belief.receptacles
        if not unseen:
            return "look"
        weights, number = self._places(type_), Counter(map(type_of, belief.receptacles))

        def promise(place: str) -> float:
            kind = type_of(place)
            cost = 1 if place in belief.here or kind not in OPENABLE else 2
            return weights.get(kind, _UNLIKELY) / number[kind] / cost

        place = min(
            unseen, key=lambda place: (-promise(place), place not in belief.here, type_of(place), number_of(place))
        )
        return self._reach(place) or f"examine {place}"

    def _nearest(self, places: list[str]) -> str:
        belief = self._belief
        return min(
            places, key=lambda place: (place not in belief.here, place in belief.shut, type_of(place), number_of(place))
        )

    def _go(self, place: str) -> str | None:
        return None if place in self._belief.here else f"go to {place}"

    def _reach(self, place: str) -> str | None:
        """The command that brings the inside of ``place`` within reach; ``None`` if it is."""
        belief = self._belief
        if place not in belief.here:
            return f"go to {place}"
        if place in belief.shut:
            return f"open {place}"
        unknown = place not in belief.contents and type_of(place) in OPENABLE and not self._has_menu
        return f"examine {place}" if unknown else None

    def _move(self, thing: str, place: str) -> str:
        return f"put {thing} in/on {place}" if self._belief.says_put else f"move {thing} to {place}"
