"""The pages of the customer's own things: cart, checkout, orders, wish list and account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import get_args

from selfgym.envs.web.sites.shop.layout import (
    amount,
    button,
    dollars,
    entry,
    group,
    link,
    menu,
    page,
    pick_one,
    post,
    section,
    table,
    text,
    tick,
    to_product,
    to_wish,
)
from selfgym.envs.web.sites.shop.state import Address, Line, Order, Reason
from selfgym.envs.web.sites.shop.store import COUPONS, EXPRESS, STANDARD, WRAPPING, Store, cost

_BEGINNING = datetime(2024, 1, 1)


def day(minutes: int) -> str:
    """A day of the shop's clock."""
    moment = _BEGINNING + timedelta(minutes=minutes)
    return f"{moment:%B} {moment.day}, {moment.year}"


def cart(store: Store, note: str, problem: str = "") -> str:
    """What is in the cart."""
    lines = store.state.cart
    if not lines:
        return page("Your cart", "<p>Your cart is empty.</p>", store.state, note=note, problem=problem)
    rows = []
    for place, line in enumerate(lines):
        title = store.product(line.product).title
        unit = store.product(line.product).price_with(line.options)
        forms = (
            post(f"/cart/{place}/quantity", amount(line.quantity, title), button("Update", of=title)),
            '<div class="row">',
            post(f"/cart/{place}/remove", button("Remove", of=title)),
            post(f"/cart/{place}/later", button("Save for later", of=title)),
            "</div>",
        )
        rows.append((_item(store, line), dollars(unit), "".join(forms), dollars(unit * line.quantity)))
    goods = cost(store.catalogue, lines, "standard", "").goods
    body = table("Cart", ("Product", "Unit price", "Quantity", "Price"), rows)
    body += f'<p class="price">Subtotal: {dollars(goods)}</p><div class="row">'
    body += link("/checkout", "Check out", "button main") + post("/cart/empty", button("Empty cart")) + "</div>"
    return page("Your cart", body, store.state, note=note, problem=problem)


def checkout(store: Store, problem: str = "") -> str:
    """How the things in the cart are to be sent and paid."""
    lines = store.state.cart
    if not lines:
        return page("Checkout", "<p>Your cart is empty.</p>", store.state, problem=problem)
    addresses = {label: f"{label}: {_one_line(place)}" for label, place in store.state.addresses.items()}
    ways = {"standard": f"Standard ({dollars(STANDARD)})", "express": f"Express ({dollars(EXPRESS)})"}
    form = post(
        "/checkout",
        pick_one("Deliver to", "to", addresses, store.state.home),
        pick_one("Delivery", "delivery", ways, "standard"),
        group(
            "Extras",
            entry("Coupon code", "coupon"),
            tick(f"Gift wrapping (+{dollars(WRAPPING)})", "gift"),
            entry("Gift message", "message", more=' size="40"'),
        ),
        button("Place order", main=True),
    )
    goods = cost(store.catalogue, lines, "standard", "").goods
    body = f'{_bought(store, lines)}<p class="price">Subtotal: {dollars(goods)}</p>{form}'
    return page("Checkout", f"{body}<p>{link('/cart', 'Back to your cart')}</p>", store.state, problem=problem)


def orders(store: Store, note: str) -> str:
    """All orders, the latest first."""
    rows = [
        (
            link(f"/orders/{order.number}", f"Order {order.number}"),
            day(order.placed),
            "<br>".join(f"{line.quantity} &times; {text(store.product(line.product).title)}" for line in order.lines),
            order.status,
            dollars(order.total),
        )
        for order in reversed(store.state.orders)
    ]
    body = table("Orders", ("Number", "Placed", "Products", "Status", "Total"), rows)
    return page("Your orders", body, store.state, note=note)


