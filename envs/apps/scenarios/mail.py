"""Scenarios around the mailbox."""

from __future__ import annotations

from collections import Counter

from selfgym.envs.apps import words
from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.evaluate import Expected
from selfgym.envs.apps.scenarios.scenario import Draw, Task, UnfitWorldError, scenario, some


def inbox(draw: Draw, **where: object) -> list[Row]:
    """Mails of the inbox, newest first."""
    found = draw.world.rows("mail", folder="inbox", **where)
    return sorted(found, key=lambda mail: (mail["at"], mail["id"]), reverse=True)


def about(draw: Draw, topic: str, **where: object) -> list[Row]:
    """Mails of the inbox that have ``topic`` in subject or body, newest first."""
    return [mail for mail in inbox(draw, **where) if topic in f"{mail['subject']}\n{mail['body']}".lower()]


@scenario(
    1,
    "train",
    """
    mails = apis.mail.search(sender=sender, page_limit=20)
    print(len(mails))
    ---
    for mail in mails:
        apis.mail.star(mail_id=mail["id"])
    """,
)
def star_mails_of(draw: Draw) -> Task:
    """Star all mails from one address."""
    person = draw.person(lambda one: some(inbox(draw, sender=one["email"], starred=0)))
    expected = Expected()
    for mail in inbox(draw, sender=person["email"], starred=0):
        expected.change("mail", mail["id"], starred=1)
    return Task(f"Put a star on every mail from {person['email']} in my inbox.", {"sender": person["email"]}, expected)


@scenario(
    1,
    "train",
    """
    mails = apis.mail.search(query=word, page_limit=20)
    print(len(mails))
    ---
    for mail in mails:
        apis.mail.move(mail_id=mail["id"], folder="archive")
    """,
)
def archive_about(draw: Draw) -> Task:
    """Archive all mails about one thing."""
    topic = draw.one(topic for topic in words.TOPICS if some(about(draw, topic)))
    expected = Expected()
    for mail in about(draw, topic):
        expected.change("mail", mail["id"], folder="archive")
    return Task(f'Move all mails in my inbox that mention "{topic}" to the archive.', {"word": topic}, expected)


@scenario(
    1,
    "dev",
    """
    mails = apis.mail.unread(page_limit=20)
    mails += apis.mail.unread(page_index=1, page_limit=20)
    ---
    mails = [mail for mail in mails if mail["sender"] == sender]
    answer = len(mails)
    """,
)
def count_unread_of(draw: Draw) -> Task:
    """Count the unread mails from one address."""
    person = draw.person(lambda one: some(inbox(draw, sender=one["email"], read=0)))
    count = len(inbox(draw, sender=person["email"], read=0))
    return Task(
        f"How many unread mails from {person['email']} are in my inbox? Answer with the number.",
        {"sender": person["email"]},
        answer=count,
    )


@scenario(
    2,
    "train",
    """
    person = apis.contacts.search(query=name)[0]
    mails = apis.mail.search(sender=person["email"])
    ---
    apis.mail.reply(mail_id=mails[0]["id"], body=text)
    """,
)
def reply_to_newest(draw: Draw) -> Task:
    """Answer the newest mail of a person who is known by name."""
    person = draw.person(lambda one: some(inbox(draw, sender=one["email"])))
    mail = inbox(draw, sender=person["email"])[0]
    text = draw.any(("I will look at it today.", "Thank you, all clear.", "Can we talk tomorrow?"))
    subject = f"Re: {mail['subject']}"
    expected = Expected().add("mail", folder="sent", recipients=person["email"], subject=subject, body=text)
    return Task(
        f'Reply to the newest mail in my inbox from {person["name"]} with exactly this text: "{text}"',
        {"name": person["name"], "text": text},
        expected,
    )


@scenario(
    2,
    "train",
    """
    mails = []
    for page in range(5):
        mails += apis.mail.unread(page_index=page, page_limit=20)
    ---
    for mail in mails:
        if mail["at"] < date:
            apis.mail.mark(mail_id=mail["id"])
    """,
)
def mark_old_as_read(draw: Draw) -> Task:
    """Mark unread mails from before a day as read."""
    unread = inbox(draw, read=0)
    days = sorted({mail["at"][:10] for mail in unread})
    day = draw.one(days[2:])
    expected = Expected()
    for mail in unread:
        if mail["at"] < day:
            expected.change("mail", mail["id"], read=1)
    return Task(
        f"Mark all unread mails in my inbox that came before {day} as read. Leave those from that day on.",
        {"date": day},
        expected,
    )


