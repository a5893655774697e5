"""Skills: what runs, what is refused before it runs, and checks that must be able to fail."""

from __future__ import annotations

import pytest

from selfgym.memory.item import Capability, Check, Code, Item
from selfgym.memory.skills import static, unit
from selfgym.memory.skills.running import SkillError, actions, call

HEAT = '''
def heat(thing, tool):
    """Heat a thing with a tool, if it is closed."""
    seen = yield f"go to {tool}"
    if "closed" in str(seen):
        yield f"open {tool}"
    yield f"heat {thing} with {tool}"
'''
STEPS = "go to {tool}\nheat {thing} with {tool}"
CHECK = Check(rung="unit", source="assert list(heat('egg 1', 'microwave 1'))[-1] == 'heat egg 1 with microwave 1'")


def schema(*names):
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}}


def code(source=HEAT, *, runtime="python", entry="heat", names=("thing", "tool"), **fields):
    return Code(runtime=runtime, entry=entry, source=source, params=schema(*names), **fields)


def skill(made):
    return Item(kind="skill", title="Heat", code=made, checks=(CHECK,))


def test_actions_are_filled_in():
    made = skill(code(STEPS, runtime="actions"))
    given = {"thing": "egg 1", "tool": "microwave 1"}
    assert list(actions(made, given)) == ["go to microwave 1", "heat egg 1 with microwave 1"]


def test_a_function_is_asked_for_one_action_at_a_time(sandbox):
    given = {"thing": "egg 1", "tool": "microwave 1"}
    run = actions(skill(code()), given, sandbox=sandbox)
    assert next(run) == "go to microwave 1"
    assert run.send("The microwave 1 is closed.") == "open microwave 1"
    assert run.send("You open the microwave 1.") == "heat egg 1 with microwave 1"
    with pytest.raises(StopIteration):
        run.send("You heat the egg 1.")
    run = actions(skill(code()), given, sandbox=sandbox)
    next(run)
    assert run.send("It is open.") == "heat egg 1 with microwave 1"


def test_a_skill_may_use_what_it_requires(sandbox):
    caller = code(
        'def warm(thing):\n    """Warm it."""\n    yield from heat(thing, "microwave 2")',
        entry="warm",
        names=("thing",),
    )
    required = skill(code(STEPS, runtime="actions"))
    run = actions(skill(caller), {"thing": "egg 1"}, [required], sandbox=sandbox)
    assert next(run) == "go to microwave 2"
    assert run.send("") == "heat egg 1 with microwave 2"


@pytest.mark.parametrize(
    ("source", "given", "words"),
    [
        (HEAT, {"thing": "egg 1"}, "lacks the argument 'tool'"),
        (HEAT, {"thing": "egg 1", "tool": "x", "salt": 1}, "takes no argument 'salt'"),
        (HEAT, {"thing": "egg 1\nopen door", "tool": "x"}, "one short line"),
        ("def heat(thing, tool):\n    raise KeyError('no')\n    yield", {"thing": "", "tool": ""}, "KeyError: 'no'"),
        ("def heat(thing, tool):\n    yield 5", {"thing": "", "tool": ""}, "must yield actions as text"),
        ("def heat(thing, tool):\n    yield {1, 2}", {"thing": "", "tool": ""}, "not JSON serializable"),
        ("def heat(thing, tool):\n    while True: pass\n    yield", {"thing": "", "tool": ""}, "timeout"),
        ("import os\nos._exit(0)", {"thing": "", "tool": ""}, "failed"),
    ],
)
def test_what_goes_wrong_in_a_skill_is_told(sandbox, monkeypatch, source, given, words):
    monkeypatch.setattr("selfgym.memory.skills.running._SECONDS", 2.0)
    with pytest.raises(SkillError, match=words):
        list(actions(skill(code(source)), given, sandbox=sandbox))


def test_a_tool_answers_with_a_value(sandbox):
    made = code('def add(a, b):\n    """Add."""\n    return a + b', runtime="mcp", entry="add", names=("a", "b"))
    assert call(sandbox, made, {"a": 2, "b": 3}, []) == 5


def test_without_a_sandbox_no_function_runs():
    with pytest.raises(SkillError, match="give a sandbox"):
        next(actions(skill(code()), {"thing": "a", "tool": "b"}))
    folder = Code(runtime="folder", entry="guide", source="Read me.")
    with pytest.raises(SkillError, match="to be read"):
        next(actions(skill(folder), {}))


