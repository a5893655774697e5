"""Actions that no environment may choke on: huge, deep, endless, of the wrong type, of strange characters.

Each is to be answered in words (see `selfgym.envs.core`); none is a possible command of any environment here but by
chance, and `selfgym.envs.checking` allows for that.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Unreadable:
    """An object that resists every look at it."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __len__ = __bool__ = __iter__ = __repr__


def _nested(depth: int) -> list[Any]:
    data: list[Any] = []
    for _ in range(depth):
        data = [data]
    return data


_LOOP: dict[str, Any] = {"name": "look"}
_LOOP["arguments"] = _LOOP
HOSTILE: dict[str, Any] = {
    "megabyte": "go to " * 200_000,
    "blanks": " " * 1_000_000,
    "brackets": "{" * 100_000,
    "lists": "[" * 100_000,
    "digits": "9" * 100_000,
    "deep object": '{"a":' * 50_000,
    "deep list": _nested(5_000),
    "number": 10**5_000,
    "tool with a megabyte": {"name": "x" * 1_000_000, "arguments": {"y": "z" * 1_000_000}},
    "many arguments": {"name": "look", "arguments": {str(n): n for n in range(10_000)}},
    "loop": _LOOP,
    "array": np.zeros((100, 100)),
    "bytes": b"look",
    "none": None,
    "hostile": Unreadable(),
    "text of numpy": np.str_("lok"),
    "not a number": float("nan"),
    "type": int,
    "surrogate": "\ud800\udfff look",
    "controls": "".join(map(chr, range(32))) + "\x7f\x85\u2028\u202e\ufeff",
    "look with controls": "lo\x00ok",
    "combining": "l\u0301o\u0301o\u0301k\u0301" * 500,
    "two lines": "look\ngo to fridge 1",
    "empty": "",
    "tool call without a tool": '{"name": "nothing of the kind", "arguments": {}}',
    "tool call with a wrong argument": {"name": "look", "arguments": {"at": "me"}},
    "half a tool call": '{"name": "look", ',
}
"""By what is wrong with each."""
