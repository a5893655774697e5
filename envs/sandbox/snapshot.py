"""The files of a sandbox at one moment, as plain data."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from selfgym.envs.sandbox.guest.tree import digest

Node = tuple[str, str, int, int, str]
"""Absolute path, kind (file, folder, link, hard, other), permission bits, modification time in nanoseconds, detail."""

_MAGIC = b"selfgym-tree-1\n"


@dataclass(frozen=True)
class Snapshot:
    """Contents, modes, modification times and links of everything in the workspace and in scratch.

    Snapshots that follow one another share the contents they have in common. Not kept: owners (there is one), access
    and change times, extended attributes, what a named pipe held.
    """

    nodes: tuple[Node, ...]
    blobs: Mapping[str, bytes]
    """Contents by hash."""

    @cached_property
    def key(self) -> str:
        """A hash that is equal exactly when the trees are, times left out."""
        kept = sorted([path, kind, mode, detail] for path, kind, mode, _, detail in self.nodes)
        return digest(json.dumps(kept).encode())

    def to_bytes(self) -> bytes:
        """All of it, compressed."""
        head = json.dumps({"nodes": self.nodes, "blobs": {name: len(blob) for name, blob in self.blobs.items()}})
        return _MAGIC + zlib.compress(head.encode() + b"\n" + b"".join(self.blobs.values()), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Snapshot:
        """The snapshot that `to_bytes` wrote. Raises `ValueError` for anything else."""
        if not data.startswith(_MAGIC):
            raise ValueError("these bytes are no snapshot of a sandbox")
        try:
            head, _, body = zlib.decompress(data[len(_MAGIC) :]).partition(b"\n")
            fields = json.loads(head)
            blobs, position = {}, 0
            for name, length in fields["blobs"].items():
                blobs[name] = body[position : position + length]
                position += length
                if digest(blobs[name]) != name:
                    raise ValueError("a content does not have its hash")
            return cls(checked(fields["nodes"]), blobs)
        except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the snapshot of the sandbox is damaged: {error}") from None


def checked(nodes: Any) -> tuple[Node, ...]:
    """Nodes that came from elsewhere, with their types checked. Raises `ValueError`."""
    for node in nodes:
        if [type(part) for part in node] != [str, str, int, int, str]:
            raise ValueError(f"not a node of a tree: {node!r}")
    return tuple((path, kind, mode, mtime, detail) for path, kind, mode, mtime, detail in nodes)
