"""Tasks about a single issue: making one, changing its fields, commenting."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.person import Post

ME = "robin"
"""Who is logged in."""
PRIORITIES = ("critical", "urgent", "bug", "feature", "wish")
STATUSES = ("unread", "deferred", "chatting", "need-eg", "in-progress", "testing", "done-cbb", "resolved")
_WAKING = ("unread", "done-cbb", "resolved")
"""A comment on an issue of such a status, nothing else said, makes it ``chatting``."""
_TITLES = (
    "Crash when a shelf is renamed during import",
    "Volume keys should turn pages",
    "Search box covers the last result",
    "Offline mode shows deleted books",
    "Footnotes open at the wrong size",
    "Account page does not load in Norwegian",
    "Let readers hide finished books",
    "Progress bar stuck at 99 percent",
    "Cover pictures are blurred on tablets",
    "Wrong date of purchase in the library",
)
_TEXTS = (
    "Seen on two devices with version 4.2.",
    "I will have a look at it on Thursday.",
    "The log file is on the shared drive.",
    "Please add a picture of the screen.",
    "Only happens when the library is empty.",
    "Marketing would like to announce this in April.",
    "The same happened before version 4.0.",
    "A customer from Lyon is waiting for this.",
)
_REASONS = (
    "It happens again with version 4.3.",
    "The repair did not work on tablets.",
    "Two customers have seen it again today.",
    "Not solved for large libraries.",
)


def listed(text: str, *more: str, without: str = "") -> str:
    """Names separated by commas, in order, with some more or one less."""
    return ", ".join(sorted({*text.split(", "), *more} - {without, ""}))


def people(state: State, *but: str) -> list[str]:
    """Those who can be assigned, but for some."""
    return [user["username"] for user in state["user"] if user["roles"] == "User" and user["username"] not in but]


def real_name(state: State, username: str) -> str:
    """A person's name in full."""
    return str(one(state["user"], username=username)["name"])


def changed(row: Row, **values: Any) -> Callable[[State], None]:
    """The edit that gives one issue other values."""
    return lambda wanted: one(wanted["issue"], _id=row["_id"]).update(values)


def commented(row: Row, text: str, **values: Any) -> Callable[[State], None]:
    """The edit that adds a comment of mine, and changes values."""

    def edit(wanted: State) -> None:
        changed(row, **values)(wanted)
        wanted["comment"].append({"issue": row["_id"], "author": ME, "content": text})

    return edit


def form(state: State, row: Row, note: str = "", **values: Any) -> Post:
    """The form of an issue, sent with other values and perhaps a comment; a new one where it has no number."""
    filled, number = {**row, **values}, row.get("_id")
    assigned = filled["assigned"]
    fields = {
        "title": filled["title"],
        "priority": str(one(state["priority"], name=filled["priority"])["_id"]),
        "status": str(one(state["status"], name=filled["status"])["_id"]),
        "superseder": filled["superseder"].replace(" ", ""),
        "nosy": filled["nosy"].replace(" ", ""),
        "assignedto": str(one(state["user"], username=assigned)["_id"]) if assigned else "-1",
        "keyword": filled["keywords"].replace(" ", ""),
        "@note": note,
        "@template": "item",
        "@required": "title,priority",
        "@action": "edit" if number else "new",
    }
    if note and "status" not in values and number:
        del fields["status"]  # the browser sends what was selected, which says nothing new either
    page = f"/issue{number}" if number else "/issue?@template=item"
    return Post(page, page.partition("?")[0], tuple(fields.items()))


def named(row: Row) -> str:
    """How a goal speaks of an issue."""
    return f"the issue “{row['title']}”"


def _change(draw: Callable[[State, random.Random], tuple[str, Row, dict[str, Any]]]) -> Kind:
    """A kind that is one form with other values."""

    def kind(state: State, chance: random.Random) -> Draft:
        goal, row, values = draw(state, chance)
        return Draft(goal, changed(row, **values), posts=[form(state, row, **values)])

    return kind


def _create(assigned: bool, described: bool) -> Kind:
    def draw(state: State, chance: random.Random) -> Draft:
        title, priority = chance.choice(_TITLES), chance.choice(PRIORITIES)
        who = chance.choice(people(state, ME)) if assigned else None
        keyword = chance.choice(state["keyword"])["name"] if described else ""
        text = chance.choice(_TEXTS) if described else ""
        goal = f"Create an issue with the title “{title}” and the priority “{priority}”"
        goal += f", assigned to {real_name(state, who)}" if who else ""
        goal += f", with the keyword “{keyword}” and this change note: “{text}”" if described else ""
        row: Row = {"title": title, "priority": priority, "status": "unread", "reporter": ME, "assigned": who}
        row |= {"keywords": keyword, "nosy": "", "superseder": "", "files": "", "retired": 0}
        nosy = listed(who or "", ME if described else "")
        number = max(issue["_id"] for issue in state["issue"]) + 1

        def edit(wanted: State) -> None:
            wanted["issue"].append({**row, "nosy": nosy})
            if text:
                wanted["comment"].append({"issue": number, "author": ME, "content": text})

        return Draft(f"{goal}.", edit, posts=[form(state, row, text)])

    return draw


