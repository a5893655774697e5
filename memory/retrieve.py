"""What to show: the few items that a goal calls for, by full-text search.

Query words come from the goal, which whoever set the task wrote; never from an observation, or a page could call up
what it likes. The order is relevance (BM25 over title, when, body, code) and what an item has been worth so far (a
Thompson draw); no two items are of one origin or say the same; below a floor nothing is better than something.
"""

from __future__ import annotations

import math
import re
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library

_WORD = re.compile(r"[^\W_]+")
_STOP = frozenset(
    """
    a about after all also an and any are as at be because been before but by can could did do does each for from
    had has have he her him his how i if in into is it its just like made make many may me more most must my no not
    of off on one only or other our out over own put said same she should so some such than that the their them then
    there these they this those to too up use very was we were what when where which while who why will with would
    you your
    """.split()  # noqa: SIM905
)
_WEIGHTS = "4.0, 3.0, 1.0, 1.0"  # title, when, body, code; asked for by name: ORDER BY rank takes twice the time
_RAREST = 4  # words that are searched for: of a long goal the others cost time and find nothing more
_CANDIDATES = 40
_MOST_WORDS = 50_000  # whose stems are remembered
_ALIKE = 0.7  # share of common words above which two items say the same
Rerank = Callable[[str, Sequence[Item]], Sequence[float]]
"""(goal, items) -> how near each is, 0 to 1: `selfgym.memory.rerank`, where somebody has an encoder."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found."""

    item: Item
    score: float
    """What it was ordered by, 0 to 1 (to 2 with a reranker)."""
    relevance: float
    """BM25 as a share of what the goal's words weigh: the floor is on this."""


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How items are found and ordered."""

    most: int = 3
    floor: float = 0.15
    """Least `Hit.relevance`."""
    explore: float = 0.4
    """Weight of the Thompson draw beside 1 minus it for relevance."""
    kinds: tuple[Kind, ...] = (Kind.INSIGHT, Kind.WORKFLOW, Kind.SKILL, Kind.DOC)


def search(
    library: Library, goal: str, *, env: str = "", seed: int = 0, config: SearchConfig = SearchConfig(),
    rerank: Rerank | None = None,
) -> list[Hit]:  # fmt: skip
    """The items of ``library`` for ``goal`` in ``env``, best first; the same seed and log give the same ones.

    Those for this environment or for all, of the library's own split or of none, on trial or active.
    """
    terms, weight = _rarest(library, goal)
    if not terms or not config.most:
        return []
    kinds = ", ".join(f"'{kind}'" for kind in config.kinds)
    found = library.rows(
        f"SELECT items.seq, source, -bm25(words, {_WEIGHTS}) AS relevance, shown_closed, shown_sum "
        "FROM words JOIN items ON items.seq = words.rowid JOIN standing ON standing.seq = words.rowid "
        f"WHERE words MATCH ? AND items.split IN (?, 'none') AND items.env IN (?, '') AND items.kind IN ({kinds}) "
        "ORDER BY relevance DESC LIMIT ?",
        (" OR ".join(f'"{term}"' for term in terms), library.split, env, _CANDIDATES),
    )
    found = [row for row in found if row[2] >= config.floor * weight]
    if not found:
        return []
    won = [min(max(0.0, total), closed) for _, _, _, closed, total in found]
    lost = [closed - good for (_, _, _, closed, _), good in zip(found, won, strict=True)]
    worth = np.random.default_rng(seed).beta([1 + one for one in won], [1 + one for one in lost])
    highest, keep = found[0][2], 1 - config.explore
    order = [
        (keep * relevance / highest + config.explore * drawn, -seq, source, relevance / weight)
        for (seq, source, relevance, *_), drawn in zip(found, worth.tolist(), strict=True)
    ]
    if rerank is not None:
        near = rerank(goal, [library.at(-one[1]) for one in order])
        order = [(one[0] + extra, *one[1:]) for one, extra in zip(order, near, strict=True)]
    return _distinct(library, sorted(order, reverse=True), config.most)


def _distinct(library: Library, order: Sequence[tuple[float, int, str, float]], most: int) -> list[Hit]:
    """The first ``most`` of different origin that do not say the same."""
    hits: list[Hit] = []
    sources: set[str] = set()
    said: list[frozenset[str]] = []
    for score, seq, source, relevance in order:
        if source in sources:
            continue
        item = library.at(-seq)
        words = _words(item.title, item.when, item.body)
        if any(_alike(words, other) for other in said):
            continue
        hits.append(Hit(item, score, relevance))
        sources.add(source)
        said.append(words)
        if len(hits) == most:
            break
    return hits


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    common = len(one & other)
    return common > _ALIKE * (len(one) + len(other) - common)


@lru_cache(maxsize=10_000)
def _words(*texts: str) -> frozenset[str]:
    return frozenset(_WORD.findall(" ".join(texts).lower()))


def _rarest(library: Library, goal: str) -> tuple[list[str], float]:
    """The goal's rarest words, stemmed, and the sum of their inverse document frequencies, as FTS5 reckons them."""
    terms = sorted(_stems({word for word in _WORD.findall(goal.lower()) if word not in _STOP}))
    if not terms:
        return [], 0.0
    counts = library.document_counts(terms)
    rarest = sorted(counts.items(), key=lambda row: (row[1], row[0]))[:_RAREST]
    total = int(library.rows("SELECT showable FROM library")[0][0])
    return [term for term, _ in rarest], sum(max(1e-6, math.log((total - n + 0.5) / (n + 0.5))) for _, n in rarest)


_stemmer = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
_stemmer.executescript(
    "CREATE VIRTUAL TABLE text USING fts5(t, tokenize='porter unicode61 remove_diacritics 2');"
    "CREATE VIRTUAL TABLE terms USING fts5vocab(text, 'instance');"
)
_stemming = threading.Lock()


_known: dict[str, list[str]] = {}  # word -> its stems: goals use the same words again and again


def _stems(words: set[str]) -> set[str]:
    """What FTS5's own tokenizer makes of words: Python cannot call it, but a table in memory tells."""
    with _stemming:
        if new := [word for word in words if word not in _known]:
            if len(_known) > _MOST_WORDS:
                _known.clear()
                new = list(words)
            _known.update({word: [] for word in new})
            _stemmer.execute("BEGIN")
            _stemmer.executemany("INSERT INTO text(rowid, t) VALUES (?, ?)", enumerate(new))
            for term, row in _stemmer.execute("SELECT term, doc FROM terms"):
                _known[new[row]].append(term)
            _stemmer.execute("ROLLBACK")
        return {stem for word in words for stem in _known[word]}
