"""What a customer can do in the shop: the one way in which its state changes, for pages and solutions alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from selfgym.envs.web.sites.shop.catalogue import Catalogue, Product
from selfgym.envs.web.sites.shop.state import FIRST_ORDER, Address, Delivery, Line, Order, Reason, Review, State

MOST = 99
"""Of one thing in one order."""
STANDARD, EXPRESS, WRAPPING = 499, 1299, 395
"""What delivery and gift wrapping cost, in cents."""


class Refused(ValueError):
    """The shop cannot do that; says why, in words for the customer."""


@dataclass(frozen=True, slots=True)
class Coupon:
    """A price cut that can be used once in each order."""

    says: str
    percent: int = 0
    off: int = 0
    least: int = 0
    """What the goods must cost at least."""
    delivers: bool = False
    """Whether delivery is free."""

    def cut(self, goods: int, delivery: int) -> int:
        """What it saves, in cents."""
        if goods < self.least:
            return 0
        return goods * self.percent // 100 + self.off + (delivery if self.delivers else 0)


COUPONS: Mapping[str, Coupon] = {
    "SAVE10": Coupon("10% off your order", percent=10),
    "TAKE15": Coupon("$15.00 off orders of $60.00 or more", off=1500, least=6000),
    "FREESHIP": Coupon("Free delivery", delivers=True),
    "BIG20": Coupon("20% off orders of $250.00 or more", percent=20, least=25000),
}


@dataclass(frozen=True, slots=True)
class Bill:
    """What an order costs, in cents."""

    goods: int
    delivery: int
    wrapping: int
    cut: int

    @property
    def total(self) -> int:
        """All together."""
        return self.goods + self.delivery + self.wrapping - self.cut


def cost(catalogue: Catalogue, lines: Sequence[Line], delivery: Delivery, coupon: str, gift: bool = False) -> Bill:
    """What these things cost together."""
    goods = sum(catalogue.by_id[line.product].price_with(line.options) * line.quantity for line in lines)
    carriage = EXPRESS if delivery == "express" else STANDARD
    cut = COUPONS[coupon].cut(goods, carriage) if coupon else 0
    return Bill(goods, carriage, WRAPPING if gift else 0, min(cut, goods + carriage))


class Store:
    """A catalogue and the state of its one customer. Every method that changes something raises `Refused` if it cannot.

    Not safe for two threads at a time; the site has a lock.
    """

    def __init__(self, catalogue: Catalogue, state: State) -> None:
        self.catalogue, self.state = catalogue, state

    # Looking

    def product(self, id: str) -> Product:
        """A product by its number."""
        if id not in self.catalogue.by_id:
            raise Refused(f"We have no product {id}.")
        return self.catalogue.by_id[id]

    def order(self, number: int) -> Order:
        """An order by its number."""
        for order in self.state.orders:
            if order.number == number:
                return order
        raise Refused(f"You have no order {number}.")

    def review(self, product: str) -> Review | None:
        """What the customer has written of a product."""
        return next((review for review in self.state.reviews if review.product == product), None)

    # Buying

    def buy(self, id: str, options: Mapping[str, str], quantity: int = 1) -> Order:
        """Order one thing at once, to the default address."""
        return self._place([self._line(id, options, quantity)])

    def checkout(
        self, *, to: str = "", delivery: str = "standard", coupon: str = "", gift: bool = False, message: str = ""
    ) -> Order:
        """Order all that is in the cart, and empty it."""
        if not self.state.cart:
            raise Refused("Your cart is empty.")
        order = self._place(self.state.cart, to=to, delivery=delivery, coupon=coupon, gift=gift, message=message)
        self.state.cart = []
        return order

    def again(self, number: int) -> Order:
        """Order the same things once more, to the default address."""
        return self._place(self.order(number).lines)

    def cancel(self, number: int) -> None:
        """Cancel an order that has not been sent."""
        order = self.order(number)
        if order.status != "processing":
            raise Refused(f"Order {number} is {order.status} and cannot be cancelled any more.")
        order.status = "cancelled"
        self._tick()

    def send_back(self, number: int, reason: str) -> None:
        """Return an order that has arrived."""
        order = self.order(number)
        if order.status != "delivered":
            raise Refused(f"Order {number} is {order.status}; only what was delivered can be returned.")
        known = next((known for known in get_args(Reason) if known == reason), None)
        if not known:
            raise Refused("Choose a reason for the return.")
        order.status, order.reason = "returned", known
        self._tick()

    # The cart and the wish list

    def put(self, id: str, options: Mapping[str, str], quantity: int = 1) -> None:
        """Put something into the cart, or more of it."""
        new = self._line(id, options, quantity)
        for line in self.state.cart:
            if (line.product, line.options) == (new.product, new.options):
                line.quantity = _count(line.quantity + new.quantity)
                break
        else:
            self.state.cart.append(new)
        self._tick()

    def change(self, place: int, quantity: int) -> None:
        """Say how many of the cart's line are wanted."""
        self._in_cart(place).quantity = _count(quantity)
        self._tick()

    def remove(self, place: int) -> None:
        """Take a line out of the cart."""
        self.state.cart.remove(self._in_cart(place))
        self._tick()

    def empty(self) -> None:
        """Take everything out of the cart."""
        self.state.cart = []
        self._tick()

    def later(self, place: int) -> None:
        """Move a line of the cart to the wish list."""
        line = self._in_cart(place)
        self.state.cart.remove(line)
        self.wish(line.product)

    def wish(self, id: str) -> None:
        """Put something on the wish list; once is enough."""
        self.product(id)
        if id not in self.state.wishes:
            self.state.wishes.append(id)
        self._tick()

    def unwish(self, id: str) -> None:
        """Take something off the wish list."""
        if id not in self.state.wishes:
            raise Refused("That is not on your wish list.")
        self.state.wishes.remove(id)
        self._tick()

    def fetch(self, id: str, options: Mapping[str, str]) -> None:
        """Move something from the wish list into the cart."""
        if id not in self.state.wishes:
            raise Refused("That is not on your wish list.")
        self.put(id, options)
        self.state.wishes.remove(id)

    # The account

    def write(self, id: str, stars: int, title: str, text: str) -> None:
        """Review a product that was ordered, in place of an earlier review."""
        if not any(line.product == self.product(id).id for order in self.state.orders for line in order.lines):
            raise Refused("You can only review what you have ordered.")
        if not 1 <= stars <= 5 or not title:
            raise Refused("A review needs a title and one to five stars.")
        new = Review(product=id, stars=stars, title=title, text=text)
        old = self.review(id)
        if old is None:
            self.state.reviews.append(new)
        else:
            self.state.reviews[self.state.reviews.index(old)] = new
        self._tick()

    def unwrite(self, id: str) -> None:
        """Delete a review."""
        review = self.review(id)
        if review is None:
            raise Refused("You have not reviewed that.")
        self.state.reviews.remove(review)
        self._tick()

    def move(self, label: str, address: Address) -> None:
        """Change one of the addresses, or add one."""
        if not label or not all(address.model_dump().values()):
            raise Refused("An address needs a label, a name, a street, a city and a postcode.")
        if label not in self.state.addresses and len(self.state.addresses) >= 10:
            raise Refused("You can keep ten addresses.")
        self.state.addresses[label] = address
        self._tick()

    def settle(self, label: str) -> None:
        """Make an address the default."""
        self._address(label)
        self.state.home = label
        self._tick()

    def contact(self, email: str, phone: str) -> None:
        """Change e-mail and phone."""
        if "@" not in email or not phone:
            raise Refused("We need an e-mail address and a phone number.")
        self.state.email, self.state.phone = email, phone
        self._tick()

    def mail(self, *, newsletter: bool, offers: bool) -> None:
        """Say which mail is welcome."""
        self.state.newsletter, self.state.offers = newsletter, offers
        self._tick()

    # What they are made of

    def _place(
        self,
        lines: Sequence[Line],
        *,
        to: str = "",
        delivery: str = "standard",
        coupon: str = "",
        gift: bool = False,
        message: str = "",
    ) -> Order:
        coupon = coupon.strip().upper()
        if coupon and coupon not in COUPONS:
            raise Refused(f"There is no coupon {coupon}.")
        speed: Delivery = "express" if delivery == "express" else "standard"
        bill = cost(self.catalogue, lines, speed, coupon, gift)
        if coupon and not bill.cut:
            raise Refused(f"The coupon {coupon} needs goods for {COUPONS[coupon].least / 100:.2f} dollars or more.")
        order = Order(
            number=FIRST_ORDER + len(self.state.orders),
            placed=self.state.clock,
            lines=[line.model_copy(deep=True) for line in lines],
            address=self._address(to or self.state.home).model_copy(),
            delivery=speed,
            coupon=coupon,
            gift=gift,
            message=message if gift else "",
            total=bill.total,
        )
        self.state.orders.append(order)
        self._tick()
        return order

    def _line(self, id: str, options: Mapping[str, str], quantity: int) -> Line:
        product = self.product(id)
        for name, values in product.options.items():
            if options.get(name) not in values:
                raise Refused(f"Choose the {name} first.")
        return Line(product=id, options={name: options[name] for name in product.options}, quantity=_count(quantity))

    def _in_cart(self, place: int) -> Line:
        if not 0 <= place < len(self.state.cart):
            raise Refused("That is not in your cart any more.")
        return self.state.cart[place]

    def _address(self, label: str) -> Address:
        if label not in self.state.addresses:
            raise Refused(f"You have no address {label}.")
        return self.state.addresses[label]

    def _tick(self) -> None:
        self.state.clock += 1


def _count(quantity: int) -> int:
    if not 1 <= quantity <= MOST:
        raise Refused(f"A quantity is a number from 1 to {MOST}.")
    return quantity
