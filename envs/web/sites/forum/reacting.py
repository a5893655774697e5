"""Tasks that react to what others wrote, and those about the person's own settings."""

from __future__ import annotations

import random
from typing import Any

from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.forum.writing import ME, comments, path, public, where
from selfgym.envs.web.sites.person import Post

_CITIES = ("Bristol", "Turku", "Porto", "Ghent", "Quito", "Hobart", "Galway", "Nantes")
_ZONES = ("Europe/Lisbon", "Europe/Vienna", "America/Lima", "Asia/Tokyo", "Africa/Nairobi", "Australia/Hobart")
_NAMES = (("Mary", "Haley"), ("Marianne", "Holt"), ("Marina", "Hill"), ("Mara", "Hale-Brown"), ("Marion", "Osei"))
_WHEN = {"Never": 1, "Immediately": 2, "Weekly": 4}
_MENTIONS, _REPLIES = 8, 16
_COMPLAINTS = (
    "This is an advertisement.",
    "This is rude.",
    "The same was posted last week.",
    "A stranger's phone number.",
)


def _likes(state: State) -> dict[int, Row]:
    """The person's likes, by comment."""
    return {row["comment"]: row for row in state["like"] if row["user"] == ME}


def _like(state: State, chance: random.Random) -> Draft:
    liked = _likes(state)
    fits = [row for row in comments(state) if row["author"] != ME and row["_id"] not in liked]
    return _liking(chance.choice(fits), where)


def _like_latest(state: State, chance: random.Random) -> Draft:
    latest = {row["topic"]: row for row in comments(state)}
    liked = _likes(state)
    fits = [row for row in latest.values() if row["author"] != ME and row["_id"] not in liked]
    return _liking(chance.choice(fits), lambda comment: f"the latest comment in the topic “{comment['topic']}”.")


def _liking(comment: Row, told: Any) -> Draft:
    page = f"/comment/like/{comment['_id']}/create/"
    return Draft(
        f"Like {told(comment)}",
        lambda wanted: wanted["like"].append({"comment": comment["_id"], "user": ME}),
        posts=[Post(page, page)],
    )


def _unlike(state: State, chance: random.Random) -> Draft:
    liked = _likes(state)
    comment = chance.choice([row for row in comments(state) if row["_id"] in liked])
    page = f"/comment/like/{liked[comment['_id']]['_id']}/delete/"
    return Draft(
        f"Take back your like of {where(comment)}",
        lambda wanted: wanted["like"].remove(liked[comment["_id"]]),
        posts=[Post(page, page)],
    )


def _vote(voted: bool) -> Kind:
    def draw(state: State, chance: random.Random) -> Draft:
        cast = {row["poll"]: row for row in state["vote"] if row["voter"] == ME}
        poll = chance.choice([row for row in state["poll"] if not row["closed"] and (row["name"] in cast) == voted])
        old = cast.get(poll["name"])
        choices = [row for row in state["choice"] if row["poll"] == poll["name"]]
        choice = chance.choice([row for row in choices if old is None or row["description"] != old["choice"]])

        def edit(wanted: State) -> None:
            if old is not None:
                wanted["vote"].remove(old)
            wanted["vote"].append({"poll": poll["name"], "choice": choice["description"], "voter": ME})

        topic = one(state["topic"], title=poll["topic"])
        fields = (("choices", str(choice["_id"])),)
        act = "Change your vote to" if voted else "Vote for"
        return Draft(
            f"{act} “{choice['description']}” in the poll of the topic “{poll['topic']}”.",
            edit,
            posts=[Post(path(topic), f"/comment/poll/vote/{poll['_id']}/", fields)],
        )

    return draw


def _close_poll(state: State, chance: random.Random) -> Draft:
    poll = chance.choice([row for row in state["poll"] if row["_author"] == ME and not row["closed"]])
    topic = one(state["topic"], title=poll["topic"])
    return Draft(
        f"Close your poll in the topic “{poll['topic']}”.",
        lambda wanted: one(wanted["poll"], _id=poll["_id"]).update(closed=1),
        posts=[Post(path(topic), f"/comment/poll/close/{poll['_id']}/")],
    )


