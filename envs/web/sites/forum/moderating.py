"""Tasks that only a moderator can do."""

from __future__ import annotations

import random

from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.forum.writing import ME, comments, public, where
from selfgym.envs.web.sites.person import Post


def _moderate(action: str, goal: str, column: str, value: int) -> Kind:
    """A kind that sets a flag of a topic: the last part of its address, and what is asked."""

    def draw(state: State, chance: random.Random) -> Draft:
        topic = chance.choice(public(state, **{column: 1 - value}))
        page = f"/topic/moderate/{action}/{topic['_id']}/"
        return Draft(
            goal.format(f"the topic “{topic['title']}”"),
            lambda wanted: one(wanted["topic"], _id=topic["_id"]).update({column: value}),
            posts=[Post(page, page)],
        )

    return draw


def _move(state: State, chance: random.Random) -> Draft:
    topic = chance.choice(public(state))
    fits = [row for row in state["category"] if not (row["is_private"] or row["is_removed"])]
    category = chance.choice([row for row in fits if row["title"] != topic["category"]])
    page = f"/topic/update/{topic['_id']}/"
    return Draft(
        f"Move the topic “{topic['title']}” to the category {category['title']}.",
        lambda wanted: one(wanted["topic"], _id=topic["_id"]).update(category=category["title"]),
        posts=[Post(page, page, (("title", topic["title"]), ("category", str(category["_id"]))))],
    )


def _replies(state: State) -> list[Row]:
    """All comments but those that open a topic."""
    seen: set[str] = set()
    found = []
    for comment in comments(state):
        if comment["topic"] in seen:
            found.append(comment)
        seen.add(comment["topic"])
    return found


def _delete_comment(state: State, chance: random.Random) -> Draft:
    comment = chance.choice(_replies(state))
    page = f"/comment/{comment['_id']}/delete/"
    return Draft(
        f"Delete {where(comment)}",
        lambda wanted: one(wanted["comment"], _id=comment["_id"]).update(removed=1),
        posts=[Post(page, page)],
    )


def _correct(state: State, chance: random.Random) -> Draft:
    comment = chance.choice([row for row in _replies(state) if row["author"] != ME])
    note = chance.choice(["(Edited by a moderator.)", "(Phone number removed.)", "(Link removed.)"])
    text, page = f"{comment['text']} {note}", f"/comment/{comment['_id']}/update/"
    return Draft(
        f"As a moderator, edit {where(comment)} Add to the end of its text, after a blank: “{note}”",
        lambda wanted: one(wanted["comment"], _id=comment["_id"]).update(text=text),
        posts=[Post(page, page, (("comment", text),))],
    )


KINDS: dict[str, Kind] = {
    "close-topic": _moderate("lock", "Close {}.", "closed", 1),
    "open-topic": _moderate("unlock", "Open {} again.", "closed", 0),
    "pin-topic": _moderate("pin", "Pin {} in its category (not globally).", "pinned", 1),
    "unpin-topic": _moderate("unpin", "Unpin {}.", "pinned", 0),
    "pin-globally": _moderate("global-pin", "Pin {} globally.", "pinned_globally", 1),
    "delete-topic": _moderate("delete", "Delete {}.", "removed", 1),
    "move-topic": _move,
    "delete-comment": _delete_comment,
    "edit-others-comment": _correct,
}
"""The kinds of task for moderators."""
