"""A page as it has just been loaded, which can be loaded again instead of doing everything again."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The page and the data behind it."""

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