def order(store: Store, order: Order, note: str, problem: str = "") -> str:
    """One order."""
    here = f"/orders/{order.number}"
    facts = [
        ("Placed", day(order.placed)),
        ("Status", order.status + (f" ({order.reason})" if order.reason else "")),
        ("Sent to", _one_line(order.address)),
        ("Delivery", order.delivery),
        ("Coupon", order.coupon or "none"),
        ("Gift wrapping", (order.message or "without a message") if order.gift else "no"),
        ("Total", dollars(order.total)),
    ]
    listed = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in facts)
    forms = [post(f"{here}/again", button("Buy again"))]
    if order.status == "processing":
        forms.append(post(f"{here}/cancel", button("Cancel order")))
    if order.status == "delivered":
        reasons = {reason: reason for reason in get_args(Reason) if reason}
        forms.append(post(f"{here}/return", menu("Reason", "reason", reasons), button("Return order")))
    body = f'{_bought(store, order.lines)}<dl class="card">{listed}</dl><div class="row">{"".join(forms)}</div>'
    body += f"<p>{link('/orders', 'All orders')}</p>"
    return page(f"Order {order.number}", body, store.state, note=note, problem=problem)


def wishes(store: Store, note: str) -> str:
    """The wish list."""
    rows = []
    for id in store.state.wishes:
        product = store.product(id)
        forms = post(to_wish(id, "remove"), button("Remove", of=product.title))
        chosen = link(to_wish(id), "Move to cart", "button")
        rows.append(
            (link(to_product(id), product.title), dollars(product.price), f'<div class="row">{chosen}{forms}</div>')
        )
    body = table("Wish list", ("Product", "Price", "Actions"), rows) if rows else "<p>Your wish list is empty.</p>"
    return page("Your wish list", body, store.state, note=note)


def account(store: Store, note: str, problem: str = "") -> str:
    """Contact, mail, addresses, coupons and reviews."""
    state = store.state
    contact = post(
        "/account/contact",
        entry("E-mail", "email", state.email),
        entry("Phone", "phone", state.phone),
        button("Save contact"),
    )
    mail = post(
        "/account/mail",
        tick("Newsletter", "newsletter", state.newsletter),
        tick("Special offers", "offers", state.offers),
        button("Save mail"),
    )
    default = post(
        "/account/default",
        menu("Default address", "label", {label: label for label in state.addresses}, state.home),
        button("Save default"),
    )
    known = (
        group(
            label,
            _address_form(
                f'<input type="hidden" name="label" value="{text(label)}">', place, button("Save address", of=label)
            ),
        )
        for label, place in state.addresses.items()
    )
    nowhere = Address(name="", street="", city="", postcode="")
    new = group("New address", _address_form(entry("Label", "label"), nowhere, button("Add address")))
    coupons = table("Coupons", ("Code", "What it does"), ((code, text(one.says)) for code, one in COUPONS.items()))
    body = section("Contact", contact) + section("Mail", mail) + section("Addresses", default, *known, new)
    body += section("Your coupons", coupons) + section("Your reviews", _reviews(store))
    return page("Your account", body, state, note=note, problem=problem)


def _reviews(store: Store) -> str:
    rows = []
    for review in store.state.reviews:
        title = store.product(review.product).title
        forms = link(to_product(review.product, "review"), "Change", "button")
        forms += post(to_product(review.product, "unwrite"), button("Delete review", of=title))
        told = f"{text(review.title)}<br>{text(review.text)}"
        rows.append(
            (link(to_product(review.product), title), str(review.stars), told, f'<div class="row">{forms}</div>')
        )
    return table("Reviews", ("Product", "Stars", "Review", "Actions"), rows)


def _address_form(label: str, place: Address, last: str) -> str:
    return post(
        "/account/address",
        label,
        entry("Name", "name", place.name),
        entry("Street", "street", place.street),
        entry("City", "city", place.city),
        entry("Postcode", "postcode", place.postcode),
        last,
    )


def _item(store: Store, line: Line) -> str:
    chosen = ", ".join(f"{name}: {value}" for name, value in line.options.items())
    return f'{link(to_product(line.product), store.product(line.product).title)}<div class="soft">{text(chosen)}</div>'


def _bought(store: Store, lines: Iterable[Line]) -> str:
    rows = (
        (
            _item(store, line),
            str(line.quantity),
            dollars(store.product(line.product).price_with(line.options) * line.quantity),
        )
        for line in lines
    )
    return table("Products", ("Product", "Quantity", "Price"), rows)


def _one_line(place: Address) -> str:
    return f"{place.name}, {place.street}, {place.postcode} {place.city}"
