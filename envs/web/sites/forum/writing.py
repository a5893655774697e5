"""Tasks that write: topics, replies, polls, and private topics with others."""

from __future__ import annotations

import random

from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.person import Post

ME = "marion"
"""Who sits at the browser."""
TITLES = (
    "Lost umbrella in the hall",
    "New shelves in the cellar",
    "Who can lend a heat gun",
    "Notes from the last meeting",
    "Small steps towards less waste",
    "Coffee machine is leaking",
    "Ideas for the autumn fair",
    "Keyholder for Sunday wanted",
)
"""Titles that no topic has yet."""
_TEXTS = (
    "Please tell me before Friday.",
    "I will be at the counter tomorrow at five.",
    "It would help us a lot.",
    "Write here if you have an idea.",
    "We have tried everything else.",
    "The key hangs beside the door.",
    "There is enough for everybody.",
    "I can fetch it with the van.",
)
_POLLS = {
    "paint": ("Which colour for the door?", ("Green", "Blue", "Red")),
    "snacks": ("What should we offer?", ("Fruit", "Pretzels", "Soup", "Nothing")),
    "start": ("When shall we start?", ("At nine", "At ten")),
    "music": ("Which music in the workshop?", ("Radio", "Records", "None")),
}


def public(state: State, **values: object) -> list[Row]:
    """The topics that everybody sees and may answer."""
    return [
        topic
        for topic in state["topic"]
        if not topic["_private"] and not topic["removed"] and all(topic[key] == value for key, value in values.items())
    ]


def path(topic: Row) -> str:
    """The address of a topic."""
    return f"/topic/{'private/' if topic['_private'] else ''}{topic['_id']}/{topic['_slug']}/"


def comments(state: State, *, of: str | None = None) -> list[Row]:
    """The comments without polls in topics that everybody sees and may answer; only one author's, if named."""
    titles = {topic["title"] for topic in public(state, closed=0)}
    said = [row for row in state["comment"] if row["topic"] in titles and "[poll" not in row["text"]]
    return [row for row in said if of in (None, row["author"])]


def where(comment: Row) -> str:
    """Which comment it is, in words."""
    return f"{comment['author']}'s comment in the topic “{comment['topic']}” that says: “{comment['text']}”"


def said(wanted: State, topic: str, text: str) -> None:
    """A comment by the person, who then is notified of others."""
    wanted["comment"].append({"topic": topic, "author": ME, "text": text, "removed": 0})
    if {"topic": topic} not in [{"topic": row["topic"]} for row in wanted["notification"]]:
        wanted["notification"].append({"topic": topic})


def begun(wanted: State, title: str, category: str, text: str) -> None:
    """A topic by the person."""
    flags = {"closed": 0, "pinned": 0, "pinned_globally": 0, "removed": 0}
    wanted["topic"].append({"title": title, "author": ME, "category": category, **flags})
    said(wanted, title, text)


def some_text(chance: random.Random) -> str:
    """A text to write."""
    return " ".join(chance.sample(_TEXTS, 2))


def others(state: State) -> list[str]:
    """Everybody but the person at the browser."""
    return [user["user"] for user in state["user"] if user["user"] != ME]


def _new_topic(state: State, chance: random.Random) -> Draft:
    open_ones = [row for row in state["category"] if not (row["is_private"] or row["is_removed"] or row["is_closed"])]
    category, title, text = chance.choice(open_ones), chance.choice(TITLES), some_text(chance)
    fields = (("title", title), ("category", str(category["_id"])), ("comment", text))
    return Draft(
        f"Create a topic in the category {category['title']} with the title “{title}” and exactly this text: “{text}”",
        lambda wanted: begun(wanted, title, category["title"], text),
        posts=[Post("/topic/publish/", "/topic/publish/", fields)],
    )


def _new_poll(state: State, chance: random.Random) -> Draft:
    title, (name, (question, choices)) = chance.choice(TITLES), chance.choice(sorted(_POLLS.items()))
    lines = [f"{number}. {choice}" for number, choice in enumerate(choices, 1)]
    text = "\n".join([f"[poll name={name}]", f"# {question}", *lines, "[/poll]"])
    category = one(state["category"], title="Meetups")

    def edit(wanted: State) -> None:
        begun(wanted, title, "Meetups", text)
        fixed = {"choice_min": 1, "choice_max": 1, "mode": 0, "closed": 0, "removed": 0}
        wanted["poll"].append({"topic": title, "name": name, "title": question, **fixed})
        wanted["choice"] += [
            {"poll": name, "number": number, "description": choice, "removed": 0}
            for number, choice in enumerate(choices, 1)
        ]

    fields = (("title", title), ("category", str(category["_id"])), ("comment", text))
    goal = f"Create a topic in the category Meetups titled “{title}” with a poll, that is with these lines as text:"
    return Draft(f"{goal}\n{text}", edit, posts=[Post("/topic/publish/", "/topic/publish/", fields)])


