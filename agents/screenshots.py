"""What a screen showed, kept with the steps of an episode: pictures as PNG in base64, so that a record stays JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from selfgym.envs.pictures import png

SCREENSHOT = "screenshot"
"""The field of `Step.info` that holds the screen before the action, and of `Episode.info` the last one."""
POINTER = "pointer"
"""The field of `Step.info` that holds where the action left the pointer: x and y in pixels."""


def shown(pixels: Any) -> dict[str, str]:
    """What ``render()`` returned, an array of (height, width, 3) bytes, to be kept with a step or an episode."""
    return {SCREENSHOT: base64.b64encode(png(pixels)).decode()}


def pointed(info: Mapping[str, Any]) -> dict[str, list[int]]:
    """Where an environment says that the pointer is, to be kept with a step; empty where it has none."""
    return {POINTER: [int(place) for place in info[POINTER]]} if POINTER in info else {}
