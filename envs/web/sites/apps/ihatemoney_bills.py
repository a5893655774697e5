"""What the shared-expenses site begins with: a shared house over five months, and a holiday."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

HOUSE: dict[str, Any] = {
    "id": "elm-street",
    "name": "Elm Street 14",
    "code": "sunflower",
    "email": "house@elmstreet.example",
    "members": {
        "Ada": 1,
        "Bruno": 1,
        "Chiara": 1.5,
        "Dmitri": 1,
        "Elif": 2,
        "Farid": 1,
        "Greta": 1,
        "Hugo": 1,
        "Iris": 1,
    },
    "gone": ("Greta",),
}
"""Elif lives there with her daughter; Greta has moved out; Hugo and Iris have just come and share no bill yet."""

HOLIDAY: dict[str, Any] = {
    "id": "lisbon-trip",
    "name": "Lisbon trip",
    "code": "azulejo",
    "email": "ada@elmstreet.example",
    "members": {"Ada": 1, "Bruno": 1, "Noor": 1, "Oskar": 1, "Pilar": 1, "Rui": 1, "Tomas": 1},
    "gone": ("Tomas",),
}
"""Rui meant to come; Tomas was there for a day."""

_MONTHS = (
    (2025, 10, "October"),
    (2025, 11, "November"),
    (2025, 12, "December"),
    (2026, 1, "January"),
    (2026, 2, "February"),
)
_MONTHLY = (
    ("Electricity", "Ada", 62, 110),
    ("Gas", "Bruno", 45, 130),
    ("Internet", "Chiara", 34, 35),
    ("Cleaning supplies", "Dmitri", 12, 31),
    ("Water", "Farid", 38, 52),
)
_ONCE = {
    "October": (
        "Welcome dinner",
        "Lawn mower repair",
        "Pumpkins for the porch",
        "Shower curtain",
        "Groceries at the market",
        "Firewood",
        "Board game evening",
        "Light bulbs",
    ),
    "November": (
        "Bicycle pump",
        "Soup night",
        "Chimney sweep",
        "Flour and sugar in bulk",
        "New kettle",
        "Paint for the hallway",
        "Cinema tickets",
        "Doormat",
    ),
    "December": (
        "Christmas tree",
        "Baking ingredients",
        "Gift for the landlady",
        "New Year fireworks",
        "Cheese fondue",
        "Extension cable",
        "Fairy lights",
        "Concert tickets",
    ),
    "January": (
        "Snow shovel",
        "Locksmith",
        "Coffee beans",
        "Farewell party for Greta",
        "Vacuum cleaner bags",
        "Recycling fee",
        "Pancake breakfast",
        "Bookshelf",
    ),
    "February": (
        "Carnival costumes",
        "Plumber",
        "Olive oil canister",
        "Curling evening",
        "Seed potatoes",
        "Dishwasher salt",
        "Birthday cake for Elif",
        "Van rental",
    ),
}
_PAID_BACK = (
    ("2025-11-29", "Bruno pays back Ada", "Bruno", 60.0, ("Ada",)),
    ("2025-12-30", "Dmitri pays back Chiara", "Dmitri", 45.5, ("Chiara",)),
    ("2026-01-31", "Greta settles with Elif", "Greta", 80.0, ("Elif",)),
    ("2026-02-14", "Farid pays back Elif", "Farid", 35.0, ("Elif",)),
)
_HOLIDAY = (
    ("2026-02-05", "Flat in Alfama", "Ada", 412.0, "all"),
    ("2026-02-05", "Airport taxi", "Noor", 28.4, "all"),
    ("2026-02-05", "Grilled sardines", "Oskar", 74.5, "all"),
    ("2026-02-06", "Tram tickets", "Pilar", 33.0, "all"),
    ("2026-02-06", "Castle entrance", "Bruno", 50.0, ("Bruno", "Noor", "Oskar", "Pilar")),
    ("2026-02-06", "Fado evening", "Noor", 96.0, ("Ada", "Noor", "Pilar")),
    ("2026-02-06", "Beach towels", "Tomas", 24.0, ("Noor", "Tomas")),
    ("2026-02-07", "Train to Sintra", "Oskar", 22.5, "all"),
    ("2026-02-07", "Custard tarts", "Ada", 13.2, "all"),
    ("2026-02-07", "Surf lesson", "Bruno", 90.0, ("Bruno", "Oskar")),
    ("2026-02-08", "Aquarium", "Pilar", 84.0, ("Ada", "Bruno", "Noor", "Pilar")),
    ("2026-02-08", "Farewell supper", "Noor", 131.75, "all"),
    ("2026-02-09", "Tiles as souvenirs", "Pilar", 46.0, ("Ada", "Pilar")),
)


def house() -> list[dict[str, Any]]:
    """The bills of the house, in the order of their dates, always the same."""
    chance = random.Random("elm street")
    bills = []
    for year, month, name in _MONTHS:
        living = [
            "Ada",
            "Bruno",
            "Chiara",
            "Dmitri",
            "Elif",
            "Farid",
            *(["Greta"] if (year, month) < (2026, 2) else []),
        ]
        days = iter(sorted(chance.sample(range(1, 29), len(_ONCE[name]) + len(_MONTHLY))))
        whats = [(f"{what} {name}", payer, low, high, True) for what, payer, low, high in _MONTHLY]
        whats += [(what, chance.choice(living), 8, 120, chance.random() < 0.4) for what in _ONCE[name]]
        chance.shuffle(whats)
        for what, payer, low, high, shared in whats:
            owers = living if shared else sorted(chance.sample(living, chance.randint(2, 5)))
            cents = chance.randint(low * 20, high * 20) * 5
            date = f"{year}-{month:02}-{next(days):02}"
            bills.append(
                {"date": date, "what": what, "payer": payer, "amount": cents / 100, "owers": owers, "back": False}
            )
    for date, what, payer, amount, owers_back in _PAID_BACK:
        bills.append({"date": date, "what": what, "payer": payer, "amount": amount, "owers": owers_back, "back": True})
    return sorted(bills, key=lambda bill: str(bill["date"]))


def holiday() -> list[dict[str, Any]]:
    """The bills of the holiday."""
    everybody = ("Ada", "Bruno", "Noor", "Oskar", "Pilar")
    return [
        _bill(date, what, payer, amount, everybody if owers == "all" else owers, False)
        for date, what, payer, amount, owers in _HOLIDAY
    ]


def _bill(date: str, what: str, payer: str, amount: float, owers: Sequence[str], back: bool) -> dict[str, Any]:
    return {"date": date, "what": what, "payer": payer, "amount": amount, "owers": owers, "back": back}
