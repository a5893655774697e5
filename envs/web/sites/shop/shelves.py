"""The pages on which products are found and looked at."""

from __future__ import annotations

from collections.abc import Iterable

from selfgym.envs.web.sites.shop.catalogue import ORDERS, SHELF, Catalogue, Order, Product
from selfgym.envs.web.sites.shop.layout import (
    address,
    amount,
    button,
    dollars,
    entry,
    link,
    menu,
    page,
    pick_one,
    post,
    search_form,
    section,
    text,
    to_product,
    to_wish,
)
from selfgym.envs.web.sites.shop.store import Store

A_PAGE = 10
"""Products on a page of results, as in WebShop."""
_SHOWN = {"relevance": "Best match", "price": "Lowest price", "dearest": "Highest price", "rating": "Best rated"}
_RADIOS = 12
"""Options with more values than these are menus."""
_MENU = 200
"""More types or brands than these are not listed."""


def home(store: Store, note: str) -> str:
    """Where the shop begins: a search, and the shelves."""
    shelves: dict[str, list[str]] = {}
    for type, products in list(store.catalogue.types.items())[:_MENU]:
        shelves.setdefault(SHELF.join(products[0].category.split(SHELF)[:2]), []).append(type)
    listed = "".join(
        section(shelf, '<div class="row">', *(link(address("/search", type=type), type) for type in types), "</div>")
        for shelf, types in shelves.items()
    )
    return page("What are you looking for?", search_form() + listed, store.state, note=note)


