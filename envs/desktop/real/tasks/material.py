"""What homes are furnished with: names of files and folders, words, and short texts, drawn by a seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_NAMES = (
    "agenda", "budget", "colours", "draft", "errands", "garden", "guests", "harvest", "journal", "letters", "menu",
    "minutes", "museum", "orders", "packing", "plants", "recipes", "repairs", "songs", "travel",
)  # fmt: skip
_FOLDERS = ("archive", "bills", "club", "family", "house", "office", "pictures", "projects", "school", "trips")
_WORDS = (
    "apples", "bread", "candles", "chairs", "cherries", "curtains", "flour", "honey", "ladders", "lamps", "lemons",
    "mirrors", "onions", "paint", "paper", "pears", "pencils", "rope", "salt", "shelves", "soap", "sugar", "tea",
    "wool",
)  # fmt: skip
_PLACES = ("attic", "cellar", "garage", "hall", "kitchen", "office", "pantry", "porch", "shed", "studio")


def names(rng: Random, count: int, ending: str = ".txt") -> list[str]:
    """So many names of files, all different."""
    return [name + ending for name in rng.sample(_NAMES, count)]


def folders(rng: Random, count: int) -> list[str]:
    """So many names of folders, all different."""
    return rng.sample(_FOLDERS, count)


def words(rng: Random, count: int) -> list[str]:
    """So many things, all different."""
    return rng.sample(_WORDS, count)


def line(rng: Random) -> str:
    """A short sentence."""
    return f"{rng.randint(2, 19)} {rng.choice(_WORDS)} in the {rng.choice(_PLACES)}"


def lines(rng: Random, count: int) -> list[str]:
    """So many short sentences, all different."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[line(rng)] = None
    return list(found)


def text(rows: list[str]) -> bytes:
    """Lines as the contents of a file."""
    return "".join(f"{row}\n" for row in rows).encode()


def holds(rows: list[str]) -> Callable[[bytes], bool]:
    """Whether a file has just these lines; the last one may or may not be ended."""
    whole = text(rows)
    return lambda content: content in (whole, whole[:-1])
