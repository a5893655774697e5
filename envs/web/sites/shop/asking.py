"""Kinds of task that ask something of the shop's data and want nothing changed."""

from __future__ import annotations

from collections.abc import Mapping

from selfgym.envs.web.sites.answers import Number, Text
from selfgym.envs.web.sites.shop.errands import Errand, Kind, World, said
from selfgym.envs.web.sites.shop.state import DAY
from selfgym.envs.web.sites.shop.store import cost

_MONTHS = (("January", 31), ("February", 29), ("March", 31), ("April", 30), ("May", 31), ("June", 30))


def price(world: World) -> Errand:
    """Of a product with options."""
    product = world.any(lambda product: product.options)
    options, count = world.options(product), world.rng.choice((1, 1, 2, 3))
    return Errand(
        f"What do {count} of {said(product, options)} cost, in dollars, without delivery?",
        answer=_dollars(product.price_with(options) * count),
    )


def dearer(world: World) -> Errand:
    """How much one product costs more than another."""
    one = world.any(lambda one: any(one.price > other.price for other in world.catalogue.types[one.type]))
    two = world.pick(world.catalogue.types[one.type], lambda other: other.price < one.price)
    return Errand(
        f'By how many dollars is the listed price of "{one.title}" higher than that of "{two.title}"?',
        answer=_dollars(one.price - two.price),
    )


def rating(world: World) -> Errand:
    """Of a product, or how many there are."""
    product = world.any(lambda product: product.ratings)
    if world.rng.random() < 0.5:
        return Errand(f'How many customers have rated "{product.title}"?', answer=Number(product.ratings))
    return Errand(f'What is the average rating, in stars, of "{product.title}"?', answer=Number(product.rating, 0.001))


def values(world: World) -> Errand:
    """How many values an option has."""
    product = world.any(lambda product: product.options)
    name = world.pick(product.options)
    return Errand(
        f'Between how many values of {name} can one choose for "{product.title}"?',
        answer=Number(len(product.options[name])),
    )


def count_products(world: World) -> Errand:
    """How many products a brand has of a type."""
    product = world.any(lambda product: product.brand)
    count = len(world.catalogue.groups[product.type, product.brand])
    return Errand(
        f'How many products of the type "{product.type}" does the shop have of the brand "{product.brand}"?',
        answer=Number(count),
    )


def cheapest(world: World) -> Errand:
    """The price of the cheapest product of a type and brand."""
    product = world.any(lambda product: product.brand)
    lowest = min(other.price for other in world.catalogue.groups[product.type, product.brand])
    return Errand(
        f'What is the lowest listed price, in dollars, of the products of the type "{product.type}" of the brand '
        f'"{product.brand}"?',
        answer=_dollars(lowest),
    )


def count_orders(world: World) -> Errand:
    """How many orders have a status."""
    status, place = world.pick(("processing", "shipped", "delivered", "cancelled")), world.rng.randrange(len(_MONTHS))
    first = sum(length for _, length in _MONTHS[:place])
    count = sum(order.status == status and order.placed // DAY >= first for order in world.start.orders)
    since = f"of those that you placed on or after {_MONTHS[place][0]} 1, 2024" if place else "of all of them"
    return Errand(
        f'How many of your orders have the status "{status}"? Count {since}.',
        answer=Number(count),
    )


def month(world: World) -> Errand:
    """What was spent, or how many orders were placed, in a month."""
    place = world.rng.randrange(len(_MONTHS))
    name, days = _MONTHS[place]
    first = sum(length for _, length in _MONTHS[:place])
    orders = [order for order in world.start.orders if first <= order.placed // DAY < first + days]
    if world.rng.random() < 0.5:
        return Errand(f"How many orders did you place in {name} 2024?", answer=Number(len(orders)))
    spent = sum(order.total for order in orders if order.status != "cancelled")
    return Errand(
        f"What is the sum, in dollars, of the totals of the orders that you placed in {name} 2024? Leave out orders "
        "that were cancelled.",
        answer=_dollars(spent),
    )


def order_with(world: World) -> Errand:
    """The number of the order that has something in it."""
    lines = [line.product for order in world.start.orders for line in order.lines]
    order = world.pick(world.start.orders, lambda order: any(lines.count(line.product) == 1 for line in order.lines))
    line = world.pick(order.lines, lambda line: lines.count(line.product) == 1)
    return Errand(f'What is the number of the order with "{world.title(line)}"?', answer=Number(order.number))


def order_total(world: World) -> Errand:
    """The total of an order."""
    order = world.pick(world.start.orders)
    return Errand(f"What was the total of your order {order.number}, in dollars?", answer=_dollars(order.total))


def order_city(world: World) -> Errand:
    """Where an order went."""
    order = world.pick(world.start.orders)
    return Errand(f"To which city did you have order {order.number} sent?", answer=Text(order.address.city))


def cart_total(world: World) -> Errand:
    """What the cart would cost with one thing more."""
    product = world.any()
    goods = cost(world.catalogue, world.start.cart, "standard", "").goods
    return Errand(
        f'What would the things in your cart cost together with one of "{product.title}" at its listed price, in '
        "dollars and without delivery? Leave the cart as it is.",
        answer=_dollars(goods + product.price),
    )


def _dollars(cents: int) -> Number:
    return Number(cents / 100, 0.006)


ASKING: Mapping[str, Kind] = {
    "ask-price": price,
    "ask-difference": dearer,
    "ask-rating": rating,
    "ask-values": values,
    "ask-products": count_products,
    "ask-lowest-price": cheapest,
    "ask-orders": count_orders,
    "ask-month": month,
    "ask-order-with": order_with,
    "ask-order-total": order_total,
    "ask-order-city": order_city,
    "ask-cart-total": cart_total,
}