def _notify(state: State, chance: random.Random) -> Draft:
    known = {row["topic"] for row in state["notification"]}
    topic = chance.choice([row for row in public(state) if row["title"] not in known])
    return Draft(
        f"Have yourself notified of new comments in the topic “{topic['title']}”.",
        lambda wanted: wanted["notification"].append({"topic": topic["title"]}),
        posts=[Post(path(topic), f"/topic/notification/{topic['_id']}/create/", (("is_active", "True"),))],
    )


def _stop_notifying(state: State, chance: random.Random) -> Draft:
    titles = {topic["title"] for topic in public(state)}
    row = chance.choice([row for row in state["notification"] if row["topic"] in titles])
    topic = one(state["topic"], title=row["topic"])
    return Draft(
        f"You do not want to be notified of new comments in the topic “{topic['title']}” any more. Switch it off.",
        lambda wanted: wanted["notification"].remove(row),
        posts=[Post(path(topic), f"/topic/notification/{row['_id']}/update/", (("is_active", "False"),))],
    )


def _report(state: State, chance: random.Random) -> Draft:
    comment = chance.choice([row for row in comments(state) if row["author"] != ME])
    reason, body = chance.randint(0, 1), chance.choice(_COMPLAINTS)
    page = f"/comment/flag/{comment['_id']}/create/"
    return Draft(
        f"Report {where(comment)} The reason is {('Spam', 'Other')[reason]}, and the text: “{body}”",
        lambda wanted: wanted["report"].append({"user": ME, "comment": comment["_id"], "reason": reason, "body": body}),
        posts=[Post(page, page, (("reason", str(reason)), ("body", body)))],
    )


def _preferences(state: State, goal: str, **columns: Any) -> Draft:
    """The form of the person's preferences with some of them changed."""
    user = {**one(state["user"], user=ME), **columns}
    fields = [(name, user[name]) for name in ("first_name", "last_name", "location", "timezone")]
    fields.append(("notify_when", str(next(value for value in _WHEN.values() if user["notify"] & value))))
    fields += [("notify_mentions", "on")] if user["notify"] & _MENTIONS else []
    fields += [("notify_replies", "on")] if user["notify"] & _REPLIES else []
    return Draft(
        f"In your preferences, {goal}",
        lambda wanted: one(wanted["user"], user=ME).update(columns),
        posts=[Post("/user/", "/user/", tuple(fields))],
    )


def _location(state: State, chance: random.Random) -> Draft:
    city = chance.choice(_CITIES)
    return _preferences(state, f"change the location to {city}.", location=city)


def _name(state: State, chance: random.Random) -> Draft:
    first, last = chance.choice(_NAMES)
    goal = f"change the first name to {first} and the last name to {last}."
    return _preferences(state, goal, first_name=first, last_name=last)


def _zone(state: State, chance: random.Random) -> Draft:
    zone = chance.choice(_ZONES)
    return _preferences(state, f"set the time zone to {zone.rpartition('/')[2]}.", timezone=zone)


def _mail(state: State, chance: random.Random) -> Draft:
    when = chance.choice(["Immediately", "Weekly"])
    mentions, replies = chance.choice([(0, 0), (_MENTIONS, 0), (0, _REPLIES), (_MENTIONS, _REPLIES)])
    goal = f"set the email notifications to “{when}”, with emails of mentions {'on' if mentions else 'off'} "
    goal += f"and emails of replies {'on' if replies else 'off'}."
    return _preferences(state, goal, notify=_WHEN[when] | mentions | replies)


KINDS: dict[str, Kind] = {
    "like": _like,
    "like-latest": _like_latest,
    "unlike": _unlike,
    "vote": _vote(voted=False),
    "change-vote": _vote(voted=True),
    "close-poll": _close_poll,
    "notify": _notify,
    "stop-notifying": _stop_notifying,
    "report": _report,
    "location": _location,
    "real-name": _name,
    "time-zone": _zone,
    "email-settings": _mail,
}
"""The kinds of task that react."""
