"""Widgets: what a window shows, as plain values, and how each looks.

A view is a list of widgets made anew from a program's state; two views are compared to find what must be drawn again.
So a widget holds all that its picture depends on, and nothing else does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from selfgym.envs.desktop.mini.canvas import LINE, Box, Canvas, Pixels, width_of
from selfgym.envs.desktop.node import Node

INK, FAINT, PAPER = (32, 33, 36), (128, 134, 139), (255, 255, 255)
PANEL, EDGE, RAISED = (240, 241, 243), (188, 192, 198), (250, 250, 251)
ACCENT, CHOSEN = (26, 100, 200), (205, 223, 248)
BAR, BACKDROP = (44, 62, 92), (58, 110, 120)
BEHIND = (150, 158, 170)

PAD = 4


class Widget(NamedTuple):
    """One thing that is shown: who it is to its program, what it is to a reader, and what it holds."""

    id: str
    """Its name within the window; events carry it."""
    role: str
    """One of AT-SPI's roles, which also says how it looks."""
    box: Box
    name: str = ""
    value: str = ""
    states: tuple[str, ...] = ()
    caret: int = -1
    """Before which character of ``value`` the caret stands; -1: none."""
    anchor: int = -1
    """Where the selection that ends at the caret begins; -1: none."""

    def node(self) -> Node:
        """What assistive technology is told."""
        return Node(self.role, self.name, tuple(self.box), self.value, self.states)  # type: ignore[arg-type]


def paint(canvas: Canvas, widget: Widget) -> None:
    """Draw a widget."""
    x, y, width, height = widget.box
    if width * height <= _SMALL:
        canvas.put(x, y, _tile(width, height, widget.role, *widget[3:]))
    else:
        _PAINTERS.get(widget.role, _label)(canvas, widget)


def hides(widget: Widget) -> bool:
    """Whether nothing shows of what lies behind a widget."""
    _, _, width, height = widget.box
    return width * height <= _SMALL or _PAINTERS.get(widget.role) not in (None, _check, _slider)


_SMALL = 1 << 14


@lru_cache(maxsize=2048)
def _tile(width: int, height: int, role: str, *rest: Any) -> Pixels:
    """A small widget's pixels, on the ground of a window."""
    widget = Widget("", role, Box(0, 0, width, height), *rest)
    canvas = Canvas(widget.box)
    canvas.fill(widget.box, PANEL)
    _PAINTERS.get(role, _label)(canvas, widget)
    return canvas.pixels


def _middle(box: Box) -> int:
    return box.y + (box.height - LINE) // 2


def _label(canvas: Canvas, widget: Widget) -> None:
    box = widget.box
    canvas.text(box.x, _middle(box), widget.name, INK, PANEL, box)


def _panel(canvas: Canvas, widget: Widget) -> None:
    canvas.fill(widget.box, BACKDROP if widget.role == "desktop frame" else PANEL)


def _window(canvas: Canvas, widget: Widget) -> None:
    canvas.fill(widget.box, PANEL)
    canvas.outline(widget.box, EDGE)


def _title(canvas: Canvas, widget: Widget) -> None:
    ground = BAR if "active" in widget.states else BEHIND
    canvas.fill(widget.box, ground)
    canvas.text(widget.box.x + 8, _middle(widget.box), widget.name, PAPER, ground, widget.box)


def _button(canvas: Canvas, widget: Widget) -> None:
    ground = CHOSEN if "pressed" in widget.states or "selected" in widget.states else RAISED
    canvas.fill(widget.box, ground)
    canvas.outline(widget.box, ACCENT if "focused" in widget.states else EDGE)
    x = widget.box.x + max(PAD, (widget.box.width - width_of(widget.name)) // 2)
    canvas.text(x, _middle(widget.box), widget.name, INK, ground, widget.box.within(1))


def _item(canvas: Canvas, widget: Widget) -> None:
    ground = CHOSEN if "selected" in widget.states else PAPER
    canvas.fill(widget.box, ground)
    canvas.text(widget.box.x + PAD, _middle(widget.box), widget.name, INK, ground, widget.box)


def _check(canvas: Canvas, widget: Widget) -> None:
    box = widget.box
    mark = Box(box.x, box.y + (box.height - 14) // 2, 14, 14)
    canvas.fill(mark, PAPER)
    canvas.outline(mark, ACCENT if "focused" in widget.states else EDGE)
    if "checked" in widget.states:
        canvas.fill(mark.within(3), ACCENT)
    canvas.text(box.x + 20, _middle(box), widget.name, INK, PANEL, box)


def _field(canvas: Canvas, widget: Widget) -> None:
    canvas.fill(widget.box, PAPER)
    canvas.outline(widget.box, ACCENT if "focused" in widget.states else EDGE)
    room = widget.box.within(2)
    begin, end = sorted((widget.anchor, widget.caret)) if widget.anchor >= 0 else (0, 0)
    before, y = 0, widget.box.y + PAD
    for line in widget.value.split("\n"):
        x = widget.box.x + PAD
        canvas.text(x, y, line, INK, PAPER, room)
        first, last = max(begin - before, 0), min(end - before, len(line))
        if first < last:
            at = x + width_of(line[:first])
            canvas.text(at, y, line[first:last], INK, CHOSEN, room)
        if 0 <= widget.caret - before <= len(line):
            at = x + width_of(line[: widget.caret - before])
            canvas.fill(Box(at, y + 1, 1, LINE - 2).common(room), INK)
        before, y = before + len(line) + 1, y + LINE


def _slider(canvas: Canvas, widget: Widget) -> None:
    box = widget.box
    canvas.fill(Box(box.x, box.y + box.height // 2 - 2, box.width, 4), EDGE)
    at = box.x + round((box.width - 10) * float(widget.value or 0) / 100)
    canvas.fill(Box(at, box.y, 10, box.height), ACCENT)


def _scroll_bar(canvas: Canvas, widget: Widget) -> None:
    canvas.fill(widget.box, PANEL)
    canvas.outline(widget.box, EDGE)
    first, shown, whole = (float(part) for part in widget.value.split("/"))
    span = widget.box.height - 2
    top = round(span * first / max(whole, 1.0))
    canvas.fill(
        Box(
            widget.box.x + 2,
            widget.box.y + 1 + top,
            widget.box.width - 4,
            max(8, round(span * shown / max(whole, shown))),
        ),
        FAINT,
    )


_PAINTERS = {
    "desktop frame": _panel, "panel": _panel, "frame": _window, "dialog": _window, "popup menu": _window,
    "title bar": _title, "push button": _button, "toggle button": _button, "menu": _button, "combo box": _button,
    "menu item": _item, "list item": _item, "table cell": _field, "check box": _check,
    "radio button": _check, "text": _field, "entry": _field, "slider": _slider, "scroll bar": _scroll_bar,
}  # fmt: skip
