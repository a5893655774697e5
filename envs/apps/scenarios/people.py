"""Scenarios around the address book and text messages."""

from __future__ import annotations

from selfgym.envs.apps import words
from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.evaluate import Expected
from selfgym.envs.apps.scenarios.scenario import Draw, Task, UnfitWorldError, scenario, some


def members(draw: Draw, group: Row) -> list[Row]:
    """The contacts in a group."""
    inside = {row["contact_id"] for row in draw.world.rows("group_members", group_id=group["id"])}
    return [person for person in draw.world.rows("contacts") if person["id"] in inside]


def newest_received(draw: Draw, phone: str) -> Row | None:
    """The last message that came from a phone number."""
    found = draw.world.rows("messages", phone=phone, direction="received")
    return max(found, key=lambda message: (message["at"], message["id"]), default=None)


@scenario(
    1,
    "train",
    """
    people = apis.contacts.search(query=city, page_limit=20)
    print(len(people))
    ---
    for person in people:
        if person["city"] == city:
            apis.contacts.set_favorite(contact_id=person["id"])
    """,
)
def favorite_by_city(draw: Draw) -> Task:
    """Mark all contacts of one city as favorites."""
    city = draw.one(city for city in words.CITIES if draw.world.rows("contacts", city=city, favorite=0))
    expected = Expected()
    for person in draw.world.rows("contacts", city=city, favorite=0):
        expected.change("contacts", person["id"], favorite=1)
    return Task(f"Mark all my contacts who live in {city} as favorites.", {"city": city}, expected)


@scenario(
    1,
    "train",
    """
    person = apis.contacts.search(query=name)[0]
    print(person)
    ---
    apis.messages.send(phone=person["phone"], text=text)
    """,
)
def text_by_name(draw: Draw) -> Task:
    """Send a message to somebody known by name."""
    person = draw.person()
    text = draw.any(("I will be ten minutes late.", "Happy to help!", "Call me when you can."))
    expected = Expected().add("messages", phone=person["phone"], direction="sent", text=text)
    return Task(f'Send {person["name"]} the text message "{text}"', {"name": person["name"], "text": text}, expected)


@scenario(
    1,
    "test-normal",
    """
    person = apis.contacts.search(query=name)[0]
    print(person)
    ---
    contact_id = person["id"]
    apis.contacts.update(contact_id=contact_id, field="phone", value=phone)
    """,
)
def new_phone_number(draw: Draw) -> Task:
    """Change the phone number of a contact."""
    person = draw.person()
    phone = f"555-{9000 + person['id'] * 7}"
    expected = Expected().change("contacts", person["id"], phone=phone)
    return Task(
        f"{person['name']} has a new phone number, {phone}. Change it in my contacts.",
        {"name": person["name"], "phone": phone},
        expected,
    )


@scenario(
    2,
    "train",
    """
    groups = apis.contacts.groups()
    group_id = [one["id"] for one in groups if one["name"] == group][0]
    ---
    people = apis.contacts.members(group_id=group_id)
    ---
    for person in people:
        apis.messages.send(phone=person["phone"], text=text)
    """,
)
def text_group(draw: Draw) -> Task:
    """Send a message to each member of a group."""
    group = draw.one(draw.world.rows("groups"))
    text = draw.any(("We meet at seven.", "The date is moved by a week.", "Please bring a chair."))
    expected = Expected()
    for person in members(draw, group):
        expected.add("messages", phone=person["phone"], direction="sent", text=text)
    return Task(
        f'Send every member of my contact group {group["name"]} the text message "{text}"',
        {"group": group["name"], "text": text},
        expected,
    )


@scenario(
    2,
    "train",
    """
    group_id = apis.contacts.create_group(name=group)["id"]
    people = apis.contacts.search(query=company, page_limit=20)
    ---
    for person in people:
        if person["company"] == company:
            apis.contacts.add_member(group_id=group_id, contact_id=person["id"])
    """,
)
def group_of_company(draw: Draw) -> Task:
    """Make a group of the contacts at one company."""
    company = draw.one(one for one in words.COMPANIES if draw.world.rows("contacts", company=one))
    number = len(draw.world.rows("groups")) + 1
    expected = Expected().add("groups", id=number, name=f"Team {company}")
    for person in draw.world.rows("contacts", company=company):
        expected.add("group_members", group_id=number, contact_id=person["id"])
    return Task(
        f'Make a new contact group "Team {company}" and put all my contacts who work at {company} into it.',
        {"group": f"Team {company}", "company": company},
        expected,
    )


