"""What was done in an episode, and the bytes of a snapshot: enough to do it again and to notice where that differs.

For environments whose world cannot be copied. Actions are kept as plain data; whoever repeats them reads them anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from selfgym.envs.core import SnapshotError
from selfgym.envs.sealed import seal, unseal
from selfgym.envs.tools import ActionError

_KIND = b"again3"
_MOST = 2**26  # bytes


@dataclass(slots=True)
class History:
    """The actions of an episode that had an effect, each with the key of what was seen after it."""

    seed: int
    task: str
    version: str
    steps: int = 0
    calls: list[Any] = field(default_factory=list)
    """As JSON can hold them."""
    keys: list[str] = field(default_factory=list)

    def record(self, call: Any, key: str) -> None:
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
            "calls": self.calls, "more": more,
        }  # fmt: skip
        return seal(_KIND, json.dumps(data).encode())

    @classmethod
    def unpack(cls, snapshot: bytes, version: str, read: Callable[[Any], object]) -> tuple[History, dict[str, Any]]:
        """What `pack` was given. Raises `SnapshotError` for any other bytes, for another version's, and where ``read``
        raises for an action."""
        try:
            data = json.loads(unseal(_KIND, snapshot, _MOST))
            if data["version"] != version:
                raise SnapshotError(f"cannot restore: the snapshot is of version {data['version']}, this is {version}")
            calls, keys = list(data["calls"]), list(data["keys"])
            history = cls(int(data["seed"]), str(data["task"]), version, int(data["steps"]), calls, keys)
            for call in calls:
                read(call)
            if len(keys) != len(calls):
                raise ValueError("it has not as many observations as actions")
            return history, dict(data["more"])
        except (ValueError, KeyError, TypeError, ActionError) as error:
            raise SnapshotError(f"cannot restore: {error}") from None
