"""Spaces for text: any Unicode string up to a length, usable in every Gymnasium vector environment."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces

_PRINTABLE = "".join(map(chr, range(32, 127)))


class _EveryCharacter:
    """The code points as a sequence, so that Gymnasium's flattening of `Text` becomes `ord` and `chr`."""

    def __len__(self) -> int:
        return 0x110000

    def __getitem__(self, index: int) -> str:
        return chr(index)


class UnicodeText(spaces.Text):
    """Every string of at most ``max_length`` characters; samples are printable ASCII.

    >>> UnicodeText(10).contains("naïve ✓"), UnicodeText(3).contains("four")
    (True, False)
    """

    def __init__(self, max_length: int, *, seed: int | None = None) -> None:
        super().__init__(max_length, min_length=0, charset=_PRINTABLE, seed=seed)

    def contains(self, x: Any) -> bool:
        """Whether ``x`` is a string of allowed length."""
        return isinstance(x, str) and len(x) <= self.max_length

    def character_index(self, char: str) -> Any:
        """The code point of ``char``."""
        return ord(char)

    @property
    def character_list(self) -> Any:
        """All code points, in order."""
        return _EveryCharacter()

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"
