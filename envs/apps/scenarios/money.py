"""Scenarios around the shop and payments; most of them begin with a login."""

from __future__ import annotations

from selfgym.envs.apps import words
from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.evaluate import Expected
from selfgym.envs.apps.scenarios.scenario import Draw, Task, UnfitWorldError, scenario, some


def balance(draw: Draw) -> int:
    """What is in the wallet."""
    return int(draw.world.row("wallet", 1)["balance"])


@scenario(
    1,
    "train",
    """
    word = apis.supervisor.passwords()[1]["password"]
    token = apis.payments.login(password=word)["access_token"]
    ---
    apis.payments.send(email=email, amount=amount, note=note, access_token=token)
    """,
)
def pay_somebody(draw: Draw) -> Task:
    """Send money to an address."""
    person = draw.person()
    amount, note = draw.any(range(5, 60)), draw.any(words.PAID_FOR)
    expected = Expected().change("wallet", 1, balance=balance(draw) - amount)
    expected.add("transactions", direction="sent", email=person["email"], amount=amount, note=note)
    return Task(
        f'Send {amount} dollars to {person["email"]} with the note "{note}".',
        {"email": person["email"], "amount": amount, "note": note},
        expected,
    )


@scenario(
    1,
    "train",
    """
    word = apis.supervisor.passwords()[0]["password"]
    token = apis.shop.login(password=word)["access_token"]
    ---
    products = apis.shop.search(query=name, access_token=token)
    apis.shop.add_to_cart(product_id=products[0]["id"], quantity=count, access_token=token)
    """,
)
def fill_cart(draw: Draw) -> Task:
    """Put a product into the cart."""
    inside = {row["product_id"] for row in draw.world.rows("cart")}
    names = [product["name"] for product in draw.world.rows("products")]
    product = draw.one(
        one
        for one in draw.world.rows("products")
        if one["id"] not in inside and sum(one["name"] in name for name in names) == 1
    )
    count = draw.any((1, 2, 3, 4))
    expected = Expected().add("cart", product_id=product["id"], quantity=count)
    return Task(
        f"Put the {product['name']} into my shopping cart, {count} of it. Do not order it yet.",
        {"name": product["name"], "count": count},
        expected,
    )


@scenario(
    2,
    "train",
    """
    word = apis.supervisor.passwords()[1]["password"]
    token = apis.payments.login(password=word)["access_token"]
    rows = apis.payments.requests("incoming", "pending", page_limit=20, access_token=token)
    ---
    for row in rows:
        if row["amount"] > limit:
            apis.payments.decline_request(request_id=row["id"], access_token=token)
    """,
)
def decline_large_requests(draw: Draw) -> Task:
    """Decline pending requests above an amount."""
    pending = draw.world.rows("requests", direction="incoming", status="pending")
    limit = draw.one(sorted({row["amount"] for row in pending})[:-1])
    expected = Expected()
    for row in pending:
        if row["amount"] > limit:
            expected.change("requests", row["id"], status="declined")
    return Task(
        f"Decline all pending payment requests to me that ask for more than {limit} dollars.",
        {"limit": limit},
        expected,
    )


@scenario(
    2,
    "train",
    """
    word = apis.supervisor.passwords()[0]["password"]
    token = apis.shop.login(password=word)["access_token"]
    apis.shop.clear_cart(access_token=token)
    ---
    products = apis.shop.search(category=category, sort="price", access_token=token)
    apis.shop.add_to_cart(product_id=products[0]["id"], quantity=count, access_token=token)
    ---
    apis.shop.checkout(access_token=token)
    """,
)
def order_cheapest(draw: Draw) -> Task:
    """Order the cheapest product of a category, and nothing else."""

    def cheapest(category: str) -> list[Row]:
        products = draw.world.rows("products", category=category)
        least = min(product["price"] for product in products)
        return [product for product in products if product["price"] == least]

    category = draw.one(category for category in words.PRODUCTS if len(cheapest(category)) == 1)
    (product,), count = cheapest(category), draw.any((1, 2, 3))
    cost, number = product["price"] * count, len(draw.world.rows("orders")) + 1
    expected = Expected().change("wallet", 1, balance=balance(draw) - cost)
    expected.change("products", product["id"], stock=product["stock"] - count)
    expected.add("orders", id=number, status="placed", total=cost, address=draw.world.me["address"])
    expected.add("order_items", order_id=number, product_id=product["id"], quantity=count, price=product["price"])
    for row in draw.world.rows("cart"):
        expected.remove("cart", row["id"])
    return Task(
        f'Clear my shopping cart, then order {count} of the cheapest product in the category "{category}".',
        {"category": category, "count": count},
        expected,
    )


