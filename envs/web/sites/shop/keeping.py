"""Kinds of task that change the cart, the wish list, orders, reviews or the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from selfgym.envs.web.sites.shop.errands import Errand, Kind, World, in_turn, said
from selfgym.envs.web.sites.shop.state import Address, Order, Reason
from selfgym.envs.web.sites.shop.store import Store


def cart_add(world: World) -> Errand:
    """Some of a product, into the cart."""
    product, count = world.any(lambda product: product.options), world.rng.choice((1, 1, 2, 3, 4))
    options = world.options(product)
    return Errand(
        f"Put {count} of {said(product, options)} into your cart.", lambda store: store.put(product.id, options, count)
    )


def cart_add_two(world: World) -> Errand:
    """Two products, into the cart."""
    one = world.any()
    two = world.any(lambda product: product is not one)
    chosen = {one.id: world.options(one), two.id: world.options(two)}

    def steps(store: Store) -> None:
        for id, options in chosen.items():
            store.put(id, options)

    return Errand(
        f"Put {said(one, chosen[one.id])} and {said(two, chosen[two.id])} into your cart, one of each.", steps
    )


def cart_remove(world: World) -> Errand:
    """One line, out of the cart."""
    line = world.pick(world.start.cart)
    place = world.start.cart.index(line)
    return Errand(f'Remove "{world.title(line)}" from your cart.', lambda store: store.remove(place))


def cart_replace(world: World) -> Errand:
    """One product in place of another."""
    line, product = world.pick(world.start.cart), world.any()
    place, options = world.start.cart.index(line), world.options(product)
    return Errand(
        f'In your cart, replace "{world.title(line)}" with one of {said(product, options)}.',
        in_turn(lambda store: store.remove(place), lambda store: store.put(product.id, options)),
    )


def cart_quantity(world: World) -> Errand:
    """Another quantity."""
    line = world.pick(world.start.cart)
    place, count = world.start.cart.index(line), world.pick(range(1, 31), lambda count: count != line.quantity)
    return Errand(
        f'Change the quantity of "{world.title(line)}" in your cart to {count}.',
        lambda store: store.change(place, count),
    )


def cart_only(world: World) -> Errand:
    """Nothing but one product in the cart."""
    product, count = world.any(), world.rng.randint(1, 9)
    options = world.options(product)
    return Errand(
        f"See to it that your cart holds {count} of {said(product, options)} and nothing else.",
        in_turn(lambda store: store.empty(), lambda store: store.put(product.id, options, count)),
    )


def cart_later(world: World) -> Errand:
    """From the cart to the wish list, by its price."""
    lines = {line.product: line for line in world.start.cart}
    price = {id: world.catalogue.by_id[id].price_with(line.options) for id, line in lines.items()}
    ranked = sorted(price, key=lambda id: price[id])
    id = world.pick(
        (ranked[0], ranked[-1], world.rng.choice(ranked)), lambda id: list(price.values()).count(price[id]) == 1
    )
    which = {ranked[0]: "the thing with the lowest unit price", ranked[-1]: "the thing with the highest unit price"}
    named = which.get(id, f'"{world.title(lines[id])}"')
    place = world.start.cart.index(lines[id])
    return Errand(f"Move {named} from your cart to your wish list.", lambda store: store.later(place))


def wish_add(world: World) -> Errand:
    """Onto the wish list."""
    product = world.any(lambda product: product.id not in world.start.wishes)
    return Errand(f'Put "{product.title}" on your wish list.', lambda store: store.wish(product.id))


def wish_remove(world: World) -> Errand:
    """Off the wish list, and something else onto it."""
    id = world.pick(world.start.wishes)
    product = world.any(lambda product: product.id not in world.start.wishes)
    title = world.catalogue.by_id[id].title
    return Errand(
        f'Take "{title}" off your wish list and put "{product.title}" on it.',
        in_turn(lambda store: store.unwish(id), lambda store: store.wish(product.id)),
    )


def wish_fetch(world: World) -> Errand:
    """From the wish list into the cart."""
    product = world.catalogue.by_id[world.pick(world.start.wishes)]
    options = world.options(product)
    return Errand(
        f"Put one of {said(product, options)} into your cart, and take it off your wish list.",
        lambda store: store.fetch(product.id, options),
    )


def order_cancel(world: World) -> Errand:
    """An order, by its number or by what is in it."""
    order = world.pick(world.start.orders, lambda order: order.status == "processing")
    return Errand(f"Cancel {_named(world, order)}.", lambda store: store.cancel(order.number))


def order_return(world: World) -> Errand:
    """An order that has arrived."""
    order = world.pick(world.start.orders, lambda order: order.status == "delivered")
    reason = world.pick(reason for reason in get_args(Reason) if reason)
    return Errand(
        f'Return {_named(world, order)}, for the reason "{reason}".',
        lambda store: store.send_back(order.number, reason),
    )


def review_write(world: World) -> Errand:
    """A new review."""
    known = {review.product for review in world.start.reviews}
    id = world.pick(sorted(_ordered(world) - known))
    stars, title, text = world.rng.randint(1, 5), world.pick(_TITLES), world.pick(_TEXTS)
    return Errand(
        f'You have ordered "{world.catalogue.by_id[id].title}". Write a review of it with {_stars(stars)}, '
        f'the title "{title}" and the text "{text}".',
        lambda store: store.write(id, stars, title, text),
    )


def review_change(world: World) -> Errand:
    """Other stars for a review."""
    review = world.pick(world.start.reviews)
    stars = world.pick(range(1, 6), lambda stars: stars != review.stars)
    title = world.pick(_TITLES)
    return Errand(
        f'Change your review of "{world.catalogue.by_id[review.product].title}": give it {_stars(stars)} and the title '
        f'"{title}", and leave its text as it is.',
        lambda store: store.write(review.product, stars, title, review.text),
    )


def review_delete(world: World) -> Errand:
    """A review, gone."""
    review = world.pick(world.start.reviews)
    title = world.catalogue.by_id[review.product].title
    return Errand(f'Delete your review of "{title}".', lambda store: store.unwrite(review.product))


def address_change(world: World) -> Errand:
    """Another street for an address."""
    label, new = world.pick(world.start.addresses), _address(world)
    told = world.start.addresses[label].model_copy(
        update={"street": new.street, "city": new.city, "postcode": new.postcode}
    )
    return Errand(
        f'Change your address "{label}" to {told.street}, {told.postcode} {told.city}. The name stays as it is.',
        lambda store: store.move(label, told),
    )


def address_add(world: World) -> Errand:
    """One more address, the new default."""
    label, new = world.pick(("Cabin", "Studio", "Warehouse", "Neighbor")), _address(world)
    return Errand(
        f'Add an address labelled "{label}" for {new.name}, {new.street}, {new.postcode} {new.city}, and make it your '
        "default address.",
        in_turn(lambda store: store.move(label, new), lambda store: store.settle(label)),
    )


def address_default(world: World) -> Errand:
    """Another default, and an order to it."""
    label = world.pick(label for label in world.start.addresses if label != world.start.home)
    product = world.any()
    options = world.options(product)
    return Errand(
        f'Make "{label}" your default address, and then buy {said(product, options)} with Buy now.',
        in_turn(lambda store: store.settle(label), lambda store: store.buy(product.id, options)),
    )


def contact(world: World) -> Errand:
    """Another phone number or e-mail address."""
    phone = f"555-{world.rng.randint(1000, 9999)}"
    email = f"{world.pick(('robin', 'r.hale', 'hale', 'shopping'))}{world.rng.randint(1, 99)}@example.org"
    only = world.rng.random() < 0.4
    return Errand(
        f"Change the phone number of your account to {phone}{'' if only else f' and its e-mail address to {email}'}.",
        lambda store: store.contact(store.state.email if only else email, phone),
    )


def mail(world: World) -> Errand:
    """Other mail."""
    newsletter, offers = world.pick(((False, False), (False, True), (True, True)))
    wanted = {True: "want", False: "do not want"}
    phone = f"555-{world.rng.randint(0, 9999):04}"
    return Errand(
        f"Set your account so that you {wanted[newsletter]} the newsletter and {wanted[offers]} special offers by "
        f"mail, and that your phone number is {phone}.",
        in_turn(
            lambda store: store.mail(newsletter=newsletter, offers=offers),
            lambda store: store.contact(store.state.email, phone),
        ),
    )


_TITLES = ("Better than expected", "Just right", "Could be sturdier", "A good buy", "Will not buy again", "Surprised")
_TEXTS = (
    "I use it every week and it still looks new.",
    "Delivery was quick, the product is average.",
    "The colour differs a little from the picture.",
    "My whole family likes it.",
    "It did not last as long as I had hoped.",
)


def _stars(count: int) -> str:
    return "1 star" if count == 1 else f"{count} stars"


def _ordered(world: World) -> set[str]:
    return {line.product for order in world.start.orders for line in order.lines}


def _named(world: World, order: Order) -> str:
    """An order, by its number or by something that is in no other order."""
    elsewhere = {line.product for other in world.start.orders if other is not order for line in other.lines}
    alone = [line for line in order.lines if line.product not in elsewhere]
    if alone and world.rng.random() < 0.6:
        return f'the order in which you bought "{world.title(world.pick(alone))}"'
    return f"your order {order.number}"


def _address(world: World) -> Address:
    street = world.pick(("Elm Street", "Station Road", "Bay View", "Chapel Hill", "Park Avenue", "Quarry Lane"))
    city = world.pick(("Ashford", "Linden", "Westbrook", "Grantham Falls", "Port Ellis", "Maple Ridge"))
    name = world.pick(("Robin Hale", "Kim Osei", "Lou Barros", "Pat Nguyen"))
    number, code = world.rng.randint(1, 299), world.rng.randint(10000, 98999)
    return Address(name=name, street=f"{number} {street}", city=city, postcode=str(code))


KEEPING: Mapping[str, Kind] = {
    "cart-add": cart_add,
    "cart-add-two": cart_add_two,
    "cart-remove": cart_remove,
    "cart-replace": cart_replace,
    "cart-quantity": cart_quantity,
    "cart-only": cart_only,
    "cart-to-wishes": cart_later,
    "wish-add": wish_add,
    "wish-swap": wish_remove,
    "wish-to-cart": wish_fetch,
    "order-cancel": order_cancel,
    "order-return": order_return,
    "review-write": review_write,
    "review-change": review_change,
    "review-delete": review_delete,
    "address-change": address_change,
    "address-add": address_add,
    "address-default": address_default,
    "account-contact": contact,
    "account-mail": mail,
}
