"""Reading what an agent wants to do at a desktop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfgym.envs.desktop.actions import Click, Done, Drag, Key, Move, Scroll, Type, Wait, read_action, read_keys
from selfgym.envs.tools import ActionError


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("move(1, 2)", Move(1, 2)),
        ("click(1, 2)", Click(1, 2)),
        ("click(1, 2, 'right')", Click(1, 2, "right")),
        ("double_click(1, 2)", Click(1, 2, count=2)),
        ("triple_click(1, 2)", Click(1, 2, count=3)),
        ("drag(1, 2, 3, 4)", Drag(1, 2, 3, 4)),
        ("scroll(1, 2, -3)", Scroll(1, 2, -3)),
        ('type("a\\nb")', Type("a\nb")),
        ('{"name": "key", "arguments": {"keys": "ctrl+s"}}', Key("ctrl+s")),
        ("wait()", Wait()),
        ("done(answer='7')", Done("7")),
        ("done(feasible=False)", Done(feasible=False)),
    ],
)
def test_actions_are_read(text, action):
    assert read_action(text) == action
    assert read_action(action) is action


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("click(1)", "argument 'y': field required"),
        ("click(1, 2, 'far')", "argument 'button'"),
        ("click(1, 2, 3, 4, 5)", "takes 4 arguments at most"),
        ("import os", "is not one action"),
        ("click(1e9, 2)", "less than or equal to 100000"),
        ("press(1, 2)", "There is no tool 'press'"),
    ],
)
def test_mistakes_are_told(text, told):
    with pytest.raises(ActionError, match=told):
        read_action(text)


@pytest.mark.parametrize(
    ("keys", "held", "key"),
    [
        ("a", "", "a"), ("enter", "", "Return"), ("ctrl+s", "ctrl", "s"), ("Control+Shift+Tab", "ctrl shift", "Tab"),
        ("cmd+f5", "super", "F5"), ("+", "", "+"), ("ctrl++", "ctrl", "+"), ("alt+F4", "alt", "F4"), (" ", "", " "),
    ],
)  # fmt: skip
def test_keys_are_read(keys, held, key):
    assert read_keys(keys) == (frozenset(held.split()), key)


@pytest.mark.parametrize("keys", ["", "ctrl+", "hyper+a", "ctrl+abc", "++a"])
def test_keys_that_there_are_not_are_told(keys):
    with pytest.raises(ActionError, match="is no key"):
        read_keys(keys)


@given(st.text(max_size=12))
def test_no_text_breaks_the_reading_of_keys(text):
    try:
        _, key = read_keys(text)
    except ActionError:
        return
    assert key
