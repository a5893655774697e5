"""The memory of the key-value cache: slots that each hold the keys and values of one context.

A slot remembers which token ids it holds and whose they are. `SlotPool.place` finds for a prompt the slot that saves
most work: its own, or a copy of the one with the longest common prefix (a fork, as tree search makes them). The least
recently used slots make room when the token budget is spent. Nothing here knows what a model is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

_SMALLEST_CAPACITY = 512
_FIRST_SLOTS = 16


class SlotPool:
    """Slots of equal capacity; for each layer two tensors of shape [slots, heads, capacity, head dimension].

    ``max_tokens`` bounds slots x capacity, except that a batch always finds room. ``lengths[slot]`` is how many
    tokens of a slot are valid.
    """

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self.clear()

    def clear(self) -> None:
        """Forget everything and give the memory back."""
        self.keys: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []
        self.capacity = 0
        self.ids = np.zeros((0, 0), dtype=np.int64)
        self.lengths = np.zeros(0, dtype=np.int64)
        self._owners: list[str] = []
        self._slot_of: dict[str, int] = {}
        self._last_use = np.zeros(0, dtype=np.int64)
        self._clock = 0
        self._placed: set[int] = set()
        self._wanted: set[int] = set()

    def longest_prefix(self, ids: Sequence[int]) -> tuple[int, int]:
        """The slot with the longest common prefix with ``ids``, and that prefix's length; (-1, 0) if none has one."""
        if not len(self.lengths) or not ids:
            return -1, 0
        width = min(len(ids), self.capacity)
        same = self.ids[:, :width] == np.asarray(ids[:width], dtype=np.int64)
        common = np.where(same.all(axis=1), width, same.argmin(axis=1))
        common = np.minimum(common, self.lengths)
        best = int(common.argmax())
        return (best, int(common[best])) if common[best] else (-1, 0)

    def begin(self, keys: Sequence[str], length: int) -> None:
        """Start a batch of one context for each of ``keys`` ("" for nobody's), of up to ``length`` tokens each.

        Until the next batch begins, a slot that was placed stays where it is.
        """
        capacity = max(self.capacity, _SMALLEST_CAPACITY, 1 << (length - 1).bit_length())
        limit = max(len(keys), self.max_tokens // capacity)
        count = min(max(len(self.lengths), _FIRST_SLOTS, len(keys)), limit)
        if capacity > self.capacity or count > len(self.lengths):
            self._resize(count, capacity)
        self._placed = set()
        self._wanted = {self._slot_of[key] for key in keys if key in self._slot_of}

    def place(self, key: str, ids: Sequence[int]) -> int:
        """A slot for the context ``ids``; its length says how much of it is there already: always less than all."""
        own = self._own(key)
        kept = self._common(own, ids) if own >= 0 else 0
        if own >= 0 and kept == self.lengths[own]:
            source, shared = own, kept
        else:
            source, shared = self.longest_prefix(ids)
        shared = min(shared, len(ids) - 1)
        if own >= 0 and kept >= shared:
            slot = own
        elif own < 0 and source >= 0 and self._is_nobodys(source) and shared >= self.lengths[source] - 1:
            slot = source
            self._give(slot, key)
        else:
            slot = own if own >= 0 else self._take(key, source)
            self._copy(source, slot, shared)
        self.lengths[slot] = shared
        self._touch(slot)
        return slot

    def fork(self, source: int, key: str) -> int:
        """A slot for ``key`` that holds exactly what ``source`` holds."""
        own = self._own(key)
        slot = own if own >= 0 else self._take(key, source)
        self._copy(source, slot, int(self.lengths[source]))
        self.lengths[slot] = self.lengths[source]
        self._touch(slot)
        return slot

    def append(self, slot: int, ids: Sequence[int]) -> None:
        """Note that the keys and values of ``ids`` now follow in ``slot``."""
        start = int(self.lengths[slot])
        self.ids[slot, start : start + len(ids)] = ids
        self.lengths[slot] = start + len(ids)

    def drop(self, key: str) -> None:
        """Free the slot of ``key``, if it has one."""
        slot = self._slot_of.pop(key, -1)
        if slot >= 0:
            self._owners[slot] = ""
            self.lengths[slot] = 0
            self._last_use[slot] = 0

    def layer(self, index: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The two tensors of layer ``index``, made on first use to hold states like these."""
        while len(self.keys) <= index:
            # zeros, because what is masked is still multiplied: garbage could be NaN
            for tensors, like in ((self.keys, keys), (self.values, values)):
                shape = (len(self.lengths), like.shape[1], self.capacity, like.shape[3])
                tensors.append(torch.zeros(shape, dtype=like.dtype, device=like.device))
        return self.keys[index], self.values[index]

    def _common(self, slot: int, ids: Sequence[int]) -> int:
        width = min(len(ids), int(self.lengths[slot]))
        same = self.ids[slot, :width] == np.asarray(ids[:width], dtype=np.int64)
        return width if same.all() else int(same.argmin())

    def _own(self, key: str) -> int:
        """The slot of ``key``, or -1: a key that comes twice in a batch owns nothing the second time."""
        slot = self._slot_of.get(key, -1)
        return -1 if slot in self._placed else slot

    def _is_nobodys(self, slot: int) -> bool:
        return not self._owners[slot] and slot not in self._placed

    def _touch(self, slot: int) -> None:
        self._clock += 1
        self._last_use[slot] = self._clock
        self._placed.add(slot)

    def _copy(self, source: int, slot: int, length: int) -> None:
        if source == slot or length == 0:
            return
        self.ids[slot, :length] = self.ids[source, :length]
        for tensor in (*self.keys, *self.values):
            tensor[slot, :, :length] = tensor[source, :, :length]

    def _take(self, key: str, source: int) -> int:
        """The slot least recently used, a new one while the budget lasts; ``source`` only if nothing else is left."""
        free = [slot for slot in range(len(self.lengths)) if slot not in self._placed and slot not in self._wanted]
        slot = next((slot for slot in free if self._last_use[slot] == 0), -1)
        larger = min(2 * len(self.lengths), self.max_tokens // self.capacity)
        if slot < 0 and larger > len(self.lengths):
            slot = len(self.lengths)
            self._resize(larger, self.capacity)
        if slot < 0:
            slot = min(free, key=lambda slot: (slot == source, self._last_use[slot]))
        self._give(slot, key)
        return slot

    def _give(self, slot: int, key: str) -> None:
        self._slot_of.pop(self._owners[slot], None)
        key = "" if key in self._slot_of else key
        self._owners[slot] = key
        if key:
            self._slot_of[key] = slot

    def _resize(self, count: int, capacity: int) -> None:
        """Move to tensors of another size; where there are fewer slots, the most recently used survive."""
        old = np.argsort(-self._last_use, kind="stable")[:count]
        old = np.sort(old) if len(self._last_use) > count else np.arange(len(self._last_use))
        width = self.capacity
        for tensors in (self.keys, self.values):
            for index, tensor in enumerate(tensors):
                tensors[index] = tensor.new_zeros(count, tensor.shape[1], capacity, tensor.shape[3])
                tensors[index][: len(old), :, :width] = tensor[torch.from_numpy(old)]
        ids, lengths, last_use = self.ids, self.lengths, self._last_use
        owners = self._owners
        self.ids = np.zeros((count, capacity), dtype=np.int64)
        self.lengths, self._last_use = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        self.ids[: len(old), :width], self.lengths[: len(old)] = ids[old], lengths[old]
        self._last_use[: len(old)] = last_use[old]
        self._owners = [owners[slot] for slot in old] + [""] * (count - len(old))
        self._slot_of = {owner: slot for slot, owner in enumerate(self._owners) if owner}
        self.capacity = capacity
