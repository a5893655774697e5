"""The bytes of a snapshot: which environment's they are, compressed, and sealed so that damage is noticed."""

from __future__ import annotations

import zlib
from hashlib import blake2b

_DIGEST = 16


def seal(kind: bytes, body: bytes) -> bytes:
    """``body`` as a snapshot of a ``kind``, which begins the bytes."""
    packed = zlib.compress(body, 1)
    return kind + blake2b(packed, digest_size=_DIGEST).digest() + packed


def unseal(kind: bytes, snapshot: bytes, most: int) -> bytes:
    """What `seal` was given.

    Raises `ValueError` for another kind, for damage, and for more than ``most`` bytes.

    >>> unseal(b"box1", seal(b"box1", b"what is in it"), most=99)
    b'what is in it'
    """
    digest, packed = snapshot[len(kind) : len(kind) + _DIGEST], snapshot[len(kind) + _DIGEST :]
    if not snapshot.startswith(kind) or digest != blake2b(packed, digest_size=_DIGEST).digest():
        raise ValueError("these bytes are no snapshot of this environment, or are damaged")
    unpack = zlib.decompressobj()
    try:
        body = unpack.decompress(packed, most)
    except zlib.error as error:
        raise ValueError(f"these bytes are no snapshot: {error}") from None
    if not unpack.eof or unpack.unused_data:
        raise ValueError("it is too large")
    return body
