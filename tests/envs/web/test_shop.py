"""The shop: every kind of task, its data, its pages and its server."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import threading
import time
import urllib.error
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import pytest

from selfgym.envs.core import SnapshotError
from selfgym.envs.web.sites.shop.counter import day
from selfgym.envs.web.sites.shop.shop import DATA_VARIABLE, ShopSite
from selfgym.envs.web.sites.shop.state import Address
from selfgym.envs.web.sites.shop.store import Refused

from .shop_browser import Browser, ByPages

QUESTIONS = [kind for kind in ShopSite.kinds if kind.startswith("ask-")]
DOINGS = [kind for kind in ShopSite.kinds if kind not in QUESTIONS]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[ShopSite]:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    site = ShopSite()
    yield site
    site.close()


@pytest.fixture
def browser(shop: ShopSite) -> Browser:
    return Browser(shop)


# Tasks


def test_there_are_enough_kinds_and_their_instances_differ(shop: ShopSite) -> None:
    assert len(shop.kinds) >= 20
    assert shop.kinds[0] == "buy"
    for kind in shop.kinds:
        told = {shop.task(kind, seed).goal for seed in range(1500, 1530)}
        assert len(told) >= 4, f"{kind}: {told}"
        assert shop.task(kind, 7).goal == ShopSite().task(kind, 7).goal
        assert shop.task(kind, 7).id == f"shop/{kind}/7"
    with pytest.raises(ValueError, match="no kind 'sell'"):
        shop.task("sell", 0)


def test_the_same_seed_gives_the_same_task_in_every_process(shop: ShopSite) -> None:
    told = [shop.task(kind, seed).goal for kind in shop.kinds for seed in (0, 600, 2000)]
    seen = hashlib.sha256(repr((shop.catalogue.products, shop.state, told)).encode()).hexdigest()
    assert (shop.version, seen[:16]) == ("1", "88471c65f74d2135"), "another seeded shop needs another version"


@pytest.mark.parametrize("kind", ShopSite.kinds)
def test_every_task_can_be_done_and_is_not_done_at_first(shop: ShopSite, kind: str) -> None:
    for seed in (*range(8), *range(600, 606), *range(2000, 2006)):
        shop.reset()
        task = shop.task(kind, seed)
        first = task.judge(None)
        assert first.score < 1
        assert not first.done
        assert first.reason
        answer = shop.solution(task)()
        assert bool(answer) == (kind in QUESTIONS)
        verdict = task.judge(answer or None)
        assert (verdict.score, verdict.done, verdict.reason) == (1.0, True, "")


@pytest.mark.parametrize("kind", [kind for kind in DOINGS if kind != "buy"])
def test_anything_else_that_changed_counts_against_it(shop: ShopSite, kind: str) -> None:
    for seed, spoil in enumerate(
        (
            lambda store: store.contact("somebody@example.org", "555-0000"),
            lambda store: store.put(store.catalogue.products[7].id, store.catalogue.products[7].first_options),
            lambda store: store.buy(store.catalogue.products[7].id, store.catalogue.products[7].first_options),
        )
    ):
        shop.reset()
        task = shop.task(kind, seed)
        shop.solution(task)()
        spoil(shop._store)
        verdict = task.judge(None)
        assert verdict.score < 1
        assert verdict.done == (seed == 2), "an order cannot be taken back, everything else can"


@pytest.mark.parametrize("kind", QUESTIONS)
def test_a_question_wants_its_answer_and_nothing_changed(shop: ShopSite, kind: str) -> None:
    task = shop.task(kind, 11)
    answer = shop.solution(task)()
    assert task.judge("98765.43").score == 0
    assert task.judge("98765.43").done
    assert task.judge(f" {answer}. ").score == 1
    shop._store.empty()
    assert task.judge(answer).score == 0


@pytest.mark.parametrize("kind", DOINGS)
def test_every_task_can_be_done_at_the_pages(shop: ShopSite, kind: str) -> None:
    for seed in (1, 2001):
        shop.reset()
        task = shop.task(kind, seed)
        steps = shop._errand(kind, seed).steps
        assert steps is not None
        steps(ByPages(shop))
        assert task.judge(None).score == 1.0, task.judge(None).reason


def test_the_cheapest_and_best_are_what_the_pages_show_first(shop: ShopSite, browser: Browser) -> None:
    for kind, sort in (("buy-cheapest", "price"), ("buy-best-rated", "rating")):
        shop.reset()
        task, orders = shop.task(kind, 2005), len(shop.state.orders)
        _, type, _, brand, *_ = task.goal.split('"')
        first = browser.open(f"/search?{urlencode({'type': type, 'brand': brand, 'sort': sort})}")
        browser.open(next(path for path in first.links.values() if path.startswith("/product/")))
        browser.send("Buy now")
        assert len(shop.state.orders) == orders + 1
        assert task.judge(None).score == 1.0


def test_a_wrong_purchase_ends_the_episode(shop: ShopSite) -> None:
    task = shop.task("cart-add", 3)
    product = shop.catalogue.products[99]
    shop._store.buy(product.id, product.first_options)
    verdict = task.judge(None)
    assert (verdict.score, verdict.done) == (0.0, True)
    assert "orders" in verdict.reason


def test_what_was_undone_does_not_count(shop: ShopSite) -> None:
    task = shop.task("cart-remove", 3)
    product = shop.catalogue.products[99]
    shop._store.put(product.id, product.first_options)
    shop._store.remove(len(shop.state.cart) - 1)
    assert not task.judge(None).done
    shop.solution(task)()
    assert task.judge(None).score == 1.0


# Data


def test_save_load_and_reset_are_exact_and_quick(shop: ShopSite, browser: Browser) -> None:
    beginning = shop.save()
    draw = random.Random(5)
    saved, shown = [], []
    for seed in range(30):
        kind = draw.choice(DOINGS)
        try:
            shop.solution(shop.task(kind, seed))()
        except Refused:
            continue  # what the task is about went with one before
        saved.append(shop.save())
        shown.append([browser.open(path).html for path in ("/cart", "/orders", "/account", "/wishes")])
    assert len(saved) > 10
    for data, pages in zip(saved, shown, strict=True):
        shop.load(data)
        assert shop.save() == data
        assert [browser.open(path).html for path in ("/cart", "/orders", "/account", "/wishes")] == pages
    shop.reset()
    assert shop.save() == beginning == ShopSite().save()
    began = time.thread_time()
    for _ in range(20):
        shop.save()
        shop.load(saved[-1])
        shop.reset()
    assert (time.thread_time() - began) / 20 < 0.015


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data.replace(b"Robin", b"Rabin"),
        lambda data: b"selfgym-site-1\n" + data[15:],
        lambda data: data + b" ",
        lambda data: bytes(len(data)),
    ],
)
def test_foreign_or_damaged_bytes_change_nothing(shop: ShopSite, spoil: object) -> None:
    assert callable(spoil)
    shop.solution(shop.task("cart-add", 1))()
    before = shop.save()
    with pytest.raises(SnapshotError):
        shop.load(spoil(ShopSite().save()))
    assert shop.save() == before


# Pages


def test_searching_choosing_and_buying(shop: ShopSite, browser: Browser) -> None:
    browser.open("/")
    results = browser.send("Search", q="red shoes")
    assert "50 products, page 1 of 5" in results.text
    second = browser.open(results.links["Next >"])
    assert "page 2 of 5" in second.text
    assert "page 1 of 5" in browser.open(second.links["< Prev"]).text
    title = next(said for said, path in browser.page.links.items() if path.startswith("/product/"))
    here = browser.page.links[title]
    browser.open(here)
    for part in ("Description", "Features", "Reviews"):
        assert title in browser.open(f"{here}/{part.lower()}").text
    browser.open(here)
    before = shop.state
    browser.send("Buy now", **{"option-color": "red", "quantity": "2"})
    assert browser.at == f"/orders/{before.orders[-1].number + 1}?note=bought"
    assert "Thank you!" in browser.page.text
    order = shop.state.orders[-1]
    assert [(line.options["color"], line.quantity) for line in order.lines] == [("red", 2)]
    assert order.address == before.addresses["Home"]
    assert shop.state.cart == before.cart
    assert day(order.placed) == "July 1, 2024"


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/nowhere", None, 404),
        ("/product/B1", None, 404),
        ("/orders/1", None, 404),
        ("/orders/x", None, 404),
        ("/cart/77/remove", {}, 404),
        ("/cart/0/quantity", {"quantity": "0"}, 400),
        ("/cart/0/quantity", {"quantity": "-3"}, 400),
        ("/cart/0/quantity", {"quantity": "1e3"}, 400),
        ("/checkout", {"coupon": "FREE"}, 400),
        ("/checkout", {"to": "Moon"}, 400),
        ("/account/contact", {"email": "nobody", "phone": ""}, 400),
        ("/account/address", {"label": "", "name": "x"}, 400),
        ("/account/default", {"label": "Moon"}, 400),
        ("/orders/1001/cancel", {}, 400),
        ("/orders/1016/return", {"reason": "damaged"}, 400),
        ("/nowhere", {}, 404),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    shop: ShopSite, browser: Browser, path: str, form: Mapping[str, str] | None, status: int
) -> None:
    before = shop.save()
    with pytest.raises(urllib.error.HTTPError) as refused:
        browser.open(path, form)
    with refused.value as answered:
        assert answered.code == status
        assert 'role="alert"' in answered.read().decode()
    assert shop.save() == before


def test_options_have_to_be_chosen_among_those_there_are(shop: ShopSite, browser: Browser) -> None:
    id, before = shop.catalogue.products[5].id, shop.save()
    for form in ({}, {"option-color": "plaid", "option-size": "8"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            browser.open(f"/product/{id}/buy", form)
        with refused.value as answered:
            assert "Choose the color first." in answered.read().decode()
    assert shop.save() == before


def test_reading_pages_changes_nothing(shop: ShopSite, browser: Browser) -> None:
    before, id = shop.save(), shop.state.orders[0].lines[0].product
    paths = [
        "/",
        "/search?q=tea&page=9",
        "/search?q=",
        "/cart",
        "/checkout",
        "/orders",
        "/orders/1001",
        "/wishes",
        "/account",
    ]
    paths += [f"/product/{id}{part}" for part in ("", "/description", "/features", "/reviews", "/review")]
    paths += [f"/wishes/{shop.state.wishes[0]}", "/account", "/search?type=shampoo&sort=dearest&brand=Moxie"]
    first = [browser.open(path).html for path in paths]
    assert [browser.open(path).html for path in paths] == first
    assert shop.save() == before
    assert all("http" not in html.replace('lang="en"', "") for html in first), "no page needs anything from elsewhere"


def test_pages_escape_what_people_write(shop: ShopSite, browser: Browser) -> None:
    evil = "<script>alert(1)</script>\"' onload=x &amp;"
    shop._store.write(shop.state.orders[0].lines[0].product, 1, evil, f"</textarea>{evil}")
    shop._store.move(evil, Address(name=evil, street=evil, city=evil, postcode=evil))
    shop._store.settle(evil)
    shop._store.checkout(gift=True, message=evil)
    id = shop.state.orders[0].lines[0].product
    asked = urlencode({"q": evil, "type": evil, "brand": evil, "sort": evil, "note": evil})
    for path in (
        "/account",
        "/orders/1017",
        "/orders",
        f"/product/{id}/reviews",
        f"/product/{id}/review",
        f"/search?{asked}",
    ):
        page = browser.open(path)
        assert "<script" not in page.html
    assert evil in browser.open("/account").text
    browser.open("/account")
    form = next(form for form in browser.page.forms if form.values.get("label") == evil and "street" in form.values)
    assert form.values["street"] == evil


# The server


def test_a_closed_shop_leaves_nothing_behind(shop: ShopSite) -> None:
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(5):
        site = ShopSite()
        browser = Browser(site)
        browser.open("/")
        idle = socket.create_connection(site.start())  # as browsers do ahead of need
        site.close()
        site.close()
        idle.close()
        with pytest.raises(urllib.error.URLError):
            browser.open("/")
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == (files, threads)


def test_shops_of_one_process_are_apart_but_share_the_catalogue(shop: ShopSite) -> None:
    began = time.thread_time()
    others = [ShopSite() for _ in range(10)]
    addresses = {site.start() for site in (*others, shop)}
    assert time.thread_time() - began < 2
    assert len(addresses) == 11
    others[3].solution(others[3].task("cart-only", 1))()
    assert all(site.save() == shop.save() for site in others if site is not others[3])
    assert others[3].save() != shop.save()
    assert all(site.catalogue is shop.catalogue for site in others)
    for site in others:
        site.close()
    assert Browser(others[0]).open("/").forms, "a closed shop opens again"
    others[0].close()


def test_many_requests_at_a_time(shop: ShopSite) -> None:
    failed: list[BaseException] = []

    def shopping(number: int) -> None:
        try:
            browser = Browser(shop)
            for step in range(5):
                browser.open(f"/search?q=tea+{number}+{step}")
                product = shop.catalogue.products[number]
                browser.open(f"/product/{product.id}")
                browser.send("Add to cart")
        except BaseException as problem:
            failed.append(problem)
            raise

    threads = [threading.Thread(target=shopping, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sum(line.quantity for line in shop.state.cart[-8:]) == 40
