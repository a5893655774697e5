"""A shop: products, a cart, orders paid from the wallet, a wish list and reviews. Wants the token of a login."""

from typing import Literal

from .endpoint import ApiError, Call, reads, writes
from .schema import Row
from .tokens import opened_session


@writes
def login(call: Call, password: str) -> Row:
    """An access_token for the other endpoints, for the password that supervisor.passwords gives."""
    return opened_session(call, "shop", password)


@reads
def search(
    call: Call,
    query: str = "",
    category: str = "",
    sort: Literal["name", "price", "rating"] = "name",
    page_index: int = 0,
    page_limit: int = 5,
) -> list[Row]:
    """Products that have the query in the name, of this category; cheapest or best rated first where sorted so."""
    order = {"name": "name, id", "price": "price, id", "rating": "rating desc, id"}[sort]
    return call.page(
        f"select * from products where name like ? and (? = '' or category = ?) order by {order}",
        *(f"%{query}%", category, category),
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def show(call: Call, product_id: int) -> Row:
    """One product."""
    return call.one("products", product_id, "product")


@reads
def categories(call: Call) -> list[str]:
    """The categories of products."""
    return [row["category"] for row in call.rows("select distinct category from products order by category")]


@reads
def cart(call: Call) -> list[Row]:
    """What is in the cart: product_id, name, price, quantity."""
    return call.rows(
        "select product_id, name, price, quantity from cart join products on products.id = product_id order by cart.id"
    )


@writes
def add_to_cart(call: Call, product_id: int, quantity: int = 1) -> Row:
    """Put a product into the cart, or more of it."""
    product = call.one("products", product_id, "product")
    inside = call.rows("select * from cart where product_id = ?", product_id)
    wanted = quantity + (inside[0]["quantity"] if inside else 0)
    if quantity < 1 or wanted > product["stock"]:
        raise ApiError(f"quantity must be 1 to the stock of {product['stock']}, not {wanted}")
    if inside:
        return call.change("cart", inside[0]["id"], quantity=wanted)
    return call.add("cart", product_id=product_id, quantity=quantity)


@writes
def remove_from_cart(call: Call, product_id: int) -> Row:
    """Take a product out of the cart."""
    inside = call.rows("select * from cart where product_id = ?", product_id)
    if not inside:
        raise ApiError(f"product {product_id} is not in the cart")
    call.remove("cart", product_id=product_id)
    return inside[0]


@writes
def clear_cart(call: Call) -> int:
    """Take everything out of the cart; how many products that were."""
    count = len(call.rows("select id from cart"))
    call.db.execute("delete from cart")
    return count


@writes
def checkout(call: Call) -> Row:
    """Order what is in the cart, to the supervisor's address, paid from the wallet."""
    items = call.rows("select cart.*, price from cart join products on products.id = product_id order by cart.id")
    total = sum(item["price"] * item["quantity"] for item in items)
    wallet = call.rows("select * from wallet")[0]
    if not items or total > wallet["balance"]:
        raise ApiError("the cart is empty" if not items else f"{total} is more than the balance {wallet['balance']}")
    order = call.add("orders", status="placed", total=total, placed=call.now[:10], address=call.me["address"])
    for item in items:
        row = {name: item[name] for name in ("product_id", "quantity", "price")}
        call.add("order_items", order_id=order["id"], **row)
        call.db.execute("update products set stock = stock - ? where id = ?", (item["quantity"], item["product_id"]))
    call.db.execute("delete from cart")
    call.change("wallet", wallet["id"], balance=wallet["balance"] - total)
    return order


@reads
def orders(
    call: Call,
    status: Literal["", "placed", "shipped", "delivered", "cancelled"] = "",
    page_index: int = 0,
    page_limit: int = 5,
) -> list[Row]:
    """The orders of this status, newest first."""
    sql = "select * from orders where ? = '' or status = ? order by placed desc, id desc"
    return call.page(sql, status, status, page_index=page_index, page_limit=page_limit)


@reads
def order_items(call: Call, order_id: int) -> list[Row]:
    """What was ordered: product_id, name, category, price, quantity."""
    call.one("orders", order_id, "order")
    return call.rows(
        "select product_id, name, category, order_items.price, quantity from order_items "
        "join products on products.id = product_id where order_id = ? order by order_items.id",
        order_id,
    )


@writes
def cancel_order(call: Call, order_id: int) -> Row:
    """Cancel an order that was placed and not shipped; the money comes back into the wallet."""
    order = call.one("orders", order_id, "order")
    if order["status"] != "placed":
        raise ApiError(f"order {order_id} is {order['status']}; only what is placed can be cancelled")
    call.db.execute("update wallet set balance = balance + ?", (order["total"],))
    return call.change("orders", order_id, status="cancelled")


@reads
def wishlist(call: Call) -> list[Row]:
    """The products on the wish list."""
    return call.rows("select products.* from wishlist join products on products.id = product_id order by wishlist.id")


@writes
def add_to_wishlist(call: Call, product_id: int) -> Row:
    """Put a product on the wish list."""
    call.one("products", product_id, "product")
    if call.rows("select id from wishlist where product_id = ?", product_id):
        raise ApiError(f"product {product_id} is on the wish list already")
    return call.add("wishlist", product_id=product_id)


@writes
def remove_from_wishlist(call: Call, product_id: int) -> int:
    """Take a product off the wish list."""
    if not call.rows("select id from wishlist where product_id = ?", product_id):
        raise ApiError(f"product {product_id} is not on the wish list")
    call.remove("wishlist", product_id=product_id)
    return product_id


@reads
def reviews(call: Call) -> list[Row]:
    """The reviews that the supervisor wrote."""
    return call.rows("select * from reviews order by id")


@writes
def review(call: Call, product_id: int, stars: int, text: str = "") -> Row:
    """Review a product with 1 to 5 stars; an earlier review of it is replaced."""
    call.one("products", product_id, "product")
    if not 1 <= stars <= 5:
        raise ApiError(f"stars must be 1 to 5, not {stars}")
    before = call.rows("select id from reviews where product_id = ?", product_id)
    if before:
        return call.change("reviews", before[0]["id"], stars=stars, text=text)
    return call.add("reviews", product_id=product_id, stars=stars, text=text)
