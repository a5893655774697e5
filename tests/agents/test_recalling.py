"""What an agent is shown for a task, and that the gate is asked again."""

from __future__ import annotations

import pytest

from selfgym.agents.recalling import RecallConfig, recaller
from selfgym.memory.credit import CreditConfig
from selfgym.memory.item import Check, Code, Item, Origin, Taint
from selfgym.memory.library import Library, Status
from selfgym.memory.retrieve import SearchConfig

SURE = RecallConfig(credit=CreditConfig(withhold=0.0), search=SearchConfig(explore=0.0))


@pytest.fixture
def path(library):
    return library.path


def add(library, status=Status.ACTIVE, **fields):
    item = Item(**({"kind": "insight", "title": "Mugs", "body": "Mugs are in cabinets."} | fields))
    library.propose(item)
    library.move(item.id, status, "for the test")
    return item


def verified_skill(library, entry="heat", **code):
    made = Code(runtime="actions", entry=entry, source="look", **code)
    item = add(library, kind="skill", title=f"{entry} a mug", code=made, checks=(Check(rung="unit", source="x"),))
    for rung in ("static", "unit"):
        library.log(item.id, "verified", value=1.0, note=rung)
    return item


def test_what_is_found_is_shown_and_logged(library):
    tip, rule = add(library), add(library, kind="principle", title="Look first", body="Look.")
    add(library, title="Pillows", body="On beds.")
    recall = recaller(library, "E", SURE)("find a mug", "run/1")
    assert recall.items == (rule.id, tip.id)
    assert "Mugs are in cabinets." in recall.text
    assert [event.item for event in library.events(what="shown", episode="run/1")] == [rule.id, tip.id]
    assert recaller(library, "E", SURE)("find a keychain", "run/2").items == (rule.id,)


def test_what_is_on_trial_is_withheld_from_some(library):
    tip = add(library, Status.TRIAL)
    recall = recaller(library, "E", RecallConfig())
    shown = [recall("find a mug", f"run/{n}") for n in range(80)]
    assert 40 < sum(tip.id in one.items for one in shown) < 76
    assert all((tip.id in one.items) == bool(one.text) for one in shown)
    assert library.standing(tip.id).withheld == sum(not one.items for one in shown)


def test_skills_come_with_what_they_require(library):
    base = verified_skill(library, "base")
    above = verified_skill(library, "heat", requires=(base.id,))
    recall = recaller(library, "E", SURE)("heat a mug", "run/1")
    assert above in recall.skills
    assert recall.required[above.id] == (base,)


def test_a_status_set_by_hand_does_not_pass_the_gate(library):
    add(library, title="A mug tip", origin=Origin(taint=(Taint.ENV_TEXT,)))
    unchecked = Code(runtime="actions", entry="heat", source="look")
    add(library, kind="skill", title="A mug skill", code=unchecked, checks=(Check(rung="unit", source="x"),))
    base = verified_skill(library, "base")
    fallen = verified_skill(library, "mug", requires=(base.id,))
    library.move(base.id, Status.QUARANTINED, "")
    recall = recaller(library, "E", SURE)("a mug", "run/1")
    assert (recall.text, recall.items, recall.skills) == ("", (), ())
    assert "which is quarantined" in library.events(fallen.id, what="withstood")[0].note


def test_a_frozen_memory_is_shown_whole_and_logs_nothing(library, path):
    tip = add(library, Status.TRIAL)
    before = len(library.events())
    with Library(path, readonly=True) as frozen:
        recall = recaller(frozen, "E", RecallConfig())
        assert [recall("find a mug", f"run/{n}").items for n in range(20)] == [(tip.id,)] * 20
    assert len(library.events()) == before


def test_a_budget_is_kept(library):
    for number in range(9):
        add(library, title=f"Mug {number}", body=f"alpha{number} beta{number} " + f"gamma{number} " * 30)
    config = RecallConfig(search=SearchConfig(most=9, explore=0.0), budget=150)
    recall = recaller(library, "E", config)("a mug", "run/1")
    assert len(recall.text) <= 4 * 152
    assert 0 < len(recall.items) < 9
    assert len(library.events(what="shown")) == len(recall.items)
