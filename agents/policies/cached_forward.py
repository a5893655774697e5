"""Running a Hugging Face model on many contexts at once, so that a context costs only the tokens that are new.

Keys and values lie in slots and reach the model through its argument ``cache``, as a `transformers.Cache`;
the model itself is not touched. It needs a decoder whose every layer is ordinary full attention.

Rows of a batch have different lengths, so new tokens are aligned to the right: the last column is the last token of
every row. An explicit mask and explicit positions say what each token sees.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from transformers import Cache

from selfgym.agents.policies.kernels import planned_once
from selfgym.agents.policies.slots import SlotPool
from selfgym.agents.policies.token_tree import TokenTree, plant

_TOKENS_PER_FORWARD = 8192
_IDLE_SHARE = 1.5  # rows of the window per active row, beyond which copying the active ones is cheaper
_LOGITS_PER_FORWARD = 1 << 26


@dataclass(slots=True)
class _Window:
    """Rows of keys and values that a forward attends to: rows of the pool itself, or copies of some."""

    slots: list[int]
    first: int = -1  # >= 0: the window is the pool's rows from here on
    copies: dict[int, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict)


class _SlotCache(Cache):  # type: ignore[misc]
    """The `Cache` of one forward that extends slots."""

    def __init__(self, pool: SlotPool, window: _Window, room: int, span: int, cells: tuple[torch.Tensor, ...]) -> None:
        super().__init__(layers=[])
        self._pool, self._window, self._room, self._span = pool, window, room, span
        self._rows, self._columns, self._slots, self._positions = cells

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Unused: positions and mask are explicit."""
        return 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new states where they belong and return all that the window's rows may see."""
        stored = self._pool.layer(layer_idx, key_states, value_states)
        window = self._window
        fresh = window.first < 0 and layer_idx not in window.copies
        if fresh:
            chosen = torch.tensor(window.slots, device=key_states.device)
            copied = [tensor[:, :, : self._room].index_select(0, chosen) for tensor in stored]
            window.copies[layer_idx] = (copied[0], copied[1])
        seen = []
        for side, new in enumerate((key_states, value_states)):
            states = new[self._rows, :, self._columns]
            stored[side][self._slots, :, self._positions] = states
            if window.first >= 0:
                rows = stored[side][window.first : window.first + len(window.slots)]
            else:
                rows = window.copies[layer_idx][side]
                rows[self._rows, :, self._positions] = states
            seen.append(rows[:, :, : self._span])
        return seen[0], seen[1]


class _PrefixCache(Cache):  # type: ignore[misc]
    """The `Cache` of one forward that reads a prefix of each of some slots and writes nothing."""

    def __init__(self, pool: SlotPool, slots: Sequence[int], span: int) -> None:
        super().__init__(layers=[])
        self._pool, self._slots, self._span = pool, slots, span

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Unused: positions and mask are explicit."""
        return 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The prefix followed by the new states."""
        if self._span == 0:
            return key_states, value_states
        chosen = torch.tensor(self._slots, device=key_states.device)
        keys, values = self._pool.layer(layer_idx, key_states, value_states)
        keys, values = (tensor[:, :, : self._span].index_select(0, chosen) for tensor in (keys, values))
        return torch.cat([keys, key_states], dim=2), torch.cat([values, value_states], dim=2)


