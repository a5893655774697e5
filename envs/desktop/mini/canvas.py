"""A frame of pixels that is drawn on in boxes: fills, outlines and lines of text.

A row is 3 bytes a pixel, side by side: boxes are filled and copied as runs of bytes, never pixel by pixel, and a
picture of (height, width, 3) bytes is one plain copy of the frame. Text is Pillow's own font, laid out simply; a line
is rendered once for each pair of colours.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

try:
    from PIL import Image, ImageDraw, ImageFont
except ImportError as error:
    raise ImportError("the small desktop is drawn with Pillow: pip install 'selfgym[desktop]'") from error

LINE = 18
"""Height of a line of text in pixels."""
_SIZE = 13
_FONT = ImageFont.load_default(_SIZE)

Colour = tuple[int, int, int]
"""Red, green and blue, from 0 to 255."""
Pixels = NDArray[np.uint8]
"""Rows of bytes: (height, 3 * width)."""


class Box(NamedTuple):
    """A rectangle in pixels, from its top left corner."""

    x: int
    y: int
    width: int
    height: int

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        left, top, width, height = self
        return left <= x < left + width and top <= y < top + height

    def meets(self, other: Box) -> bool:
        """Whether a pixel lies in both."""
        x, y, width, height = self
        left, top, wide, high = other
        return x < left + wide and left < x + width and y < top + high and top < y + height

    def holds(self, other: Box) -> bool:
        """Whether all of the other lies in it."""
        x, y, width, height = self
        left, top, wide, high = other
        return x <= left and y <= top and left + wide <= x + width and top + high <= y + height

    def common(self, other: Box) -> Box:
        """What lies in both; its width or height is 0 where nothing does."""
        x, y, width, height = self
        left, top, wide, high = other
        right = x + width if x + width < left + wide else left + wide
        bottom = y + height if y + height < top + high else top + high
        left, top = x if x > left else left, y if y > top else top
        return Box(left, top, right - left if right > left else 0, bottom - top if bottom > top else 0)

    def around(self, other: Box) -> Box:
        """The smallest box with both in it."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Box(x, y, right - x, bottom - y)

    def within(self, edge: int) -> Box:
        """The box less ``edge`` pixels on each side."""
        return Box(self.x + edge, self.y + edge, max(0, self.width - 2 * edge), max(0, self.height - 2 * edge))


class Canvas:
    """A part of the screen that is drawn on; what is drawn outside `clip`, which lies within it, does not show."""

    def __init__(self, whole: Box) -> None:
        self.pixels: Pixels = np.zeros((whole.height, 3 * whole.width), dtype=np.uint8)
        self.whole = whole
        self.clip = whole

    def fill(self, box: Box, ink: Colour) -> None:
        """Fill a box."""
        x, y, width, height = box.common(self.clip)
        if width and height:
            left, top = 3 * (x - self.whole.x), y - self.whole.y
            self.pixels[top : top + height, left : left + 3 * width] = _run(ink, width)

    def put(self, x: int, y: int, tile: Pixels, room: Box | None = None) -> None:
        """Copy pixels to a place, from their top left corner; cut off outside ``room``."""
        left, top, wide, high = room or self.clip
        height, width = tile.shape
        right, bottom = x + width // 3, y + height
        if x < left or y < top or right > left + wide or bottom > top + high:
            right, bottom = min(right, left + wide), min(bottom, top + high)
            left, top = max(x, left), max(y, top)
            if left >= right or top >= bottom:
                return
            tile = tile[top - y : bottom - y, 3 * (left - x) : 3 * (right - x)]
            x, y = left, top
        across, down = self.whole.x, self.whole.y
        self.pixels[y - down : bottom - down, 3 * (x - across) : 3 * (right - across)] = tile

    def outline(self, box: Box, ink: Colour) -> None:
        """Draw the edge of a box, one pixel wide, inside it."""
        x, y, width, height = box
        for top in (y, y + height - 1):
            self.fill(Box(x, top, width, 1), ink)
        for left in (x, x + width - 1):
            self.fill(Box(left, y, 1, height), ink)

    def text(self, x: int, y: int, line: str, ink: Colour, paper: Colour, room: Box) -> None:
        """Write one line of text, `LINE` pixels high, on a ground of the colour ``paper``; cut off outside ``room``."""
        if line:
            self.put(x, y, _line(line, ink, paper), room.common(self.clip))

    def picture(self) -> NDArray[np.uint8]:
        """A copy of the frame: (height, width, 3) bytes of red, green and blue."""
        height, width = self.pixels.shape
        return self.pixels.reshape(height, width // 3, 3).copy()


@lru_cache(maxsize=1024)
def _run(ink: Colour, width: int) -> NDArray[np.uint8]:
    """So many pixels of a colour."""
    return np.tile(np.array(ink, dtype=np.uint8), width)


@lru_cache(maxsize=65536)
def width_of(line: str) -> int:
    """How many pixels wide a line of text is."""
    width: float = _FONT.getlength(line)
    return round(width)


def place_in(line: str, x: float) -> int:
    """Before which character of a line the caret stands when its pixel ``x`` is clicked."""
    return min(range(len(line) + 1), key=lambda place: abs(width_of(line[:place]) - x))


@lru_cache(maxsize=8192)
def _line(line: str, ink: Colour, paper: Colour) -> Pixels:
    width = max(1, width_of(line) + 1)
    mask = Image.new("L", (width, LINE), 0)
    ImageDraw.Draw(mask).text((0, 1), line, fill=255, font=_FONT)
    shades: Pixels = _shades(ink, paper)[np.asarray(mask)]
    return shades.reshape(LINE, 3 * width)


@lru_cache(maxsize=256)
def _shades(ink: Colour, paper: Colour) -> NDArray[np.uint8]:
    """The colours from ``paper`` to ``ink`` in 256 steps."""
    steps = [
        [round(under + (over - under) * step / 255) for over, under in zip(ink, paper, strict=True)]
        for step in range(256)
    ]
    return np.array(steps, dtype=np.uint8)
