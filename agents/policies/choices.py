"""Restriction of a completion to a fixed set of token sequences, walked as a trie.

The restricted policy is the model's next-token distribution, at each token cut down to what still leads to a choice
and renormalised. It needs the model only where the choices branch, which makes thirty commands about as cheap as one.
It is not the model's distribution over whole sequences conditioned on the set: a choice's probability is the product
of its renormalised tokens, not its share of the total sequence probability.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_END = None  # the key under which a node says that a choice ends here


class Choices:
    """A walk from the beginning of the choices to the end of one.

    Where one choice is the beginning of another, ending there competes as the token ``end_id`` (never emitted).
    Raises `ValueError` where a choice also goes on with ``end_id``, or where there is no end token.
    """

    def __init__(self, choices: Iterable[Sequence[int]], end_id: int | None) -> None:
        self._end_id = end_id
        self._node: dict[int | None, Any] = {}
        nodes = []
        for choice in choices:
            node = self._node
            for token in choice:
                node = node.setdefault(token, {})
            node[_END] = {}
            nodes.append(node)
        if any(len(node) > 1 and (end_id is None or end_id in node) for node in nodes):
            raise ValueError("one choice is the beginning of another, and no end token can tell them apart")

    def allowed(self) -> list[int]:
        """The ids that may be drawn next."""
        ids = [self._end_id if token is _END else token for token in self._node]
        return [token for token in ids if token is not None]

    def step(self, token: int) -> bool:
        """Go on with what was drawn; false if that was the end of a choice."""
        if token in self._node:
            self._node = self._node[token]
            return True
        return False

    def forced(self) -> tuple[list[int], bool]:
        """Walk on while there is one way only: the tokens on it, and whether a choice is complete."""
        tokens: list[int] = []
        while len(self._node) == 1:
            token = next(iter(self._node))
            if token is _END:
                return tokens, True
            tokens.append(token)
            self._node = self._node[token]
        return tokens, False
