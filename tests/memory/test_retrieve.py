"""What is found for a goal: the right items first, none twice in other words, and rather nothing than anything."""

from __future__ import annotations

import pytest

from selfgym.memory.item import Item, Kind, Origin, Scope
from selfgym.memory.library import Library, Status
from selfgym.memory.retrieve import SearchConfig, search

SURE = SearchConfig(most=3, explore=0.0)
TIPS = {
    "heat": "To heat something, take it to the microwave and use heat.",
    "cool": "To cool something, take it to the fridge and use cool.",
    "clean": "To clean something, take it to the sinkbasin and use clean.",
    "mug": "Mugs are often found in cabinets or on the coffeemachine.",
    "pillow": "Pillows lie on beds and sofas.",
}


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "memory.db") as found:
        for name, body in TIPS.items():
            add(found, title=f"About {name}", body=body)
        yield found


def add(library, *, status=Status.ACTIVE, **fields):
    item = Item(**({"kind": "insight", "title": "Tip"} | fields))
    library.propose(item)
    if status is not Status.CANDIDATE:
        library.move(item.id, status, "for the test")
    return item.id


def titles(library, goal, **options):
    return [hit.item.title for hit in search(library, goal, **({"config": SURE} | options))]


def test_the_right_items_come_first(library):
    assert titles(library, "put a hot mug in the cabinet")[0] == "About mug"
    assert titles(library, "heated apples")[:1] == ["About heat"]  # by its stem
    assert titles(library, "clean a pillow and put it in the drawer")[:2] in (
        ["About pillow", "About clean"],
        ["About clean", "About pillow"],
    )


def test_nothing_is_better_than_something(library):
    assert titles(library, "find the keychain") == []
    assert titles(library, "") == []
    assert titles(library, "to be or not to be") == []
    goal = "mug " + " ".join(f"unknown{n}" for n in range(9))
    assert titles(library, goal) == ["About mug"]  # words that nobody knows do not count against it
    add(library, title="Odd", body="quux corge grault garply waldo fred plugh xyzzy thud mug")
    strict = SearchConfig(explore=0.0, floor=0.9)
    assert titles(library, "quux corge grault garply", config=strict) == ["Odd"]
    assert "Odd" not in titles(library, "mug pillow sinkbasin microwave", config=strict)


def test_quotes_and_operators_in_a_goal_are_words(library):
    for goal in ('mug" OR "pillow', "mug NEAR(cabinets)", "title : mug *", "mug' ; --", "mug AND NOT cabinets", "(mug"):
        assert "About mug" in titles(library, goal)


def test_only_what_is_on_trial_or_active_is_found(library):
    for status in Status:
        moves = [Status.ACTIVE, status] if status is Status.RETIRED else [status]
        id = add(library, status=Status.CANDIDATE, title=f"A {status} one", body=f"zebra {status}")
        for move in moves:
            library.move(id, move, "")
    assert sorted(titles(library, "zebra", config=SearchConfig(most=9))) == ["A active one", "A trial one"]


def test_items_of_another_environment_task_split_or_kind_stay_out(library, tmp_path):
    add(library, title="Here", body="zebra here", scope=Scope(env="selfgym/Household-v0"))
    add(library, title="There", body="zebra there", scope=Scope(env="selfgym/Code-v0"))
    add(library, title="Everywhere", body="zebra everywhere", origin=Origin(split="none"))
    add(library, title="Once", kind="reflection", body="zebra once", scope=Scope(task="t"))
    add(library, title="Always", kind="principle", body="zebra always")
    found = titles(library, "zebra", env="selfgym/Household-v0", config=SearchConfig(most=9))
    assert sorted(found) == ["Everywhere", "Here"]
    assert titles(library, "zebra", config=SearchConfig(kinds=(Kind.PRINCIPLE,))) == ["Always"]
    with Library(tmp_path / "memory.db", split="test") as other:
        add(other, title="Cheat", body="zebra cheat", origin=Origin(split="test"))
        assert sorted(titles(other, "zebra")) == ["Cheat", "Everywhere"]
    assert "Cheat" not in titles(library, "zebra", config=SearchConfig(most=9))


def test_one_of_each_origin_and_none_twice_in_other_words(library):
    one = Origin(episodes=("e1", "e2"))
    add(library, title="First", body="zebra alpha beta gamma", origin=one)
    add(library, title="Second", body="zebra delta epsilon", origin=one)
    words = "zebra stripes run across wide open grass plains every single day"
    for number in range(5):
        add(library, title="Third", body=f"{words} {number}")
    found = titles(library, "zebra", config=SearchConfig(most=9, explore=0.0))
    assert len(found) == 2
    assert found.count("Third") == 1
    assert len({"First", "Second"} & set(found)) == 1


def test_what_has_paid_comes_before_what_has_not(library):
    good = add(library, title="Good", body="zebra stripes")
    bad = add(library, title="Bad", body="zebra hooves")
    for number in range(30):
        for id, reward in ((good, 1.0), (bad, 0.0)):
            library.log(id, "shown", episode=f"e{number}")
            library.log(id, "reward", episode=f"e{number}", value=reward)
    first = [search(library, "zebra", seed=seed, config=SearchConfig(most=1))[0].item.title for seed in range(40)]
    assert first == ["Good"] * 40
    new = add(library, title="New", body="zebra manes")
    first = [search(library, "zebra", seed=seed, config=SearchConfig(most=2)) for seed in range(40)]
    assert any(new in [hit.item.id for hit in hits] for hits in first)  # what is new gets its chance
    assert [h.score for h in search(library, "zebra", seed=3)] == [h.score for h in search(library, "zebra", seed=3)]


def test_a_reranker_may_turn_the_order_round(library):
    def nearest(goal, items):
        assert goal == "heat a mug"
        return [1.0 if item.title == "About mug" else 0.0 for item in items]

    assert titles(library, "heat a mug", rerank=nearest)[0] == "About mug"
