"""Layers: widgets that are shown together, made once and kept while nothing they depend on has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, reduce
from typing import Any

from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.node import line_of

_FRAMES = ("frame", "dialog")
"""Whose looks depend on their box alone."""


class Layer:
    """Some widgets, from back to front, and what they were made from."""

    __slots__ = ("_lines", "key", "widgets")

    def __init__(self, key: Any, widgets: Iterable[Widget]) -> None:
        self.key = key
        self.widgets = tuple(widgets)
        self._lines: list[str] | None = None

    @property
    def lines(self) -> list[str]:
        """The widgets in words."""
        if self._lines is None:
            self._lines = [_line(widget) for widget in self.widgets]
        return self._lines

    def top(self, x: int, y: int) -> Widget | None:
        """The last widget in which a point lies."""
        for widget in reversed(self.widgets):
            if widget.box.contains(x, y):
                return widget
        return None


@lru_cache(maxsize=1 << 14)
def _line(widget: Widget) -> str:
    return line_of(widget.node())


def damage(old: Sequence[Layer], new: Sequence[Layer]) -> Iterator[Box]:
    """Boxes in which as many layers look otherwise than before."""
    for before, after in zip(old, new, strict=True):
        if before is not after:
            yield from _differing(before.widgets, after.widgets)


def _differing(old: tuple[Widget, ...], new: tuple[Widget, ...]) -> Iterator[Box]:
    if len(old) != len(new):
        yield reduce(Box.around, (widget.box for widget in (*old, *new)))
        return
    for before, after in zip(old, new, strict=True):
        if before != after and not (after.role in _FRAMES and before.box == after.box):
            yield before.box
            if after.box != before.box:
                yield after.box
