"""What the shop sells: products, a seeded catalogue of twelve thousand of them, and search by BM25.

A catalogue never changes, so that all shops of a process share one. Search is SQLite's FTS5 in memory, with its
``bm25()``, Porter stemming and titles weighted; a customer's words are always quoted, so none is an operator.
"""

from __future__ import annotations

import hashlib
import random
import re
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar, get_args

from selfgym.envs.web.sites.shop import vocabulary as words

Order = Literal["relevance", "price", "dearest", "rating"]
ORDERS: tuple[Order, ...] = get_args(Order)
SHELF = " \u203a "
"""Stands between shelves, as in WebShop's data."""
FOUND = 50
"""How many products a search gives at most, as in WebShop."""
EACH = 240
"""Products of each sort in the seeded catalogue."""
TITLE_WEIGHT = 4.0

Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a customer wrote of a product."""

    author: str
    stars: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Product:
    """One product. Prices are in cents."""

    id: str
    title: str
    brand: str
    type: str
    """What a customer would search for to find it: WebShop's ``query``."""
    category: str
    """The path of shelves, from the widest on, joined by `SHELF`."""
    price: int
    description: str
    features: tuple[str, ...]
    attributes: tuple[str, ...]
    options: Mapping[str, Mapping[str, int]]
    """The values of each option, with what each costs more."""
    rating: float = 0.0
    """0.0 where nobody has rated it."""
    ratings: int = 0
    opinions: tuple[Opinion, ...] = ()

    def price_with(self, options: Mapping[str, str]) -> int:
        """Its price with these options chosen."""
        return self.price + sum(self.options[name][value] for name, value in options.items())

    @property
    def first_options(self) -> dict[str, str]:
        """What is chosen before a customer chooses."""
        return {name: next(iter(values)) for name, values in self.options.items()}

    @property
    def text(self) -> str:
        """Everything that is written about it, but for its title and opinions."""
        chosen = " ".join(value for values in self.options.values() for value in values)
        return " ".join((self.brand, self.type, self.category, *self.features, self.description, chosen))


@dataclass(frozen=True, slots=True)
class Asked:
    """An instruction that came with the data of a product."""

    text: str
    attributes: tuple[str, ...]
    options: tuple[str, ...] | None = None
    """The values that the text names; ``None`` where it names none and a task adds some."""


class Catalogue:
    """Products, and how they are found. It never changes.

    Args:
        key: equal exactly where the products are.
        products: at least three, with ids of their own.
        asked: instructions by product, where the data has any.
    """

    def __init__(
        self, key: str, products: Sequence[Product], asked: Mapping[str, Sequence[Asked]] | None = None
    ) -> None:
        self.key, self.products, self.asked = key, products, asked or {}
        self.by_id = {product.id: product for product in products}
        self.types: dict[str, list[Product]] = {}
        """The products of each type."""
        self.groups: dict[tuple[str, str], list[Product]] = {}
        """The products of each type and brand."""
        for product in products:
            self.types.setdefault(product.type, []).append(product)
            self.groups.setdefault((product.type, product.brand), []).append(product)
        self.splits = _split(products)
        """Disjoint pools of products: ``train``, ``valid`` (a tenth) and ``test`` (a tenth)."""
        self._index = _Index(products)

    def search(self, query: str, *, type: str = "", brand: str = "", order: Order = "relevance") -> list[Product]:
        """The best `FOUND` products for ``query``; without one, all of a type and brand.

        Equally good products are in the order of the catalogue, whatever the order asked for.
        """
        if re.search(r"\w", query):
            found = [self.products[number] for number in self._index.best(query, type, brand)]
        else:
            found = [p for p in self.types.get(type, ()) if brand in ("", p.brand)]
        if order == "price":
            found.sort(key=lambda product: product.price)
        elif order == "dearest":
            found.sort(key=lambda product: -product.price)
        elif order == "rating":
            found.sort(key=lambda product: -product.rating)
        return found


