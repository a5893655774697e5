"""As much of the elements as OSWorld's server tells, read in selfgym's way: for benchmarks/speed/desktop_real.py.

Every element that a program reports, shown or not, with its name, role, states, attributes, extents, text, value and
actions. `selfgym.envs.desktop.real.accessibility` leaves most of that out on purpose: agents have no use for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from selfgym.envs.desktop.real.bus import Bus, Call

ATSPI = "org.a11y.atspi"
ROOT = (f"{ATSPI}.Registry", "/org/a11y/atspi/accessible/root")
WIDEST = 1024
"""Children of one element that are looked at, as there."""
SHOWING, VISIBLE = 25, 30
VALUES = ("CurrentValue", "MinimumValue", "MaximumValue", "MinimumIncrement")


@dataclass(slots=True)
class Element:
    """One element; what it does not have stays ``None``."""

    program: str
    path: str
    name: str = ""
    role: str = ""
    states: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    interfaces: frozenset[str] = frozenset()
    extents: tuple[int, int, int, int] | None = None
    text: str | None = None
    value: dict[str, float] = field(default_factory=dict)
    actions: list[tuple[str, str, str]] | None = None

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


def full_tree(bus: Bus, deadline: float) -> list[Element]:
    """Every element below every program. ``deadline``: of `time.monotonic`. Raises `BusError`."""
    found: list[Element] = []
    level = [Element(*ROOT)]
    answers = bus.ask([level[0].asked("Accessible", "GetChildren")], deadline)
    level = _listed(answers[0])
    while level:
        found += level
        level = _described(bus, level, deadline)
    return found


def _listed(answer: list[Any] | None) -> list[Element]:
    return [Element(name, path) for name, path in (answer[0] if answer else [])[:WIDEST] if not path.endswith("/null")]


def _described(bus: Bus, level: Sequence[Element], deadline: float) -> list[Element]:
    """Fill in a level; returns the next one."""
    calls = [call for element in level for call in _first(element)]
    below: list[Element] = []
    answers = iter(bus.ask(calls, deadline))
    for element in level:
        name, role, states, attributes, interfaces, children = (next(answers) for _ in range(6))
        element.name = str(name[0].value) if name else ""
        element.role = str(role[0]) if role else ""
        element.states = states[0][0] | states[0][1] << 32 if states else 0
        element.attributes = attributes[0] if attributes else {}
        element.interfaces = frozenset(interfaces[0]) if interfaces else frozenset()
        below += _listed(children)
    wanted = list(_second(level))
    for (element, what, _), answer in zip(wanted, bus.ask([call for *_, call in wanted], deadline), strict=True):
        if answer is None:
            continue
        if what == "Component":
            element.extents = tuple(answer[0])
        elif what == "Text":
            element.text = str(answer[0])
        elif what == "Action":
            element.actions = [tuple(one) for one in answer[0]]
        else:
            element.value[what] = answer[0].value
    return below


def _first(element: Element) -> Iterator[Call]:
    yield element.property("Accessible", "Name")
    for member in ("GetRoleName", "GetState", "GetAttributes", "GetInterfaces", "GetChildren"):
        yield element.asked("Accessible", member)


def _second(level: Sequence[Element]) -> Iterator[tuple[Element, str, Call]]:
    for element in level:
        has = {name.rpartition(".")[2] for name in element.interfaces}
        if "Component" in has and element.has(SHOWING) and element.has(VISIBLE):
            yield element, "Component", element.asked("Component", "GetExtents", "u", (0,))
        if "Text" in has:
            yield element, "Text", element.asked("Text", "GetText", "ii", (0, -1))
        if "Action" in has:
            yield element, "Action", element.asked("Action", "GetActions")
        if "Value" in has:  # one by one: Qt 5 dies of being asked for all
            for name in VALUES:
                yield element, name, element.property("Value", name)
