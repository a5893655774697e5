"""Spaces for text: any Unicode string up to a length, usable in every Gymnasium vector environment.

`gymnasium.vector.AsyncVectorEnv` reads observations from shared memory once and expects them to change in place, which
strings cannot. Its public functions are therefore taught how `UnicodeText` lies there, and how to read it afresh.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, overload

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory

_UTF32 = f"utf-32-{sys.byteorder[0]}e"  # of this machine, without a byte-order mark
_PRINTABLE = "".join(map(chr, range(32, 127)))


class _EveryCharacter:
    """The code points as a sequence and as a set, so that Gymnasium's flattening of `Text` becomes `ord` and `chr`."""

    def __len__(self) -> int:
        return 0x110000

    def __getitem__(self, index: int) -> str:
        return chr(index)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _EveryCharacter)

    __hash__ = None  # type: ignore[assignment]


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

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """A string of printable ASCII; of ``mask`` or ``probability`` only the length (their first item) is heeded."""
        length = (mask or probability or (None,))[0]
        if length is None:
            length = self.np_random.integers(self.max_length + 1)
        return "".join(self.np_random.choice(list(_PRINTABLE), size=length))

    def character_index(self, char: str) -> Any:
        """The code point of ``char``."""
        return ord(char)

    @property
    def character_list(self) -> Any:
        """All code points, in order."""
        return _EveryCharacter()

    @property
    def character_set(self) -> Any:
        """All code points; Gymnasium takes their number as the padding of flattened text."""
        return _EveryCharacter()

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"


class SharedTexts(Sequence[str]):
    """The texts that lie in shared memory now, one for each environment; a (deep) copy is a tuple of strings."""

    def __init__(self, shared_memory: Any, count: int, max_length: int) -> None:
        self._codes = np.frombuffer(shared_memory.get_obj(), dtype=np.int32).reshape(count, max_length + 1)

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        row = self._codes[index]
        text: bytes = row[1 : row[0] + 1].tobytes()
        return text.decode(_UTF32, "surrogatepass")

    def __deepcopy__(self, memo: dict[int, Any]) -> tuple[str, ...]:
        return tuple(self)


@create_shared_memory.register(UnicodeText)
def _create(space: UnicodeText, n: int = 1, ctx: ModuleType = multiprocessing) -> Any:
    return ctx.Array(np.dtype(np.int32).char, n * (space.max_length + 1))


@write_to_shared_memory.register(UnicodeText)
def _write(space: UnicodeText, index: int, value: str, shared_memory: Any) -> None:
    codes = np.frombuffer(shared_memory.get_obj(), dtype=np.int32).reshape(-1, space.max_length + 1)
    codes[index, 0] = len(value)
    codes[index, 1 : len(value) + 1] = np.frombuffer(value.encode(_UTF32, "surrogatepass"), dtype=np.int32)


@read_from_shared_memory.register(UnicodeText)
def _read(space: UnicodeText, shared_memory: Any, n: int = 1) -> SharedTexts:
    return SharedTexts(shared_memory, n, space.max_length)
