"""The forum: every kind of task can be done, is not done at first, nor with something else changed."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable

import pytest

from selfgym.envs.web.sites.application import Application
from selfgym.envs.web.sites.drafts import one
from selfgym.envs.web.sites.forum.writing import path as path_of
from selfgym.envs.web.sites.person import Post, perform
from selfgym.envs.web.sites.spirit import SpiritSite

SEEDS = int(os.environ.get("SELFGYM_SITE_SEEDS", "3"))


@pytest.fixture
def site(started: Callable[[type[Application]], Application]) -> SpiritSite:
    site = started(SpiritSite)
    assert isinstance(site, SpiritSite)
    return site


def page(site: Application, path: str, form: bytes | None = None, **headers: str) -> str:
    host, port = site.start()
    request = urllib.request.Request(f"http://{host}:{port}{path}", form, {"Host": "forum.test", **headers})
    with urllib.request.urlopen(request) as answered:
        return str(answered.read().decode())


def meddle(site: SpiritSite, title: str = "Zebra") -> None:
    """Change what no task is about."""
    category = str(one(site.state()["category"], title="Textiles")["_id"])
    fields = (("title", title), ("category", category), ("comment", title))
    perform(site.start(), [Post("/topic/publish/", "/topic/publish/", fields)])


@pytest.mark.parametrize("kind", SpiritSite.kinds)
def test_a_task_is_done_by_its_solution_and_by_nothing_more(site: SpiritSite, kind: str) -> None:
    for seed in range(SEEDS):
        site.reset()
        task = site.task(kind, seed)
        assert task.goal == site.task(kind, seed).goal
        assert not task.judge(None).done
        wrong = task.judge("nobody knows")
        assert (wrong.score, wrong.done) == (0.0, True)
        answer = site.solution(task)()
        verdict = task.judge(answer or None)
        assert (verdict.score, verdict.done) == (1.0, True), (task.goal, verdict.reason)
    meddle(site)
    verdict = task.judge(answer or None)
    assert verdict.score == 0.0, task.goal
    assert "Zebra" in verdict.reason


def test_there_are_many_kinds_and_seeds_draw_many_tasks(site: SpiritSite) -> None:
    assert len(site.kinds) >= 45
    few = [kind for kind in site.kinds if len({site.task(kind, seed).goal for seed in range(12)}) < 2]
    assert not few
    assert len({site.task("reply", seed).goal for seed in range(40)}) == 40


def test_reading_changes_nothing_that_is_judged(site: SpiritSite) -> None:
    before = site.state()
    for topic in before["topic"][:20]:
        assert topic["title"].split()[0] in page(site, path_of(topic))
    for path in ("/topic/notification/", "/topic/unread/", "/topic/private/", "/user/", "/search/?q=glue"):
        page(site, path)
    assert site.state() == before


def test_search_finds_words_of_titles_and_comments(site: SpiritSite) -> None:
    assert "Which glue for an outdoor bench?" in page(site, "/search/?q=came+apart+winter")
    assert "There are no search results" in page(site, "/search/?q=zebra")
    meddle(site)
    assert "Zebra" in re.sub("<[^>]*>", "", page(site, "/search/?q=zebra"))
    electronics = one(site.state()["category"], title="Electronics")["_id"]
    assert "There are no search results" in page(site, f"/search/?q=zebra&category={electronics}")


def test_polls_are_shown_with_their_votes(site: SpiritSite) -> None:
    state = site.state()
    for poll in state["poll"]:
        votes = Counter(vote["choice"] for vote in state["vote"] if vote["poll"] == poll["name"])
        choices = [row for row in state["choice"] if row["_poll"] == poll["_id"]]
        assert {row["description"]: row["_votes"] for row in choices} == {
            row["description"]: votes[row["description"]] for row in choices
        }
        text = page(site, path_of(one(state["topic"], title=poll["topic"])))
        assert all(row["description"] in text for row in choices)
        assert "[poll" not in text


def test_every_comment_can_be_told_from_the_others(site: SpiritSite) -> None:
    texts = [comment["text"] for comment in site.state()["comment"]]
    assert len(set(texts)) == len(texts)
    titles = [topic["title"] for topic in site.state()["topic"]]
    assert len(set(titles)) == len(titles)


def test_pages_ask_for_nothing_from_elsewhere(site: SpiritSite) -> None:
    topic = site.state()["topic"][20]
    for path in ("/", path_of(topic), "/topic/publish/", "/user/", "/search/", "/topic/private/publish/"):
        for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", page(site, path)):
            for address in re.findall(r'(?:src|href)="([^"]*)"', tag):
                assert address.startswith("/static/"), (path, address)
    styles = page(site, "/static/spirit/stylesheets/styles.all.min.css")
    assert not re.findall(r"url\([\"']?https?:", styles)


def test_forms_need_their_token_and_the_right_origin(site: SpiritSite) -> None:
    host, port = site.start()
    with urllib.request.urlopen(f"http://{host}:{port}/topic/publish/") as answered:
        cookie = answered.headers["Set-Cookie"].partition(";")[0]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answered.read().decode())
    assert token is not None
    category = one(site.state()["category"], title="Textiles")["_id"]
    form = {"title": "Yak", "category": category, "comment": "Yak", "csrfmiddlewaretoken": token[1]}
    filled = urllib.parse.urlencode(form).encode()
    for headers in ({}, {"Cookie": cookie, "Origin": "http://elsewhere.test"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            page(site, "/topic/publish/", filled, **headers)
        assert refused.value.code == 403
        refused.value.close()
    page(site, "/topic/publish/", filled, Cookie=cookie, Origin="http://forum.test")
    assert "Yak" in {topic["title"] for topic in site.state()["topic"]}


def test_reset_save_and_load_are_exact(site: SpiritSite) -> None:
    first, begin = page(site, "/"), site.state()
    site.reset()
    fresh = site.save()
    meddle(site)
    changed, later = site.state(), site.save()
    after = page(site, "/")
    assert "Zebra" in after
    site.reset()
    assert site.save() == fresh
    assert site.state() == begin
    assert page(site, "/") == first
    site.load(later)
    assert site.state() == changed
    assert site.save() == later
    assert page(site, "/") == after


def test_two_at_once_show_the_same_and_do_not_touch_each_other(site: SpiritSite) -> None:
    other = SpiritSite()
    try:
        other.start()
        assert page(other, "/") == page(site, "/")
        meddle(other, "Yak")
        assert "Yak" in page(other, "/")
        assert "Yak" not in page(site, "/")
        site.reset()
        assert "Yak" in page(other, "/")
    finally:
        other.close()
