"""What programs tell assistive technology (AT-SPI 2) about their windows: a list of `Node`, bounded in size and time.

What programs tell of all elements at once is not asked again; otherwise a level of the tree is asked about at once.
Tables that manage their cells (a spreadsheet reports 2,147,483,647 of them) are never enumerated: the cells that can be
seen are looked up by row and column. Closed menus are not looked into.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from selfgym.envs.desktop.node import Node
from selfgym.envs.desktop.real.bus import Bus, Call
from selfgym.envs.desktop.real.cache import ATSPI, ROOT, Cache, Known, Place

_NULL = "/org/a11y/atspi/null"
_STATES = {
    4: "checked", 10: "expanded", 12: "focused", 16: "modal", 20: "pressed", 23: "selected", 32: "indeterminate",
}  # fmt: skip
_ENABLED, _SENSITIVE, _SHOWING, _VISIBLE, _MANAGES = 8, 24, 25, 30, 31
_TEXTUAL = frozenset({"text", "entry", "terminal", "paragraph", "document text", "spin button", "status bar", "label"})
_NUMERIC = frozenset({"slider", "spin button", "progress bar"})
_SILENT = frozenset(
    {"filler", "panel", "split pane", "scroll pane", "viewport", "root pane", "layered pane", "application", "unknown",
     "section", "separator", "redundant object", "invalid", "menu bar", "tool bar", "scroll bar", "list", "window",
     "glass pane", "page tab list", "grouping", "table", "tree table", "tree", "image", "icon", "client",
     "table cell", "tree item", "label", "list item", "splitter", "drawing area"}
)  # fmt: skip
"""Roles that say nothing unless they have a name."""
_WINDOWS = frozenset({"frame", "dialog", "window", "alert", "file chooser", "color chooser"})
_DEEPEST = 40
_CHILDREN = 200
"""Children of one element that are asked for."""
_CELLS, _COLUMNS = 400, 20
"""Cells of one table that are asked for, and columns where there are more."""
_CHARACTERS = 2000
"""Of a text that are read."""


@dataclass(slots=True)
class _Element:
    """An element on the way from the bus to a `Node`."""

    name: str
    path: str
    parent: _Element | None = None
    role: str = ""
    title: str = ""
    states: int = 0
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    count: int = 0
    value: str = ""
    gtk2: bool = False
    picked: str = ""
    """The path of what is chosen in a menu of GTK 2."""
    children: list[_Element] = field(default_factory=list)

    def has(self, state: int) -> bool:
        return bool(self.states >> state & 1)


@dataclass(frozen=True, slots=True)
class Tree:
    """What was found."""

    nodes: list[Node]
    truncated: tuple[str, ...]
    """What there was more of: ``nodes``, ``children``, ``cells``, ``text`` or ``time``."""


def bus_path(folder: str) -> str | None:
    """The socket of the accessibility bus below a session's runtime folder, once it is there."""
    try:
        names = [name for name in os.listdir(f"{folder}/at-spi") if name.startswith("bus")]
    except OSError:
        return None
    return f"{folder}/at-spi/{names[0]}" if names else None


def read_tree(bus: Bus, cache: Cache, size: tuple[int, int], most: int, deadline: float) -> Tree:
    """The elements on a screen of ``size``, at most about ``most`` and until ``deadline``. Raises `BusError`."""
    more: set[str] = set()
    root = _Element(*ROOT)
    level, seen = _children(bus, [root], more, deadline, all_of_them=True), 0
    known = cache.read(bus, [(program.name, program.path) for program in level], deadline)
    for _ in range(_DEEPEST):
        if not level:
            break
        if time.monotonic() > deadline - 0.02:
            more.add("time")
            break
        if seen + len(level) > most:
            more.add("nodes")
            level = level[: most - seen]
        seen += len(level)
        _describe(bus, level, known, more, deadline)
        for element in level:
            assert element.parent is not None
            element.parent.children.append(element)
        level = _children(bus, [element for element in level if _open(element)], more, deadline)
    return Tree(list(_flat(root, size)), tuple(sorted(more)))


def registry_answers(bus: Bus, deadline: float) -> bool:
    """Whether the registry, which is started by the first question to it, is ready. Raises `BusError`."""
    return bus.ask([_method(_Element(*ROOT), "Accessible", "GetChildren")], deadline)[0] is not None


def programs(bus: Bus, deadline: float) -> list[_Element]:
    """The programs that are on the bus. Raises `BusError`."""
    return _children(bus, [_Element(*ROOT)], set(), deadline, all_of_them=True)


def _open(element: _Element) -> bool:
    """Whether to look into an element."""
    if element.role == "application":
        return True
    if not element.has(_SHOWING) and element.role not in _WINDOWS:
        return False
    if element.role == "menu" and element.parent is not None and element.parent.role in ("menu bar", "menu"):
        if element.gtk2:
            return element.path == element.parent.picked
        return any(element.has(state) for state in (2, 10, 12, 23))  # armed, expanded, focused, selected
    if element.role in ("list", "menu") and element.parent is not None and element.parent.role == "combo box":
        return element.parent.has(10)
    return element.count != 0


