"""The issue tracker: every kind of task can be done, is not done at first, nor with something else changed."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable

import pytest

from selfgym.envs.web.sites.application import Application
from selfgym.envs.web.sites.person import Post, perform
from selfgym.envs.web.sites.roundup import RoundupSite
from selfgym.envs.web.sites.tracker.issues import form

SEEDS = 5


@pytest.fixture
def site(started: Callable[[type[Application]], Application]) -> RoundupSite:
    site = started(RoundupSite)
    assert isinstance(site, RoundupSite)
    return site


def page(site: RoundupSite, path: str) -> str:
    host, port = site.start()
    request = urllib.request.Request(f"http://{host}:{port}{path}", headers={"Host": "tracker.test"})
    with urllib.request.urlopen(request) as answered:
        return str(answered.read().decode())


def meddle(site: RoundupSite) -> None:
    """Change what no task is about."""
    fields = (("name", "zebra"), ("@required", "name"), ("@template", "item"), ("@action", "new"))
    perform(site.start(), [Post("/keyword?@template=item", "/keyword", fields)])


@pytest.mark.parametrize("kind", RoundupSite.kinds)
def test_a_task_is_done_by_its_solution_and_by_nothing_more(site: RoundupSite, kind: str) -> None:
    goals = set()
    for seed in range(SEEDS):
        site.reset()
        task = site.task(kind, seed)
        assert task.goal == site.task(kind, seed).goal
        assert not task.judge(None).done
        wrong = task.judge("something else")
        assert wrong.done
        assert wrong.score == 0.0
        answer = site.solution(task)()
        verdict = task.judge(answer or None)
        assert (verdict.score, verdict.done) == (1.0, True), (task.goal, verdict.reason)
        goals.add(task.goal)
    meddle(site)
    verdict = task.judge(answer or None)
    assert verdict.score == 0.0, task.goal
    assert "zebra" in verdict.reason
    assert len(goals) > 1


def test_there_are_many_kinds_of_task() -> None:
    assert len(RoundupSite.kinds) >= 20
    with pytest.raises(ValueError, match="no kind 'dance'"):
        RoundupSite().task("dance", 0)


def test_wrong_work_is_not_enough(site: RoundupSite) -> None:
    status, assign = site.task("status", 1), site.task("assign", 1)
    site.solution(status)()
    assert status.judge(None).score == 1.0
    site.solution(assign)()
    assert status.judge(None).score == 0.0  # one thing more than was asked
    assert assign.judge(None).score == 0.0
    question = site.task("count-status", 0)
    assert question.judge("what you said").score == 0.0
    site.reset()
    assert question.judge("99 issues").score == 0.0


def test_a_comment_that_was_taken_off_again_does_not_count_against_the_task(site: RoundupSite) -> None:
    task, state = site.task("retitle", 0), site.state()
    row = state["issue"][3]
    perform(site.start(), [form(state, row, "oops", status=row["status"])])
    assert len(site.state()["comment"]) == len(state["comment"]) + 1
    path = f"/issue{row['_id']}"
    newest = max(int(found) for found in re.findall(r"msg(\d+) \(view", page(site, path)))
    perform(site.start(), [Post(path, path, (("@remove@messages", str(newest)), ("@action", "edit")))])
    assert site.state() == state
    site.solution(task)()
    assert task.judge(None).score == 1.0


def test_a_saved_episode_goes_on_as_it_was(site: RoundupSite) -> None:
    task = site.task("create-described", 3)
    page(site, "/issue1")
    before, state = site.save(), site.state()
    site.solution(task)()
    after, shown = site.save(), page(site, "/issue61")
    site.load(before)
    assert site.state() == state
    assert site.save() == before
    assert task.judge(None).score == 0.0
    site.solution(task)()
    assert site.save() == after  # the same requests, the same bytes: times and tokens included
    site.load(after)
    assert page(site, "/issue61") == shown
    assert task.judge(None).score == 1.0


def test_reset_puts_everything_back(site: RoundupSite) -> None:
    shown, saved = page(site, "/issue7"), site.save()
    site.solution(site.task("comment", 0))()
    site.reset()
    assert page(site, "/issue7") == shown
    assert site.save() == saved


def test_pages_show_the_time_of_the_world(site: RoundupSite) -> None:
    site.solution(site.task("create", 0))()
    shown = page(site, "/issue61")
    assert re.search(r"2026-03-02\.09:00:0\d", shown)
    assert "robin" in shown


def test_pages_link_to_the_host_that_the_browser_asked(site: RoundupSite) -> None:
    assert "http://tracker.test/" in page(site, "/issue1")


def test_styles_may_be_kept_by_the_browser(site: RoundupSite) -> None:
    host, port = site.start()
    with urllib.request.urlopen(f"http://{host}:{port}/@@file/style.css") as answered:
        assert "max-age" in answered.headers["Cache-Control"]
        assert answered.headers["Date"] is None
