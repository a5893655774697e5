"""Scenarios around the calendar and task lists."""

from __future__ import annotations

from datetime import timedelta

from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.evaluate import Expected
from selfgym.envs.apps.scenarios.scenario import Draw, Task, UnfitWorldError, scenario, some


def in_order(events: list[Row]) -> list[Row]:
    """Events by date and time."""
    return sorted(events, key=lambda event: (event["date"], event["starts"], event["id"]))


def days(draw: Draw, least: int = 1) -> list[str]:
    """The days on which there are so many events at least."""
    dates = [event["date"] for event in draw.world.rows("events")]
    return sorted({date for date in dates if dates.count(date) >= least})


@scenario(
    1,
    "train",
    """
    events = apis.calendar.day(date=date)
    print(len(events))
    ---
    for event in events:
        apis.calendar.set_place(event_id=event["id"], place=place)
    """,
)
def move_day_to_place(draw: Draw) -> Task:
    """Give all events of a day another place."""
    date = draw.one(days(draw))
    place = draw.any(("Room 9", "Garden hall", "Video call"))
    expected = Expected()
    for event in draw.world.rows("events", date=date):
        expected.change("events", event["id"], place=place)
    return Task(f'Set the place of all my events on {date} to "{place}".', {"date": date, "place": place}, expected)


@scenario(
    1,
    "train",
    """
    lists = apis.todo.lists()
    list_id = [one["id"] for one in lists if one["name"] == list_name][0]
    ---
    for task in apis.todo.tasks(list_id=list_id, page_limit=20):
        if not task["done"]:
            apis.todo.complete(task_id=task["id"])
    """,
)
def complete_list(draw: Draw) -> Task:
    """Mark all tasks of a list as done."""
    place = draw.one(
        one for one in draw.world.rows("todo_lists") if draw.world.rows("tasks", list_id=one["id"], done=0)
    )
    expected = Expected()
    for task in draw.world.rows("tasks", list_id=place["id"], done=0):
        expected.change("tasks", task["id"], done=1)
    return Task(f"Mark every task of my list {place['name']} as done.", {"list_name": place["name"]}, expected)


@scenario(
    1,
    "test-normal",
    """
    events = apis.calendar.day(date=date)
    print(len(events))
    ---
    for event in events:
        apis.calendar.delete(event_id=event["id"])
    """,
)
def cancel_day(draw: Draw) -> Task:
    """Delete all events of a day."""
    date = draw.one(days(draw))
    expected = Expected()
    for event in draw.world.rows("events", date=date):
        expected.remove("events", event["id"])
        for attendee in draw.world.rows("attendees", event_id=event["id"]):
            expected.remove("attendees", attendee["id"])
    return Task(f"I am ill on {date}. Delete all my events of that day.", {"date": date}, expected)


@scenario(
    2,
    "train",
    """
    events = []
    for page in range(3):
        events += apis.calendar.search(query=word, page_index=page)
    ---
    for event in events:
        date = str(event["date"])
        if date >= today:
            apis.calendar.invite(event_id=event["id"], email=email)
    """,
)
def invite_to_all(draw: Draw) -> Task:
    """Ask somebody to come to all coming events of a kind."""

    def coming(word: str) -> list[Row]:
        events = [one for one in draw.world.rows("events") if one["title"].startswith(word)]
        return [one for one in events if one["date"] >= str(draw.world.today)]

    word = draw.one(sorted({event["title"].split()[0] for event in draw.world.rows("events")}))
    person = draw.any(draw.world.rows("contacts"))
    asked = [row["event_id"] for row in draw.world.rows("attendees", email=person["email"])]
    if not some(coming(word)) or any(event["id"] in asked for event in coming(word)):
        raise UnfitWorldError("asked already, or nothing to ask for")
    expected = Expected()
    for event in coming(word):
        expected.add("attendees", event_id=event["id"], email=person["email"], status="invited")
    return Task(
        f'Invite {person["email"]} to every event of mine from {draw.world.today} on that has "{word}" in its title.',
        {"word": word, "email": person["email"], "today": str(draw.world.today)},
        expected,
    )


@scenario(
    2,
    "train",
    """
    tasks = []
    for page in range(3):
        tasks += apis.todo.due(date=date, page_index=page, page_limit=20)
    ---
    for task in tasks:
        if task["priority"] == priority:
            apis.todo.set_due(task_id=task["id"], due=due)
    """,
)
def postpone_tasks(draw: Draw) -> Task:
    """Put off the tasks of one priority that are due."""
    today = str(draw.world.today)

    def late(priority: str) -> list[Row]:
        tasks = draw.world.rows("tasks", done=0, priority=priority)
        return [task for task in tasks if task["due"] <= today]

    priority = draw.one(one for one in ("low", "normal", "high") if late(one))
    due = str(draw.world.today + timedelta(days=draw.any((20, 25, 30))))
    expected = Expected()
    for task in late(priority):
        expected.change("tasks", task["id"], due=due)
    return Task(
        f"Change the due date of all tasks with {priority} priority that are not done and due on {today} or before to "
        f"{due}.",
        {"date": today, "priority": priority, "due": due},
        expected,
    )


