"""Actions taken apart, and what of them lasted."""

from __future__ import annotations

import json

import pytest

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Step
from selfgym.memory.propose.deeds import Deed, change, done, in_vain, taken_apart
from selfgym.memory.propose.symbolic import propose


def edit(old, new, path="a.py"):
    return json.dumps({"name": "edit", "arguments": {"path": path, "old": old, "new": new}})


def episode(*actions, outcome=Outcome.SUCCESS, number=0):
    steps = tuple(Step(observation="", action=one.lstrip("!"), valid=not one.startswith("!")) for one in actions)
    return Episode(id=f"e{number}", env="E", task="t", steps=steps, outcome=outcome)


def test_actions_are_taken_apart():
    deed = taken_apart("move soap bar 2 to bathtub basin 1")
    assert (deed.verb, deed.thing, deed.preposition, deed.place) == ("move", "soap bar", "to", "bathtub basin")
    assert taken_apart("put mug 1 in/on desk 1").preposition == "in/on"
    assert [taken_apart(text) for text in ("look", "go to desk 1", "click(3)", "", "heat egg 1")] == [None] * 5


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("if a <= b:", "if a < b:", ("<=", "<")),
        ("return f(one, 2)", "return f(one, 3)", ("number", "number")),
        ("say('one')", 'say("two")', ("text", "text")),
        ("if ready:", "if not ready:", ("nothing", "not")),
        ("continue", "break", ("continue", "break")),
        ("f(a, b)", "f(b, a)", ("name comma name", "name comma name")),
        ("x[1:]", "x[1]", ("colon", "nothing")),
        ("    return x", "return x", ("nothing", "nothing")),
        ("return x", "while True:\n    x = y + z\n    return x", ("nothing", "code")),
    ],
)
def test_a_change_is_told_in_kinds_of_token(old, new, kinds):
    assert change(old, new) == kinds


@pytest.mark.parametrize("action", ["{", "{}", "[1]", '{"name": "edit"}', edit(1, 2), '{"name": "test"}', "{" * 9999])
def test_what_is_no_edit_is_nothing(action):
    assert taken_apart(action) is None


def test_an_edit_that_is_taken_back_was_in_vain():
    tried = (edit("a < 1", "a <= 1"), edit("a <= 1", "a < 1"), edit("x + y", "x - y"), edit("a < 1", "a > 1", "b.py"))
    played = episode(*tried)
    assert done(played) == [Deed("change", "+", "to", "-"), Deed("change", "<", "to", ">")]
    assert in_vain(played) == [Deed("change", "<", "to", "<=")]
    again = episode(*tried, tried[0])
    assert Deed("change", "<", "to", "<=") in done(again)
    assert in_vain(again) == []
    assert in_vain(episode("!take mug 1 from desk 1", "take cup 1 from desk 1")) == [
        Deed("take", "mug", "from", "desk")
    ]


def test_what_mended_programs_and_what_never_did():
    mended = [episode(edit("a+1", "a+2"), edit("a+2", "a+1"), edit("a<=b", "a<b"), number=n) for n in (1, 2)]
    lost = [episode(edit("a", "b"), edit("b", "a"), outcome=Outcome.FAILURE, number=n) for n in (3, 4, 5)]
    bodies = [item.body for item in propose([*mended, *lost])]
    assert bodies == ["change <=: often to <", "change to name: never works"]
