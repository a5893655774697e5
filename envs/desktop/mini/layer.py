"""Layers: widgets that are shown together, made once and kept while nothing they depend on has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any

from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.node import line_of


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
            self._lines = [line_of(widget.node()) for widget in self.widgets]
        return self._lines

    def top(self, x: int, y: int) -> Widget | None:
        """The last widget in which a point lies."""
        for widget in reversed(self.widgets):
            left, upper, width, height = widget.box
            if left <= x < left + width and upper <= y < upper + height:
                return widget
        return None


def damage(old: list[Layer], new: list[Layer]) -> Iterator[Box]:
    """Boxes in which two screens differ.

    A layer that is in both and stands at another place does so because a window was raised or closed, and then that
    window's frame, which knows its level, differs too and covers it.
    """
    if len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            if before is not after:
                yield from _differing(before.widgets, after.widgets)
        return
    kept = {id(layer) for layer in old} & {id(layer) for layer in new}
    for layer in (*old, *new):
        if id(layer) not in kept and layer.widgets:
            yield reduce(Box.around, (widget.box for widget in layer.widgets))


def _differing(old: tuple[Widget, ...], new: tuple[Widget, ...]) -> Iterator[Box]:
    if len(old) != len(new):
        yield from (widget.box for widget in set(old) ^ set(new))
        return
    for before, after in zip(old, new, strict=True):
        if before != after:
            yield before.box
            if after.box != before.box:
                yield after.box