def test_good_code_has_no_objections():
    assert static.objections(code()) == []
    assert static.objections(code(STEPS, runtime="actions")) == []
    assert static.objections(Code(runtime="folder", entry="guide", source="Read me.")) == []
    source = f"import re\nLIMIT = 3\n{HEAT}"
    assert static.objections(code(source)) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def heat(thing, tool) yield", "not Python"),
        ("(" * 5000, "not Python"),
        ("x = 1", "defines heat 0 times"),
        (HEAT + HEAT, "defines heat 2 times"),
        ("def heat(thing):\n    'Doc.'\n    yield ''", "takes \\(thing\\), its schema says \\(thing, tool\\)"),
        ("def heat(thing, tool, *more):\n    'Doc.'\n    yield ''", "its schema says"),
        ("def heat(thing, tool):\n    yield ''", "no docstring"),
        ("def heat(thing, tool):\n    'Doc.'\n    return ['a']", "yields no actions"),
        (f"print('at import')\n{HEAT}", "line 1: only functions"),
        (f"X = print('at import')\n{HEAT}", "line 1: only functions"),
        (f"import os\n{HEAT}", "os needs the capability 'files'"),
        (f"import subprocess\n{HEAT}", "needs the capability 'processes'"),
        (f"from urllib.request import urlopen\n{HEAT}", "needs the capability 'network'"),
        (f"import ctypes\n{HEAT}", "'ctypes' is not for skills"),
        (f"import random\n{HEAT}", "'random' is not for skills"),
        (f"from . import x\n{HEAT}", "is not for skills"),
        ("def heat(thing, tool):\n    'Doc.'\n    yield eval(thing)", "eval is not for skills"),
        ("def heat(thing, tool):\n    'Doc.'\n    yield open(thing).read()", "open needs the capability"),
        ("def heat(thing, tool):\n    'Doc.'\n    yield ().__class__.__bases__", "reaches behind"),
        ("def heat(thing, tool):\n    'Doc.'\n    yield __builtins__", "__builtins__ is not for skills"),
        ("def heat(thing, tool):\n    'Doc.'\n    yield getattr(thing, 'x')", "getattr is not for skills"),
    ],
)
def test_bad_code_is_objected_to_in_words(source, words):
    with pytest.raises(AssertionError, match=words):
        assert not static.objections(code(source)), " ".join(static.objections(code(source)))


def test_capabilities_lift_the_objection():
    source = f"import os\n{HEAT}"
    assert static.objections(code(source, caps=(Capability.ACT, Capability.FILES))) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "no actions"),
        ("go to {where}", "{where} is no parameter|'thing' is in no action"),
        ("look\n" * 51, "51 actions"),
    ],
)
def test_bad_actions_are_objected_to(source, words):
    with pytest.raises(AssertionError, match=words.replace("{", "\\{").replace("}", "\\}")):
        assert not static.objections(code(source, runtime="actions")), " ".join(
            static.objections(code(source, runtime="actions"))
        )


def test_a_check_that_holds(sandbox):
    assert unit.objections(sandbox, code(), CHECK) == []
    assert unit.objections(sandbox, code(STEPS, runtime="actions"), CHECK) == []


@pytest.mark.parametrize(
    "source",
    [
        "heat('egg 1', 'microwave 1')",
        "assert True",
        "try:\n    next(heat('a', 'b'))\nexcept Exception:\n    pass",
        "for action in heat('a', 'b') or ():\n    assert isinstance(action, str)\n    break",
    ],
)
def test_a_check_that_a_stub_passes_is_void(sandbox, source):
    [said] = unit.objections(sandbox, code(), Check(rung="unit", source=source))
    assert "void" in said


def test_a_check_that_fails_says_why(sandbox):
    check = Check(rung="unit", source="assert list(heat('a', 'b')) == [], 'too much'")
    assert unit.objections(sandbox, code(), check) == ["the check fails: AssertionError: too much"]


def test_a_check_leaves_nothing_behind(sandbox):
    check = Check(rung="unit", source=f"open('left.txt', 'w').write('x')\n{CHECK.source}")
    assert unit.objections(sandbox, code(), check) == []
    assert "left.txt" not in [entry.path for entry in sandbox.list()]
