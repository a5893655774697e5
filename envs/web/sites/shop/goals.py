"""WebShop's task: an instruction that names what a product should be, and a reward for what was bought instead.

Yao et al. 2022 (arXiv 2207.01206), section 3: an instruction has attributes, options and a highest price, and

    reward = r_type * (matched attributes + matched options + [price is low enough]) / (attributes + options + 1)

with r_type 0, 0.1, 0.5 or 1 by how many words of the wanted product's title are in the title of the bought one, by the
type and by the path of shelves. As in the authors' code, words are compared loosely, sizes exactly. What differs: all
words of a title count, not the nouns that a tagger finds; two phrases match where the words of one are among those of
the other, or nine tenths of their letters agree; and an option that nobody asked for never counts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from selfgym.envs.web.sites.shop.catalogue import SHELF, Asked, Catalogue, Product
from selfgym.envs.web.sites.shop.vocabulary import UNSAID

TEST, VALID = range(500), range(500, 1500)
"""Which seeds draw from which split, as WebShop numbers its goals; all others are for training."""
_EXACT = ("size",)
_ALIKE = 0.9


@dataclass(frozen=True, slots=True)
class Goal:
    """What should be bought."""

    product: Product
    """The product that the instruction was written of. Others may do as well."""
    text: str
    attributes: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    """Names and values; the name is empty where the data does not tell it."""
    price: int | None
    """The highest price, in cents."""


def split_of(seed: int) -> str:
    """``test``, ``valid`` or ``train``."""
    return "test" if seed in TEST else "valid" if seed in VALID else "train"


def draw(catalogue: Catalogue, pool: Sequence[Product], rng: random.Random) -> Goal:
    """A goal whose product is in ``pool`` and earns 1.0 with the right options. Raises `LookupError` if none does."""
    asked = [p for p in pool if p.id in catalogue.asked] if catalogue.asked else pool
    for product in _mixed(asked, rng):
        goal = _goal(product, rng.choice(catalogue.asked[product.id]) if catalogue.asked else None, rng)
        if goal and reward(goal, product, right_options(goal)) == 1.0:
            return goal
    raise LookupError("no product of these has an instruction that it fulfils itself")


def right_options(goal: Goal) -> dict[str, str]:
    """What to choose of the goal's own product."""
    chosen = goal.product.first_options
    for wanted, value in goal.options:
        for name, values in goal.product.options.items():
            fitting = [other for other in values if wanted in ("", name) and _same(name, other, value)]
            if fitting:
                chosen[name] = value if value in fitting else fitting[0]
    return chosen


def reward(goal: Goal, bought: Product, options: Mapping[str, str]) -> float:
    """From 0.0 to 1.0, 1.0 for all that was asked."""
    attributes = sum(_has(bought, attribute) for attribute in goal.attributes)
    chosen = sum(
        any(name in ("", other) and _same(other, given, value) for other, given in options.items())
        for name, value in goal.options
    )
    cheap = goal.price is None or bought.price_with(options) <= goal.price
    whole = len(goal.attributes) + len(goal.options) + 1
    return type_reward(goal.product, bought) * (attributes + chosen + cheap) / whole


def type_reward(wanted: Product, bought: Product) -> float:
    """0.0, 0.1, 0.5 or 1.0: whether it is the same sort of thing."""
    words = _words(wanted.title)
    shared = len(words & _words(bought.title)) / len(words) if words else 0.2
    if shared < 0.1:
        return 0.1 if shared else 0.0
    shelves = {*_shelves(wanted)} & {*_shelves(bought)}
    return 1.0 if wanted.type == bought.type or len(shelves) >= 2 or shared > 0.2 else 0.5


def _mixed(products: Sequence[Product], rng: random.Random) -> Iterator[Product]:
    """All products, without mixing all of them at once: the first is nearly always taken."""
    first = rng.randrange(len(products)) if products else 0
    yield from (products[(first + place) % len(products)] for place in range(len(products)))


def _goal(product: Product, asked: Asked | None, rng: random.Random) -> Goal | None:
    if asked is None:
        few = rng.randint(1, min(3, len(product.attributes))) if product.attributes else 0
        asked = Asked(_ask(product, names := tuple(rng.sample(product.attributes, few))), names)
    if not asked.attributes:
        return None  # WebShop leaves these out, too
    if asked.options is None:
        options = tuple((name, rng.choice(list(values))) for name, values in sorted(product.options.items()))
        named = " and ".join(f"{name} {value}" for name, value in options)
        text = f"{asked.text} with {named}" if named else asked.text
    else:
        text, options = asked.text, tuple((_named(product, value), value) for value in asked.options)
    goal = Goal(product, text, asked.attributes, options, None)
    price = product.price_with(right_options(goal))
    limits = [ten for ten in range(1_000, 100_000, 1_000) if ten > price][:4]
    if len(limits) < 2:
        return goal
    limit = max(rng.sample(limits, 2))
    return Goal(product, f"{text}, and price lower than {limit / 100:.2f} dollars", asked.attributes, options, limit)


def _ask(product: Product, attributes: Sequence[str]) -> str:
    named = " ".join((", ".join(attributes), product.type)).strip()
    article = "" if product.type.endswith("s") else "an " if named[0] in "aeiou" else "a "
    return f"i am looking for {article}{named}"


def _named(product: Product, value: str) -> str:
    """The name of the option that has this value, empty where none has."""
    return next((name for name, values in product.options.items() if value in values), "")


def _same(name: str, one: str, other: str) -> bool:
    one, other = one.casefold(), other.casefold()
    return one == other if name in _EXACT else _alike(one, other)


def _has(product: Product, attribute: str) -> bool:
    wanted = attribute.casefold()
    told = (product.title, *product.features, product.description)
    return any(_alike(wanted, own.casefold()) for own in product.attributes) or any(
        wanted in text.casefold() for text in told
    )


def _alike(one: str, other: str) -> bool:
    first, second = _stems(one), _stems(other)
    if not first or not second:
        return one == other
    if first <= second or second <= first:
        return True
    return SequenceMatcher(None, " ".join(sorted(first)), " ".join(sorted(second))).ratio() > _ALIKE


def _stems(phrase: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"\w+", phrase)}


def _words(title: str) -> set[str]:
    return {word for word in re.findall(r"[^\W_]+", title.casefold()) if not word.isdigit() and word not in UNSAID}


def _shelves(product: Product) -> list[str]:
    return [shelf.strip() for shelf in product.category.split(SHELF.strip())]
