"""Kinds of task that end with an order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from selfgym.envs.web.sites.shop import goals
from selfgym.envs.web.sites.shop.catalogue import Product
from selfgym.envs.web.sites.shop.errands import Errand, Kind, World, in_turn, said
from selfgym.envs.web.sites.shop.state import Line
from selfgym.envs.web.sites.shop.store import COUPONS, cost


def buy(world: World) -> Errand:
    """WebShop's task."""
    goal = goals.draw(world.catalogue, world.pool, world.rng)
    return Errand(
        f"Buy one thing, with Buy now. {goal.text[0].upper()}{goal.text[1:]}.",
        lambda store: store.buy(goal.product.id, goals.right_options(goal)),
        goal=goal,
    )


def buy_exact(world: World) -> Errand:
    """One product, with all its options."""
    product = world.any(lambda product: product.options)
    options = world.options(product)
    return Errand(f"Buy {said(product, options)}, with Buy now.", lambda store: store.buy(product.id, options))


def buy_several(world: World) -> Errand:
    """Some of a product in one order."""
    product, count = world.any(), world.rng.randint(2, 9)
    options = world.options(product)
    return Errand(
        f"Buy {count} of {said(product, options)} in one order, with Buy now.",
        lambda store: store.buy(product.id, options, count),
    )


def buy_cheapest(world: World) -> Errand:
    """The cheapest of a type and brand."""
    product = world.any(lambda product: _first(world, product, lambda one: -one.price))
    return Errand(
        f"Buy the cheapest {_group(product)}, with Buy now. Go by the price that the list of products shows; "
        "which options you choose does not matter.",
        lambda store: store.buy(product.id, product.first_options),
        free=True,
    )


def buy_best_rated(world: World) -> Errand:
    """The best rated of a type and brand."""
    product = world.any(lambda product: _first(world, product, lambda one: one.rating))
    return Errand(
        f"Buy the best rated {_group(product)}, with Buy now. Which options you choose does not matter.",
        lambda store: store.buy(product.id, product.first_options),
        free=True,
    )


def buy_cheaper(world: World) -> Errand:
    """The cheaper of two."""
    product, other = _two(world, lambda one, two: one.price < two.price)
    return Errand(
        f"Compare the prices of {_either(world, product, other)}, and buy the cheaper one, with Buy now. "
        "Which options you choose does not matter.",
        lambda store: store.buy(product.id, product.first_options),
        free=True,
    )


def buy_better_rated(world: World) -> Errand:
    """The better rated of two."""
    product, other = _two(world, lambda one, two: one.rating > two.rating)
    return Errand(
        f"Buy the one that customers rate higher, with Buy now: {_either(world, product, other)}. "
        "Which options you choose does not matter.",
        lambda store: store.buy(product.id, product.first_options),
        free=True,
    )


def buy_wish(world: World) -> Errand:
    """Something on the wish list, by its place among the prices there."""
    wishes = sorted((world.catalogue.by_id[id] for id in world.start.wishes), key=lambda product: product.price)
    product = world.pick((wishes[0], wishes[-1]), lambda one: [p.price for p in wishes].count(one.price) == 1)
    count = world.rng.randint(1, 5)
    which = "cheapest" if product is wishes[0] else "most expensive"
    return Errand(
        f"Buy {count} of the {which} thing on your wish list in one order, with Buy now. It may stay on the list, "
        "and which options you choose does not matter.",
        lambda store: store.buy(product.id, product.first_options, count),
        free=True,
    )


def order_again(world: World) -> Errand:
    """The same order once more."""
    order = world.pick(world.start.orders)
    named = world.pick(
        (f"number {order.number}", f'that "{world.title(order.lines[0])}" came with'),
        lambda name: name.startswith("number") or _orders_with(world, order.lines[0].product) == 1,
    )
    return Errand(
        f"Order the same things again as in your order {named}, with Buy again.",
        lambda store: store.again(order.number),
    )


def checkout(world: World) -> Errand:
    """What is in the cart and one thing more."""
    product, count = world.any(), world.rng.randint(1, 3)
    options = world.options(product)
    return Errand(
        f"Add {count} of {said(product, options)} to your cart, and then order everything in the cart, "
        "with standard delivery to your default address.",
        in_turn(lambda store: store.put(product.id, options, count), lambda store: store.checkout()),
    )


