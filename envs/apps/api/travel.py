"""Travel: hotels and flights, and what was booked."""

from .endpoint import ApiError, Call, Date, reads, writes
from .schema import Row


@reads
def hotels(call: Call, city: str, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The hotels of a city with the price of a night, the cheapest first."""
    sql = "select * from hotels where city = ? order by price, id"
    return call.page(sql, city, page_index=page_index, page_limit=page_limit)


@reads
def show_hotel(call: Call, hotel_id: int) -> Row:
    """One hotel."""
    return call.one("hotels", hotel_id, "hotel")


@reads
def cities(call: Call) -> list[str]:
    """The cities that have hotels."""
    return [row["city"] for row in call.rows("select distinct city from hotels order by city")]


@writes
def book_hotel(call: Call, hotel_id: int, check_in: Date, nights: int) -> Row:
    """Book a hotel from a date on for some nights."""
    call.one("hotels", hotel_id, "hotel")
    if not 1 <= nights <= 30:
        raise ApiError(f"nights must be 1 to 30, not {nights}")
    return call.add("bookings", hotel_id=hotel_id, check_in=check_in, nights=nights, status="booked")


@reads
def bookings(call: Call, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The hotel bookings by date, with name, city and price of the hotel; cancelled ones too."""
    return call.page(
        "select bookings.*, name, city, price from bookings join hotels on hotels.id = hotel_id "
        "order by check_in, bookings.id",
        page_index=page_index,
        page_limit=page_limit,
    )


@writes
def change_nights(call: Call, booking_id: int, nights: int) -> Row:
    """Change for how many nights a hotel is booked."""
    call.one("bookings", booking_id, "booking")
    if not 1 <= nights <= 30:
        raise ApiError(f"nights must be 1 to 30, not {nights}")
    return call.change("bookings", booking_id, nights=nights)


@writes
def cancel_booking(call: Call, booking_id: int) -> Row:
    """Cancel a hotel booking."""
    if call.one("bookings", booking_id, "booking")["status"] == "cancelled":
        raise ApiError(f"booking {booking_id} is cancelled already")
    return call.change("bookings", booking_id, status="cancelled")


@reads
def flights(call: Call, origin: str, destination: str, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The flights from one city to another, the earliest first."""
    sql = "select * from flights where origin = ? and destination = ? order by date, departs, id"
    return call.page(sql, origin, destination, page_index=page_index, page_limit=page_limit)


@writes
def book_flight(call: Call, flight_id: int) -> Row:
    """Book a seat on a flight."""
    call.one("flights", flight_id, "flight")
    if call.rows("select id from tickets where flight_id = ? and status = 'booked'", flight_id):
        raise ApiError(f"flight {flight_id} is booked already")
    return call.add("tickets", flight_id=flight_id, status="booked")


@reads
def tickets(call: Call) -> list[Row]:
    """The booked and cancelled flights by date."""
    return call.rows(
        "select tickets.*, origin, destination, date, departs, price from tickets "
        "join flights on flights.id = flight_id order by date, departs, tickets.id"
    )


@writes
def cancel_ticket(call: Call, ticket_id: int) -> Row:
    """Cancel a flight that was booked."""
    if call.one("tickets", ticket_id, "ticket")["status"] == "cancelled":
        raise ApiError(f"ticket {ticket_id} is cancelled already")
    return call.change("tickets", ticket_id, status="cancelled")
