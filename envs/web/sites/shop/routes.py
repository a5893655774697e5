"""Which page answers which path, and what a form that is sent does. Reading a page never changes anything.

A form leads to another page by a redirect, so that going back or reloading repeats nothing. What the shop refuses is
answered with the page that the form was on, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from selfgym.envs.web.sites.shop import counter, shelves
from selfgym.envs.web.sites.shop.layout import address, link, page, to_product
from selfgym.envs.web.sites.shop.state import Address
from selfgym.envs.web.sites.shop.store import Refused, Store

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back: a page, or the path to go to."""

    status: int
    html: str = ""
    to: str = ""


def read(store: Store, parts: list[str], query: Fields) -> Reply:
    """The page at a path."""
    note = query.get("note", "")
    try:
        match parts:
            case []:
                return Reply(200, shelves.home(store, note))
            case ["search"]:
                words, type, brand, sort = (query.get(name, "") for name in ("q", "type", "brand", "sort"))
                number = _number(query.get("page", "1"))
                return Reply(200, shelves.results(store, words, type, brand, sort, number))
            case ["product", id]:
                return Reply(200, shelves.product(store, store.product(id), note))
            case ["product", id, "description" | "features" | "reviews" as part]:
                return Reply(200, shelves.about(store, store.product(id), part, note))
            case ["product", id, "review"]:
                return Reply(200, shelves.write(store, store.product(id)))
            case ["cart"]:
                return Reply(200, counter.cart(store, note))
            case ["checkout"]:
                return Reply(200, counter.checkout(store))
            case ["orders"]:
                return Reply(200, counter.orders(store, note))
            case ["orders", number]:
                return Reply(200, counter.order(store, store.order(_number(number)), note))
            case ["wishes"]:
                return Reply(200, counter.wishes(store, note))
            case ["wishes", id]:
                return Reply(200, shelves.fetch(store, store.product(id)))
            case ["account"]:
                return Reply(200, counter.account(store, note))
    except Refused as problem:
        return _missing(store, str(problem))
    return _missing(store, "There is no such page.")


def send(store: Store, parts: list[str], form: Fields) -> Reply:
    """What a form does."""
    for handler in (_product, _cart, _order, _account):
        try:
            reply = handler(store, parts, form)
        except _Problem as problem:
            return Reply(400, problem.html)
        except Refused as problem:
            return _missing(store, str(problem))
        if reply is not None:
            return Reply(303, to=reply)
    return _missing(store, "There is no such form.")


class _Problem(Exception):
    """What was refused, as the page that says so."""

    def __init__(self, html: str) -> None:
        self.html = html


def _try(do: Callable[[], object], show: Callable[[str], str]) -> None:
    try:
        do()
    except Refused as problem:
        raise _Problem(show(str(problem))) from problem


def _product(store: Store, parts: list[str], form: Fields) -> str | None:
    options = {name.removeprefix("option-"): value for name, value in form.items() if name.startswith("option-")}
    count = _number(form.get("quantity", "1"))
    match parts:
        case ["product", id, "buy"]:
            _try(lambda: store.buy(id, options, count), lambda why: shelves.product(store, store.product(id), "", why))
            return address(f"/orders/{store.state.orders[-1].number}", note="bought")
        case ["product", id, "cart"]:
            _try(lambda: store.put(id, options, count), lambda why: shelves.product(store, store.product(id), "", why))
            return address("/cart", note="cart")
        case ["product", id, "wish"]:
            store.wish(id)
            return address(to_product(id), note="wishes")
        case ["product", id, "review"]:
            stars, title = _number(form.get("stars", "")), form.get("title", "").strip()
            told = form.get("text", "").replace("\r\n", "\n").strip()
            _try(
                lambda: store.write(id, stars, title, told),
                lambda why: shelves.write(store, store.product(id), why),
            )
            return address(to_product(id, "reviews"), note="review")
        case ["product", id, "unwrite"]:
            store.unwrite(id)
            return address("/account", note="review")
        case ["wishes", id, "remove"]:
            store.unwish(id)
            return address("/wishes", note="wishes")
        case ["wishes", id, "cart"]:
            _try(lambda: store.fetch(id, options), lambda why: shelves.fetch(store, store.product(id), why))
            return address("/cart", note="cart")
    return None


def _cart(store: Store, parts: list[str], form: Fields) -> str | None:
    match parts:
        case ["cart", "empty"]:
            store.empty()
        case ["cart", place, "quantity"]:
            count = _number(form.get("quantity", ""))
            _try(lambda: store.change(_number(place), count), lambda why: counter.cart(store, "", why))
        case ["cart", place, "remove"]:
            store.remove(_number(place))
        case ["cart", place, "later"]:
            store.later(_number(place))
        case ["checkout"]:
            told = {name: form.get(name, "").strip() for name in ("to", "delivery", "coupon", "message")}
            _try(lambda: store.checkout(**told, gift="gift" in form), lambda why: counter.checkout(store, why))
            return address(f"/orders/{store.state.orders[-1].number}", note="bought")
        case _:
            return None
    return address("/cart", note="cart")


def _order(store: Store, parts: list[str], form: Fields) -> str | None:
    match parts:
        case ["orders", number, "cancel"]:
            order = store.order(_number(number))
            _try(lambda: store.cancel(order.number), lambda why: counter.order(store, order, "", why))
            return address(f"/orders/{order.number}", note="cancelled")
        case ["orders", number, "return"]:
            order = store.order(_number(number))
            reason = form.get("reason", "")
            _try(lambda: store.send_back(order.number, reason), lambda why: counter.order(store, order, "", why))
            return address(f"/orders/{order.number}", note="returned")
        case ["orders", number, "again"]:
            return address(f"/orders/{store.again(_number(number)).number}", note="bought")
    return None


def _account(store: Store, parts: list[str], form: Fields) -> str | None:
    told = {name: value.strip() for name, value in form.items()}
    match parts:
        case ["account", "contact"]:
            do: Callable[[], object] = lambda: store.contact(told.get("email", ""), told.get("phone", ""))  # noqa: E731
        case ["account", "mail"]:
            do = lambda: store.mail(newsletter="newsletter" in form, offers="offers" in form)  # noqa: E731
        case ["account", "default"]:
            do = lambda: store.settle(told.get("label", ""))  # noqa: E731
        case ["account", "address"]:
            place = Address(**{name: told.get(name, "") for name in ("name", "street", "city", "postcode")})
            do = lambda: store.move(told.get("label", ""), place)  # noqa: E731
        case _:
            return None
    _try(do, lambda why: counter.account(store, "", why))
    return address("/account", note="account")


def _missing(store: Store, why: str) -> Reply:
    return Reply(404, page("Not found", link("/", "Back to the shop"), store.state, problem=why))


def _number(told: str) -> int:
    """A whole number, -1 where it is none: no place, order or quantity has that."""
    return int(told) if told.isascii() and told.isdigit() and len(told) < 10 else -1
