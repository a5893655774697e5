"""A forum: the application Spirit, with half a year of a community workshop, seen by one of its moderators."""

from __future__ import annotations

from typing import ClassVar

from selfgym.envs.web.sites.drafts import DraftedSite, Kind
from selfgym.envs.web.sites.forum import moderating, questions, reacting, several, writing
from selfgym.envs.web.sites.installing import Package

_REQUIREMENTS = """
asgiref==3.13.0 Django==5.2.19 django-djconfig==0.11.0 django-haystack==3.4.0 django-infinite-scroll-pagination==1.3.0
django-spirit==0.14.3 mistune==0.8.4 olefile==0.47 packaging==26.4 pillow==13.0.0 sqlparse==0.6.1 time-machine==3.6.0
tzdata==2026.6 Whoosh==2.7.4
"""
_USER = "(SELECT username FROM auth_user WHERE auth_user.id = {})"


class SpiritSite(DraftedSite):
    """The site ``forum``: Spirit, where everybody who comes is the moderator Marion."""

    name: ClassVar[str] = "forum"
    version: ClassVar[str] = "1"
    package: ClassVar[Package] = Package(
        name="forum",
        release="0.14.3",
        requirements=tuple(_REQUIREMENTS.split()),
        module="spirit_app",
        files=("spirit_login.py", "spirit_search.py", "spirit_settings.py", "spirit_words.py"),
    )
    database: ClassVar[str] = "forum.db"
    views: ClassVar[dict[str, str]] = {
        "category": """SELECT id AS _id, title, parent_id, is_closed, is_removed, is_private
            FROM spirit_category_category""",
        "topic": f"""SELECT t.id AS _id, t.slug AS _slug, t.title, {_USER.format("t.user_id")} AS author,
            c.title AS category, t.is_closed AS closed, is_pinned AS pinned, is_globally_pinned AS pinned_globally,
            t.is_removed AS removed, c.is_private AS _private
            FROM spirit_topic_topic t JOIN spirit_category_category c ON c.id = category_id""",
        "comment": f"""SELECT m.id AS _id, t.title AS topic, {_USER.format("m.user_id")} AS author, comment AS text,
            m.is_removed AS removed, likes_count AS _likes
            FROM spirit_comment_comment m JOIN spirit_topic_topic t ON t.id = topic_id
            WHERE action = 0 ORDER BY m.id""",
        "like": f"""SELECT id AS _id, comment_id AS comment, {_USER.format("user_id")} AS user
            FROM spirit_comment_like_commentlike""",
        "notification": """SELECT n.id AS _id, title AS topic FROM spirit_topic_notification_topicnotification n
            JOIN spirit_topic_topic t ON t.id = topic_id JOIN auth_user u ON u.id = n.user_id
            WHERE username = 'marion' AND n.is_active""",
        "poll": f"""SELECT p.id AS _id, t.title AS topic, name, p.title, choice_min, choice_max, mode,
            close_at IS NOT NULL AS closed, p.is_removed AS removed, {_USER.format("m.user_id")} AS _author
            FROM spirit_comment_poll_commentpoll p JOIN spirit_comment_comment m ON m.id = comment_id
            JOIN spirit_topic_topic t ON t.id = topic_id""",
        "choice": """SELECT o.id AS _id, o.poll_id AS _poll, name AS poll, number, description, o.is_removed AS removed,
            vote_count AS _votes
            FROM spirit_comment_poll_commentpollchoice o JOIN spirit_comment_poll_commentpoll p ON p.id = poll_id""",
        "vote": f"""SELECT name AS poll, description AS choice, {_USER.format("voter_id")} AS voter
            FROM spirit_comment_poll_commentpollvote v JOIN spirit_comment_poll_commentpollchoice o ON o.id = choice_id
            JOIN spirit_comment_poll_commentpoll p ON p.id = poll_id WHERE NOT v.is_removed""",
        "participant": f"""SELECT p.id AS _id, title AS topic, {_USER.format("p.user_id")} AS user
            FROM spirit_topic_private_topicprivate p JOIN spirit_topic_topic t ON t.id = topic_id""",
        "report": f"""SELECT {_USER.format("user_id")} AS user, comment_id AS comment, reason, body
            FROM spirit_comment_flag_flag""",
        "user": """SELECT username AS user, first_name, last_name, email, password, u.is_active, nickname, location,
            timezone, notify, avatar, is_moderator, is_administrator, u.id AS _id
            FROM auth_user u JOIN spirit_user_userprofile ON user_id = u.id""",
    }
    drafts: ClassVar[dict[str, Kind]] = {
        **writing.KINDS,
        **reacting.KINDS,
        **moderating.KINDS,
        **several.KINDS,
        **questions.KINDS,
    }
    kinds: ClassVar[tuple[str, ...]] = tuple(drafts)