class CachedForward:
    """Contexts in slots: every token of a context is computed once while its slot lives."""

    def __init__(self, model: Any, max_cached_tokens: int) -> None:
        self._model = model
        takes = inspect.signature(type(model).forward).parameters
        self._cache_argument = "cache" if "cache" in takes else "past_key_values"  # its name before transformers 5.24
        self._pool = SlotPool(max_cached_tokens)
        self._limit = _TOKENS_PER_FORWARD if model.device.type == "cpu" else 8 * _TOKENS_PER_FORWARD
        self._window = _Window([])
        self._room = 0
        self.tokens_computed = 0

    def open(self, keys: Sequence[str], contexts: Sequence[Sequence[int]], room: int) -> tuple[list[int], torch.Tensor]:
        """See `Forward`. Equal contexts are computed once and forked."""
        self._pool.begin(keys, room)
        self._window, self._room = _Window([]), room
        first: dict[tuple[int, ...], int] = {}
        leaders = [index for index, ids in enumerate(contexts) if first.setdefault(tuple(ids), index) == index]
        slots = {index: self._pool.place(keys[index], contexts[index]) for index in leaders}
        logits = self.advance(
            [slots[index] for index in leaders],
            [contexts[index][int(self._pool.lengths[slots[index]]) :] for index in leaders],
        )
        row_of = {leader: row for row, leader in enumerate(leaders)}
        rows = [row_of[first[tuple(ids)]] for ids in contexts]
        for index, ids in enumerate(contexts):
            if index not in slots:
                slots[index] = self._pool.fork(slots[first[tuple(ids)]], keys[index])
        return [slots[index] for index in range(len(contexts))], logits[rows]

    def advance(self, handles: Sequence[int], tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """See `Forward`; rows of similar length are run together."""
        parts: list[torch.Tensor] = []
        order = sorted(range(len(handles)), key=lambda row: (len(tokens[row]), handles[row]))
        begin = 0
        for end in _cuts([len(tokens[row]) for row in order], self._limit):
            group = sorted(order[begin:end], key=lambda row: handles[row])
            order[begin:end] = group
            parts.append(self._extend([handles[row] for row in group], [tokens[row] for row in group]))
            begin = end
        back = np.argsort(order)
        return torch.cat(parts)[torch.from_numpy(back)]

    def _extend(self, slots: list[int], tokens: list[Sequence[int]]) -> torch.Tensor:
        """One forward: logits [rows, vocabulary] after ``tokens``, whose keys and values are now in ``slots``."""
        lengths = np.array([len(row) for row in tokens])
        window = self._window_for(slots, alone=int(lengths.max()) > 1)
        place_of = {slot: row for row, slot in enumerate(window.slots)}
        rows = np.array([place_of[slot] for slot in slots])
        width = int(lengths.max())
        starts = self._pool.lengths[slots]
        span = int((starts + lengths).max())
        ids = np.zeros((len(window.slots), width), dtype=np.int64)
        positions = np.zeros_like(ids)
        # padding columns and idle rows stand at position 0 and see it alone: their output is not used
        for row, start, new in zip(rows, starts, tokens, strict=True):
            ids[row, width - len(new) :] = new
            positions[row, width - len(new) :] = np.arange(start, start + len(new))
        cells = (
            np.repeat(rows, lengths),
            np.concatenate([np.arange(width - count, width) for count in lengths]),
            np.repeat(np.array(slots), lengths),
            np.concatenate([np.arange(start, start + count) for start, count in zip(starts, lengths, strict=True)]),
        )
        device = self._model.device
        where = torch.from_numpy(positions).to(device)
        visible = torch.arange(span, device=device) <= where[:, None, :, None]
        cache = _SlotCache(
            self._pool, window, self._room, span, tuple(torch.from_numpy(cell).to(device) for cell in cells)
        )
        logits = self._run(torch.from_numpy(ids).to(device), where, visible, cache, 1)[:, -1]
        for slot, new in zip(slots, tokens, strict=True):
            self._pool.append(slot, new)
        self.tokens_computed += int(lengths.sum())
        return logits if len(window.slots) == len(slots) else logits[torch.from_numpy(rows).to(device)]

    def _window_for(self, slots: list[int], alone: bool) -> _Window:
        """The window of the last forward while it fits, else the pool's own rows, else copies.

        ``alone``: no idle rows, because the forward is wide.
        """
        idle_share = 1.0 if alone else _IDLE_SHARE
        wanted = len(slots) * idle_share
        old = self._window
        if old.first < 0 and len(old.slots) <= wanted and set(slots) <= set(old.slots):
            return old
        extent = slots[-1] - slots[0] + 1
        if extent <= wanted:
            self._window = _Window(list(range(slots[0], slots[-1] + 1)), first=slots[0])
        else:
            self._window = _Window(slots)
        return self._window

    def score(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[tuple[float, ...]]:
        """See `Forward`. A prefix that several sequences share is computed once."""
        answers: list[tuple[float, ...]] = [()] * len(prompts)
        trees = []
        for group in plant(prompts, continuations):
            slot, shared = self._pool.longest_prefix(group.common)
            trees.append((group.tree(shared), max(slot, 0)))
        trees.sort(key=lambda item: len(item[0].tokens))
        limit = min(self._limit, _LOGITS_PER_FORWARD // self._model.config.get_text_config().vocab_size)
        begin = 0
        for end in _cuts([len(tree.tokens) for tree, _ in trees], limit):
            part = trees[begin:end]
            for index, logprobs in self._score_trees([tree for tree, _ in part], [slot for _, slot in part]):
                answers[index] = logprobs
            begin = end
        return answers

    def _score_trees(self, trees: list[TokenTree], slots: list[int]) -> Iterator[tuple[int, tuple[float, ...]]]:
        """One forward over one tree a row, each after the prefix in its slot; gives every member's answer."""
        span, width = max(tree.start for tree in trees), max(len(tree.tokens) for tree in trees)
        ids = np.zeros((len(trees), width), dtype=np.int64)
        positions = np.zeros_like(ids)
        visible = np.zeros((len(trees), 1, width, span + width), dtype=bool)
        visible[..., span:] = np.eye(width, dtype=bool)
        for row, tree in enumerate(trees):
            count = len(tree.tokens)
            ids[row, :count], positions[row, :count] = tree.tokens, tree.positions
            visible[row, 0, :count, : tree.start] = True
            visible[row, 0, :count, span : span + count] = tree.ancestors()
        asked = sorted({node for tree in trees for _, nodes, _ in tree.predictions for node in nodes})
        device = self._model.device
        ids_, positions_, visible_, columns = (
            torch.from_numpy(array).to(device) for array in (ids, positions, visible, np.array(asked))
        )
        logits = self._run(ids_, positions_, visible_, _PrefixCache(self._pool, slots, span), columns).float()
        norms = logits.logsumexp(-1)
        self.tokens_computed += sum(len(tree.tokens) for tree in trees)
        column_of = {node: column for column, node in enumerate(asked)}
        for row, tree in enumerate(trees):
            for index, nodes, tokens in tree.predictions:
                columns_ = [column_of[node] for node in nodes]
                yield index, tuple((logits[row, columns_, tokens] - norms[row, columns_]).double().tolist())

    def drop(self, key: str) -> None:
        """See `Forward`."""
        self._pool.drop(key)

    def clear(self) -> None:
        """See `Forward`."""
        self._pool.clear()
        self._window = _Window([])

    def _run(
        self, ids: torch.Tensor, positions: torch.Tensor, visible: torch.Tensor, cache: Cache, keep: int | torch.Tensor
    ) -> torch.Tensor:
        """The model's logits; ``visible`` is a boolean mask [rows, 1, new tokens, all tokens].

        ``keep``: logits of how many last columns, or of which columns.
        """
        # Additive, because every attention implementation would otherwise convert it again in each layer.
        mask = torch.zeros(visible.shape, dtype=self._model.dtype, device=visible.device)
        mask.masked_fill_(~visible, torch.finfo(mask.dtype).min)
        with planned_once():
            output: torch.Tensor = self._model(
                input_ids=ids,
                position_ids=positions,
                attention_mask=mask,
                use_cache=True,
                logits_to_keep=keep,
                **{self._cache_argument: cache},
            ).logits
        return output


def _cuts(lengths: Sequence[int], limit: int) -> Iterator[int]:
    """Where to end each batch of rows sorted by length, so that padding stays small and no batch is too large."""
    begin, total = 0, 0
    for row, length in enumerate(lengths):
        padded = length * (row + 1 - begin)
        if row > begin and (padded > limit or padded > 2 * (total + length) + 64):
            yield row
            begin, total = row, 0
        total += length
    if lengths:
        yield len(lengths)
