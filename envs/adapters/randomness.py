"""Random numbers of a package that draws from the generators of the whole process: kept apart, one state for each user.

TextArena and GEM seed and use the global generators of `random` and NumPy. Within `OwnRandomness.used` those are in a
state that belongs to its user; afterwards they are as they were, so nobody else notices and nobody else disturbs.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_lock = threading.RLock()


class OwnRandomness:
    """A state of the global generators that begins with a seed and goes on from use to use."""

    def __init__(self, seed: int) -> None:
        self._python = random.Random(seed).getstate()
        self._numpy = np.random.MT19937(seed)

    @contextmanager
    def used(self) -> Iterator[None]:
        """The generators of the process are in this state; no other thread uses this class meanwhile."""
        with _lock:
            python, numpy = random.getstate(), np.random.get_bit_generator()  # type: ignore[attr-defined]
            random.setstate(self._python)
            np.random.set_bit_generator(self._numpy)  # type: ignore[attr-defined]
            try:
                yield
            finally:
                self._python = random.getstate()
                random.setstate(python)
                np.random.set_bit_generator(numpy)  # type: ignore[attr-defined]
