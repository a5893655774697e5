"""What every episode in the shop begins with: a customer with a cart, wishes, and half a year of orders."""

from __future__ import annotations

import random

from selfgym.envs.web.sites.shop.catalogue import Catalogue
from selfgym.envs.web.sites.shop.state import DAY, FIRST_ORDER, Address, Line, Order, Review, State, Status
from selfgym.envs.web.sites.shop.store import cost

_STATUS: tuple[Status, ...] = ("processing", "shipped", "delivered", "delivered", "delivered", "cancelled")


def first_state(catalogue: Catalogue) -> State:
    """The same customer for the same catalogue."""
    draw = random.Random("selfgym shop customer")
    some = draw.sample(list(catalogue.products), min(60, len(catalogue.products)))
    place = 0

    def line(most: int) -> Line:
        nonlocal place
        product = some[place % len(some)]
        place += 1
        options = {name: draw.choice(list(values)) for name, values in product.options.items()}
        return Line(product=product.id, options=options, quantity=draw.randint(1, most))

    addresses = {
        "Home": Address(name="Robin Hale", street="12 Mill Lane", city="Ashford", postcode="40221"),
        "Work": Address(name="Robin Hale", street="480 Harbor Street", city="Port Ellis", postcode="40377"),
        "Parents": Address(name="Jo and Max Hale", street="7 Orchard Close", city="Fairmont", postcode="51902"),
    }
    orders = []
    for number in range(16):
        order = Order(
            number=FIRST_ORDER + number,
            placed=(number * 11 + draw.randint(0, 9)) * DAY + draw.randint(8 * 60, 20 * 60),
            lines=[line(2) for _ in range(draw.randint(1, 3))],
            address=addresses[draw.choice(("Home", "Home", "Work"))],
            delivery=draw.choice(("standard", "standard", "express")),
            status=_STATUS[0] if number >= 13 else _STATUS[1] if number == 12 else draw.choice(_STATUS[2:]),
            total=0,
        )
        orders.append(order.model_copy(update={"total": cost(catalogue, order.lines, order.delivery, "").total}))
    bought = list(
        dict.fromkeys(line.product for order in orders for line in order.lines if order.status == "delivered")
    )
    written = draw.sample(bought, min(5, len(bought)))
    opinions = ("Fine so far", "Would buy it again", "Not what I hoped for", "Good quality", "A little too dear")
    return State(
        clock=182 * DAY + 9 * 60,
        email="robin.hale@example.com",
        phone="555-0142",
        newsletter=True,
        offers=False,
        addresses=addresses,
        home="Home",
        cart=list({(new := line(3)).product: new for _ in range(4)}.values()),
        wishes=list(dict.fromkeys(line(1).product for _ in range(6))),
        orders=orders,
        reviews=[
            Review(product=product, stars=draw.randint(2, 5), title=title, text=f"{title}. Used for a few weeks.")
            for product, title in zip(written, opinions, strict=False)
        ],
    )
