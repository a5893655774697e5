"""What the shop sells: the seeded catalogue and its search, WebShop's reward, and WebShop's own data files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from selfgym.envs.core import SnapshotError
from selfgym.envs.web.sites.shop import goals
from selfgym.envs.web.sites.shop.catalogue import Product, seeded
from selfgym.envs.web.sites.shop.shop import DATA_VARIABLE, ShopSite
from selfgym.envs.web.sites.site import SiteError

from .shop_browser import Browser


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[ShopSite]:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    site = ShopSite()
    yield site
    site.close()


# The catalogue


def test_the_seeded_catalogue_is_large_varied_and_always_the_same() -> None:
    catalogue = seeded()
    assert len(catalogue.products) >= 10_000
    assert len({product.title for product in catalogue.products}) == len(catalogue.by_id) == len(catalogue.products)
    assert len(catalogue.types) == 50
    product = catalogue.products[5]
    assert (product.id, product.brand, product.type, product.price) == (
        "B005SZ7SWS",
        "Bluebarn",
        "running shoes",
        13999,
    )
    assert all(product.options and product.attributes and product.price > 0 for product in catalogue.products)
    assert seeded() is catalogue


def test_splits_are_disjoint_and_go_by_the_seed(shop: ShopSite) -> None:
    ids = {name: {product.id for product in pool} for name, pool in shop.catalogue.splits.items()}
    assert ids["train"] | ids["valid"] | ids["test"] == set(shop.catalogue.by_id)
    assert sum(map(len, ids.values())) == len(shop.catalogue.by_id)
    for seed, split in ((0, "test"), (499, "test"), (500, "valid"), (1499, "valid"), (1500, "train"), (2**31, "train")):
        shop.reset()
        before = len(shop.state.orders)
        shop.solution(shop.task("buy", seed))()
        assert shop.state.orders[before].lines[0].product in ids[split]


def test_search_ranks_by_words_and_is_deterministic() -> None:
    catalogue = seeded()
    found = catalogue.search("red shoes")
    assert len(found) == 50
    assert all("Shoes" in product.title and "red" in product.options["color"] for product in found[:10])
    assert [p.id for p in found] == [p.id for p in catalogue.search("RED   shoes!")]
    title = catalogue.products[1234].title
    assert catalogue.search(title)[0].title == title
    brand = catalogue.products[1234].brand
    narrow = catalogue.search("", type=catalogue.products[1234].type, brand=brand, order="price")
    assert narrow == sorted(narrow, key=lambda product: product.price)
    assert {(product.type, product.brand) for product in narrow} == {(catalogue.products[1234].type, brand)}
    assert all(product.brand == brand for product in catalogue.search("shoes", brand=brand))


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "'; DROP TABLE found;--",
        "NEAR(a b)",
        "a AND",
        "* ^ - + : {}",
        "title:x OR",
        "the",
        "\0",
        "ß é 鞋",
        "x" * 9999,
    ],
)
def test_no_query_breaks_the_search(query: str) -> None:
    assert len(seeded().search(query)) <= 50


# WebShop's reward


def wanted() -> goals.Goal:
    product = Product(
        id="B000000001",
        title="Adidas Issue Basketball Sneakers",
        brand="",
        type="sneakers",
        category="A \u203a B \u203a C",
        price=3500,
        description="",
        features=(),
        attributes=("tea tree", "essential oil", "natural ingredients"),
        options={"color": {"grey": 0, "red": 0}, "size": {"xl": 0, "l": 0}},
    )
    asked = ("tea tree", "essential oils", "natural ingredients")
    return goals.Goal(product, "", asked, (("color", "grey"), ("size", "xl")), 4000)


def other(**changed: object) -> Product:
    product = wanted().product
    values = {name: getattr(product, name) for name in Product.__dataclass_fields__}
    return Product(**{**values, **changed})


RIGHT = {"color": "grey", "size": "xl"}


@pytest.mark.parametrize(
    ("bought", "options", "score"),
    [
        (other(), RIGHT, 1.0),
        (other(), {"color": "red", "size": "xl"}, 5 / 6),
        (other(), {}, 4 / 6),
        (other(price=4001), RIGHT, 5 / 6),
        (other(attributes=("tea tree",)), RIGHT, 4 / 6),
        (other(attributes=(), features=("with essential oils",), description="natural ingredients"), RIGHT, 5 / 6),
        (other(title="Walnut Coffee Table"), RIGHT, 0.0),
        (other(title="Basketball Hoop", type="hoops", category="A \u203a D"), RIGHT, 1.0),  # a quarter of the title
        (other(title="Basketball Hoop", type="sneakers"), RIGHT, 1.0),
    ],
)
def test_the_reward_is_that_of_the_paper(bought: Product, options: Mapping[str, str], score: float) -> None:
    assert goals.reward(wanted(), bought, options) == pytest.approx(score)


def test_the_type_counts_by_words_of_the_title_then_by_shelves() -> None:
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda"
    goal = other(title=words)
    assert goals.type_reward(goal, other(title="alpha", type="x", category="Z")) == 0.1  # one of eleven
    assert goals.type_reward(goal, other(title="alpha beta", type="x", category="Z")) == 0.5
    assert goals.type_reward(goal, other(title="alpha beta", type="x", category="C \u203a B")) == 1.0
    assert goals.type_reward(goal, other(title="alpha beta", category="Z")) == 1.0
    assert goals.type_reward(goal, other(title="alpha beta gamma", type="x", category="Z")) == 1.0
    assert goals.type_reward(goal, other(title="omega")) == 0.0


def test_sizes_are_compared_exactly_and_colours_loosely() -> None:
    loose = goals.Goal(other(), "", ("tea tree",), (("color", "heather grey"), ("size", "x")), None)
    assert goals.reward(loose, other(), RIGHT) == pytest.approx(3 / 4)


def test_a_bought_thing_that_nearly_fits_ends_the_episode_with_part_of_the_reward(shop: ShopSite) -> None:
    task = shop.task("buy", 2000)
    goal = shop._errand("buy", 2000).goal
    assert goal is not None
    others = [p for p in shop.catalogue.types[goal.product.type] if p is not goal.product]
    scores = {product.id: goals.reward(goal, product, product.first_options) for product in others}
    nearly = next(id for id, score in scores.items() if 0 < score < 1)
    assert "i am looking for" in task.goal.lower()
    assert "price lower than" in task.goal
    shop._store.buy(nearly, shop.catalogue.by_id[nearly].first_options)
    verdict = task.judge(None)
    assert verdict.done
    assert verdict.score == pytest.approx(scores[nearly])
    assert nearly in verdict.reason


def test_buying_more_than_was_asked_shares_the_reward(shop: ShopSite) -> None:
    task, goal = shop.task("buy", 3), shop._errand("buy", 3).goal
    assert goal is not None
    shop._store.buy(goal.product.id, goals.right_options(goal), 4)
    assert task.judge(None).score == 0.25


# WebShop's own files


def item(number: int, **more: object) -> dict[str, object]:
    kind = ("shoes", "lamp", "tea")[number % 3]
    return {
        "name": f"Brand{number % 2} Model{number} {kind} <b>tall</b>",
        "asin": f"B{number:09}",
        "pricing": ("$12.99", "$10.00$25.00", "")[number % 3],
        "category": "fashion",
        "query": f"{kind} for people ",
        "product_category": f"Shop \u203a {kind} \u203a All",
        "small_description": [f"made of cotton {number}", "machine washable"],
        "full_description": "A thing <script>alert(1)</script>",
        "brand": f"Visit the Brand{number % 2} Store",
        "customization_options": {"Color": [{"value": " Red/Blue ", "image": None}, {"value": "green"}], "Size": None},
        "images": ["https://example.com/a.jpg"],
        **more,
    }


GREEN = ["green"]


def folder(place: Path, *, human: bool = True) -> Path:
    items = [item(number) for number in range(30)]
    items += [item(1), item(31, asin="nan"), item(32, asin="B0000000000000")]
    told = {
        f"B{number:09}": {
            "attributes": ["machine washable", "long lasting"],
            "instruction": f"Find me a thing number {number}.",
            "instruction_attributes": ["machine washable"],
        }
        for number in range(30)
    }
    people = {
        f"B{number:09}": [
            {
                "instruction": f"i want {number}.",
                "instruction_attributes": ["long lasting"],
                "instruction_options": ["green"],
            },
            {"instruction": "not this one", "instruction_attributes": [], "instruction_options": []},
            {"instruction": "nor this", "instruction_attributes": ["gold"], "instruction_options": []},
        ]
        for number in range(30)
    }
    reviews = [
        {
            "asin": "B000000002",
            "average_rating": "4.5 out of 5",
            "reviews": [{"title": "<script>x</script>", "stars": "5.0", "review": "Fine"}],
        }
    ]
    (place / "items_shuffle_1000.json").write_text(json.dumps(items))
    (place / "items_ins_v2_1000.json").write_text(json.dumps(told))
    (place / "reviews.json").write_text(json.dumps(reviews))
    if human:
        (place / "items_human_ins.json").write_text(json.dumps(people))
    return place


def test_webshop_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(folder(tmp_path)))
    site = ShopSite()
    assert len(site.catalogue.products) == 30
    first, second, third = site.catalogue.products[:3]
    assert (first.price, third.price) == (1299, 10_000)
    assert 1000 <= second.price <= 2500
    assert first.options == {"color": {"red | blue": 0, "green": 0}}
    assert (first.brand, first.type, first.rating) == ("Brand0", "shoes for people", 0.0)
    assert (third.rating, third.opinions[0].stars) == (4.5, 5)
    assert ShopSite(tmp_path).catalogue is site.catalogue
    task = site.task("buy", 1600)
    assert "I want" in task.goal
    assert "price lower than" in task.goal
    site.solution(task)()
    assert site.state.orders[-1].lines[0].options == {"color": "green"}
    assert task.judge(None).score == 1.0
    browser = Browser(site)
    for path in (
        "/",
        "/search?q=tea",
        f"/product/{third.id}",
        f"/product/{third.id}/reviews",
        f"/product/{third.id}/description",
    ):
        assert "<script" not in browser.open(path).html
    site.close()


def test_written_instructions_get_options_where_no_person_wrote_any(tmp_path: Path) -> None:
    site = ShopSite(folder(tmp_path, human=False))
    told = {site.task("buy", seed).goal for seed in range(2000, 2030)}
    assert any("Find me a thing number" in goal and "with color red | blue" in goal for goal in told)


def test_every_kind_that_webshop_files_allow_works_on_them(tmp_path: Path) -> None:
    site, allowed = ShopSite(folder(tmp_path)), 0
    for kind in site.kinds:
        for seed in (0, 501, 1501, 1502):
            site.reset()
            try:
                task = site.task(kind, seed)
            except SiteError:
                continue  # three products of a split have no cheapest of a brand
            assert task.judge(None).score < 1
            assert task.judge(site.solution(task)() or None).score == 1.0
            allowed += 1
    assert allowed > 120


def test_snapshots_do_not_go_to_other_products(tmp_path: Path, shop: ShopSite) -> None:
    with pytest.raises(SnapshotError, match="other products"):
        shop.load(ShopSite(folder(tmp_path)).save())


def test_missing_or_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="no items_shuffle"):
        ShopSite(tmp_path)
    (tmp_path / "items_shuffle.json").write_text('[{"asin": "B000000001"}]')
    with pytest.raises(SiteError, match="not WebShop's data"):
        ShopSite(tmp_path)
    (tmp_path / "items_shuffle.json").write_text(json.dumps([item(1)]))
    with pytest.raises(SiteError, match="at least 3"):
        ShopSite(tmp_path)
