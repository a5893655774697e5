"""Tasks of several steps: something has to be found out first, or more than one thing done."""

from __future__ import annotations

import random
from collections import Counter

from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.forum.questions import leader_of
from selfgym.envs.web.sites.forum.writing import (
    ME,
    TITLES,
    comments,
    messaging,
    path,
    public,
    retitled,
    said,
    some_text,
    where,
)
from selfgym.envs.web.sites.person import Post


def _message_author(state: State, chance: random.Random) -> Draft:
    topic = chance.choice([topic for topic in public(state) if topic["author"] != ME])
    return messaging(f"whoever started the topic “{topic['title']}”", [topic["author"]], chance)


def _reply_and_close(state: State, chance: random.Random) -> Draft:
    topic, text = chance.choice(public(state, closed=0)), some_text(chance)
    close = f"/topic/moderate/lock/{topic['_id']}/"

    def edit(wanted: State) -> None:
        said(wanted, topic["title"], text)
        one(wanted["topic"], _id=topic["_id"])["closed"] = 1

    return Draft(
        f"Reply to the topic “{topic['title']}” with exactly this text: “{text}” Then close the topic.",
        edit,
        posts=[Post(path(topic), f"/comment/{topic['_id']}/publish/", (("comment", text),)), Post(close, close)],
    )


def _reply_where(state: State, chance: random.Random) -> Draft:
    comment, text = chance.choice([row for row in comments(state) if row["author"] != ME]), some_text(chance)
    topic = one(state["topic"], title=comment["topic"])
    return Draft(
        f"In some topic, {comment['author']} writes: “{comment['text']}” Reply there with exactly this text: “{text}”",
        lambda wanted: said(wanted, topic["title"], text),
        posts=[Post(path(topic), f"/comment/{topic['_id']}/publish/", (("comment", text),))],
    )


def _like_all(state: State, chance: random.Random) -> Draft:
    liked = {row["comment"] for row in state["like"] if row["user"] == ME}
    with_poll = {poll["topic"] for poll in state["poll"]}
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in comments(state):
        if row["author"] != ME and row["topic"] not in with_poll:
            groups.setdefault((row["topic"], row["author"]), []).append(row)
    fits = {who: rows for who, rows in groups.items() if len(rows) > 1 and not liked & {row["_id"] for row in rows}}
    title, author = chance.choice(sorted(fits))
    rows = fits[title, author]
    return Draft(
        f"Like every comment that {author} wrote in the topic “{title}”.",
        lambda wanted: wanted["like"].extend({"comment": row["_id"], "user": ME} for row in rows),
        posts=[Post(page, page) for page in (f"/comment/like/{row['_id']}/create/" for row in rows)],
    )


def _move_busiest(state: State, chance: random.Random) -> Draft:
    counts = Counter(row["topic"] for row in state["comment"])
    categories = sorted({topic["category"] for topic in public(state)})
    leaders = {
        category: leader_of({topic["title"]: counts[topic["title"]] for topic in public(state, category=category)})
        for category in categories
    }
    category = chance.choice([category for category in categories if leaders[category] is not None])
    topic = one(state["topic"], title=leaders[category])
    target = one(state["category"], title=chance.choice([name for name in categories if name != category]))
    page = f"/topic/update/{topic['_id']}/"
    return Draft(
        f"Move the topic with the most comments of the category {category} to the category {target['title']}.",
        lambda wanted: one(wanted["topic"], _id=topic["_id"]).update(category=target["title"]),
        posts=[Post(page, page, (("title", topic["title"]), ("category", str(target["_id"]))))],
    )


def _rename_and_pin(state: State, chance: random.Random) -> Draft:
    topic, title = chance.choice(public(state, pinned=0)), chance.choice(TITLES)
    category = one(state["category"], title=topic["category"])
    page, pin = f"/topic/update/{topic['_id']}/", f"/topic/moderate/pin/{topic['_id']}/"

    def edit(wanted: State) -> None:
        retitled(wanted, topic, title)
        one(wanted["topic"], _id=topic["_id"])["pinned"] = 1

    return Draft(
        f"Change the title of the topic “{topic['title']}” to “{title}” and pin the topic in its category.",
        edit,
        posts=[Post(page, page, (("title", title), ("category", str(category["_id"])))), Post(pin, pin)],
    )


def _report_and_delete(state: State, chance: random.Random) -> Draft:
    openings = {row["topic"]: row["_id"] for row in reversed(state["comment"])}
    fits = [row for row in comments(state) if row["author"] != ME and row["_id"] != openings[row["topic"]]]
    comment = chance.choice(fits)
    report, delete = f"/comment/flag/{comment['_id']}/create/", f"/comment/{comment['_id']}/delete/"

    def edit(wanted: State) -> None:
        wanted["report"].append({"user": ME, "comment": comment["_id"], "reason": 0, "body": "Spam again."})
        one(wanted["comment"], _id=comment["_id"])["removed"] = 1

    return Draft(
        f"Report as Spam, with the text “Spam again.”, and then delete {where(comment)}",
        edit,
        posts=[Post(report, report, (("reason", "0"), ("body", "Spam again."))), Post(delete, delete)],
    )


KINDS: dict[str, Kind] = {
    "message-author": _message_author,
    "reply-and-close": _reply_and_close,
    "reply-where": _reply_where,
    "like-all": _like_all,
    "move-busiest": _move_busiest,
    "rename-and-pin": _rename_and_pin,
    "report-and-delete": _report_and_delete,
}
"""The kinds of task of several steps."""
