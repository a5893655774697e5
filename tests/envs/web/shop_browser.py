"""A browser and a person at it, as small as they can be: what tests of the shop read its pages with."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

from selfgym.envs.web.sites.shop.shop import ShopSite
from selfgym.envs.web.sites.shop.state import Address, State

VOID = {"meta", "link", "input", "br", "img"}


@dataclass
class Form:
    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    """What each says, and where it sends the form."""


class Page(HTMLParser):
    """A page as a person or a screen reader gets it; asserts that it is well formed and that controls have labels."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.text = html, ""
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._open: list[tuple[str, dict[str, str], str]] = []
        self.feed(html)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        assert tag not in ("script", "iframe", "object"), "only what a product says could have brought this"
        assert not any(name.startswith("on") for name in told)
        if tag == "form":
            assert not any(other == "form" for other, _, _ in self._open)
            self.forms.append(Form(told["action"], told.get("method", "get")))
        if tag in ("input", "select", "textarea") and told.get("type") != "hidden":
            assert any(other == "label" for other, _, _ in self._open), f"no label: {told}"
        if tag == "input":
            on = "checked" in told or told.get("type") not in ("radio", "checkbox")
            if on:
                self.forms[-1].values[told["name"]] = told["value"]
        if tag == "select":
            self._menu = told["name"]
        if tag == "option" and ("selected" in told or self._menu not in self.forms[-1].values):
            self.forms[-1].values[self._menu] = told["value"]
        if tag not in VOID:
            self._open.append((tag, told, self.text))

    def handle_endtag(self, tag: str) -> None:
        opened, told, before = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        said = self.text[len(before) :]
        if tag == "label":
            assert said.strip(), "a label says nothing"
        if tag == "button":
            form = self.forms[-1]
            form.buttons.append((told.get("aria-label", said), told.get("formaction", form.action)))
        if tag == "textarea":
            self.forms[-1].values[told["name"]] = said.removeprefix("\n")
        if tag == "a":
            self.links[said] = told["href"]

    def handle_data(self, data: str) -> None:
        if not any(tag == "style" for tag, _, _ in self._open):
            self.text += data


class Browser:
    """Opens pages and sends their forms."""

    def __init__(self, site: ShopSite) -> None:
        host, port = site.start()
        self.base = f"http://{host}:{port}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def open(self, path: str, form: Mapping[str, str] | None = None) -> Page:
        body = None if form is None else urlencode(form).encode()
        with self._opener.open(self.base + path, body, timeout=10) as answered:
            self.at = answered.url.removeprefix(self.base)
            self.page = Page(answered.read().decode())
        return self.page

    def send(self, button: str, **values: str) -> Page:
        """Fill in the first form that has the button, and press it."""
        for form in self.page.forms:
            for said, action in form.buttons:
                if said == button:
                    filled = {**form.values, **values}
                    if form.method == "get":
                        return self.open(f"{action}?{urlencode(filled)}")
                    return self.open(action, {name: value for name, value in filled.items() if value != "(off)"})
        raise AssertionError(f"no button {button!r} on {self.at}: {[form.buttons for form in self.page.forms]}")


class ByPages:
    """What `Store` does, done by a person at a browser."""

    def __init__(self, site: ShopSite) -> None:
        self.site, self.browser = site, Browser(site)

    @property
    def state(self) -> State:
        return self.site.state

    def _find(self, id: str) -> None:
        title = self.site.catalogue.by_id[id].title
        self.browser.open("/")
        self.browser.send("Search", q=title)
        self.browser.open(self.browser.page.links[title])

    def _title(self, place: int) -> str:
        return self.site.catalogue.by_id[self.state.cart[place].product].title

    def buy(self, id: str, options: Mapping[str, str], quantity: int = 1) -> None:
        self._find(id)
        self.browser.send("Buy now", quantity=str(quantity), **{f"option-{k}": v for k, v in options.items()})

    def put(self, id: str, options: Mapping[str, str], quantity: int = 1) -> None:
        self._find(id)
        self.browser.send("Add to cart", quantity=str(quantity), **{f"option-{k}": v for k, v in options.items()})

    def wish(self, id: str) -> None:
        self._find(id)
        self.browser.send("Add to wish list")

    def unwish(self, id: str) -> None:
        self.browser.open("/wishes")
        self.browser.send(f"Remove: {self.site.catalogue.by_id[id].title}")

    def fetch(self, id: str, options: Mapping[str, str]) -> None:
        self.browser.open(f"/wishes/{id}")
        self.browser.send("Move to cart", **{f"option-{k}": v for k, v in options.items()})

    def change(self, place: int, quantity: int) -> None:
        self.browser.open("/cart")
        self.browser.send(f"Update: {self._title(place)}", quantity=str(quantity))

    def remove(self, place: int) -> None:
        self.browser.open("/cart")
        self.browser.send(f"Remove: {self._title(place)}")

    def later(self, place: int) -> None:
        self.browser.open("/cart")
        self.browser.send(f"Save for later: {self._title(place)}")

    def empty(self) -> None:
        self.browser.open("/cart")
        self.browser.send("Empty cart")

    def checkout(
        self, to: str = "", delivery: str = "standard", coupon: str = "", gift: bool = False, message: str = ""
    ) -> None:
        self.browser.open("/cart")
        self.browser.open(self.browser.page.links["Check out"])
        more = {"to": to} if to else {}
        more |= {"gift": "yes"} if gift else {}
        self.browser.send("Place order", delivery=delivery, coupon=coupon, message=message, **more)

    def again(self, number: int) -> None:
        self.browser.open("/orders")
        self.browser.open(self.browser.page.links[f"Order {number}"])
        self.browser.send("Buy again")

    def cancel(self, number: int) -> None:
        self.browser.open(f"/orders/{number}")
        self.browser.send("Cancel order")

    def send_back(self, number: int, reason: str) -> None:
        self.browser.open(f"/orders/{number}")
        self.browser.send("Return order", reason=reason)

    def write(self, id: str, stars: int, title: str, text: str) -> None:
        self.browser.open(f"/product/{id}/reviews")
        links = self.browser.page.links
        self.browser.open(links.get("Write a review") or links["Change your review"])
        self.browser.send("Save review", stars=str(stars), title=title, text=text)

    def unwrite(self, id: str) -> None:
        self.browser.open("/account")
        self.browser.send(f"Delete review: {self.site.catalogue.by_id[id].title}")

    def move(self, label: str, address: Address) -> None:
        self.browser.open("/account")
        known = label in self.state.addresses
        self.browser.send(f"Save address: {label}" if known else "Add address", label=label, **address.model_dump())

    def settle(self, label: str) -> None:
        self.browser.open("/account")
        self.browser.send("Save default", label=label)

    def contact(self, email: str, phone: str) -> None:
        self.browser.open("/account")
        self.browser.send("Save contact", email=email, phone=phone)

    def mail(self, *, newsletter: bool, offers: bool) -> None:
        self.browser.open("/account")
        ticks = {"newsletter": newsletter, "offers": offers}
        self.browser.send("Save mail", **{name: "yes" if on else "(off)" for name, on in ticks.items()})
