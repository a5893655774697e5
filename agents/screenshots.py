"""What a screen showed, kept with the steps of an episode: pictures as PNG in base64, so that a record stays JSON."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

from gymnasium.error import DependencyNotInstalled

SCREENSHOT = "screenshot"
"""The field of `Step.info` that holds the screen before the action, and of `Episode.info` the last one."""
POINTER = "pointer"
"""The field of `Step.info` that holds where the action left the pointer: x and y in pixels."""
_MODE = "rgb_array"


def with_pictures(render_modes: Any) -> dict[str, Any]:
    """Options that make an environment draw. Raises `ValueError` where its modes say that it cannot."""
    if _MODE not in render_modes:
        raise ValueError("it has no screen: its render modes are " + (", ".join(map(str, render_modes)) or "none"))
    return {"render_mode": _MODE}


def as_png(pixels: Any) -> str:
    """What ``render()`` returned, an array of (height, width, 3) bytes, as a PNG in base64."""
    try:
        from PIL import Image
    except ImportError:
        raise DependencyNotInstalled("screenshots need Pillow: pip install pillow") from None
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def pointed(info: Mapping[str, Any]) -> dict[str, list[int]]:
    """Where an environment says that the pointer is, to be kept with a step; empty where it has none."""
    return {POINTER: [int(place) for place in info[POINTER]]} if POINTER in info else {}