@scenario(
    2,
    "dev",
    """
    word = apis.supervisor.passwords()[1]["password"]
    token = apis.payments.login(password=word)["access_token"]
    rows = []
    for page in range(5):
        more = {"page_index": page, "page_limit": 20, "access_token": token}
        rows += apis.payments.transactions(email=email, direction="sent", **more)
    ---
    answer = sum(row["amount"] for row in rows)
    """,
)
def money_sent_to(draw: Draw) -> Task:
    """Sum up what was sent to somebody."""
    person = draw.person(lambda one: some(draw.world.rows("transactions", email=one["email"], direction="sent")))
    rows = draw.world.rows("transactions", email=person["email"], direction="sent")
    return Task(
        f"How many dollars have I sent to {person['email']} in all? Answer with the number.",
        {"email": person["email"]},
        answer=sum(row["amount"] for row in rows),
    )


@scenario(
    2,
    "test-normal",
    """
    word = apis.supervisor.passwords()[0]["password"]
    token = apis.shop.login(password=word)["access_token"]
    products = apis.shop.wishlist(access_token=token)
    ---
    for one in products:
        if one["price"] > price:
            apis.shop.remove_from_wishlist(product_id=one["id"], access_token=token)
    """,
)
def prune_wishlist(draw: Draw) -> Task:
    """Take what is too dear off the wish list."""
    rows = draw.world.rows("wishlist")
    prices = {row["id"]: draw.world.row("products", row["product_id"])["price"] for row in rows}
    price = draw.one(sorted(set(prices.values()))[:-1])
    expected = Expected()
    for number, cost in prices.items():
        if cost > price:
            expected.remove("wishlist", number)
    return Task(
        f"Take every product that costs more than {price} dollars off my wish list in the shop.",
        {"price": price},
        expected,
    )


@scenario(
    3,
    "train",
    """
    word = apis.supervisor.passwords()[1]["password"]
    token = apis.payments.login(password=word)["access_token"]
    groups = {one["name"]: one["id"] for one in apis.contacts.groups()}
    people = apis.contacts.members(group_id=groups[group])
    ---
    share = total // (len(people) + 1)
    for one in people:
        apis.payments.request(one["email"], share, note=note, access_token=token)
    """,
)
def split_bill(draw: Draw) -> Task:
    """Ask each member of a group for a share."""
    group = draw.one(draw.world.rows("groups"))
    ids = [row["contact_id"] for row in draw.world.rows("group_members", group_id=group["id"])]
    share, note = draw.any(range(8, 40)), draw.any(words.PAID_FOR)
    total = share * (len(ids) + 1)
    expected = Expected()
    for number in ids:
        email = draw.world.row("contacts", number)["email"]
        more = {"amount": share, "note": note, "status": "pending"}
        expected.add("requests", direction="outgoing", email=email, **more)
    return Task(
        f"I paid {total} dollars for all members of my contact group {group['name']} and myself. Request the equal "
        f'share from each member, with the note "{note}".',
        {"group": group["name"], "total": total, "note": note},
        expected,
    )


@scenario(
    3,
    "train",
    """
    word = apis.supervisor.passwords()[1]["password"]
    token = apis.payments.login(password=word)["access_token"]
    rows = apis.payments.requests("outgoing", "pending", page_limit=20, access_token=token)
    ---
    for row in rows:
        if row["note"] == note:
            person = apis.contacts.search(query=row["email"])[0]
            text = "Please pay " + str(row["amount"]) + " for the " + note
            apis.messages.send(phone=person["phone"], text=text)
    """,
)
def remind_debtors(draw: Draw) -> Task:
    """Write to everybody who owes money for one thing."""

    def owed(note: str) -> list[Row]:
        return draw.world.rows("requests", direction="outgoing", status="pending", note=note)

    note = draw.one(note for note in words.PAID_FOR if owed(note))
    expected = Expected()
    for row in owed(note):
        (person,) = draw.world.rows("contacts", email=row["email"])
        text = f"Please pay {row['amount']} for the {note}"
        expected.add("messages", phone=person["phone"], direction="sent", text=text)
    return Task(
        f'For each of my pending payment requests with the note "{note}", send the person a text message "Please pay '
        f'<amount> for the {note}".',
        {"note": note},
        expected,
    )