def _reply(state: State, chance: random.Random) -> Draft:
    topic, text = chance.choice(public(state, closed=0)), some_text(chance)
    return Draft(
        f"Reply to the topic “{topic['title']}” with exactly this text: “{text}”",
        lambda wanted: said(wanted, topic["title"], text),
        posts=[Post(path(topic), f"/comment/{topic['_id']}/publish/", (("comment", text),))],
    )


def _answer_message(state: State, chance: random.Random) -> Draft:
    topic, text = chance.choice([row for row in state["topic"] if row["_private"]]), some_text(chance)
    return Draft(
        f"Answer in the private topic “{topic['title']}” with exactly this text: “{text}”",
        lambda wanted: said(wanted, topic["title"], text),
        posts=[Post(path(topic), f"/comment/{topic['_id']}/publish/", (("comment", text),))],
    )


def _edit(state: State, chance: random.Random) -> Draft:
    comment, text = chance.choice(comments(state, of=ME)), some_text(chance)
    page = f"/comment/{comment['_id']}/update/"
    return Draft(
        f"Edit your comment in the topic “{comment['topic']}” that says: “{comment['text']}” "
        f"Replace its text by exactly this: “{text}”",
        lambda wanted: one(wanted["comment"], _id=comment["_id"]).update(text=text),
        posts=[Post(page, page, (("comment", text),))],
    )


def retitled(wanted: State, topic: Row, title: str) -> None:
    """Give a topic another title wherever it is named."""
    one(wanted["topic"], _id=topic["_id"])["title"] = title
    for view in ("comment", "notification", "poll", "participant"):
        for row in wanted[view]:
            if row["topic"] == topic["title"]:
                row["topic"] = title


def _rename(state: State, chance: random.Random) -> Draft:
    topic, title = chance.choice(public(state, author=ME, closed=0)), chance.choice(TITLES)
    page, category = f"/topic/update/{topic['_id']}/", one(state["category"], title=topic["category"])
    return Draft(
        f"Change the title of your topic “{topic['title']}” to “{title}”.",
        lambda wanted: retitled(wanted, topic, title),
        posts=[Post(page, page, (("title", title), ("category", str(category["_id"]))))],
    )


def _message(several: bool) -> Kind:
    def draw(state: State, chance: random.Random) -> Draft:
        users = chance.sample(others(state), chance.randint(2, 3) if several else 1)
        told = f"{' and '.join(users)}{', all in one' if several else ''}"
        return messaging(told, users, chance)

    return draw


def messaging(told: str, users: list[str], chance: random.Random) -> Draft:
    """A private topic with these users, who are told of in the words given."""
    title, text = chance.choice(TITLES), some_text(chance)

    def edit(wanted: State) -> None:
        begun(wanted, title, one(wanted["category"], is_private=1)["title"], text)
        wanted["participant"] += [{"topic": title, "user": user} for user in (ME, *users)]

    page, fields = "/topic/private/publish/", (("title", title), ("comment", text), ("users", ", ".join(users)))
    goal = f"Send a private message to {told}: title “{title}”, text exactly “{text}”"
    return Draft(goal, edit, posts=[Post(page, page, fields)])


def _invite(state: State, chance: random.Random) -> Draft:
    topic = chance.choice([row for row in state["topic"] if row["_private"] and row["author"] == ME])
    there = {row["user"] for row in state["participant"] if row["topic"] == topic["title"]}
    user = chance.choice([name for name in others(state) if name not in there])
    return Draft(
        f"Invite {user} to the private topic “{topic['title']}”.",
        lambda wanted: wanted["participant"].append({"topic": topic["title"], "user": user}),
        posts=[Post(path(topic), f"/topic/private/invite/{topic['_id']}/", (("user", user),))],
    )


def _leave(state: State, chance: random.Random) -> Draft:
    mine = [row for row in state["participant"] if row["user"] == ME]
    place = chance.choice(mine)
    page = f"/topic/private/remove/{place['_id']}/"
    return Draft(
        f"Leave the private topic “{place['topic']}”.",
        lambda wanted: wanted["participant"].remove(place),
        posts=[Post(page, page)],
    )


KINDS: dict[str, Kind] = {
    "new-topic": _new_topic,
    "new-poll": _new_poll,
    "reply": _reply,
    "answer-message": _answer_message,
    "edit-comment": _edit,
    "rename-topic": _rename,
    "message": _message(several=False),
    "message-several": _message(several=True),
    "invite": _invite,
    "leave-message": _leave,
}
"""The kinds of task that write."""
