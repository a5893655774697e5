"""As much of the elements as OSWorld's server tells, read in selfgym's way: for benchmarks/speed/desktop_real.py.

Every element that a program reports, shown or not, with its name, role, states, attributes, extents, text, value and
actions. `selfgym.envs.desktop.real.accessibility` leaves most of that out on purpose: agents have no use for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from selfgym.envs.desktop.real.bus import Bus, Call
from selfgym.envs.desktop.real.cache import ATSPI, ROOT, Cache, Known, Place

WIDEST = 1024
"""Children of one element that are looked at, as there."""
SHOWING, VISIBLE = 25, 30
VALUES = ("CurrentValue", "MinimumValue", "MaximumValue", "MinimumIncrement")


@dataclass(slots=True)
class Element:
    """One element."""

    program: str
    path: str
    name: str = ""
    role: str = ""
    states: int = 0
    count: int = -1
    """Of its children; -1 where it was not told."""
    interfaces: frozenset[str] = frozenset()
    told: dict[str, Any] = field(default_factory=dict)
    """Attributes, extents, text, actions and values, as far as it has them."""

    def asked(self, interface: str, member: str, signature: str = "", body: tuple[Any, ...] = ()) -> Call:
        """A question to it."""
        return Call(self.program, self.path, f"{ATSPI}.{interface}", member, signature, body)

    def property(self, interface: str, name: str) -> Call:
        """A question for one property."""
        body = (f"{ATSPI}.{interface}", name)
        return Call(self.program, self.path, "org.freedesktop.DBus.Properties", "Get", "ss", body)

    def has(self, state: int) -> bool:
        """Whether it is in a state."""
        return bool(self.states >> state & 1)


def full_tree(bus: Bus, cache: Cache, deadline: float) -> list[Element]:
    """Every element below every program. ``deadline``: of `time.monotonic`. Raises `BusError`."""
    level = _listed(bus.ask([Element(*ROOT).asked("Accessible", "GetChildren")], deadline)[0])
    known = cache.read(bus, [(program.program, program.path) for program in level], deadline)
    found: list[Element] = []
    while level:
        found += level
        level = _described(bus, level, known, deadline)
    return found


def _listed(answer: list[Any] | None) -> list[Element]:
    return [Element(name, path) for name, path in (answer[0] if answer else [])[:WIDEST] if not path.endswith("/null")]


def _described(bus: Bus, level: Sequence[Element], known: Mapping[Place, Known], deadline: float) -> list[Element]:
    """Fill in a level; returns the next one."""
    unknown = []
    for element in level:
        if (of_it := known.get((element.program, element.path))) is None:
            unknown.append(element)
        else:
            element.name, element.role, element.states, element.count, element.interfaces = of_it
    answers = iter(bus.ask([call for element in unknown for call in _first(element)], deadline))
    for element in unknown:
        name, role, states, interfaces = (next(answers) for _ in range(4))
        element.name = str(name[0].value) if name else ""
        element.role = str(role[0]) if role else ""
        element.states = states[0][0] | states[0][1] << 32 if states else 0
        element.interfaces = frozenset(one.rpartition(".")[2] for one in interfaces[0]) if interfaces else frozenset()
    wanted = [question for element in level for question in _second(element)]
    below: list[Element] = []
    for (element, what, _), answer in zip(wanted, bus.ask([call for *_, call in wanted], deadline), strict=True):
        if what == "children":
            below += _listed(answer)
        elif answer is not None:
            element.told[what] = answer[0].value if what in VALUES else answer[0]
    return below


def _first(element: Element) -> Iterator[Call]:
    yield element.property("Accessible", "Name")
    for member in ("GetRoleName", "GetState", "GetInterfaces"):
        yield element.asked("Accessible", member)


def _second(element: Element) -> Iterator[tuple[Element, str, Call]]:
    yield element, "attributes", element.asked("Accessible", "GetAttributes")
    if element.count:
        yield element, "children", element.asked("Accessible", "GetChildren")
    if "Component" in element.interfaces and element.has(SHOWING) and element.has(VISIBLE):
        yield element, "extents", element.asked("Component", "GetExtents", "u", (0,))
    if "Text" in element.interfaces:
        yield element, "text", element.asked("Text", "GetText", "ii", (0, -1))
    if "Action" in element.interfaces:
        yield element, "actions", element.asked("Action", "GetActions")
    if "Value" in element.interfaces:  # one by one: Qt 5 dies of being asked for all
        for name in VALUES:
            yield element, name, element.property("Value", name)
