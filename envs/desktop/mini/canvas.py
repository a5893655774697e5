"""A frame of pixels that is drawn on in boxes: fills, outlines and lines of text.

A pixel is one 32-bit number whose bytes are red, green, blue and one unused, so that a picture of (height, width, 3)
bytes is a view of the frame and filling a box is one assignment. Text is Pillow's own font, laid out simply; a line is
rendered once for each pair of colours.
"""

from __future__ import annotations

import sys
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

Pixels = NDArray[np.uint32]


class Box(NamedTuple):
    """A rectangle in pixels, from its top left corner."""

    x: int
    y: int
    width: int
    height: int

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def meets(self, other: Box) -> bool:
        """Whether a pixel lies in both."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def common(self, other: Box) -> Box:
        """What lies in both; its width or height is 0 where nothing does."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Box(x, y, max(0, right - x), max(0, bottom - y))

    def around(self, other: Box) -> Box:
        """The smallest box with both in it."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Box(x, y, right - x, bottom - y)

    def within(self, edge: int) -> Box:
        """The box less ``edge`` pixels on each side."""
        return Box(self.x + edge, self.y + edge, max(0, self.width - 2 * edge), max(0, self.height - 2 * edge))


def colour(red: int, green: int, blue: int) -> int:
    """The number of a colour, its parts from 0 to 255."""
    shift = (0, 8, 16) if sys.byteorder == "little" else (24, 16, 8)
    return red << shift[0] | green << shift[1] | blue << shift[2]


def parts(number: int) -> tuple[int, int, int]:
    """Red, green and blue of a colour's number."""
    shift = (0, 8, 16) if sys.byteorder == "little" else (24, 16, 8)
    return number >> shift[0] & 255, number >> shift[1] & 255, number >> shift[2] & 255


class Canvas:
    """A part of the screen that is drawn on; what is drawn outside `clip`, which lies within it, does not show."""

    def __init__(self, whole: Box) -> None:
        self.pixels: Pixels = np.zeros((whole.height, whole.width), dtype=np.uint32)
        self.whole = whole
        self.clip = whole

    def fill(self, box: Box, ink: int) -> None:
        """Fill a box."""
        x, y, width, height = box
        left, top, wide, high = self.clip
        right, bottom = min(x + width, left + wide) - self.whole.x, min(y + height, top + high) - self.whole.y
        left, top = max(x, left) - self.whole.x, max(y, top) - self.whole.y
        if left < right and top < bottom:
            self.pixels[top:bottom, left:right] = ink

    def put(self, x: int, y: int, tile: Pixels) -> None:
        """Copy pixels to a place, from their top left corner."""
        self._put(x, y, tile, self.clip)

    def _put(self, x: int, y: int, tile: Pixels, room: Box) -> None:
        height, width = tile.shape
        left, top, wide, high = room
        right, bottom = min(x + width, left + wide), min(y + height, top + high)
        left, top = max(x, left), max(y, top)
        if left < right and top < bottom:
            across, down = self.whole.x, self.whole.y
            part = tile[top - y : bottom - y, left - x : right - x]
            self.pixels[top - down : bottom - down, left - across : right - across] = part

    def outline(self, box: Box, ink: int) -> None:
        """Draw the edge of a box, one pixel wide, inside it."""
        x, y, width, height = box
        for top in (y, y + height - 1):
            self.fill(Box(x, top, width, 1), ink)
        for left in (x, x + width - 1):
            self.fill(Box(left, y, 1, height), ink)

    def text(self, x: int, y: int, line: str, ink: int, paper: int, room: Box) -> None:
        """Write one line of text, `LINE` pixels high, on a ground of the colour ``paper``; cut off outside ``room``."""
        if line:
            self._put(x, y, _line(line, ink, paper), room.common(self.clip))

    def picture(self) -> NDArray[np.uint8]:
        """A copy of the frame: (height, width, 3) bytes of red, green and blue, each row with a byte between pixels."""
        height, width = self.pixels.shape
        taken: NDArray[np.uint8] = self.pixels.copy().view(np.uint8).reshape(height, width, 4)
        return taken[:, :, :3] if sys.byteorder == "little" else taken[:, :, :0:-1]


@lru_cache(maxsize=65536)
def width_of(line: str) -> int:
    """How many pixels wide a line of text is."""
    width: float = _FONT.getlength(line)
    return round(width)


def place_in(line: str, x: float) -> int:
    """Before which character of a line the caret stands when its pixel ``x`` is clicked."""
    return min(range(len(line) + 1), key=lambda place: abs(width_of(line[:place]) - x))


@lru_cache(maxsize=8192)
def _line(line: str, ink: int, paper: int) -> Pixels:
    width = max(1, width_of(line) + 1)
    mask = Image.new("L", (width, LINE), 0)
    ImageDraw.Draw(mask).text((0, 1), line, fill=255, font=_FONT)
    shades: Pixels = _shades(ink, paper)[np.asarray(mask)]
    return shades


@lru_cache(maxsize=256)
def _shades(ink: int, paper: int) -> Pixels:
    """The colours from ``paper`` to ``ink`` in 256 steps."""
    steps = [
        [round(under + (over - under) * step / 255) for over, under in zip(parts(ink), parts(paper), strict=True)]
        for step in range(256)
    ]
    return np.array([colour(*step) for step in steps], dtype=np.uint32)