@scenario(
    3,
    "dev",
    """
    word = apis.supervisor.passwords()[0]["password"]
    token = apis.shop.login(password=word)["access_token"]
    orders = apis.shop.orders(status=status, page_limit=20, access_token=token)
    ---
    items = []
    for order in orders:
        items += apis.shop.order_items(order_id=order["id"], access_token=token)
    items = [item for item in items if item["category"] == category]
    ids = sorted({item["product_id"] for item in items})
    ---
    for number in ids:
        apis.shop.review(product_id=number, stars=stars, access_token=token)
    apis.notes.create(title=title, body=str(len(ids)))
    """,
)
def review_delivered(draw: Draw) -> Task:
    """Review all delivered products of a category, and note how many."""
    delivered = {row["id"] for row in draw.world.rows("orders", status="delivered")}
    items = [row["product_id"] for row in draw.world.rows("order_items") if row["order_id"] in delivered]
    products = [draw.world.row("products", number) for number in sorted(set(items))]
    before = {row["product_id"]: row for row in draw.world.rows("reviews")}
    category = draw.one(one for one in words.PRODUCTS if any(product["category"] == one for product in products))
    stars, expected = draw.any((1, 2, 3, 4, 5)), Expected()
    wanted = [product["id"] for product in products if product["category"] == category]
    for number in wanted:
        if number not in before:
            expected.add("reviews", product_id=number, stars=stars)
        elif before[number]["stars"] != stars:
            expected.change("reviews", before[number]["id"], stars=stars)
    title = f"Reviewed {category}"
    expected.add("notes", title=title, body=str(len(wanted)))
    return Task(
        f'Review every product of the category "{category}" in my delivered orders with {stars} stars and no text. '
        f'Then write a note "{title}" whose text is just the number of these products.',
        {"status": "delivered", "category": category, "stars": stars, "title": title},
        expected,
    )


@scenario(
    3,
    "test-normal",
    """
    word = apis.supervisor.passwords()[1]["password"]
    token = apis.payments.login(password=word)["access_token"]
    email = apis.contacts.search(query=name)[0]["email"]
    rows = []
    for page in range(5):
        more = {"page_index": page, "page_limit": 20, "access_token": token}
        rows += apis.payments.transactions(email=email, **more)
    ---
    sent = sum(row["amount"] for row in rows if row["direction"] == "sent")
    owed = sent - sum(row["amount"] for row in rows if row["direction"] == "received")
    if owed > 0:
        apis.payments.request(email, owed, note="balance", access_token=token)
    else:
        apis.payments.send(email, -owed, note="balance", access_token=token)
    """,
)
def settle_up(draw: Draw) -> Task:
    """Even out what was sent to and received from somebody."""

    def owed(person: Row) -> int:
        rows = draw.world.rows("transactions", email=person["email"])
        return sum(row["amount"] if row["direction"] == "sent" else -row["amount"] for row in rows)

    person = draw.person(lambda one: owed(one) != 0)
    due, expected = owed(person), Expected()
    if abs(due) > balance(draw):
        raise UnfitWorldError("more than there is")
    if due > 0:
        more = {"amount": due, "note": "balance", "status": "pending"}
        expected.add("requests", direction="outgoing", email=person["email"], **more)
    else:
        expected.change("wallet", 1, balance=balance(draw) + due)
        expected.add("transactions", direction="sent", email=person["email"], amount=-due, note="balance")
    return Task(
        f"Compare all the money that I sent to {person['name']} with all that I received from this person. If I sent "
        'more, request the difference; if I received more, send the difference. Use the note "balance".',
        {"name": person["name"]},
        expected,
    )
