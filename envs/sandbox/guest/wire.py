"""Frames between the host and the server inside a sandbox: a header of plain values and a body of bytes.

``length of header, length of body`` (two big-endian 32-bit integers), header, body, over any byte stream. The header
is bencoded (BitTorrent BEP 3), with texts for byte strings and, beside integers, lists and dictionaries, ``n`` ``t``
``f`` for None, True and False and ``r<decimal>;`` for floats. Not JSON, because to import `json` takes the server as
long as everything else it does to start. This file runs on both sides and imports nothing of selfgym. What comes from
a sandbox is data: whoever reads it must expect anything.
"""

from __future__ import annotations

TYPE_CHECKING = False  # the server inside imports as little as it can, and typing is much
if TYPE_CHECKING:
    from typing import Any

    Frame = tuple[dict[str, Any], bytes]

MAX_HEADER = 2**26
MAX_BODY = 2**31
READ = 2**18
_DEEPEST = 8
_CONSTANTS = {ord("n"): None, ord("t"): True, ord("f"): False}


class WireError(ValueError):
    """What arrived is not a frame."""


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """One frame as bytes."""
    parts: list[bytes] = []
    _encode(header, parts)
    text = b"".join(parts)
    return len(text).to_bytes(4, "big") + len(body).to_bytes(4, "big") + text + body


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
        if len(self._buffer) < 8:
            return None
        header_length = int.from_bytes(self._buffer[:4], "big")
        body_length = int.from_bytes(self._buffer[4:8], "big")
        if header_length > MAX_HEADER or body_length > MAX_BODY:
            raise WireError(f"a frame of {header_length} + {body_length} bytes")
        start, end = 8 + header_length, 8 + header_length + body_length
        if len(self._buffer) < end:
            return None
        header = decode(bytes(self._buffer[8:start]))
        body = bytes(self._buffer[start:end])
        del self._buffer[:end]
        if not isinstance(header, dict):
            raise WireError("the header of a frame is not a dictionary")
        return header, body


def _encode(value: Any, parts: list[bytes]) -> None:
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        parts.append(b"%d:" % len(text))
        parts.append(text)
    elif value is None or value is True or value is False:
        parts.append(b"n" if value is None else b"t" if value else b"f")
    elif isinstance(value, int):
        parts.append(b"i%de" % value)
    elif isinstance(value, float):
        parts.append(b"r%r;" % value)
    elif isinstance(value, dict):
        parts.append(b"d")
        for key, inner in value.items():
            _encode(key, parts)
            _encode(inner, parts)
        parts.append(b"e")
    elif isinstance(value, list | tuple):
        parts.append(b"l")
        for inner in value:
            _encode(inner, parts)
        parts.append(b"e")
    else:
        raise TypeError(f"a frame cannot hold {type(value).__name__}")


def decode(data: bytes) -> Any:
    """The value that a header's bytes stand for. Raises `WireError`."""
    try:
        value, position = _decode(data, 0, 0)
    except (ValueError, IndexError, TypeError) as error:
        raise WireError(f"the header of a frame is malformed: {error}") from None
    if position != len(data):
        raise WireError("the header of a frame goes on after its end")
    return value


def _decode(data: bytes, position: int, depth: int) -> tuple[Any, int]:
    kind = data[position]
    if 48 <= kind <= 57:
        colon = data.index(b":", position, position + 12)
        end = colon + 1 + int(data[position:colon])
        if end > len(data):
            raise ValueError("a text is cut off")
        return data[colon + 1 : end].decode("utf-8", "surrogatepass"), end
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], position + 1
    if kind in b"ir":
        ending, longest = (b"e", 400) if kind == 105 else (b";", 40)
        end = data.index(ending, position + 1, position + longest)
        text = data[position + 1 : end]
        return (int(text) if kind == 105 else float(text)), end + 1
    if kind not in b"dl" or depth >= _DEEPEST:
        raise ValueError(f"no value begins with {bytes([kind])!r} here")
    items = []
    position += 1
    while data[position] != 101:
        item, position = _decode(data, position, depth + 1)
        items.append(item)
    if kind == 108:
        return items, position + 1
    return dict(zip(items[::2], items[1::2], strict=True)), position + 1
