"""The supervisor's own data: who that is, which passwords there are, and what day it is."""

import datetime

from .endpoint import ApiError, Call, Date, reads
from .schema import Row


@reads
def profile(call: Call) -> Row:
    """Name, email, phone, address, city and birthday of your supervisor."""
    return call.me


@reads
def passwords(call: Call) -> list[Row]:
    """The passwords of the apps that want a login."""
    return call.rows("select app, password from passwords order by id")


@reads
def now(call: Call) -> Row:
    """Today's date and the time."""
    day, clock = call.now.split()
    return {"date": day, "time": clock}


@reads
def weekday(call: Call, date: Date) -> Row:
    """The day of the week of a date, and the dates of its Monday and Sunday."""
    day = datetime.date.fromisoformat(date)
    if not 1900 <= day.year <= 2200:
        raise ApiError(f"{date} is too far away")
    monday = day - datetime.timedelta(days=day.weekday())
    sunday = monday + datetime.timedelta(days=6)
    return {"weekday": day.strftime("%A"), "monday": str(monday), "sunday": str(sunday)}
