"""Shared expenses: every kind of task can be done, is not done at first, nor with something else changed."""

from __future__ import annotations

import os
import re
import urllib.request
from collections.abc import Callable

import pytest

from selfgym.envs.web.sites.application import Application
from selfgym.envs.web.sites.expenses.questions import balances
from selfgym.envs.web.sites.ihatemoney import IHateMoneySite
from selfgym.envs.web.sites.person import Post, perform

SEEDS = int(os.environ.get("SELFGYM_SITE_SEEDS", "3"))
PAGES = ("/", "/elm-street/", "/elm-street/statistics", "/elm-street/settle_bills", "/elm-street/history", "/mobile")


@pytest.fixture
def site(started: Callable[[type[Application]], Application]) -> IHateMoneySite:
    site = started(IHateMoneySite)
    assert isinstance(site, IHateMoneySite)
    return site


def page(site: Application, path: str) -> str:
    host, port = site.start()
    request = urllib.request.Request(f"http://{host}:{port}{path}", headers={"Host": "expenses.test"})
    with urllib.request.urlopen(request) as answered:
        return str(answered.read().decode())


def meddle(site: Application, name: str = "Zebra") -> None:
    """Change what no task is about."""
    path = "/lisbon-trip/members/add"
    perform(site.start(), [Post(path, path, (("name", name), ("weight", "1")))])


@pytest.mark.parametrize("kind", IHateMoneySite.kinds)
def test_a_task_is_done_by_its_solution_and_by_nothing_more(site: IHateMoneySite, kind: str) -> None:
    goals = set()
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
        goals.add(task.goal)
    meddle(site)
    verdict = task.judge(answer or None)
    assert verdict.score == 0.0, task.goal
    assert "Zebra" in verdict.reason


def test_there_are_many_kinds_and_seeds_draw_many_tasks(site: IHateMoneySite) -> None:
    assert len(site.kinds) >= 40
    few = [kind for kind in site.kinds if len({site.task(kind, seed).goal for seed in range(12)}) < 2]
    assert not few
    assert len({site.task("add-bill", seed).goal for seed in range(40)}) == 40


def test_a_question_needs_the_right_answer_in_any_fair_form(site: IHateMoneySite) -> None:
    task = site.task("ask-month-total", 0)
    total = float(site.solution(task)())
    for given in (f"{total:.2f}", f"{total:,.2f} in all", f"{total:.2f}".replace(".", ","), f"EUR {total:.2f}."):
        assert task.judge(given).score == 1.0, given
    for given in (f"{total + 1:.2f}", "", f"{total:.2f} or {total + 1:.2f}"):
        assert task.judge(given).score == 0.0, given


def test_what_the_questions_ask_for_is_what_the_pages_say(site: IHateMoneySite) -> None:
    state = site.state()
    for project in ("elm-street", "lisbon-trip"):
        text = page(site, f"/{project}/")
        for name, balance in balances(state, project).items():
            if abs(balance) > 0.02:
                assert re.search(rf"{name}\b.*?{'[+]' if balance > 0 else '-'}{abs(balance):,.2f}", text, re.DOTALL), (
                    name
                )
        proposed = re.sub(r"<[^>]*>", "", page(site, f"/{project}/settle_bills"))
        for due in (row for row in state["settlement"] if row["project"] == project):
            assert re.search(rf"{due['payer']}\s+{due['receiver']}\s+{due['amount']:.2f}", proposed)


def test_questions_have_one_answer(site: IHateMoneySite) -> None:
    bills = [bill for bill in site.state()["bill"] if bill["project"] == "elm-street"]
    for month in ("2025-10", "2025-11", "2025-12", "2026-01", "2026-02"):
        amounts = [bill["amount"] for bill in bills if bill["date"].startswith(month)]
        assert amounts.count(max(amounts)) == 1
    for project in ("elm-street", "lisbon-trip"):
        owed = sorted(balances(site.state(), project).values())
        assert owed[0] < owed[1]
        assert owed[-2] < owed[-1]
        paid = [bill for bill in site.state()["bill"] if bill["project"] == project]
        for payer in {bill["payer"] for bill in paid}:
            own = [bill for bill in paid if bill["payer"] == payer]
            assert [bill["amount"] for bill in own].count(min(bill["amount"] for bill in own)) == 1
            if project == "elm-street":
                assert [bill["date"] for bill in own].count(max(bill["date"] for bill in own)) == 1
    whats = [(bill["project"], bill["what"]) for bill in site.state()["bill"]]
    assert len(set(whats)) == len(whats)


def test_pages_ask_for_nothing_from_elsewhere(site: IHateMoneySite) -> None:
    for path in PAGES:
        for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", page(site, path)):
            for address in re.findall(r'(?:src|href)="([^"]*)"', tag):
                assert address.startswith("/") or address.startswith("http://expenses.test/"), (path, address)


def test_a_form_without_its_token_changes_nothing(site: IHateMoneySite) -> None:
    host, port = site.start()
    form = b"name=Zebra&weight=1"
    with urllib.request.urlopen(f"http://{host}:{port}/lisbon-trip/members/add", form) as answered:
        assert "CSRF" in answered.read().decode()
    assert "Zebra" not in {member["name"] for member in site.state()["member"]}


def test_reset_save_and_load_are_exact(site: IHateMoneySite) -> None:
    first, begin = page(site, "/elm-street/"), site.state()
    site.reset()
    fresh = site.save()
    meddle(site)
    changed, later = site.state(), site.save()
    after = page(site, "/lisbon-trip/history")
    site.reset()
    assert site.save() == fresh
    assert site.state() == begin
    assert page(site, "/elm-street/") == first
    site.load(later)
    assert site.state() == changed
    assert site.save() == later
    assert page(site, "/lisbon-trip/history") == after


def test_two_at_once_show_the_same_and_do_not_touch_each_other(site: IHateMoneySite) -> None:
    other = IHateMoneySite()
    try:
        other.start()
        assert page(other, "/elm-street/") == page(site, "/elm-street/")
        meddle(other, "Yak")
        assert "Yak" in {member["name"] for member in other.state()["member"]}
        assert "Yak" not in {member["name"] for member in site.state()["member"]}
        site.reset()
        assert "Yak" in page(other, "/lisbon-trip/")
    finally:
        other.close()
