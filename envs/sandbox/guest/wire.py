"""Frames between the host and the server inside a sandbox: a JSON header and a body of bytes, over any byte stream.

``length of header, length of body`` (two big-endian 32-bit integers), header, body. This file runs on both sides and
imports nothing of selfgym. What comes from a sandbox is data: whoever reads it must expect anything.
"""

from __future__ import annotations

import json
import struct
from typing import Any

_HEAD = struct.Struct(">II")
MAX_HEADER = 2**26
MAX_BODY = 2**31
READ = 2**18

Frame = tuple[dict[str, Any], bytes]


class WireError(ValueError):
    """What arrived is not a frame."""


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """One frame as bytes."""
    text = json.dumps(header).encode()
    return _HEAD.pack(len(text), len(body)) + text + body


class Frames:
    """Takes a byte stream apart into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def holding(self) -> bool:
        """Whether there are bytes that have not been taken."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Append what was read."""
        self._buffer += data

    def take(self) -> Frame | None:
        """The next whole frame, or ``None`` until more has been fed. Raises `WireError`."""
        if len(self._buffer) < _HEAD.size:
            return None
        header_length, body_length = _HEAD.unpack_from(self._buffer)
        if header_length > MAX_HEADER or body_length > MAX_BODY:
            raise WireError(f"a frame of {header_length} + {body_length} bytes")
        start, end = _HEAD.size + header_length, _HEAD.size + header_length + body_length
        if len(self._buffer) < end:
            return None
        try:
            header = json.loads(bytes(self._buffer[_HEAD.size : start]))
        except (ValueError, RecursionError) as error:
            raise WireError(f"the header of a frame is not JSON: {error}") from None
        if not isinstance(header, dict):
            raise WireError("the header of a frame is not an object")
        body = bytes(self._buffer[start:end])
        del self._buffer[:end]
        return header, body