def _property(element: _Element, interface: str, name: str) -> Call:
    return Call(
        element.name, element.path, "org.freedesktop.DBus.Properties", "Get", "ss", (f"{ATSPI}.{interface}", name)
    )


def _method(element: _Element, interface: str, name: str, signature: str = "", *body: Any) -> Call:
    return Call(element.name, element.path, f"{ATSPI}.{interface}", name, signature, body)


def _describe(
    bus: Bus, level: Sequence[_Element], known: Mapping[Place, Known], more: set[str], deadline: float
) -> None:
    """Fill in what a level of elements says of itself."""
    unknown = []
    for element in level:
        if (found := known.get((element.name, element.path))) is None:
            unknown.append(element)
        else:
            element.title, element.role, element.states, element.count, _ = found
    _ask(bus, unknown, deadline)
    vague = [element for element in level if element.count < 0]
    counts = bus.ask([_property(element, "Accessible", "ChildCount") for element in vague], deadline)
    for element, count in zip(vague, counts, strict=True):
        element.count = int(count[0].value) if count else 0
    _describe_gtk2(bus, level, deadline)
    shown = [element for element in level if element.has(_SHOWING)]
    boxes = bus.ask([_method(element, "Component", "GetExtents", "u", 0) for element in shown], deadline)
    for element, box in zip(shown, boxes, strict=True):
        element.box = tuple(box[0]) if box else (0, 0, 0, 0)
    _values(bus, shown, more, deadline)


def _ask(bus: Bus, elements: Sequence[_Element], deadline: float) -> None:
    """Ask elements themselves what they are."""
    calls = []
    for element in elements:
        calls += [
            _property(element, "Accessible", "Name"),
            _method(element, "Accessible", "GetRoleName"),
            _method(element, "Accessible", "GetState"),
            _property(element, "Accessible", "ChildCount"),
        ]
    answers = zip(*[iter(bus.ask(calls, deadline))] * 4, strict=True)
    for element, (name, role, states, count) in zip(elements, answers, strict=True):
        element.title = str(name[0].value) if name else ""
        element.role = str(role[0]) if role else ""
        element.states = states[0][0] | states[0][1] << 32 if states and len(states[0]) == 2 else 0
        element.count = int(count[0].value) if count else 0


def _describe_gtk2(bus: Bus, level: Sequence[_Element], deadline: float) -> None:
    """GTK 2 says neither that a menu is open nor that what it holds is shown, but what is chosen in its parent."""
    programs = [element for element in level if element.role == "application"]
    asked = [_property(program, "Application", "ToolkitName") for program in programs]
    for program, toolkit in zip(programs, bus.ask(asked, deadline) if asked else [], strict=False):
        program.gtk2 = toolkit is not None and toolkit[0].value == "GAIL"
    menus = [element for element in level if element.gtk2 and element.role in ("menu bar", "menu") and _open(element)]
    asked = [_method(menu, "Selection", "GetSelectedChild", "i", 0) for menu in menus]
    for menu, chosen in zip(menus, bus.ask(asked, deadline) if asked else [], strict=False):
        menu.picked = str(chosen[0][1]) if chosen else ""
    for element in level:
        if element.gtk2 and element.parent is not None and element.parent.role == "menu" and element.has(_VISIBLE):
            element.states |= 1 << _SHOWING


def _values(bus: Bus, level: Sequence[_Element], more: set[str], deadline: float) -> None:
    textual = [element for element in level if element.role in _TEXTUAL and not (element.title and element.count)]
    numeric = [element for element in level if element.role in _NUMERIC]
    calls = [_method(element, "Text", "GetText", "ii", 0, _CHARACTERS + 1) for element in textual]
    calls += [_property(element, "Value", "CurrentValue") for element in numeric]
    answers = bus.ask(calls, deadline) if calls else []
    for element, answer in zip(numeric, answers[len(textual) :], strict=True):
        element.value = f"{answer[0].value:g}" if answer else ""
    texts = [str(answer[0]) if answer else "" for answer in answers[: len(textual)]]
    silent = [place for place, text in enumerate(texts) if not text]
    lengths = bus.ask([_property(textual[place], "Text", "CharacterCount") for place in silent], deadline)
    short = [(place, int(length[0].value)) for place, length in zip(silent, lengths, strict=True) if length]
    short = [(place, min(length, _CHARACTERS + 1)) for place, length in short if length > 0]
    again = [_method(textual[place], "Text", "GetText", "ii", 0, length) for place, length in short]
    for (place, _), answer in zip(short, bus.ask(again, deadline), strict=True):  # Qt: nothing beyond the end
        texts[place] = str(answer[0]) if answer else ""
    for element, text in zip(textual, texts, strict=True):
        if len(text) > _CHARACTERS:
            more.add("text")
        if text and text != element.title:
            element.value = text[:_CHARACTERS]


