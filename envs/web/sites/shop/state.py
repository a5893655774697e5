"""All that a customer can change in the shop, as one value: what is saved, put back and compared by the judge."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Delivery = Literal["standard", "express"]
Status = Literal["processing", "shipped", "delivered", "cancelled", "returned"]
Reason = Literal["", "damaged", "wrong item", "too small", "no longer needed"]
DAY = 24 * 60
FIRST_ORDER = 1001
"""The number of the first order; others follow without gaps."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Line(_Record):
    """Some of a product."""

    product: str
    options: dict[str, str]
    quantity: int = Field(ge=1, le=99)


class Address(_Record):
    """Where a parcel goes."""

    name: str
    street: str
    city: str
    postcode: str


class Order(_Record):
    """What was bought at once."""

    number: int
    placed: int
    """Minutes of the shop's clock."""
    lines: list[Line]
    address: Address
    delivery: Delivery = "standard"
    coupon: str = ""
    gift: bool = False
    message: str = ""
    total: int
    """In cents, delivery included."""
    status: Status = "processing"
    reason: Reason = ""
    """Why it went back."""


class Review(_Record):
    """What the customer thinks of a product."""

    product: str
    stars: int = Field(ge=1, le=5)
    title: str
    text: str


class State(_Record):
    """Everything."""

    clock: int
    """Minutes since the first of January 2024; a minute passes whenever something changes."""
    email: str
    phone: str
    newsletter: bool
    offers: bool
    addresses: dict[str, Address]
    home: str
    """Which of the addresses is the default."""
    cart: list[Line]
    wishes: list[str]
    orders: list[Order]
    reviews: list[Review]
