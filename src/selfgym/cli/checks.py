"""One line of what `selfgym doctor` reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """Something that works here or does not."""

    name: str
    ok: bool
    found: str
    """What is there, or why it does not count."""
    remedy: str = ""
    """How to get it."""
    use: str = ""
    """What needs it."""