@scenario(
    2,
    "dev",
    """
    person = apis.contacts.search(query=name)[0]
    found = apis.messages.chat(phone=person["phone"], page_limit=20)
    ---
    for message in found:
        if not message["read"]:
            apis.messages.mark(message_id=message["id"])
    """,
)
def read_chat(draw: Draw) -> Task:
    """Mark the unread messages of one person as read."""
    person = draw.person(lambda one: some(draw.world.rows("messages", phone=one["phone"], read=0)))
    expected = Expected()
    for message in draw.world.rows("messages", phone=person["phone"], read=0):
        expected.change("messages", message["id"], read=1)
    return Task(f"Mark all text messages from {person['name']} as read.", {"name": person["name"]}, expected)


@scenario(
    3,
    "train",
    """
    people = apis.contacts.birthdays(month=month)
    ---
    lists = apis.todo.lists()
    list_id = [one["id"] for one in lists if one["name"] == list_name][0]
    ---
    for person in people:
        due = year + person["birthday"][4:]
        title = "congratulate " + person["name"]
        apis.todo.create(list_id=list_id, title=title, due=due)
    """,
)
def birthday_tasks(draw: Draw) -> Task:
    """Make tasks of the birthdays in a month."""

    def born(month: int) -> list[Row]:
        return [one for one in draw.world.rows("contacts") if int(one["birthday"][5:7]) == month]

    month = draw.one(month for month in range(1, 13) if born(month))
    place, year = draw.any(draw.world.rows("todo_lists")), draw.world.today.year + 1
    expected = Expected()
    for person in born(month):
        due = f"{year}{person['birthday'][4:]}"
        expected.add("tasks", list_id=place["id"], title=f"congratulate {person['name']}", due=due, priority="normal")
    name = draw.world.today.replace(day=1, month=month).strftime("%B")
    return Task(
        f'For each of my contacts with a birthday in {name}, add a task "congratulate <full name>" to my list '
        f"{place['name']}, due on the birthday in {year}.",
        {"month": month, "list_name": place["name"], "year": str(year)},
        expected,
    )


@scenario(
    3,
    "train",
    """
    people = []
    for page in range(3):
        people += apis.contacts.search(page_index=page, page_limit=20)
    ---
    for person in people:
        phone = person["phone"]
        chat = apis.messages.chat(phone=phone, page_limit=20)
        chat = [one for one in chat if one["direction"] == "received"]
        if chat and word in chat[0]["text"]:
            apis.messages.send(phone=phone, text=text)
    """,
)
def answer_by_newest(draw: Draw) -> Task:
    """Answer those whose newest message mentions something."""

    def writers(topic: str) -> list[Row]:
        newest = [(one, newest_received(draw, one["phone"])) for one in draw.world.rows("contacts")]
        return [person for person, message in newest if message is not None and topic in message["text"]]

    topic = draw.one(topic for topic in words.TOPICS if writers(topic))
    text = f"I will come back to you about the {topic}."
    expected = Expected()
    for person in writers(topic):
        expected.add("messages", phone=person["phone"], direction="sent", text=text)
    return Task(
        f'Look at the newest text message that each of my contacts sent me. Where it mentions "{topic}", reply with '
        f'the text message "{text}"',
        {"word": topic, "text": text},
        expected,
    )


@scenario(
    3,
    "test-normal",
    """
    known = []
    for page in range(3):
        found = apis.contacts.search(page_index=page, page_limit=20)
        known += [person["phone"] for person in found]
    ---
    messages = apis.messages.search(query=word, page_limit=20)
    phones = {one["phone"] for one in messages}
    strangers = sorted(phones - set(known))
    ---
    for phone in strangers:
        apis.messages.block(phone=phone)
    apis.notes.create(title=title, body=str(len(strangers)))
    """,
)
def block_strangers(draw: Draw) -> Task:
    """Block the numbers that are no contact's and wrote spam, and note how many."""
    known = {person["phone"] for person in draw.world.rows("contacts")}
    strangers = {one["phone"] for one in draw.world.rows("messages") if one["phone"] not in known}
    title = draw.one(("Blocked numbers", "Spam count", "Unknown callers"))
    if not strangers:
        raise UnfitWorldError("no stranger has written")
    expected = Expected().add("notes", title=title, body=str(len(strangers)))
    for phone in strangers:
        expected.add("blocked", phone=phone)
    return Task(
        'Block every phone number that sent me a text message with the word "prize" and is not in my contacts. Then '
        f'write a note with the title "{title}" whose text is just how many numbers you blocked.',
        {"word": "prize", "title": title},
        expected,
    )