def _children(
    bus: Bus, parents: Sequence[_Element], more: set[str], deadline: float, all_of_them: bool = False
) -> list[_Element]:
    """The elements below ``parents`` that are worth asking about."""
    calls: list[Call] = []
    spans: list[tuple[_Element, int]] = []
    for parent in parents:
        if parent.has(_MANAGES):
            wanted = list(_cells(bus, parent, more, deadline))
        elif all_of_them or parent.count <= _CHILDREN:
            wanted = [_method(parent, "Accessible", "GetChildren")]
        else:
            more.add("children")
            wanted = [_method(parent, "Accessible", "GetChildAtIndex", "i", index) for index in range(_CHILDREN)]
        calls += wanted
        spans.append((parent, len(wanted)))
    answers = iter(bus.ask(calls, deadline) if calls else [])
    found: list[_Element] = []
    for parent, count in spans:
        places: dict[tuple[str, str], None] = {}
        for _ in range(count):
            answer = next(answers)
            if answer:  # one element, or a list of them
                pairs = [answer[0]] if answer[0] and isinstance(answer[0][0], str) else answer[0]
                places |= {(str(name), str(path)): None for name, path in pairs}
        found += [_Element(name, path, parent, gtk2=parent.gtk2) for name, path in places if path != _NULL]
    return found


def _cells(bus: Bus, table: _Element, more: set[str], deadline: float) -> Iterator[Call]:
    """Questions for the cells of a table that can be seen: rows and columns between its corners."""
    sizes = bus.ask([_property(table, "Table", "NRows"), _property(table, "Table", "NColumns")], deadline)
    if not (sizes[0] and sizes[1]):
        if 0 < table.count <= _CHILDREN:
            yield _method(table, "Accessible", "GetChildren")
        return
    rows, columns = (int(size[0].value) for size in sizes if size)
    down, across = range(rows), range(columns)
    if rows * columns > _CHILDREN:
        down, across = _seen(bus, table, deadline) or (down, across)
    if len(down) * len(across) > _CELLS:
        more.add("cells")
        across = across[:_COLUMNS]
        down = down[: _CELLS // len(across)]
    for row in down:
        for column in across:
            yield _method(table, "Table", "GetAccessibleAt", "ii", row, column)


def _seen(bus: Bus, table: _Element, deadline: float) -> tuple[range, range] | None:
    """The rows and columns of a table that can be seen: between its corners, or else along two lines through it."""
    left, top, width, height = table.box
    at = _places(bus, table, [(left + 2, top + 2), (left + width - 3, top + height - 3)], deadline)
    if len(at) < 2:  # headers of its own lie in one corner, or nothing in the other
        at = _places(bus, table, [(left + min(60, width // 2), y) for y in range(top, top + height, 10)], deadline)
        if not at:
            return None
        middle = sorted(at)[len(at) // 2]
        at |= _places(bus, table, [(x, middle[1]) for x in range(left, left + width, 20)], deadline)
    rows, columns = zip(*at.values(), strict=True)
    return range(min(rows), max(rows) + 1), range(min(columns), max(columns) + 1)


def _places(
    bus: Bus, table: _Element, points: Sequence[tuple[int, int]], deadline: float
) -> dict[tuple[int, int], tuple[int, int]]:
    """Row and column of the cells at those of the points of the screen where there are cells."""
    at = bus.ask([_method(table, "Component", "GetAccessibleAtPoint", "iiu", *point, 0) for point in points], deadline)
    hit = {point: _Element(str(one[0][0]), str(one[0][1])) for point, one in zip(points, at, strict=True) if one}
    hit = {point: cell for point, cell in hit.items() if cell.path != _NULL}
    indexes = bus.ask([_method(cell, "Accessible", "GetIndexInParent") for cell in hit.values()], deadline)
    known = {point: index[0] for point, index in zip(hit, indexes, strict=True) if index and index[0] >= 0}
    asked = [
        _method(table, "Table", f"Get{what}AtIndex", "i", index)
        for index in known.values()
        for what in ("Row", "Column")
    ]
    pairs = zip(*[iter(bus.ask(asked, deadline))] * 2, strict=True)
    return {
        point: (int(row[0]), int(column[0]))
        for point, (row, column) in zip(known, pairs, strict=True)
        if row and column
    }


def _on_screen(box: tuple[int, int, int, int], size: tuple[int, int]) -> bool:
    left, top, width, height = box
    return width > 0 and height > 0 and -width < left < size[0] and -height < top < size[1]


def _flat(element: _Element, size: tuple[int, int]) -> Iterator[Node]:
    """The elements below one that are on the screen, in the tree's order."""
    for child in element.children:
        if (
            child.has(_SHOWING)
            and _on_screen(child.box, size)
            and (child.title.strip() or child.value or child.role not in _SILENT)
        ):
            states = [word for state, word in _STATES.items() if child.has(state)]
            if not child.has(_SENSITIVE) and not child.has(_ENABLED):
                states.append("disabled")
            yield Node(child.role, " ".join(child.title.split()), child.box, child.value, tuple(states))
        yield from _flat(child, size)
