"""Information-sensitive cropping (Iris, arXiv 2412.10342): more pixels for where something is, fewer for where not.

A screen is shown as a thumbnail of the whole and as crops of one size, cut where edges are dense. As in the paper, a
matrix says which pixels lie on an edge, windows of growing size are cut wherever they hold enough of them, and what a
window holds is taken out of the matrix. Ours differs: edges are steps in brightness between neighbouring pixels (the
paper names no detector that NumPy has); they are counted in cells once, so that a window is four look-ups in a summed
table; of one size the densest window comes first; and where there are more than fit, those with most edges are kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from PIL import Image

from selfgym.envs.around import AroundEnv
from selfgym.envs.core import AgentEnv
from selfgym.envs.desktop.node import Node
from selfgym.envs.desktop.pictures import Picture, copy_of

_STEP = 24  # of 255 in brightness: what makes an edge
_SMALLEST, _GROWTH = 6, 1.5  # of a window: cells along a side, and from one size to the next


class Crop(NamedTuple):
    """A square of the screen, in pixels, and the edge pixels that no crop before it has."""

    x: int
    y: int
    side: int
    edges: int

    def on_screen(self, x: float, y: float, size: int) -> tuple[int, int]:
        """Where a point of this crop, shown as ``size`` x ``size`` pixels, is on the screen.

        >>> Crop(320, 160, 96, 500).on_screen(112, 0, 224)
        (368, 160)
        """
        return self.x + int(x * self.side / size), self.y + int(y * self.side / size)


class CroppedEnv(AroundEnv[dict[str, Any]]):
    """``env`` in crops; actions keep the screen's coordinates, to which `on_screen` takes those of a crop.

    An observation is a dictionary: ``thumbnail``, the screen at most ``size`` pixels wide and high; ``crops``, ``most``
    pictures of ``size`` x ``size``, black where there are fewer; ``boxes``, left, top and side of each on the screen, a
    side of 0 for none; and ``tree`` where the environment shows one. ``info["edges_in_crops"]`` is the share of edges
    that the crops hold.

    Args:
        env: an environment whose observations are pixels of (height, width, 3) bytes, or a dictionary with ``pixels``.
        most: crops.
        size: pixels of a side of each as it is shown.
        density: the share of a window's pixels that must be edges.
        cell: pixels of a side of the squares in which edges are counted; windows begin and end with them.
    """

    def __init__(
        self, env: AgentEnv[Any], most: int = 16, size: int = 224, density: float = 0.06, cell: int = 16
    ) -> None:
        inner: Any = env.unwrapped
        space = inner.observation_space
        parts = dict(space.spaces) if isinstance(space, spaces.Dict) else {"pixels": space}
        pixels = parts.pop("pixels", None)
        if not isinstance(pixels, spaces.Box) or len(pixels.shape) != 3:
            raise TypeError(f"crops need an environment that shows pixels; {inner} shows {space}")
        if most < 1 or size < 16 or cell < 4 or not 0 < density < 1:
            raise ValueError(f"no crops with most={most}, size={size}, density={density}, cell={cell}")
        super().__init__(inner, "crops")
        self.most, self.size, self.density, self.cell = most, size, density, cell
        self.crops: list[Crop] = []
        """Those of the last observation."""
        height, width, _ = pixels.shape
        small = _fitting(width, height, size)
        self.observation_space = spaces.Dict(
            parts
            | {
                "thumbnail": spaces.Box(0, 255, (small[1], small[0], 3), np.uint8),
                "crops": spaces.Box(0, 255, (most, size, size, 3), np.uint8),
                "boxes": spaces.Box(0, max(height, width), (most, 3), np.int32),
            }
        )

    def nodes(self) -> list[Node]:
        """The elements on the screen."""
        found: list[Node] = self.inner.nodes()  # type: ignore[attr-defined]
        return found

    def on_screen(self, crop: int, x: float, y: float) -> tuple[int, int]:
        """Where a point of a crop, by its number from 0, is on the screen. Raises `IndexError` where there is none."""
        return self.crops[crop].on_screen(x, y, self.size)

    def _shown(self, observation: Any, info: dict[str, Any]) -> dict[str, Any]:
        parts = dict(observation) if isinstance(observation, dict) else {"pixels": observation}
        pixels = copy_of(parts.pop("pixels"))
        self.crops, share = find_crops(pixels, self.most, density=self.density, cell=self.cell)
        info["edges_in_crops"] = share
        height, width, _ = pixels.shape
        image = Image.fromarray(pixels)
        shown = np.zeros((self.most, self.size, self.size, 3), np.uint8)
        boxes = np.zeros((self.most, 3), np.int32)
        for number, crop in enumerate(self.crops):
            part = image.crop((crop.x, crop.y, crop.x + crop.side, crop.y + crop.side))
            shown[number] = np.asarray(part.resize((self.size, self.size), Image.Resampling.BILINEAR))
            boxes[number] = crop[:3]
        small = image.resize(_fitting(width, height, self.size), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return parts | {"thumbnail": np.array(small), "crops": shown, "boxes": boxes}


def find_crops(pixels: Picture, most: int, *, density: float = 0.06, cell: int = 16) -> tuple[list[Crop], float]:
    """At most ``most`` crops of a picture in reading order, and the share of its edge pixels that they hold.

    A window may reach over the right or lower end of the picture by less than a cell.
    """
    left = _edges_in_cells(pixels, cell)
    whole = int(left.sum())
    found: list[Crop] = []
    side = float(_SMALLEST)
    while side <= min(left.shape):
        found += _cut(left, int(side), density, cell)
        side *= _GROWTH
    found = sorted(found, key=lambda crop: -crop.edges)[:most]
    share = sum(crop.edges for crop in found) / whole if whole else 1.0
    return sorted(found, key=lambda crop: (crop.y, crop.x)), share


def _edges_in_cells(pixels: Picture, cell: int) -> NDArray[np.int32]:
    """How many pixels of each square are brighter or darker than the next one to the right or below by a step."""
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.int16)
    height, width = grey.shape
    edges = np.zeros((-(-height // cell) * cell, -(-width // cell) * cell), bool)
    edges[:height, : width - 1] = np.abs(np.diff(grey, axis=1)) > _STEP
    edges[: height - 1, :width] |= np.abs(np.diff(grey, axis=0)) > _STEP
    cells = edges.reshape(edges.shape[0] // cell, cell, -1, cell)
    counts: NDArray[np.int32] = cells.sum(axis=(1, 3), dtype=np.int32)
    return counts


def _cut(left: NDArray[np.int32], side: int, density: float, cell: int) -> list[Crop]:
    """Windows of ``side`` cells, the densest first, taken out of ``left`` until none is dense enough."""
    found: list[Crop] = []
    enough = density * (side * cell) ** 2
    while True:
        table = np.pad(left, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
        held = table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]
        row, column = divmod(int(held.argmax()), held.shape[1])
        if held[row, column] < enough:
            return found
        found.append(Crop(column * cell, row * cell, side * cell, int(held[row, column])))
        left[row : row + side, column : column + side] = 0


def _fitting(width: int, height: int, size: int) -> tuple[int, int]:
    """Width and height of a picture made to fit a square."""
    most = max(width, height)
    return max(1, width * size // most), max(1, height * size // most)
