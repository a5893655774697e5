"""Pictures of pages: PNG to array, and the numbers of elements drawn over them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#7f7f7f")


def decode(png: bytes) -> NDArray[np.uint8]:
    """The picture as an array of (height, width, 3) bytes."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB"))


def with_marks(png: bytes, elements: Sequence[dict[str, Any]]) -> NDArray[np.uint8]:
    """The picture with a frame and the number of each element on it (set-of-marks, arXiv 2310.11441)."""
    from PIL import Image, ImageDraw

    with Image.open(io.BytesIO(png)) as picture:
        marked = picture.convert("RGB")
    draw = ImageDraw.Draw(marked)
    for one in elements:
        left, top, width, height = one["box"]
        if "offscreen" in one["state"]:
            continue
        colour = _COLOURS[one["number"] % len(_COLOURS)]
        draw.rectangle((left, top, left + width, top + height), outline=colour)
        label = str(one["number"])
        right = left + draw.textlength(label) + 2
        draw.rectangle((left, max(0, top - 10), right, max(10, top)), fill=colour)
        draw.text((left + 1, max(0, top - 11)), label, fill="white")
    return np.asarray(marked)
