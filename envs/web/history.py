"""What was done in an episode, and the bytes of a snapshot: enough to do it again and to notice where that differs."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from selfgym.envs.core import SnapshotError
from selfgym.envs.tools import ActionError, ToolCall
from selfgym.envs.web.actions import WEB_TOOLS

_MAGIC = b"web2"
_DIGEST = 16
_MOST = 2**26  # bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A page as it has just been loaded, and the data behind it: it can be loaded again instead of doing all again."""

    url: str
    cookies: list[dict[str, Any]]
    data: bytes

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"url": self.url, "cookies": self.cookies, "data": base64.b85encode(self.data).decode()}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Checkpoint:
        """What `plain` gave. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        return cls(str(plain["url"]), list(plain["cookies"]), base64.b85decode(plain["data"]))


@dataclass(slots=True)
class History:
    """The actions of an episode that had an effect, each with the key of what was seen after it."""

    seed: int
    task: str
    version: str
    steps: int = 0
    calls: list[ToolCall] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def record(self, call: ToolCall, key: str) -> None:
        """Add an action."""
        self.calls.append(call)
        self.keys.append(key)

    def begins_with(self, other: History) -> bool:
        """Whether ``other`` is a beginning of this one."""
        count = len(other.calls)
        return self.calls[:count] == other.calls and self.keys[:count] == other.keys

    def pack(self, more: dict[str, Any]) -> bytes:
        """As bytes, together with further plain data."""
        data = {
            "seed": self.seed, "task": self.task, "version": self.version, "steps": self.steps, "keys": self.keys,
            "calls": [[call.name, call.arguments] for call in self.calls], "more": more,
        }  # fmt: skip
        body = zlib.compress(json.dumps(data).encode(), 1)
        return _MAGIC + blake2b(body, digest_size=_DIGEST).digest() + body

    @classmethod
    def unpack(cls, snapshot: bytes, version: str) -> tuple[History, dict[str, Any]]:
        """What `pack` was given. Raises `SnapshotError` for any other bytes, and for another version's."""
        body = snapshot[len(_MAGIC) + _DIGEST :]
        digest = snapshot[len(_MAGIC) : len(_MAGIC) + _DIGEST]
        if not snapshot.startswith(_MAGIC) or blake2b(body, digest_size=_DIGEST).digest() != digest:
            raise SnapshotError("cannot restore: these bytes are no snapshot of a web environment, or are damaged")
        try:
            unpack = zlib.decompressobj()
            data = json.loads(unpack.decompress(body, _MOST))
            if data["version"] != version:
                raise SnapshotError(f"cannot restore: the snapshot is of version {data['version']}, this is {version}")
            calls = [_checked(name, arguments) for name, arguments in data["calls"]]
            history = cls(int(data["seed"]), str(data["task"]), version, int(data["steps"]), calls, list(data["keys"]))
            if len(history.keys) != len(calls):
                raise ValueError("it has not as many observations as actions")
            return history, dict(data["more"])
        except (zlib.error, ValueError, KeyError, TypeError, ActionError) as error:
            raise SnapshotError(f"cannot restore: {error}") from None


def _checked(name: str, arguments: dict[str, Any]) -> ToolCall:
    return WEB_TOOLS.parse({"name": name, "arguments": arguments})
