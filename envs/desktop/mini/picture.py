"""From what is shown to a picture: every window is drawn on a surface of its own, and these are laid on one another.

So a window that is raised costs a copy, and one in which something changed costs what changed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from selfgym.envs.desktop.mini.canvas import Box, Canvas
from selfgym.envs.desktop.mini.layer import Layer, damage
from selfgym.envs.desktop.mini.widget import paint

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
        self.layers = group.layers
        self._draw(group.box)

    def update(self, group: Group) -> list[Box]:
        """Draw what differs, and say where."""
        boxes = list(damage(self.layers, group.layers))
        self.layers = group.layers
        for box in boxes:
            self._draw(box)
        return boxes

    def _draw(self, box: Box) -> None:
        self.canvas.clip = box.common(self.box)
        for layer in self.layers:
            for widget in layer.widgets:
                if widget.box.meets(self.canvas.clip):
                    paint(self.canvas, widget)


class Picture:
    """The screen, drawn again where it differs from what was drawn before."""

    def __init__(self, width: int, height: int) -> None:
        self.canvas = Canvas(Box(0, 0, width, height))
        self._surfaces: dict[Hashable, _Surface] = {}

    def draw(self, groups: Sequence[Group]) -> Canvas:
        """Draw ``groups``, from back to front; the first covers the screen."""
        boxes = list(self._updated(groups))
        if len(boxes) > _MOST_BOXES:
            boxes = [reduce(Box.around, boxes)]
        for box in boxes:
            self._lay(groups, box.common(self.canvas.whole))
        return self.canvas

    def _updated(self, groups: Sequence[Group]) -> Iterator[Box]:
        """Bring the surfaces up to date; gives the boxes of the screen that differ."""
        old, self._surfaces = self._surfaces, {}
        before = [name for name in old if any(group.name == name for group in groups)]
        now = [group.name for group in groups if group.name in old]
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
        yield from (old[name].box for name, other in zip(before, now, strict=True) if name != other)

    def _lay(self, groups: Sequence[Group], box: Box) -> None:
        """Copy what is seen in a box, from the last group that covers it up."""
        covering = [number for number, group in enumerate(groups) if group.box.common(box) == box]
        for group in groups[covering[-1] if covering else 0 :]:
            x, y, width, height = group.box.common(box)
            if width and height:
                left, top = x - group.box.x, y - group.box.y
                drawn = self._surfaces[group.name].canvas.pixels[top : top + height, left : left + width]
                self.canvas.pixels[y : y + height, x : x + width] = drawn
