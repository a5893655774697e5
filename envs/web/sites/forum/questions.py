"""Questions about who wrote, liked and voted what."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from selfgym.envs.web.sites.answers import Number, Text
from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.forum.writing import ME, comments, public, where


def _person(state: State, name: str) -> Text:
    """A person by the user name, the first name or both."""
    user = one(state["user"], user=name)
    return Text(name, (user["first_name"], f"{user['first_name']} {user['last_name']}"))


def leader_of(counts: Mapping[Any, int]) -> Any:
    """The one that is ahead of all others, or ``None``."""
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    return ranked[0][0] if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]) else None


def _said(state: State, title: str) -> list[Row]:
    return [row for row in state["comment"] if row["topic"] == title]


def _topic(state: State, chance: random.Random, least: int = 1) -> tuple[Row, list[Row]]:
    """A topic with some comments."""
    topics = [topic for topic in public(state) if len(_said(state, topic["title"])) >= least]
    topic = chance.choice(topics)
    return topic, _said(state, topic["title"])


def _author(state: State, chance: random.Random) -> Draft:
    topic = chance.choice(public(state))
    return Draft(f"Who started the topic “{topic['title']}”?", answer=_person(state, topic["author"]))


def _latest(state: State, chance: random.Random) -> Draft:
    topic, said = _topic(state, chance, 2)
    goal = f"Who wrote the latest comment in the topic “{topic['title']}”?"
    return Draft(goal, answer=_person(state, said[-1]["author"]))


def _who_said(state: State, chance: random.Random) -> Draft:
    comment = chance.choice(comments(state))
    goal = f"In the topic “{comment['topic']}”, who wrote: “{comment['text']}”?"
    return Draft(goal, answer=_person(state, comment["author"]))


def _category(state: State, chance: random.Random) -> Draft:
    topic = chance.choice(public(state))
    return Draft(f"In which category is the topic “{topic['title']}”?", answer=Text(topic["category"]))


def _topics_in(state: State, chance: random.Random) -> Draft:
    category = chance.choice(sorted({topic["category"] for topic in public(state)}))
    goal = f"How many topics are there in the category {category}?"
    return Draft(goal, answer=Number(len(public(state, category=category))))


def _comments_in(state: State, chance: random.Random) -> Draft:
    topic, said = _topic(state, chance)
    goal = f"How many comments has the topic “{topic['title']}”, counting the first?"
    return Draft(goal, answer=Number(len(said)))


def _comments_by(state: State, chance: random.Random) -> Draft:
    topic, said = _topic(state, chance, 5)
    name = chance.choice(sorted({row["author"] for row in said}))
    goal = f"How many comments did {name} write in the topic “{topic['title']}”?"
    return Draft(goal, answer=Number(sum(row["author"] == name for row in said)))


def _topics_by(state: State, chance: random.Random) -> Draft:
    name = chance.choice(sorted({topic["author"] for topic in public(state)} - {ME}))
    return Draft(f"How many topics has {name} started?", answer=Number(len(public(state, author=name))))


def _likes(state: State, chance: random.Random) -> Draft:
    comment = chance.choice(comments(state))
    return Draft(f"How many likes has {where(comment)}?", answer=Number(comment["_likes"]))


def _most_liked(state: State, chance: random.Random) -> Draft:
    leaders = {}
    for topic in public(state):
        said = {row["_id"]: row["_likes"] for row in _said(state, topic["title"])}
        leaders[topic["title"]] = leader_of(said) if len(said) > 2 else None
    title = chance.choice(sorted(title for title, leader in leaders.items() if leader is not None))
    author = one(state["comment"], _id=leaders[title])["author"]
    return Draft(f"Whose comment in the topic “{title}” has the most likes?", answer=_person(state, author))


def _busiest(state: State, chance: random.Random) -> Draft:
    counts = Counter(row["topic"] for row in state["comment"])
    leaders = {
        category: leader_of({topic["title"]: counts[topic["title"]] for topic in public(state, category=category)})
        for category in sorted({topic["category"] for topic in public(state)})
    }
    category = chance.choice([category for category, leader in leaders.items() if leader is not None])
    goal = f"Which topic in the category {category} has the most comments? Give its title."
    return Draft(goal, answer=Text(leaders[category]))


def _closed(state: State, chance: random.Random) -> Draft:
    closed = public(state, closed=1)
    per_category = Counter(topic["category"] for topic in closed)
    topic = chance.choice([topic for topic in closed if per_category[topic["category"]] == 1])
    goal = f"Which topic in the category {topic['category']} is closed? Give its title."
    return Draft(goal, answer=Text(topic["title"]))


def _poll_leader(state: State, chance: random.Random) -> Draft:
    leaders = {
        poll["topic"]: leader_of(
            {row["description"]: row["_votes"] for row in state["choice"] if row["_poll"] == poll["_id"]}
        )
        for poll in state["poll"]
    }
    title = chance.choice(sorted(title for title, leader in leaders.items() if leader is not None))
    goal = f"Which choice is ahead in the poll of the topic “{title}”?"
    return Draft(goal, answer=Text(leaders[title]))


def _poll_votes(state: State, chance: random.Random) -> Draft:
    choice = chance.choice(state["choice"])
    topic = one(state["poll"], _id=choice["_poll"])["topic"]
    goal = f"How many votes has “{choice['description']}” in the poll of the topic “{topic}”?"
    return Draft(goal, answer=Number(choice["_votes"]))


def _find(state: State, chance: random.Random) -> Draft:
    opening: dict[str, Row] = {}
    for row in comments(state):
        opening.setdefault(row["topic"], row)
    title = chance.choice(sorted(opening))
    words = opening[title]["text"]
    goal = f"In which topic does somebody write: “{words}”? Give its title."
    return Draft(goal, answer=Text(title))


def _participants(state: State, chance: random.Random) -> Draft:
    topic = chance.choice([row for row in state["topic"] if row["_private"]])
    count = sum(row["topic"] == topic["title"] for row in state["participant"])
    goal = f"How many people take part in the private topic “{topic['title']}”, you included?"
    return Draft(goal, answer=Number(count))


def _real_name(state: State, chance: random.Random) -> Draft:
    authors = sorted({row["author"] for row in comments(state)})
    user = one(state["user"], user=chance.choice(authors))
    return Draft(f"What is the last name of {user['user']}?", answer=Text(user["last_name"]))


KINDS: dict[str, Kind] = {
    "ask-author": _author,
    "ask-latest": _latest,
    "ask-who-said": _who_said,
    "ask-category": _category,
    "ask-topics-in": _topics_in,
    "ask-comments-in": _comments_in,
    "ask-comments-by": _comments_by,
    "ask-topics-by": _topics_by,
    "ask-likes": _likes,
    "ask-most-liked": _most_liked,
    "ask-busiest-topic": _busiest,
    "ask-closed-topic": _closed,
    "ask-poll-leader": _poll_leader,
    "ask-poll-votes": _poll_votes,
    "ask-where": _find,
    "ask-participants": _participants,
    "ask-last-name": _real_name,
}
"""The kinds of question."""