def results(store: Store, query: str, type: str, brand: str, sort: str, number: int) -> str:
    """A page of what a search has found."""
    order: Order = next((known for known in ORDERS if known == sort), "relevance")
    found = store.catalogue.search(query, type=type, brand=brand, order=order)
    pages = max(1, -(-len(found) // A_PAGE))
    number = min(max(1, number), pages)
    asked = {"q": query, "type": type, "brand": brand, "sort": "" if order == "relevance" else order}
    form = search_form(
        query,
        menu("Type", "type", _any(store.catalogue.types, type), type),
        menu("Brand", "brand", _any(_brands(store.catalogue, type, found), brand), brand),
        menu("Sort by", "sort", _SHOWN, order),
    )
    turns = []
    if number > 1:
        turns.append(link(address("/search", **asked, page=number - 1), "< Prev", "button"))
    if number < pages:
        turns.append(link(address("/search", **asked, page=number + 1), "Next >", "button"))
    count = f"{len(found)} products, page {number} of {pages}" if found else "Nothing was found. Try other words."
    shown = found[(number - 1) * A_PAGE : number * A_PAGE]
    body = f'{form}<p class="soft">{count}</p>{"".join(map(_card, shown))}'
    body += f'<nav class="row" aria-label="Pages">{"".join(turns)}</nav>'
    return page(f"Results for {query}" if query else f"All {type or 'results'}", body, store.state)


def product(store: Store, product: Product, note: str, problem: str = "") -> str:
    """One product, to be chosen and bought."""
    options = "".join(_option(product, name) for name in product.options)
    here = to_product(product.id)
    form = post(
        f"{here}/buy",
        options,
        amount(),
        '<div class="row">',
        button("Buy now", main=True),
        button("Add to cart", path=f"{here}/cart"),
        button("Add to wish list", path=f"{here}/wish"),
        "</div>",
    )
    more = "".join(
        link(to_product(product.id, part), part.capitalize(), "button")
        for part in ("description", "features", "reviews")
    )
    brand = f"<p>Brand: {text(product.brand)}</p>" if product.brand else ""
    same = link(address("/search", type=product.type), product.type)
    body = (
        f'<p class="price">Price: {dollars(product.price)}</p><p>{_rated(product)}</p>{brand}'
        f'<p class="soft">{text(product.category)}</p><p>Type: {same}</p>'
        f'{form}<nav class="row card" aria-label="More about this product">{more}</nav>'
    )
    return page(product.title, body, store.state, note=note, problem=problem)


def fetch(store: Store, product: Product, problem: str = "") -> str:
    """The options of something on the wish list, on its way into the cart."""
    options = "".join(_option(product, name) for name in product.options)
    form = post(to_wish(product.id, "cart"), options, button("Move to cart", main=True))
    body = (
        f'<p class="price">Price: {dollars(product.price)}</p>{form}<p>{link("/wishes", "Back to your wish list")}</p>'
    )
    return page(f"Move {product.title} to your cart", body, store.state, problem=problem)


def about(store: Store, product: Product, part: str, note: str) -> str:
    """A page with more about a product: its description, features or reviews."""
    if part == "description":
        body = f'<p class="card">{text(product.description) or "There is no description."}</p>'
    elif part == "features":
        body = f'<ul class="card">{"".join(f"<li>{text(feature)}</li>" for feature in product.features)}</ul>'
    else:
        own = store.review(product.id)
        body = "".join(_opinion("You", own.stars, own.title, own.text) if own else "")
        body += "".join(_opinion(one.author, one.stars, one.title, one.text) for one in product.opinions)
        body = f"<p>{_rated(product)}</p>{body}"
        if any(line.product == product.id for order in store.state.orders for line in order.lines):
            body += link(to_product(product.id, "review"), "Change your review" if own else "Write a review", "button")
    back = link(to_product(product.id), f"Back to {product.title}")
    return page(f"{part.capitalize()} of {product.title}", f"{body}<p>{back}</p>", store.state, note=note)


def write(store: Store, product: Product, problem: str = "") -> str:
    """The form for a review."""
    own = store.review(product.id)
    form = post(
        to_product(product.id, "review"),
        pick_one(
            "Stars", "stars", {str(n): f"{n} star{'s' * (n > 1)}" for n in range(1, 6)}, str(own.stars if own else "")
        ),
        "<p>" + entry("Title", "title", own.title if own else "") + "</p>",
        f'<p><label>Text <textarea name="text">\n{text(own.text if own else "")}</textarea></label></p>',
        button("Save review", main=True),
    )
    back = link(to_product(product.id), f"Back to {product.title}")
    return page(f"Your review of {product.title}", f"{form}<p>{back}</p>", store.state, problem=problem)


def _card(product: Product) -> str:
    extra = any(cents for values in product.options.values() for cents in values.values())
    return (
        f'<article class="card"><div>{link(to_product(product.id), product.title)}</div>'
        f'<div class="row"><span class="price">{"from " * extra}{dollars(product.price)}</span>'
        f'<span class="soft">{_rated(product)}</span></div></article>'
    )


def _rated(product: Product) -> str:
    if not product.ratings and not product.rating:
        return "No ratings yet"
    return f"{product.rating} out of 5 stars, {product.ratings} ratings"


def _option(product: Product, name: str) -> str:
    values = {
        value: f"{value} (+{dollars(extra)})" if extra else value for value, extra in product.options[name].items()
    }
    first = next(iter(values))
    control = pick_one if len(values) <= _RADIOS else menu
    return control(name.capitalize(), f"option-{name}", values, first)


def _opinion(author: str, stars: int, title: str, words: str) -> str:
    return (
        f'<article class="card"><h2>{text(title)}</h2><p class="soft">{text(author)}: {stars} out of 5 stars</p>'
        f"<p>{text(words)}</p></article>"
    )


def _any(values: Iterable[str], chosen: str) -> dict[str, str]:
    listed = [value for value in values if value][:_MENU]
    return {"": "Any", **{value: value for value in ([] if chosen in listed or not chosen else [chosen]) + listed}}


def _brands(catalogue: Catalogue, type: str, found: list[Product]) -> list[str]:
    """The brands of a type, or of what was found."""
    return sorted({product.brand for product in (catalogue.types.get(type) or found)})
