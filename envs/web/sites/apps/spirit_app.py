"""The forum Spirit for `serving`: a community workshop's half year, seen by one of its moderators."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import spirit_words as words

STATIC = ("/static/",)
_FIRST, _LAST = datetime(2025, 9, 1, 8, tzinfo=UTC), datetime(2026, 3, 1, 20, tzinfo=UTC)
_Event = tuple[datetime, Callable[[], None]]


def application(folder: Path, data: Path) -> Any:
    """The application, with its own style sheets and scripts."""
    _set_up(data)
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.wsgi import get_wsgi_application

    return StaticFilesHandler(get_wsgi_application())


def release() -> None:
    """Forget the settings that were read from the data; connections end with their requests."""
    from django.core.cache import caches
    from django.db import connections

    for name in ("default", "st_rate_limit"):
        caches[name].clear()
    connections.close_all()


def prepare(folder: Path, clock: Callable[[datetime], None]) -> None:
    """Make the database, in the order in which things were said."""
    (folder / "data").mkdir()
    clock(_FIRST)
    _set_up(folder / "data")
    from django.core.management import call_command
    from django.db import transaction

    call_command("migrate", verbosity=0)
    with transaction.atomic():
        forum = _Forum()
        for moment, happen in sorted(forum.events, key=lambda event: event[0]):
            clock(moment)
            happen()
        forum.finish()


def _set_up(data: Path) -> None:
    os.environ.update(SPIRIT_DATA=str(data), DJANGO_SETTINGS_MODULE="spirit_settings")
    import django

    django.setup()


class _Forum:
    """Draws what happens, then lets it happen through the application's own forms."""

    def __init__(self) -> None:
        from django.contrib.auth import get_user_model
        from spirit.category.models import Category

        self.chance = random.Random("workshop")
        self.events: list[_Event] = []
        self.said: set[str] = set()
        self.topics: dict[str, Any] = {}
        people = get_user_model().objects
        self.people = {
            name: people.create(username=name, first_name=first, last_name=last, email=f"{name}@workshop.example")
            for name, (first, last, _) in words.PEOPLE.items()
        }
        for name, person in self.people.items():
            person.password = "!"  # nobody signs in with it
            person.save()
            person.st.location, person.st.is_verified = words.PEOPLE[name][2], True
            person.st.nickname = name
            person.st.is_moderator, person.st.is_administrator = name in (words.ME, words.CHIEF), name == words.CHIEF
            person.st.save()
        Category.objects.filter(title__iexact="uncategorized").update(is_removed=True)
        for title, description in words.CATEGORIES.items():
            category = Category.objects.create(title=title, description=description)
            for topic, text in words.TOPICS[title]:
                self._plan(category, topic, text)
        for title, text, names in words.MESSAGES:
            self._plan_message(title, text, names)

    def _plan(self, category: Any, title: str, text: str) -> None:
        others = [name for name in self.people if name != words.ME]
        author = words.ME if self.chance.random() < 0.15 else self.chance.choice(others)
        if title in words.POLLS:
            name, choices, author = words.POLLS[title]
            lines = [f"{number}. {choice}" for number, choice in enumerate(choices, 1)]
            text = "\n".join([text, "", f"[poll name={name}]", f"# {title}", *lines, "[/poll]"])
        moment = _FIRST + (_LAST - _FIRST) * self.chance.random() * 0.97
        self.events.append((moment, lambda: self._open(author, category, title, text)))
        for _ in range(self.chance.choice((1, 2, 3, 3, 4, 4, 5, 6, 7, 9))):
            moment += timedelta(seconds=self.chance.randint(600, 200_000))
            if moment > _LAST:
                return
            name = words.ME if self.chance.random() < 0.14 else self.chance.choice(others)
            self.events.append((moment, self._saying(name, title, self._reply())))

    def _plan_message(self, title: str, text: str, names: tuple[str, ...]) -> None:
        moment = _FIRST + (_LAST - _FIRST) * (0.5 + self.chance.random() * 0.45)
        self.events.append((moment, lambda: self._write(title, text, names)))
        for name in names[1:]:
            moment += timedelta(seconds=self.chance.randint(600, 90_000))
            self.events.append((moment, self._saying(name, title, self._reply())))

    def _saying(self, name: str, title: str, text: str) -> Callable[[], None]:
        return lambda: self._say(name, self.topics[title], text)

    def _reply(self) -> str:
        while True:
            parts = (self.chance.choice(part) for part in (words.OPENERS, words.MIDDLES, words.CLOSERS))
            text = " ".join(parts)
            if text not in self.said:
                self.said.add(text)
                return text

    def _open(self, author: str, category: Any, title: str, text: str) -> None:
        from spirit.topic.models import Topic

        self.topics[title] = Topic.objects.create(user=self.people[author], category=category, title=title)
        self._say(author, self.topics[title], text)

    def _write(self, title: str, text: str, names: tuple[str, ...]) -> None:
        from spirit.category.models import Category
        from spirit.topic.models import Topic
        from spirit.topic.private.models import TopicPrivate

        private, author = Category.objects.get(pk=1), self.people[names[0]]
        self.topics[title] = Topic.objects.create(user=author, category=private, title=title)
        for name in names:
            TopicPrivate.objects.create(user=self.people[name], topic=self.topics[title])
        self._say(names[0], self.topics[title], text)

    def _say(self, author: str, topic: Any, text: str) -> None:
        from spirit.comment.forms import CommentForm
        from spirit.comment.utils import comment_posted

        form = CommentForm(user=self.people[author], topic=topic, data={"comment": text})
        assert form.is_valid(), form.errors
        comment_posted(comment=form.save(), mentions=None)

    def finish(self) -> None:
        """Likes, votes, closed and pinned topics."""
        from spirit.comment.like.models import CommentLike
        from spirit.comment.models import Comment
        from spirit.comment.poll.models import CommentPoll, CommentPollChoice, CommentPollVote
        from spirit.topic.models import Topic
        from spirit.topic.notification.models import TopicNotification

        for comment in Comment.objects.order_by("pk").filter(topic__category__is_private=False):
            fans = [name for name in self.people if name != comment.user.username]
            for name in self.chance.sample(fans, self.chance.choice((0, 0, 0, 1, 1, 2, 3, 5))):
                CommentLike.objects.create(user=self.people[name], comment=comment)
                comment.increase_likes_count()
        for poll in CommentPoll.objects.order_by("pk"):
            choices = list(poll.poll_choices.order_by("number"))
            voters = self.chance.sample([name for name in self.people if name != words.ME], 9)
            for name in (*voters, words.ME) if poll.name in words.VOTED else voters:
                CommentPollVote.objects.create(voter=self.people[name], choice=self.chance.choice(choices))
            for choice in choices:
                votes = CommentPollVote.objects.filter(choice=choice).count()
                CommentPollChoice.objects.filter(pk=choice.pk).update(vote_count=votes)
        Topic.objects.filter(title__in=words.CLOSED).update(is_closed=True)
        Topic.objects.filter(title="New opening hours from March").update(is_globally_pinned=True)
        Topic.objects.filter(title__in=words.PINNED).update(is_pinned=True)
        TopicNotification.objects.update(is_read=True)
