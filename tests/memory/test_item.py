"""What an item may hold, and that its id is what it says."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from selfgym.memory.item import Capability, Check, Code, Item, Kind, Origin, Scope, Taint


def tip(**fields):
    return Item(**({"kind": "insight", "title": "Mugs", "body": "Mugs are often in cabinets."} | fields))


def skill(**fields):
    code = Code(runtime="actions", entry="heat", source="go to microwave 1\nheat {thing} with microwave 1")
    check = Check(rung="unit", source="assert heat(thing='apple 1')")
    return Item(**({"kind": "skill", "title": "Heat", "code": code, "checks": (check,)} | fields))


def test_the_id_is_what_an_item_says_and_not_where_it_comes_from():
    assert tip().id == tip(origin=Origin(run="other", taint=(Taint.ENV_TEXT,))).id
    assert len({tip().id, tip(body="Other.").id, tip(when="x").id, tip(scope=Scope(env="e")).id, skill().id}) == 5
    assert len(tip().id) == 16
    assert Item.model_validate_json(skill().model_dump_json()).id == skill().id


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": ""}, "at least 1 character"),
        ({"title": "x" * 81}, "at most 80"),
        ({"body": "x" * 4001}, "at most 4000"),
        ({"when": "x" * 1025}, "at most 1024"),
        ({"body": "look \u202eback"}, "U+202E"),
        ({"title": "a\u200bb"}, "U+200B"),
        ({"body": "\x1b[2J"}, "U+001B"),
        ({"body": "half \ud800"}, "unicode string"),
        ({"kind": "reflection"}, "belongs to one task"),
        ({"kind": "skill"}, "a skill has code"),
        ({"code": skill().code}, "a skill has code, and nothing else has"),
        ({"checks": skill().checks}, "only a skill has checks"),
        ({"status": "active"}, "Extra inputs"),
        ({"kind": "hint"}, "reflection"),
    ],
)
def test_what_is_no_item_is_refused_in_words(fields, words):
    with pytest.raises(ValidationError) as error:
        tip(**fields)
    assert words in str(error.value)


def test_a_skill_needs_a_check_and_a_name_that_can_be_called():
    with pytest.raises(ValidationError, match="at least one check"):
        skill(checks=())
    for entry in ("no name", "__import__", "_hidden", "1st", "x" * 65):
        with pytest.raises(ValidationError, match="not the name of a function"):
            Code(runtime="python", entry=entry, source="")
    with pytest.raises(ValidationError, match="needs a program"):
        Check(rung="unit")
    with pytest.raises(ValidationError, match="an environment and seeds"):
        Check(rung="replay", env="selfgym/Household-v0")


def test_code_hides_nothing():
    with pytest.raises(ValidationError, match=r"U\+202E"):
        Code(runtime="python", entry="f", source="def f():\n    return 1 # \u202e")


def test_items_do_not_change():
    item = tip()
    with pytest.raises(ValidationError, match="frozen"):
        item.body = "other"


def test_an_edit_names_its_parent_and_inherits_its_taint():
    first = tip(origin=Origin(taint=(Taint.ENV_TEXT,)))
    second = first.edit(Origin(run="r2", method="expel", taint=(Taint.IMPORTED,)), body="Mugs are in cabinets.")
    assert second.id != first.id
    assert second.origin.parents == (first.id,)
    assert set(second.origin.taint) == {Taint.ENV_TEXT, Taint.IMPORTED}
    assert (second.kind, second.title) == (Kind.INSIGHT, "Mugs")
    with pytest.raises(ValidationError, match="at most 4000"):
        first.edit(Origin(), body="x" * 4001)


def test_parameters_and_capabilities_have_defaults():
    assert skill().code.parameters == ()
    assert skill().code.caps == (Capability.ACT,)
    code = Code(
        runtime="python", entry="f", source="", params={"type": "object", "properties": {"thing": {}, "tool": {}}}
    )
    assert code.parameters == ("thing", "tool")
