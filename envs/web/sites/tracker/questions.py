"""Questions about the issues: the data stays as it is."""

from __future__ import annotations

import random
from collections import Counter

from selfgym.envs.web.sites.answers import Number, Text
from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.tracker.issues import PRIORITIES, STATUSES, named, people, real_name


def _person(state: State, username: str) -> Text:
    return Text(username, (real_name(state, username),))


def _title(row: Row) -> Text:
    number = row["_id"]
    return Text(row["title"], (f"{number}", f"#{number}", f"issue{number}", f"issue {number}"))


def _reporter(state: State, chance: random.Random) -> Draft:
    row = chance.choice(state["issue"])
    return Draft(f"Who created {named(row)}?", answer=_person(state, row["reporter"]))


def _assigned(state: State, chance: random.Random) -> Draft:
    who = chance.choice(people(state))
    count = sum(row["assigned"] == who and row["status"] != "resolved" for row in state["issue"])
    goal = f"How many issues are assigned to {real_name(state, who)} and not resolved?"
    return Draft(goal, answer=Number(count))


def _with_keyword(state: State, chance: random.Random) -> Draft:
    word = chance.choice(state["keyword"])["name"]
    rows = [row for row in state["issue"] if word in row["keywords"].split(", ")]
    priority = chance.choice(PRIORITIES)
    count = sum(row["priority"] == priority for row in rows)
    goal = f"How many issues with the keyword “{word}” have the priority “{priority}”, whatever their status?"
    return Draft(goal, answer=Number(count))


def _of_status(state: State, chance: random.Random) -> Draft:
    status = chance.choice(STATUSES)
    count = sum(row["status"] == status for row in state["issue"])
    return Draft(f"How many issues have the status “{status}”?", answer=Number(count))


def _last_comment(state: State, chance: random.Random) -> Draft:
    comments = Counter(comment["issue"] for comment in state["comment"])
    row = chance.choice([row for row in state["issue"] if comments[row["_id"]] > 1])
    last = max(
        (comment for comment in state["comment"] if comment["issue"] == row["_id"]), key=lambda one: one["_when"]
    )
    return Draft(f"Who wrote the latest message on {named(row)}?", answer=_person(state, last["author"]))


def _quoted(state: State, chance: random.Random) -> Draft:
    texts = Counter(comment["content"] for comment in state["comment"])
    comment = chance.choice([comment for comment in state["comment"] if texts[comment["content"]] == 1])
    row = one(state["issue"], _id=comment["issue"])
    goal = f"On which issue does a message say “{comment['content']}”? Answer with its title or number."
    return Draft(goal, answer=_title(row))


def _oldest(state: State, chance: random.Random) -> Draft:
    status = chance.choice(STATUSES)
    row = min((row for row in state["issue"] if row["status"] == status), key=lambda row: row["_created"])
    goal = f"Which of the issues with the status “{status}” was created first? Answer with its title or number."
    return Draft(goal, answer=_title(row))


def _busiest(state: State, chance: random.Random) -> Draft:
    """Who reported the most issues of one priority or keyword, where one person did."""
    found = []
    for word in state["keyword"]:
        rows = [row for row in state["issue"] if word["name"] in row["keywords"].split(", ")]
        counts = Counter(row["reporter"] for row in rows).most_common(2)
        if len(counts) > 1 and counts[0][1] > counts[1][1]:
            found.append((f"with the keyword “{word['name']}”", counts[0][0]))
    for priority in PRIORITIES:
        rows = [row for row in state["issue"] if row["priority"] == priority]
        counts = Counter(row["reporter"] for row in rows).most_common(2)
        if len(counts) > 1 and counts[0][1] > counts[1][1]:
            found.append((f"of the priority “{priority}”", counts[0][0]))
    which, who = chance.choice(found)
    return Draft(f"Who created the most issues {which}, whatever their status?", answer=_person(state, who))


def _phone(state: State, chance: random.Random) -> Draft:
    row = chance.choice([row for row in state["issue"] if row["assigned"]])
    phone = one(state["user"], username=row["assigned"])["phone"]
    return Draft(f"What is the phone number of the person to whom {named(row)} is assigned?", answer=Text(phone))


KINDS: dict[str, Kind] = {
    "who-reported": _reporter,
    "count-assigned": _assigned,
    "count-keyword": _with_keyword,
    "count-status": _of_status,
    "last-comment": _last_comment,
    "quoted": _quoted,
    "oldest": _oldest,
    "most-reports": _busiest,
    "phone-of": _phone,
}
"""By name."""
