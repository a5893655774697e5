"""Reads WebShop's own data files (github.com/princeton-nlp/WebShop, ``setup.sh``) from a folder of the user's.

``items_shuffle*.json`` holds the products and is needed; ``items_ins_v2*.json`` their attributes and written
instructions, ``items_human_ins.json`` those of people, and ``reviews.json`` reviews, each where it is there. As in
WebShop, people's instructions go before written ones, a range of prices becomes one price within it, products without
a price cost 100 dollars, and options cost nothing more. The price within a range is drawn by product.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from selfgym.envs.web.sites.shop.catalogue import Asked, Catalogue, Opinion, Product, shared
from selfgym.envs.web.sites.site import SiteError

LEAST = 3
"""Fewer products cannot be split."""


def from_folder(folder: str | Path) -> Catalogue:
    """The catalogue of a folder, read once in a process. Raises `SiteError` where it cannot be read."""
    place = Path(folder).expanduser().resolve()
    files = sorted(place.glob("items_shuffle*.json"), key=lambda path: (len(path.name), path.name))
    if not files:
        raise SiteError(f"there is no items_shuffle*.json in {place}; download WebShop's data there, or leave data out")
    items = files[0]  # the whole set where it lies beside the one with a thousand
    beside = [items, place / items.name.replace("items_shuffle", "items_ins_v2")]
    beside += [place / "items_human_ins.json", place / "reviews.json"]
    stamps = [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in beside if path.exists()]
    return shared((str(place), *stamps), lambda: _read(*beside))


def _read(items: Path, instructions: Path, human: Path, reviews: Path) -> Catalogue:
    try:
        written: Mapping[str, Any] = _json(instructions, {})
        people: Mapping[str, Any] = _json(human, {})
        opinions = {review["asin"]: review for review in _json(reviews, [])}
        products = {}
        for item in _json(items, []):
            asin = str(item["asin"])
            if asin != "nan" and len(asin) <= 10 and asin not in products:
                products[asin] = _product(item, written.get(asin, {}), opinions.get(asin, {}))
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise SiteError(
            f"the files beside {items} are not WebShop's data: {type(problem).__name__}: {problem}"
        ) from problem
    if len(products) < LEAST:
        raise SiteError(f"{items} has {len(products)} products; at least {LEAST} are needed")
    asked = {asin: told for asin in products if (told := _people(people.get(asin, ())))}
    asked = asked or {asin: told for asin in products if (told := _written(written.get(asin, {})))}
    return Catalogue(_key(products.values()), tuple(products.values()), asked)


def _json(path: Path, missing: Any) -> Any:
    return json.loads(path.read_bytes()) if path.exists() else missing


def _product(item: Mapping[str, Any], told: Mapping[str, Any], reviewed: Mapping[str, Any]) -> Product:
    points = item.get("small_description") or []
    opinions = tuple(_opinion(review) for review in reviewed.get("reviews") or ())
    return Product(
        id=item["asin"],
        title=item["name"],
        brand=re.sub(r"^(Brand:|Visit the)\s*|\s*Store$", "", item.get("brand") or "").strip(),
        type=item["query"].lower().strip(),
        category=item["product_category"],
        price=_price(item["asin"], item.get("pricing") or ""),
        description=item.get("full_description") or "",
        features=tuple(points) if isinstance(points, list) else (points,),
        attributes=tuple(told.get("attributes") or ()),
        options=_options(item.get("customization_options") or {}),
        rating=_number(reviewed.get("average_rating")),
        ratings=len(opinions),
        opinions=opinions,
    )


def _price(asin: str, pricing: str) -> int:
    """The price in cents of ``$12.99`` or of a range such as ``$10.00$25.00``."""
    prices = [float(re.sub(r"[^\d.]", "", part)) for part in pricing.split("$")[1:]]
    if not prices:
        return 10_000
    if len(prices) == 1:
        return round(prices[0] * 100)
    return round(random.Random(asin).uniform(*sorted(prices[:2])) * 100)


def _options(told: Mapping[str, Sequence[Mapping[str, Any]] | None]) -> dict[str, dict[str, int]]:
    return {
        name.lower(): {value["value"].strip().replace("/", " | ").lower(): 0 for value in values}
        for name, values in told.items()
        if values
    }


def _opinion(told: Mapping[str, Any]) -> Opinion:
    stars = _number(told.get("score", told.get("stars")))
    text = told.get("review", told.get("body")) or ""
    return Opinion(told.get("author") or "A customer", round(stars), told.get("title") or "", text)


def _number(told: Any) -> float:
    """The first number in what is told, 0.0 where there is none."""
    found = re.search(r"\d+(\.\d+)?", str(told))
    return float(found.group()) if found else 0.0


def _people(told: Iterable[Mapping[str, Any]]) -> list[Asked]:
    return [
        Asked(
            one["instruction"].strip("."),
            tuple(one["instruction_attributes"]),
            tuple(value.strip().replace("/", " | ").lower() for value in one.get("instruction_options") or ()),
        )
        for one in told
        if one["instruction_attributes"]
    ]


def _written(told: Mapping[str, Any]) -> list[Asked]:
    attributes = told.get("instruction_attributes")
    return [Asked(told["instruction"].strip("."), tuple(attributes))] if attributes and told.get("instruction") else []


def _key(products: Iterable[Product]) -> str:
    """A hash of everything that a page or a task could show."""
    hashed = hashlib.blake2b(digest_size=8)
    for product in products:
        hashed.update(repr(product).encode("utf-8", "replace"))
    return hashed.hexdigest()
