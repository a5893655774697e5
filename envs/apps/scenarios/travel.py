"""Scenarios around hotels and flights, for the split ``test-challenge``: no other split has any that need travel."""

from __future__ import annotations

from datetime import timedelta

from selfgym.envs.apps import words
from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.evaluate import Expected
from selfgym.envs.apps.scenarios.scenario import Draw, Task, UnfitWorldError, scenario


def hotels(draw: Draw, city: str) -> list[Row]:
    """The hotels of a city, the cheapest first."""
    return sorted(draw.world.rows("hotels", city=city), key=lambda hotel: (hotel["price"], hotel["id"]))


def later(draw: Draw, days: int) -> str:
    """The date in so many days."""
    return str(draw.world.today + timedelta(days=days))


@scenario(
    1,
    "test-challenge",
    """
    hotels = apis.travel.hotels(city=city)
    print(hotels[0])
    ---
    hotel_id = hotels[0]["id"]
    apis.travel.book_hotel(hotel_id=hotel_id, check_in=check_in, nights=nights)
    """,
)
def book_cheapest_hotel(draw: Draw) -> Task:
    """Book the cheapest hotel of a city."""
    city, check_in, nights = draw.one(words.CITIES), later(draw, draw.any(range(5, 30))), draw.any((2, 3, 4))
    hotel = hotels(draw, city)[0]
    expected = Expected().add("bookings", hotel_id=hotel["id"], check_in=check_in, nights=nights, status="booked")
    return Task(
        f"Book the cheapest hotel in {city} from {check_in} for {nights} nights.",
        {"city": city, "check_in": check_in, "nights": nights},
        expected,
    )


@scenario(
    1,
    "test-challenge",
    """
    tickets = apis.travel.tickets()
    print(len(tickets))
    ---
    for ticket in tickets:
        if ticket["destination"] == city and ticket["status"] == "booked":
            apis.travel.cancel_ticket(ticket_id=ticket["id"])
    """,
)
def cancel_flights_to(draw: Draw) -> Task:
    """Cancel the flights to a city."""
    ends = {row["id"]: draw.world.row("flights", row["flight_id"])["destination"] for row in draw.world.rows("tickets")}
    city = draw.one(sorted(set(ends.values())))
    expected = Expected()
    for number, destination in ends.items():
        if destination == city:
            expected.change("tickets", number, status="cancelled")
    return Task(f"Cancel all my booked flights to {city}.", {"city": city}, expected)


@scenario(
    2,
    "test-challenge",
    """
    flights = apis.travel.flights(origin=origin, destination=destination)
    cheapest = min(flights, key=lambda flight: flight["price"])
    ---
    apis.travel.book_flight(flight_id=cheapest["id"])
    ---
    title = "Flight to " + destination
    start = cheapest["departs"]
    apis.calendar.create(title=title, date=cheapest["date"], starts=start, ends="23:00")
    """,
)
def book_cheapest_flight(draw: Draw) -> Task:
    """Book the cheapest flight between two cities, and put it into the calendar."""

    def best(destination: str) -> Row | None:
        flights = draw.world.rows("flights", origin=origin, destination=destination)
        prices = sorted(flight["price"] for flight in flights)
        return min(flights, key=lambda flight: flight["price"]) if len({*prices[:2]}) == 2 else None

    origin = draw.world.me["city"]
    taken = {row["flight_id"] for row in draw.world.rows("tickets")}
    found = {city: best(city) for city in words.CITIES if city != origin}
    destination = draw.one(city for city, flight in found.items() if flight and flight["id"] not in taken)
    flight = found[destination]
    if flight is None:
        raise UnfitWorldError("two flights cost the same")
    expected = Expected().add("tickets", flight_id=flight["id"], status="booked")
    title = f"Flight to {destination}"
    expected.add("events", title=title, date=flight["date"], starts=flight["departs"], ends="23:00", place="")
    return Task(
        f'Book the cheapest flight from {origin} to {destination}. Then make a calendar event "{title}" on the day of '
        "the flight from its departure to 23:00.",
        {"origin": origin, "destination": destination},
        expected,
    )


@scenario(
    3,
    "test-challenge",
    """
    person = apis.contacts.search(query=name)[0]
    hotels = apis.travel.hotels(city=person["city"], page_limit=20)
    hotels = [hotel for hotel in hotels if hotel["stars"] >= stars]
    ---
    number = hotels[0]["id"]
    apis.travel.book_hotel(hotel_id=number, check_in=check_in, nights=nights)
    ---
    text = "I will stay at the " + hotels[0]["name"]
    apis.messages.send(phone=person["phone"], text=text)
    """,
)
def visit_somebody(draw: Draw) -> Task:
    """Book a good hotel where somebody lives, and tell this person."""

    def good(person: Row) -> list[Row]:
        return [hotel for hotel in hotels(draw, person["city"]) if hotel["stars"] >= stars]

    stars = draw.any((2, 3, 4))
    person, nights, check_in = draw.person(lambda one: bool(good(one))), draw.any((1, 2, 3)), later(draw, 12)
    hotel = good(person)[0]
    expected = Expected().add("bookings", hotel_id=hotel["id"], check_in=check_in, nights=nights, status="booked")
    text = f"I will stay at the {hotel['name']}"
    expected.add("messages", phone=person["phone"], direction="sent", text=text)
    return Task(
        f"I visit {person['name']} from {check_in} for {nights} nights. Book the cheapest hotel with {stars} stars or "
        f'more where this person lives, and send the person the text message "I will stay at the <name of hotel>".',
        {"name": person["name"], "stars": stars, "check_in": check_in, "nights": nights},
        expected,
    )


@scenario(
    3,
    "test-challenge",
    """
    bookings = apis.travel.bookings(page_limit=20)
    bookings = [one for one in bookings if one["price"] > price]
    ---
    lists = {one["name"]: one["id"] for one in apis.todo.lists()}
    for one in bookings:
        apis.travel.cancel_booking(booking_id=one["id"])
        title = "find a hotel in " + one["city"]
        due = one["check_in"]
        apis.todo.create(list_id=lists[list_name], title=title, due=due)
    """,
)
def replace_dear_hotels(draw: Draw) -> Task:
    """Cancel what is too dear, and make tasks of finding something else."""
    rows = draw.world.rows("bookings")
    costs = {row["id"]: draw.world.row("hotels", row["hotel_id"]) for row in rows}
    price = draw.one(sorted({hotel["price"] for hotel in costs.values()})[:-1])
    place, expected = draw.any(draw.world.rows("todo_lists")), Expected()
    for row in rows:
        if costs[row["id"]]["price"] > price:
            expected.change("bookings", row["id"], status="cancelled")
            title = f"find a hotel in {costs[row['id']]['city']}"
            expected.add("tasks", list_id=place["id"], title=title, due=row["check_in"], priority="normal")
    return Task(
        f'Cancel all my hotel bookings that cost more than {price} dollars a night. For each add a task "find a '
        f'hotel in <city>" to my list {place["name"]}, due on the day of the check-in.',
        {"price": price, "list_name": place["name"]},
        expected,
    )