def checkout_gift(world: World) -> Errand:
    """With gift wrapping."""
    whom = world.pick(("Mia", "Grandpa", "Noor", "the Lees", "Tomas", "Aunt Jo"))
    message = world.pick(("Happy birthday, {}!", "With love to {}", "For {}, with thanks", "Get well soon, {}")).format(
        whom
    )
    return Errand(
        f'Order everything in your cart with standard delivery, gift wrapped and with the message "{message}".',
        lambda store: store.checkout(gift=True, message=message),
    )


def checkout_coupon(world: World) -> Errand:
    """With a coupon, and what it needs."""
    product = world.any(lambda product: product.price >= 2500)
    options, code = world.options(product), world.pick(("SAVE10", "TAKE15", "FREESHIP"))
    return Errand(
        f"Empty your cart, put 3 of {said(product, options)} into it, and order that with "
        f"standard delivery and the coupon {code}.",
        in_turn(
            lambda store: store.empty(),
            lambda store: store.put(product.id, options, 3),
            lambda store: store.checkout(coupon=code),
        ),
    )


def checkout_best_coupon(world: World) -> Errand:
    """With the coupon that saves most."""
    product = world.any(lambda product: len(set(_savings(world, product).values())) == len(COUPONS))
    saved = _savings(world, product)
    code = max(saved, key=lambda code: saved[code])
    return Errand(
        f"Empty your cart, put 1 of {said(product, product.first_options)} into it, and order that with standard "
        "delivery and with whichever coupon of your account makes the order cheapest.",
        in_turn(
            lambda store: store.empty(),
            lambda store: store.put(product.id, product.first_options),
            lambda store: store.checkout(coupon=code),
        ),
    )


def checkout_options(world: World) -> Errand:
    """To another address, by another delivery."""
    to = world.pick(label for label in world.start.addresses if label != world.start.home)
    delivery, gift = world.rng.choice(("standard", "express")), world.rng.random() < 0.5
    line = world.pick(world.start.cart)
    place, count = world.start.cart.index(line), world.pick(range(1, 9), lambda count: count != line.quantity)
    wrapping = "gift wrapped without a message" if gift else "not gift wrapped"
    return Errand(
        f'Change the quantity of "{world.title(line)}" in your cart to {count}. Then order everything in the cart, '
        f"sent to your address {to} by {delivery} delivery, {wrapping}.",
        in_turn(
            lambda store: store.change(place, count), lambda store: store.checkout(to=to, delivery=delivery, gift=gift)
        ),
    )


def _first(world: World, product: Product, worth: Callable[[Product], float]) -> bool:
    """Whether a product is alone at the top of its type and brand."""
    others = world.catalogue.groups[product.type, product.brand]
    return len(others) > 1 and all(worth(product) > worth(other) for other in others if other is not product)


def _group(product: Product) -> str:
    by = f' of the brand "{product.brand}"' if product.brand else ""
    return f'product of the type "{product.type}"{by}'


def _two(world: World, better: Callable[[Product, Product], bool]) -> tuple[Product, Product]:
    """A product of the split, and a worse one of its type."""
    product = world.any(lambda one: any(better(one, other) for other in world.catalogue.types[one.type]))
    return product, world.pick(world.catalogue.types[product.type], lambda other: better(product, other))


def _either(world: World, product: Product, other: Product) -> str:
    pair = [product, other]
    world.rng.shuffle(pair)
    return f'"{pair[0].title}" and "{pair[1].title}"'


def _orders_with(world: World, product: str) -> int:
    return sum(any(line.product == product for line in order.lines) for order in world.start.orders)


def _savings(world: World, product: Product) -> Mapping[str, int]:

    line = Line(product=product.id, options=product.first_options, quantity=1)
    return {code: cost(world.catalogue, [line], "standard", code).cut for code in COUPONS}


BUYING: Mapping[str, Kind] = {
    "buy": buy,
    "buy-exact": buy_exact,
    "buy-several": buy_several,
    "buy-cheapest": buy_cheapest,
    "buy-best-rated": buy_best_rated,
    "buy-cheaper-of-two": buy_cheaper,
    "buy-better-rated-of-two": buy_better_rated,
    "buy-wish": buy_wish,
    "order-again": order_again,
    "checkout": checkout,
    "checkout-gift": checkout_gift,
    "checkout-coupon": checkout_coupon,
    "checkout-best-coupon": checkout_best_coupon,
    "checkout-options": checkout_options,
}
