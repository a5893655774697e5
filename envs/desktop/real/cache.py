"""What programs tell of all their elements in one answer: GTK's do (``org.a11y.atspi.Cache``), Qt's have an empty one.

Where the elements hang is not taken from there, since menus do not say at which place, and an element that is missing
is asked itself. Role names are not in it, only numbers: each is asked for once. Specification: AT-SPI 2, Cache.xml.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from selfgym.envs.desktop.real.bus import Bus, Call

ATSPI = "org.a11y.atspi"
_PATH = f"/{ATSPI.replace('.', '/')}"
ROOT = (f"{ATSPI}.Registry", f"{_PATH}/accessible/root")
"""The element that programs hang from."""
Place = tuple[str, str]
"""Of an element: its program's name on the bus and its path there."""


class Known(NamedTuple):
    """What is known of an element."""

    title: str
    role: str
    states: int
    children: int
    """How many; some programs say -1, which is for not knowing."""
    interfaces: frozenset[str]


class Cache:
    """What the programs on one bus tell at once."""

    def __init__(self) -> None:
        self._woken: set[str] = set()
        self._roles: dict[tuple[str, int], str] = {}

    def read(self, bus: Bus, programs: Sequence[Place], deadline: float) -> dict[Place, Known]:
        """What the programs, given by their own elements, tell now. Raises `BusError`."""
        asleep = [place for place in programs if place[0] not in self._woken]
        # GTK's refuse until they were asked for an address of their own
        bus.ask([Call(*place, f"{ATSPI}.Application", "GetApplicationBusAddress") for place in asleep], deadline)
        self._woken |= {name for name, _ in asleep}
        names = dict.fromkeys(name for name, _ in programs)
        answers = bus.ask([Call(name, f"{_PATH}/cache", f"{ATSPI}.Cache", "GetItems") for name in names], deadline)
        items = [item for answer in answers if answer for item in answer[0] if len(item) == 10]
        self._learn(bus, items, deadline)
        known = {}
        for (name, path), _, _, _, count, interfaces, title, role, _, states in items:
            word = self._roles[name, role]
            bits = states[0] | states[1] << 32
            known[name, path] = Known(title, word, bits, count, frozenset(one.rpartition(".")[2] for one in interfaces))
        return known

    def _learn(self, bus: Bus, items: Sequence[Sequence[Any]], deadline: float) -> None:
        """Ask what roles are called that were not seen before."""
        new = {(item[0][0], item[7]): item[0] for item in items if (item[0][0], item[7]) not in self._roles}
        answers = bus.ask(
            [Call(name, path, f"{ATSPI}.Accessible", "GetRoleName") for name, path in new.values()], deadline
        )
        self._roles |= {role: str(answer[0]) if answer else "" for role, answer in zip(new, answers, strict=True)}