@scenario(
    2,
    "test-normal",
    """
    lists = {one["name"]: one["id"] for one in apis.todo.lists()}
    tasks = apis.todo.tasks(list_id=lists[source], page_limit=20)
    ---
    for task in tasks:
        if task["done"]:
            apis.todo.delete(task_id=task["id"])
        elif task["priority"] == "high":
            apis.todo.move(task_id=task["id"], list_id=lists[target])
    """,
)
def tidy_list(draw: Draw) -> Task:
    """Delete what is done of a list, and move what is urgent to another."""

    def fits(place: Row) -> bool:
        tasks = draw.world.rows("tasks", list_id=place["id"])
        return any(task["done"] for task in tasks) and any(
            not one["done"] and one["priority"] == "high" for one in tasks
        )

    source = draw.one(one for one in draw.world.rows("todo_lists") if fits(one))
    target = draw.any(one for one in draw.world.rows("todo_lists") if one != source)
    expected = Expected()
    for task in draw.world.rows("tasks", list_id=source["id"]):
        if task["done"]:
            expected.remove("tasks", task["id"])
        elif task["priority"] == "high":
            expected.change("tasks", task["id"], list_id=target["id"])
    return Task(
        f"Tidy up my list {source['name']}: delete the tasks that are done, and move those of high priority that are "
        f"not done to the list {target['name']}.",
        {"source": source["name"], "target": target["name"]},
        expected,
    )


@scenario(
    3,
    "train",
    """
    events = apis.calendar.day(date=date)
    emails = []
    for event in events:
        for one in apis.calendar.attendees(event_id=event["id"]):
            if one["status"] != "declined" and one["email"] not in emails:
                emails.append(one["email"])
    ---
    for email in emails:
        apis.mail.send(to=[email], subject=subject, body=body)
    """,
)
def mail_attendees(draw: Draw) -> Task:
    """Write to everybody who may come on a day."""

    def coming(date: str) -> set[str]:
        ids = [event["id"] for event in draw.world.rows("events", date=date)]
        rows = [row for row in draw.world.rows("attendees") if row["event_id"] in ids]
        return {row["email"] for row in rows if row["status"] != "declined"}

    date = draw.one(date for date in days(draw) if coming(date))
    subject, body = f"Events on {date}", draw.any(("I may be late.", "Please be on time.", "Coffee is on me."))
    expected = Expected()
    for email in coming(date):
        expected.add("mail", folder="sent", recipients=email, subject=subject, body=body)
    return Task(
        f"Send a mail to everybody who is on the list of one of my events on {date} and has not declined, one mail to "
        f'each person only. Subject: "{subject}". Body: "{body}"',
        {"date": date, "subject": subject, "body": body},
        expected,
    )


@scenario(
    3,
    "train",
    """
    tasks = []
    for page in range(3):
        tasks += apis.todo.due(date=date, page_index=page, page_limit=20)
    tasks = [task for task in tasks if task["priority"] == priority]
    ---
    for task in tasks:
        title, date = task["title"], task["due"]
        date = max(date, today)
        apis.calendar.create(title=title, date=date, starts=starts, ends=ends)
    ---
    apis.notes.create(title=note, body=str(len(tasks)))
    """,
)
def block_time_for_tasks(draw: Draw) -> Task:
    """Make calendar events of the tasks that are due, today if late, and note how many."""
    today, until = str(draw.world.today), str(draw.world.today + timedelta(days=draw.any((3, 4, 5))))

    def due(priority: str) -> list[Row]:
        return [one for one in draw.world.rows("tasks", done=0, priority=priority) if one["due"] <= until]

    priority = draw.one(one for one in ("low", "normal", "high") if some(due(one)))
    starts, ends = draw.any((("06:00", "06:30"), ("19:00", "20:00"), ("21:15", "21:45")))
    note = f"Planned {priority} tasks"
    expected = Expected().add("notes", title=note, body=str(len(due(priority))))
    for task in due(priority):
        date = max(task["due"], today)
        expected.add("events", title=task["title"], date=date, starts=starts, ends=ends, place="")
    return Task(
        f"For every task with {priority} priority that is not done and due on {until} or before, make a calendar event "
        f"with the title of the task from {starts} to {ends} on its due date, or on {today} if that date is past. Then "
        f'write a note "{note}" whose text is just the number of these tasks.',
        {"date": until, "today": today, "priority": priority, "starts": starts, "ends": ends, "note": note},
        expected,
    )


@scenario(
    3,
    "dev",
    """
    person = apis.contacts.search(query=name)[0]
    events = []
    for page in range(3):
        events += apis.calendar.search(from_date=today, page_index=page, page_limit=20)
    ---
    missed = []
    for event in events:
        rows = apis.calendar.attendees(event_id=event["id"])
        if [person["email"], "declined"] in [[one["email"], one["status"]] for one in rows]:
            apis.calendar.uninvite(event_id=event["id"], email=person["email"])
            missed.append(event["title"])
    ---
    apis.messages.send(phone=person["phone"], text="Pity about: " + ", ".join(missed))
    """,
)
def drop_declined(draw: Draw) -> Task:
    """Take somebody off the coming events that were declined, and tell so."""

    def declined(person: Row) -> list[Row]:
        rows = draw.world.rows("attendees", email=person["email"], status="declined")
        events = [draw.world.row("events", row["event_id"]) for row in rows]
        return in_order([event for event in events if event["date"] >= str(draw.world.today)])

    person = draw.person(lambda one: bool(declined(one)))
    expected = Expected()
    for event in declined(person):
        (row,) = draw.world.rows("attendees", email=person["email"], event_id=event["id"])
        expected.remove("attendees", row["id"])
    text = f"Pity about: {', '.join(event['title'] for event in declined(person))}"
    expected.add("messages", phone=person["phone"], direction="sent", text=text)
    return Task(
        f"Take {person['name']} off the list of all my events from {draw.world.today} on that {person['name']} has "
        'declined. Then send one text message to this person: "Pity about: " and the titles of these events in the '
        'order of their dates, with ", " between them.',
        {"name": person["name"], "today": str(draw.world.today)},
        expected,
    )
