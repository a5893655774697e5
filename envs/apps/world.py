"""A world: one supervisor, the people around, and the history of all apps, made from a seed.

The same seed gives the same rows everywhere. Nothing is drawn from anywhere else, and nothing is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from selfgym.envs.apps import words
from selfgym.envs.apps.api.schema import COLUMNS, TABLES, Row, empty, insert, rows

_FIRST_DAY = date(2026, 3, 2)


@dataclass(frozen=True)
class World:
    """The beginning of an episode."""

    data: bytes
    """The database, as SQLite serialises it."""
    tables: dict[str, dict[int, Row]]
    """Every row by table and id, as it is stored: truth values are 0 and 1."""
    values: dict[str, list[tuple[Any, ...]]]
    """The same as SQLite gives them, in the order of ids: tables that did not change are told from these at once."""

    def rows(self, table: str, **where: object) -> list[Row]:
        """The rows of ``table`` that have all these values, in the order of ids."""
        return [row for row in self.tables[table].values() if all(row[name] == value for name, value in where.items())]

    def row(self, table: str, number: int) -> Row:
        """The row with this id."""
        return self.tables[table][number]

    @property
    def today(self) -> date:
        """The day of the episode."""
        return date.fromisoformat(self.row("clock", 1)["now"][:10])

    @property
    def me(self) -> Row:
        """The supervisor."""
        return self.row("profile", 1)


@lru_cache(maxsize=64)
def make_world(seed: int) -> World:
    """The world of ``seed``."""
    made: dict[str, list[Row]] = {table: [] for table in TABLES}
    draw = Random(f"world {seed}")
    day = _FIRST_DAY + timedelta(days=draw.randrange(60))
    _people(made, draw, day)
    for part in (_mail, _plans, _papers, _shop, _money, _music, _messages, _leisure):
        part(made, draw, day)
    db = empty()
    db.execute("begin")
    for table, found in made.items():
        for number, row in enumerate(found, 1):
            insert(db, table, {"id": number, **row})
    db.execute("commit")
    data = bytes(db.serialize())
    values = {table: rows(db, table) for table in TABLES}
    tables = {
        table: {row[0]: dict(zip(COLUMNS[table], row, strict=True)) for row in found} for table, found in values.items()
    }
    db.close()
    return World(data, tables, values)


Made = dict[str, list[Row]]


def _people(made: Made, draw: Random, day: date) -> None:
    firsts, lasts = draw.sample(words.FIRST, 11), draw.sample(words.LAST, 11)
    for number, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        company = draw.choice(words.COMPANIES)
        born = date(draw.randint(1960, 2002), draw.randint(1, 12), draw.randint(1, 28))
        person = {
            "name": f"{first} {last}",
            "email": f"{first}.{last}@{company.replace(' ', '')}.example".lower(),
            "phone": f"555-{draw.randrange(100):02}{number:02}",
            "city": draw.choice(words.CITIES),
            "birthday": str(born),
        }
        if number == 0:
            address = f"{draw.randint(1, 90)} {draw.choice(words.STREETS)}, {person['city']}"
            made["profile"].append(person | {"address": address})
        else:
            made["contacts"].append(person | {"company": company, "favorite": int(draw.random() < 0.3)})
    made["clock"].append({"now": f"{day} 09:00"})
    for app in ("shop", "payments"):
        made["passwords"].append({"app": app, "password": f"{draw.choice(words.TOPICS)}-{draw.randrange(1000, 9999)}"})
    for name in ("Book club", "Neighbours", "Band"):
        made["groups"].append({"name": name})
        for contact in sorted(draw.sample(range(1, 11), draw.randint(3, 5))):
            made["group_members"].append({"group_id": len(made["groups"]), "contact_id": contact})


def _moment(draw: Random, day: date, days: int = 30) -> str:
    """A time on one of the days before ``day``."""
    return f"{day - timedelta(days=draw.randint(1, days))} {draw.randint(7, 21):02}:{draw.randrange(60):02}"


def _mail(made: Made, draw: Random, day: date) -> None:
    me, contacts = made["profile"][0]["email"], [person["email"] for person in made["contacts"]]
    folders = ["inbox"] * 44 + ["archive"] * 8 + ["trash"] * 3 + ["sent"] * 8 + ["drafts"] * 5
    for folder in folders:
        topic, ours = draw.choice(words.TOPICS), folder in ("sent", "drafts")
        other = draw.choice(contacts + ([] if ours else list(words.SENDERS)))
        made["mail"].append(
            {
                "folder": folder,
                "sender": me if ours else other,
                "recipients": other if ours else me,
                "subject": draw.choice(words.SUBJECTS).format(topic).capitalize(),
                "body": draw.choice(words.BODIES).format(topic),
                "at": _moment(draw, day),
                "read": int(ours or draw.random() < 0.55),
                "starred": int(not ours and draw.random() < 0.15),
                "label": "" if ours else draw.choice(words.MAIL_LABELS),
            }
        )


def _plans(made: Made, draw: Random, day: date) -> None:
    for _ in range(28):
        hour, title = draw.randint(8, 17), draw.choice(words.EVENTS)
        made["events"].append(
            {
                "title": f"{title} {draw.choice(words.TOPICS)}",
                "date": str(day + timedelta(days=draw.randint(-5, 14))),
                "starts": f"{hour:02}:{draw.choice((0, 30)):02}",
                "ends": f"{hour + draw.randint(1, 2):02}:{draw.choice((30, 45)):02}",
                "place": draw.choice(words.PLACES),
                "notes": "",
            }
        )
        for person in draw.sample(made["contacts"], draw.randint(0, 3)):
            status = draw.choice(("invited", "accepted", "declined"))
            more = {"email": person["email"], "status": status}
            made["attendees"].append({"event_id": len(made["events"]), **more})
    for number, (name, titles) in enumerate(words.TASKS.items(), 1):
        made["todo_lists"].append({"name": name})
        for title in draw.sample(titles, len(titles)):
            due = str(day + timedelta(days=draw.randint(-6, 10)))
            more = {"priority": draw.choice(words.PRIORITIES), "done": int(draw.random() < 0.3)}
            made["tasks"].append({"list_id": number, "title": title, "due": due, **more})


def _papers(made: Made, draw: Random, day: date) -> None:
    for number, title in enumerate(draw.sample(words.NOTES * 3, 18)):
        made["notes"].append(
            {
                "title": f"{title} {number + 1}",
                "body": f"{draw.choice(words.BODIES).format(draw.choice(words.TOPICS))}",
                "tag": draw.choice(words.TAGS),
                "pinned": int(draw.random() < 0.2),
                "created": _moment(draw, day, 90),
            }
        )
    for path in words.FOLDERS:
        made["folders"].append({"path": path})
    for number, month in enumerate(words.MONTHS):
        total = draw.randint(10, 90) * 5
        company = draw.choice(words.COMPANIES)
        made["files"].append(
            {
                "path": f"/invoices/{month}.txt",
                "content": f"Invoice {1000 + number}\nFrom: {company}\nTotal: {total}",
                "created": _moment(draw, day, 200),
            }
        )
    for folder in ("/documents", "/projects", "/photos"):
        for paper in words.PAPERS:
            topic = draw.choice(words.TOPICS)
            suffix = "jpg" if folder == "/photos" else draw.choice(("txt", "md"))
            content = draw.choice(words.BODIES).format(topic)
            path = f"{folder}/{paper}_{topic}.{suffix}"
            made["files"].append({"path": path, "content": content, "created": _moment(draw, day, 200)})


def _shop(made: Made, draw: Random, day: date) -> None:
    for category, names in words.PRODUCTS.items():
        for name in names:
            numbers = {"price": draw.randint(3, 60), "stock": draw.randint(4, 30), "rating": draw.randint(1, 5)}
            made["products"].append({"name": name, "category": category, **numbers})
    known = range(1, len(made["products"]) + 1)
    for product in draw.sample(known, 3):
        made["cart"].append({"product_id": product, "quantity": draw.randint(1, 2)})
    for product in draw.sample(known, 6):
        made["wishlist"].append({"product_id": product})
    for product in draw.sample(known, 5):
        made["reviews"].append({"product_id": product, "stars": draw.randint(1, 5), "text": ""})
    for number in range(1, 15):
        total = 0
        for product in draw.sample(known, draw.randint(1, 4)):
            quantity, price = draw.randint(1, 3), made["products"][product - 1]["price"]
            made["order_items"].append(
                {"order_id": number, "product_id": product, "quantity": quantity, "price": price}
            )
            total += quantity * price
        status = ("placed", "shipped", "delivered", "cancelled")[number % 4]
        more = {"placed": _moment(draw, day, 60)[:10], "address": made["profile"][0]["address"]}
        made["orders"].append({"status": status, "total": total, **more})


def _money(made: Made, draw: Random, day: date) -> None:
    made["wallet"].append({"balance": draw.randint(2000, 3000)})
    emails = [person["email"] for person in made["contacts"]]
    for _ in range(44):
        more = {"amount": draw.randint(2, 80), "note": draw.choice(words.PAID_FOR), "at": _moment(draw, day, 60)}
        direction = draw.choice(("sent", "received"))
        made["transactions"].append({"direction": direction, "email": draw.choice(emails), **more})
    for number in range(28):
        status = draw.choice(("pending", "pending", "paid", "declined"))
        more = {"amount": draw.randint(2, 80), "note": draw.choice(words.PAID_FOR), "at": _moment(draw, day, 20)}
        direction = ("incoming", "outgoing")[number % 2]
        made["requests"].append({"direction": direction, "email": draw.choice(emails), "status": status, **more})


def _music(made: Made, draw: Random, day: date) -> None:
    titles = draw.sample([f"{one} {two}" for one in words.TITLE_ONE for two in words.TITLE_TWO], 50)
    lengths, plays = draw.sample(range(120, 420), 50), draw.sample(range(300), 50)
    for title, seconds, count in zip(titles, lengths, plays, strict=True):
        artist = draw.choice(words.ARTISTS)
        album, genre = f"{draw.choice(words.TITLE_TWO)} {draw.randint(1, 2)}", draw.choice(words.GENRES)
        more = {"seconds": seconds, "plays": count, "liked": int(draw.random() < 0.3)}
        made["songs"].append({"title": title, "artist": artist, "album": album, "genre": genre, **more})
    for number, name in enumerate(words.PLAYLISTS, 1):
        made["playlists"].append({"name": name})
        for song in draw.sample(range(1, 51), draw.randint(7, 11)):
            made["playlist_songs"].append({"playlist_id": number, "song_id": song})
    for song in draw.sample(range(1, 51), 3):
        made["queue"].append({"song_id": song})


def _messages(made: Made, draw: Random, day: date) -> None:
    phones = [person["phone"] for person in made["contacts"]]
    strangers = [f"777-{draw.randrange(1000, 9999)}" for _ in range(3)]
    for phone in phones * 5 + draw.sample(phones, 5):
        topic, ours = draw.choice(words.TOPICS), draw.random() < 0.4
        text, read = draw.choice(words.CHAT).format(topic), int(ours or draw.random() < 0.6)
        direction = "sent" if ours else "received"
        at = _moment(draw, day, 20)
        made["messages"].append({"phone": phone, "direction": direction, "text": text, "at": at, "read": read})
    for phone in strangers:
        at = _moment(draw, day, 20)
        made["messages"].append({"phone": phone, "direction": "received", "text": words.SPAM, "at": at, "read": 0})
    made["blocked"].append({"phone": "777-0000"})


def _leisure(made: Made, draw: Random, day: date) -> None:
    for city in words.CITIES:
        prices = draw.sample(range(40, 200), len(words.HOTELS))
        for name, price in zip(words.HOTELS, prices, strict=True):
            made["hotels"].append({"name": name, "city": city, "price": price, "stars": draw.randint(1, 5)})
        for destination in words.CITIES:
            for days in draw.sample(range(3, 40), 3) if destination != city else ():
                departs, price = f"{draw.randint(6, 20):02}:{draw.choice((0, 30)):02}", draw.randint(40, 240)
                ends = {"origin": city, "destination": destination, "date": str(day + timedelta(days=days))}
                made["flights"].append({**ends, "departs": departs, "price": price})
    for hotel in draw.sample(range(1, len(made["hotels"]) + 1), 6):
        check_in = str(day + timedelta(days=draw.randint(2, 40)))
        made["bookings"].append(
            {"hotel_id": hotel, "check_in": check_in, "nights": draw.randint(1, 5), "status": "booked"}
        )
    for flight in draw.sample(range(1, len(made["flights"]) + 1), 4):
        made["tickets"].append({"flight_id": flight, "status": "booked"})
    for _ in range(36):
        numbers = {"minutes": draw.randint(3, 18) * 5, "kilometres": draw.randint(0, 30)}
        when = str(day - timedelta(days=draw.randint(0, 40)))
        made["workouts"].append({"kind": draw.choice(words.WORKOUTS), "date": when, **numbers})
    for kind in words.WORKOUTS[:3]:
        made["goals"].append({"kind": kind, "minutes": draw.randint(2, 12) * 15})
    for category, titles in words.DISHES.items():
        for title in titles:
            numbers = {"minutes": draw.randint(2, 18) * 5, "servings": draw.randint(1, 6)}
            more = {"favorite": int(draw.random() < 0.3)}
            made["recipes"].append({"title": title, "category": category, **numbers, **more})
            for name in draw.sample(words.GROCERIES, draw.randint(3, 6)):
                amount = {"name": name, "amount": draw.randint(1, 9) * 50, "unit": "g"}
                made["ingredients"].append({"recipe_id": len(made["recipes"]), **amount})
    for _ in range(8):
        when = str(day + timedelta(days=draw.randint(-3, 9)))
        made["meals"].append({"date": when, "recipe_id": draw.randint(1, len(made["recipes"]))})
