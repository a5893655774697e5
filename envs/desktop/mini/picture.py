"""From what is shown to a picture: every window is drawn on a surface of its own, and these are laid on one another.

So a window that is raised costs a copy, and one in which something changed costs what changed. Neither a widget that
lies wholly behind another in what is drawn again, nor a window that does, is drawn or copied.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from selfgym.envs.desktop.mini.canvas import Box, Canvas
from selfgym.envs.desktop.mini.layer import Layer, damage
from selfgym.envs.desktop.mini.widget import Widget, hides, paint

_MOST_BOXES = 8


class Group(NamedTuple):
    """Layers that cover a box without a gap, such as a window."""

    name: Hashable
    box: Box
    layers: tuple[Layer, ...]


class _Surface:
    """A group as it was drawn last."""

    def __init__(self, group: Group) -> None:
        self.box = group.box
        self.canvas = Canvas(group.box)
        self.group = group
        self._draw(group.box)

    def update(self, group: Group) -> list[Box]:
        """Draw what differs, and say where."""
        if group is self.group:
            return []
        boxes = _few(damage(self.group.layers, group.layers))
        self.group = group
        for box in boxes:
            self._draw(box)
        return boxes

    def _draw(self, box: Box) -> None:
        self.canvas.clip = clip = box.common(self.box)
        for widget in reversed(list(_seen(self.group.layers, clip))):
            paint(self.canvas, widget)


def _seen(layers: Sequence[Layer], box: Box) -> Iterator[Widget]:
    """What shows in a box, from front to back."""
    x, y, width, height = box
    right, bottom = x + width, y + height
    for layer in reversed(layers):
        for left, top, end, under, widget in reversed(layer.spots):
            if top < bottom and y < under and left < right and x < end:
                yield widget
                if left <= x and top <= y and right <= end and bottom <= under and hides(widget):
                    return


def _few(boxes: Iterable[Box]) -> list[Box]:
    """The boxes, or one around all of them where they are many."""
    found = list(boxes)
    return found if len(found) <= _MOST_BOXES else [reduce(Box.around, found)]


class Picture:
    """The screen, drawn again where it differs from what was drawn before."""

    def __init__(self, width: int, height: int) -> None:
        self.canvas = Canvas(Box(0, 0, width, height))
        self._surfaces: dict[Hashable, _Surface] = {}
        self._groups: Sequence[Group] = ()

    def draw(self, groups: Sequence[Group]) -> Canvas:
        """Draw ``groups``, from back to front; the first covers the screen."""
        if groups is self._groups:
            return self.canvas
        self._groups = groups
        for box in _few(self._updated(groups)):
            self._lay(groups, box.common(self.canvas.whole))
        return self.canvas

    def _updated(self, groups: Sequence[Group]) -> Iterator[Box]:
        """Bring the surfaces up to date; gives the boxes of the screen that differ."""
        old, self._surfaces = self._surfaces, {}
        for group in groups:
            surface = old.get(group.name)
            if surface is None or surface.box != group.box:
                self._surfaces[group.name] = _Surface(group)
                yield group.box
                if surface is not None:
                    yield surface.box
            else:
                self._surfaces[group.name] = surface
                yield from surface.update(group)
        yield from (surface.box for name, surface in old.items() if name not in self._surfaces)
        yield from (old[name].box for name in _moved(old.keys(), self._surfaces.keys()))

    def _lay(self, groups: Sequence[Group], box: Box) -> None:
        """Copy what is seen in a box, from the last group that covers it up."""
        parts = []
        for group in reversed(groups):
            if group.box.meets(box):
                parts.append(group)
                if group.box.holds(box):
                    break
        for group in reversed(parts):
            x, y, width, height = group.box.common(box)
            left, top = 3 * (x - group.box.x), y - group.box.y
            drawn = self._surfaces[group.name].canvas.pixels[top : top + height, left : left + 3 * width]
            self.canvas.pixels[y : y + height, 3 * x : 3 * (x + width)] = drawn


def _moved(before: Collection[Hashable], now: Collection[Hashable]) -> Iterator[Hashable]:
    """Names of both orders without which what is left of both is in the same order."""
    stayed = (name for name in now if name in before)
    expected = next(stayed, None)
    for name in before:
        if name == expected:
            expected = next(stayed, None)
        elif name in now:
            yield name
