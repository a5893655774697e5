"""The calendar: events on one day from a time to another, and who comes."""

from typing import Literal

from .endpoint import ApiError, Call, Date, Time, reads, writes
from .schema import Row


@reads
def day(call: Call, date: Date) -> list[Row]:
    """The events of a day in order."""
    return call.rows("select * from events where date = ? order by starts, id", date)


@reads
def search(
    call: Call,
    query: str = "",
    from_date: Date = "0001-01-01",
    to_date: Date = "9999-12-31",
    page_index: int = 0,
    page_limit: int = 5,
) -> list[Row]:
    """Events from one date to another (both included), in order, that have the query in title, place or notes."""
    return call.page(
        "select * from events where date >= ? and date <= ? and (title like ? or place like ? or notes like ?) "
        "order by date, starts, id",
        *(from_date, to_date, *(f"%{query}%",) * 3),
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def show(call: Call, event_id: int) -> Row:
    """One event."""
    return call.one("events", event_id, "event")


@reads
def attendees(call: Call, event_id: int) -> list[Row]:
    """Addresses of those who are asked to come, and whether they said yes."""
    call.one("events", event_id, "event")
    return call.rows("select email, status from attendees where event_id = ? order by id", event_id)


@writes
def create(
    call: Call, title: str, date: Date, starts: Time, ends: Time, place: str = "", attendees: list[str] | None = None
) -> Row:
    """Make an event, and ask people to come by their mail addresses."""
    if ends <= starts:
        raise ApiError(f"the event ends at {ends}, which is not after {starts}")
    event = call.add("events", title=title, date=date, starts=starts, ends=ends, place=place, notes="")
    for email in attendees or []:
        call.add("attendees", event_id=event["id"], email=email, status="invited")
    return event


@writes
def move(call: Call, event_id: int, date: Date, starts: Time, ends: Time) -> Row:
    """Give an event another date and time."""
    call.one("events", event_id, "event")
    if ends <= starts:
        raise ApiError(f"the event ends at {ends}, which is not after {starts}")
    return call.change("events", event_id, date=date, starts=starts, ends=ends)


@writes
def rename(call: Call, event_id: int, title: str) -> Row:
    """Give an event another title."""
    call.one("events", event_id, "event")
    return call.change("events", event_id, title=title)


@writes
def set_place(call: Call, event_id: int, place: str) -> Row:
    """Give an event another place."""
    call.one("events", event_id, "event")
    return call.change("events", event_id, place=place)


@writes
def set_notes(call: Call, event_id: int, notes: str) -> Row:
    """Replace the notes of an event."""
    call.one("events", event_id, "event")
    return call.change("events", event_id, notes=notes)


@writes
def invite(call: Call, event_id: int, email: str) -> Row:
    """Ask somebody to come."""
    call.one("events", event_id, "event")
    if call.rows("select id from attendees where event_id = ? and email = ?", event_id, email):
        raise ApiError(f"{email} is asked already")
    return call.add("attendees", event_id=event_id, email=email, status="invited")


@writes
def uninvite(call: Call, event_id: int, email: str) -> Row:
    """Take somebody off the list of an event."""
    found = call.rows("select * from attendees where event_id = ? and email = ?", event_id, email)
    if not found:
        raise ApiError(f"{email} is not on the list of event {event_id}")
    call.remove("attendees", event_id=event_id, email=email)
    return found[0]


@writes
def set_status(call: Call, event_id: int, email: str, status: Literal["invited", "accepted", "declined"]) -> Row:
    """Note what somebody said."""
    found = call.rows("select * from attendees where event_id = ? and email = ?", event_id, email)
    if not found:
        raise ApiError(f"{email} is not on the list of event {event_id}")
    return call.change("attendees", found[0]["id"], status=status)


@writes
def delete(call: Call, event_id: int) -> Row:
    """Delete an event and the list of its attendees."""
    event = call.one("events", event_id, "event")
    call.remove("attendees", event_id=event_id)
    call.remove("events", id=event_id)
    return event
