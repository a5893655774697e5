"""Pictures of screens as files."""

from __future__ import annotations

import io
from typing import Any

from gymnasium.error import DependencyNotInstalled


def png(pixels: Any) -> bytes:
    """An array of (height, width, 3) bytes as a PNG file. Raises `DependencyNotInstalled` without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        raise DependencyNotInstalled("pictures need Pillow: pip install pillow") from None
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()