def _status(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row = chance.choice(state["issue"])
    status = chance.choice([status for status in STATUSES if status != row["status"]])
    return f"Set the status of {named(row)} to “{status}”.", row, {"status": status}


def _priority(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row = chance.choice(state["issue"])
    priority = chance.choice([priority for priority in PRIORITIES if priority != row["priority"]])
    return f"Change the priority of {named(row)} to “{priority}”.", row, {"priority": priority}


def _assign(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row = chance.choice([row for row in state["issue"] if not row["assigned"]])
    who = chance.choice(people(state, ME))
    values = {"assigned": who, "nosy": listed(row["nosy"], who)}
    return f"Nobody is assigned to issue {row['_id']}. Assign it to {real_name(state, who)}.", row, values


def _unassign(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row = chance.choice([row for row in state["issue"] if row["assigned"]])
    return f"Nobody should be assigned to {named(row)} any more.", row, {"assigned": None}


def _take(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row = chance.choice([row for row in state["issue"] if row["assigned"] != ME and row["status"] != "in-progress"])
    values = {"assigned": ME, "status": "in-progress", "nosy": listed(row["nosy"], ME)}
    return f"Take over {named(row)}: assign it to yourself (robin) and set its status to “in-progress”.", row, values


def _add_keyword(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row = chance.choice(state["issue"])
    word = chance.choice([word["name"] for word in state["keyword"] if word["name"] not in row["keywords"]])
    values = {"keywords": listed(row["keywords"], word)}
    return f"Add the keyword “{word}” to {named(row)}, and keep those that it has.", row, values


def _drop_keyword(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row = chance.choice([row for row in state["issue"] if ", " in row["keywords"]])
    word = chance.choice(row["keywords"].split(", "))
    return f"Remove the keyword “{word}” from {named(row)}.", row, {"keywords": listed(row["keywords"], without=word)}


def _retitle(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row, title = chance.choice(state["issue"]), chance.choice(_TITLES)
    return f"Change the title of issue {row['_id']} to “{title}”.", row, {"title": title}


def _add_nosy(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row = chance.choice([row for row in state["issue"] if row["nosy"].count(",") < 4])
    who = chance.choice(people(state, *row["nosy"].split(", ")))
    goal = f"Put {real_name(state, who)} on the nosy list of {named(row)}."
    return goal, row, {"nosy": listed(row["nosy"], who)}


def _leave_nosy(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row = chance.choice([row for row in state["issue"] if ME in row["nosy"].split(", ")])
    goal = f"You (robin) want no more mail about {named(row)}: take yourself off its nosy list."
    return goal, row, {"nosy": listed(row["nosy"], without=ME)}


def _duplicate(state: State, chance: random.Random) -> tuple[str, Row, dict[str, Any]]:
    row, other = chance.sample([row for row in state["issue"] if row["status"] != "resolved"], 2)
    goal = f"Issue {row['_id']} is a duplicate of {named(other)}: enter that one as its superseder, and resolve issue "
    return f"{goal}{row['_id']}.", row, {"superseder": str(other["_id"]), "status": "resolved"}


def _comment(state: State, chance: random.Random) -> Draft:
    row, text = chance.choice(state["issue"]), chance.choice(_TEXTS)
    values = {"status": "chatting"} if row["status"] in _WAKING else {}
    goal = f"Add this change note to {named(row)}: “{text}”"
    return Draft(goal, commented(row, text, **values), posts=[form(state, row, text)])


def _comment_with_status(state: State, chance: random.Random) -> Draft:
    row, text = chance.choice([row for row in state["issue"] if row["status"] != "need-eg"]), chance.choice(_TEXTS)
    goal = f"Set the status of {named(row)} to “need-eg” and add the change note “{text}” to it."
    posts = [form(state, row, text, status="need-eg")]
    return Draft(goal, commented(row, text, status="need-eg"), posts=posts)


def _reopen(state: State, chance: random.Random) -> Draft:
    row, text = chance.choice([row for row in state["issue"] if row["status"] == "resolved"]), chance.choice(_REASONS)
    goal = f"Reopen {named(row)}: set its status to “in-progress” and give the reason in a change note: “{text}”"
    posts = [form(state, row, text, status="in-progress")]
    return Draft(goal, commented(row, text, status="in-progress"), posts=posts)


KINDS: dict[str, Kind] = {
    "create": _create(assigned=False, described=False),
    "create-assigned": _create(assigned=True, described=False),
    "create-described": _create(assigned=True, described=True),
    "status": _change(_status),
    "priority": _change(_priority),
    "assign": _change(_assign),
    "unassign": _change(_unassign),
    "take": _change(_take),
    "add-keyword": _change(_add_keyword),
    "drop-keyword": _change(_drop_keyword),
    "retitle": _change(_retitle),
    "add-nosy": _change(_add_nosy),
    "leave-nosy": _change(_leave_nosy),
    "duplicate": _change(_duplicate),
    "comment": _comment,
    "comment-status": _comment_with_status,
    "reopen": _reopen,
}
"""By name."""
