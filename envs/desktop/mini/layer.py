"""Layers: widgets that are shown together, made once and kept while nothing they depend on has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, reduce
from typing import Any, TypeVar

from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.node import line_of

_FRAMES = ("frame", "dialog")
"""Whose looks depend on their box alone."""
_Spot = tuple[int, int, int, int, Widget]
"""Left, top, right and bottom of a widget: a plain tuple is taken apart much faster than a named one."""
_Made = TypeVar("_Made")


class Layer:
    """Some widgets, from back to front, and what they were made from; ``before`` is the layer that it replaces."""

    __slots__ = ("_before", "_lines", "_spots", "key", "widgets")

    def __init__(self, key: Any, widgets: Iterable[Widget], before: Layer | None = None) -> None:
        self.key = key
        self.widgets = tuple(widgets)
        self._lines: list[str] | None = None
        self._spots: list[_Spot] | None = None
        self._before = None if before is None else (before.widgets, before._lines, before._spots)

    @property
    def spots(self) -> list[_Spot]:
        """The widgets with where they lie."""
        if self._spots is None:
            old, _, spots = self._before or ((), None, None)
            self._spots = _each(_spot, self.widgets, old, spots)
        return self._spots

    @property
    def lines(self) -> list[str]:
        """The widgets in words."""
        if self._lines is None:
            old, lines, _ = self._before or ((), None, None)
            self._lines = _each(_line, self.widgets, old, lines)
        return self._lines

    def top(self, x: int, y: int) -> Widget | None:
        """The last widget in which a point lies."""
        for left, top, right, bottom, widget in reversed(self.spots):
            if top <= y < bottom and left <= x < right:
                return widget
        return None


def _each(
    make: Callable[[Widget], _Made], widgets: Sequence[Widget], old: Sequence[Widget], made: list[_Made] | None
) -> list[_Made]:
    """What is made of each widget; what was made of the same one before is taken over."""
    if made is None or len(widgets) != len(old):
        return [make(widget) for widget in widgets]
    return [known if one is other else make(one) for one, other, known in zip(widgets, old, made, strict=True)]


def _spot(widget: Widget) -> _Spot:
    x, y, width, height = widget.box
    return x, y, x + width, y + height, widget


@lru_cache(maxsize=1 << 14)
def _line(widget: Widget) -> str:
    return line_of(widget.node())


def damage(old: Sequence[Layer], new: Sequence[Layer]) -> Iterator[Box]:
    """Boxes in which as many layers look otherwise than before."""
    for before, after in zip(old, new, strict=True):
        if before is not after:
            yield from _differing(before.widgets, after.widgets)


def _differing(old: tuple[Widget, ...], new: tuple[Widget, ...]) -> Iterator[Box]:
    for before, after in zip(old, new, strict=False):
        if before is not after and before != after and not (after.role in _FRAMES and before.box == after.box):
            yield before.box
            if after.box != before.box:
                yield after.box
    more = old[len(new) :] or new[len(old) :]
    if more:
        yield reduce(Box.around, (widget.box for widget in more))