class _Index:
    """A full-text index in memory, for any thread. A third column of tokens stands for type and brand."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.best = lru_cache(1024)(self._search)
        self._lock = threading.Lock()
        self._types = {type: f"t{number}" for number, type in enumerate(dict.fromkeys(p.type for p in products))}
        self._brands = {brand: f"b{number}" for number, brand in enumerate(dict.fromkeys(p.brand for p in products))}
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        self._base.execute(
            "CREATE VIRTUAL TABLE found USING fts5(title, body, shelf, content='', tokenize='porter unicode61')"
        )
        self._base.executemany(
            "INSERT INTO found(rowid, title, body, shelf) VALUES (?, ?, ?, ?)",
            (
                (number, p.title, p.text, f"{self._types[p.type]} {self._brands[p.brand]}")
                for number, p in enumerate(products)
            ),
        )

    def _search(self, query: str, type: str, brand: str) -> tuple[int, ...]:
        terms = dict.fromkeys(term for term in re.findall(r"\w+", query.casefold()) if term not in words.UNSAID)
        shelves = [self._types.get(type, "none") if type else "", self._brands.get(brand, "none") if brand else ""]
        if not terms:
            return ()
        match = "{title body} : (" + " OR ".join(f'"{term}"' for term in list(terms)[:32]) + ")"
        match += "".join(f" AND shelf : {shelf}" for shelf in shelves if shelf)
        with self._lock:
            rows = self._base.execute(
                "SELECT rowid FROM found WHERE found MATCH ?"
                f" ORDER BY round(bm25(found, {TITLE_WEIGHT}, 1.0, 0.0), 9), rowid LIMIT {FOUND}",
                (match,),
            ).fetchall()
        return tuple(number for (number,) in rows)


def _split(products: Sequence[Product]) -> dict[str, list[Product]]:
    """Pools that do not depend on the order of the products."""
    mixed = sorted(products, key=lambda product: hashlib.blake2b(product.id.encode(), digest_size=8).digest())
    tenth = max(1, len(mixed) // 10)
    return {"test": mixed[:tenth], "valid": mixed[tenth : 2 * tenth], "train": mixed[2 * tenth :]}


_making = threading.Lock()
_made: dict[Hashable, Catalogue] = {}


def shared(name: Hashable, make: Callable[[], Catalogue]) -> Catalogue:
    """The catalogue that this process has under ``name``, made when it is first asked for."""
    with _making:
        if name not in _made:
            _made[name] = make()
        return _made[name]


def seeded() -> Catalogue:
    """The seeded catalogue: the same twelve thousand products everywhere."""
    return shared("seeded", lambda: Catalogue("seeded", tuple(_products())))


def _products() -> Iterable[Product]:
    draw = random.Random("selfgym shop")
    pairs = [(brand, series) for brand in words.BRANDS for series in words.SERIES]
    number = 0
    for department in words.DEPARTMENTS:
        for sort in department.sorts:
            for brand, series in draw.sample(pairs, EACH):
                yield _product(draw, number, department, sort, brand, series)
                number += 1


def _product(
    draw: random.Random, number: int, department: words.Department, sort: words.Sort, brand: str, series: str
) -> Product:
    own, common = sort.traits.split(","), department.traits.split(",")
    traits = [*_some(draw, own, 1, 2), *_some(draw, common, 2, 3)]
    draw.shuffle(traits)
    whom = _one(draw, department.audiences.split(","))
    named = " ".join(part for part in (brand, series, whom, sort.name.title().replace("-S", "-s")) if part)
    told = {"brand": brand, "series": series, "sort": sort.name, "first": traits[-1], "second": traits[0]}
    features = [_one(draw, words.FEATURES).format(trait=trait, Trait=trait[0].upper() + trait[1:]) for trait in traits]
    mean = draw.triangular(2.8, 5.0, 4.4)
    opinions = [_one(draw, words.OPINIONS) for _ in range(1 + int(4 * draw.random()))]
    return Product(
        id=f"B{_spelled(number)}",
        title=f"{named}, {', '.join(trait.title() for trait in traits[:2])}",
        brand=brand,
        type=sort.name,
        category=SHELF.join((*department.path.split(" > "), sort.name.title())),
        price=draw.randint(sort.low, sort.high) * 100 - _one(draw, (1, 1, 5, 11, 50)),
        description=_one(draw, words.DESCRIPTIONS).format_map(told),
        features=(*features, _one(draw, words.SERVICE)),
        attributes=tuple(traits),
        options={
            choice.name: {value: place * choice.step for place, value in enumerate(_some(draw, choice.values, 3, 6))}
            for choice in sort.choices
        },
        rating=round(mean, 1),
        ratings=draw.randint(3, 2400),
        opinions=tuple(Opinion(_one(draw, words.AUTHORS), *opinion) for opinion in opinions),
    )


# `random.choice` and `random.sample` are exact, and would be half of the time that the catalogue takes.


def _one(draw: random.Random, of: Sequence[Drawn]) -> Drawn:
    return of[int(draw.random() * len(of))]


def _some(draw: random.Random, of: Sequence[Drawn], least: int, most: int) -> list[Drawn]:
    """From ``least`` to ``most`` of these, in their order."""
    count = least + int(draw.random() * (most - least + 1))
    places = sorted(range(len(of)), key=lambda place: draw.random())[:count]
    return [of[place] for place in sorted(places)]


def _spelled(number: int) -> str:
    """Nine characters that look like a shop's number, another for each ``number``."""
    mixed = (number * 7_368_787 + 314_159_265) % 36**7
    digits = ""
    for _ in range(7):
        mixed, digit = divmod(mixed, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + digits
    return f"0{digits[0]}{digits[1:]}S"