@scenario(
    2,
    "test-normal",
    """
    mails = []
    for page in range(5):
        mails += apis.mail.search(query=word, page_index=page, page_limit=20)
    ---
    senders = [mail["sender"] for mail in mails]
    answer = max(senders, key=senders.count)
    """,
)
def who_writes_most(draw: Draw) -> Task:
    """Find who wrote most mails about one thing."""

    def winner(topic: str) -> str | None:
        counted = Counter(mail["sender"] for mail in about(draw, topic)).most_common(2)
        return counted[0][0] if len(counted) == 2 and counted[0][1] > counted[1][1] else None

    topic = draw.one(topic for topic in words.TOPICS if winner(topic))
    return Task(
        f'Which address sent me the most mails in my inbox that mention "{topic}"? Answer with the address.',
        {"word": topic},
        answer=winner(topic),
    )


@scenario(
    3,
    "train",
    """
    lists = apis.todo.lists()
    found = [one["id"] for one in lists if one["name"] == list_name]
    mails = apis.mail.search(query=word, page_limit=20)
    ---
    for mail in mails:
        title = "answer " + mail["subject"]
        apis.todo.create(list_id=found[0], title=title, due=due)
        apis.mail.label(mail_id=mail["id"], label="todo")
    """,
)
def tasks_from_mails(draw: Draw) -> Task:
    """Make a task of every mail about one thing, and label the mails."""
    topic = draw.one(topic for topic in words.TOPICS if some(about(draw, topic), most=9))
    place = draw.any(draw.world.rows("todo_lists"))
    due = f"{draw.world.today.year}-{draw.any(('06-30', '07-15', '08-01'))}"
    expected = Expected()
    for mail in about(draw, topic):
        expected.add("tasks", list_id=place["id"], title=f"answer {mail['subject']}", due=due, priority="normal")
        expected.change("mail", mail["id"], label="todo")
    return Task(
        f'For every mail in my inbox that mentions "{topic}", add a task "answer <subject of the mail>" that is due '
        f'{due} to my list {place["name"]}, and give the mail the label "todo".',
        {"word": topic, "list_name": place["name"], "due": due},
        expected,
    )


@scenario(
    3,
    "train",
    """
    mails = apis.mail.unread(page_limit=20)
    mails += apis.mail.unread(page_index=1, page_limit=20)
    senders = [mail["sender"] for mail in mails]
    groups = apis.contacts.groups()
    group_id = [one["id"] for one in groups if one["name"] == group][0]
    ---
    for person in apis.contacts.members(group_id=group_id):
        if person["email"] in senders:
            apis.messages.send(phone=person["phone"], text=text)
    """,
)
def text_unread_group(draw: Draw) -> Task:
    """Write a message to the members of a group that have sent mail which is unread."""
    senders = {mail["sender"] for mail in inbox(draw, read=0)}
    group = draw.one(draw.world.rows("groups"))
    members = [row["contact_id"] for row in draw.world.rows("group_members", group_id=group["id"])]
    people = [person for person in draw.world.rows("contacts") if person["id"] in members]
    wanted = [person for person in people if person["email"] in senders]
    if not wanted or len(wanted) == len(people):
        raise UnfitWorldError("all or nobody of the group has written")
    text = "I have seen your mail and will answer soon."
    expected = Expected()
    for person in wanted:
        expected.add("messages", phone=person["phone"], direction="sent", text=text)
    return Task(
        f"Some people in my contact group {group['name']} have sent mails that are still unread in my inbox. Send each "
        f'of these people one text message: "{text}"',
        {"group": group["name"], "text": text},
        expected,
    )


@scenario(
    3,
    "test-normal",
    """
    people = []
    for page in range(3):
        people += apis.contacts.search(page_index=page, page_limit=20)
    people = [one for one in people if one["company"] == company]
    ---
    for person in people:
        mails = apis.mail.search(sender=person["email"], page_limit=20)
        for mail in mails:
            apis.mail.label(mail_id=mail["id"], label=label)
    """,
)
def label_company_mails(draw: Draw) -> Task:
    """Label all mails of the people of one company."""

    def mails(company: str) -> list[Row]:
        emails = [person["email"] for person in draw.world.rows("contacts", company=company)]
        return [mail for mail in inbox(draw) if mail["sender"] in emails]

    company = draw.one(one for one in words.COMPANIES if some(mails(one), 2))
    label = draw.any(("partner", "client", "project"))
    expected = Expected()
    for mail in mails(company):
        expected.change("mail", mail["id"], label=label)
    return Task(
        f'Give every mail in my inbox that comes from one of my contacts at the company {company} the label "{label}".',
        {"company": company, "label": label},
        expected,
    )
