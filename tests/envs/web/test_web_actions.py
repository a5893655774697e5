"""How an action string is read, and what each action does to a real page."""

from __future__ import annotations

import pytest

from selfgym.envs.tools import ActionError, ToolCall
from selfgym.envs.web.actions import WEB_TOOLS, read_action

from .conftest import number_of

PAGE = """<title>Desk</title>
<button id=b onclick="this.textContent='pressed '+event.isTrusted" ondblclick="document.title='twice'">Press</button>
<button disabled>Off</button><input id=name placeholder="Name" oninput="document.title='typed '+event.isTrusted">
<input readonly value=fixed aria-label=Fixed><input type=date aria-label=Day>
<input type=range aria-label=Size min=0 max=10>
<select aria-label=Colour onchange="document.title='chose '+this.value"><option value=r>Red<option value=b>Blue
<option disabled>Grey</select>
<select multiple aria-label=Several><option>One<option>Two<option>Three</select>
<textarea aria-label=Note>old</textarea>
<div id=h onmouseenter="this.textContent='hovered'" style="cursor:pointer">Hover me</div><a href="/next">Next page</a>
<input type=file aria-label=File onchange="document.title=this.files[0].name+' '+this.files[0].size">
<div style="position:relative"><button>Hidden below</button>
<div style="position:absolute;inset:0;background:red"></div></div>
<div style="margin-top:900px"><button onclick="document.title='far'">Far down</button></div>
<button onclick="document.title=confirm('Sure?')+' '+prompt('Who?','me')">Ask</button>
<div style="height:60px;overflow:auto" id=box><p style="height:500px">long</p></div>"""


@pytest.mark.parametrize(
    ("action", "name", "arguments"),
    [
        ("click(3)", "click", {"element": 3, "button": "left", "modifiers": []}),
        ('click("12")', "click", {"element": 12, "button": "left", "modifiers": []}),
        ("click('[7]', button='right')", "click", {"element": 7, "button": "right", "modifiers": []}),
        (' fill(2, "it\'s \\"so\\"") ', "fill", {"element": 2, "value": 'it\'s "so"'}),
        ("scroll(0, -200)", "scroll", {"delta_x": 0, "delta_y": -200, "element": None}),
        ("select_option(1, ['a', 'b'])", "select_option", {"element": 1, "options": ["a", "b"]}),
        (
            '{"name": "press", "arguments": {"element": "4", "key_comb": "F1"}}',
            "press",
            {"element": 4, "key_comb": "F1"},
        ),
        ({"name": "noop", "arguments": {}}, "noop", {"wait_ms": 1000}),
    ],
)
def test_one_call_with_literals_is_read(action, name, arguments):
    assert read_action(action) == ToolCall(name, arguments)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("clik(3)", "Did you mean 'click'?"),
        ("click()", "argument 'element': field required"),
        ("click(3, 'left', [], 4)", "takes 3 arguments at most"),
        ("click(3, element=4)", "'element' twice"),
        ("click(-1)", "argument 'element'"),
        ("click(x)", "is not one action"),
        ("click(3); click(4)", "is not one action"),
        ("__import__('os').system('true')", "is not one action"),
        ("click(open('/etc/passwd'))", "is not one action"),
        ("fill(1, 'a' * 10**9)", "is not one action"),
        ("click(**{})", "is not one action"),
        ("(" * 50_000, "is not one action"),
        ("click(" + "[" * 5_000 + "]" * 5_000 + ")", "is not one action"),
        ("noop(10**9)", "is not one action"),
        ("noop(999999)", "argument 'wait_ms'"),
        ("scroll(0, 1e9)", "argument 'delta_y'"),
    ],
)
def test_anything_else_is_said_and_never_run(action, words):
    with pytest.raises(ActionError) as error:
        read_action(action)
    assert words in str(error.value)
    assert len(str(error.value)) < 5_000


def test_every_tool_has_a_schema():
    names = {schema["function"]["name"] for schema in WEB_TOOLS.openai_schemas()}
    assert {"click", "fill", "select_option", "hover", "press", "drag_and_drop", "scroll", "goto", "go_back"} <= names
    assert {"tab_focus", "upload_file", "send_msg_to_user", "noop"} <= names


@pytest.fixture
def desk(visit):
    env, _ = visit({"/": PAGE, "/next": "<title>Next</title><a href='/'>Home</a>"}, files={"note.txt": b"hello"})
    return env


def act(env, action):
    """Do an action that must be possible; returns what is seen."""
    observation, *_, info = env.step(action)
    assert info["action_error"] is None, info["action_error"]
    return observation


def refused(env, action):
    """Try an action that must be refused and leave everything as it was; returns the sentence."""
    before = env.state_key()
    observation, reward, terminated, truncated, info = env.step(action)
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, False, "running")
    assert info["action_error"] in observation
    assert env.state_key() == before
    return info["action_error"]


AT_AN_ELEMENT = (
    "click({0})", "click({0}, 'right')", "dblclick({0})", "hover({0})", "fill({0}, 'x')", "clear({0})", "focus({0})",
    "select_option({0}, 'Red')", "select_option({0}, ['One', 'Blue'])", "select_option({0}, [])", "press({0}, 'a')",
    "drag_and_drop({0}, 1)", "drag_and_drop(1, {0})", "upload_file({0}, 'note.txt')", "scroll(0, 50, {0})",
)  # fmt: skip


@pytest.mark.parametrize("action", AT_AN_ELEMENT)
def test_what_can_be_done_with_an_element_never_breaks_on_another(desk, action):
    assert "99" in refused(desk, action.format(99))
    for number in [one["number"] for one in desk.look.elements]:
        *_, info = desk.step(action.format(number))
        assert info["outcome"] == "running", (action.format(number), info)
        if info["action_error"] is None:
            desk.reset(seed=0)


def test_a_click_is_a_trusted_event(desk):
    assert '"pressed true"' in act(desk, f"click({number_of(desk, 'Press')})")


def test_a_synthetic_click_is_a_named_option(visit):
    env, _ = visit(PAGE, synthetic=True)
    assert '"pressed false"' in act(env, f"click({number_of(env, 'Press')})")


def test_a_double_click(desk):
    assert "Page: twice" in act(desk, f"dblclick({number_of(desk, 'Press')})")


def test_fields_are_filled_with_real_input(desk):
    observation = act(desk, f'fill({number_of(desk, "Name")}, "Ann ✓")')
    assert "Page: typed true" in observation
    assert '"Name" = "Ann ✓" (focused)' in observation
    assert '"Name" = "" (focused)' in act(desk, f"clear({number_of(desk, 'Name')})")
    assert '"Note" = "new"' in act(desk, f'fill({number_of(desk, "Note")}, "new")')
    assert '"Day" = "2026-03-04"' in act(desk, f'fill({number_of(desk, "Day")}, "2026-03-04")')
    assert '"Size" = "7"' in act(desk, f'fill({number_of(desk, "Size")}, "7")')


def test_keys(desk):
    act(desk, f"focus({number_of(desk, 'Name')})")
    assert '"Name" = "abc"' in act(desk, 'keyboard_type("abc")')
    act(desk, f"press({number_of(desk, 'Name')}, 'Control+a')")
    assert '"Name" = "z"' in act(desk, 'keyboard_insert_text("z")')
    assert "There is no key 'Entr'" in refused(desk, 'keyboard_press("Entr")')


def test_options_are_chosen_by_text_or_value(desk):
    assert '"Colour" = "Blue"' in act(desk, f'select_option({number_of(desk, "Colour")}, "Blue")')
    assert "Page: chose r" in act(desk, f'select_option({number_of(desk, "Colour")}, "r")')
    assert '"Several" = "One, Three"' in act(desk, f'select_option({number_of(desk, "Several")}, ["Three", "One"])')
    assert "Options: 'Red', 'Blue'" in refused(desk, f'select_option({number_of(desk, "Colour")}, "Green")')
    assert "can be chosen" in refused(desk, f'select_option({number_of(desk, "Colour")}, "Grey")')
    assert "exactly one option" in refused(desk, f'select_option({number_of(desk, "Colour")}, ["Red", "Blue"])')


def test_hovering(desk):
    assert "hovered" in act(desk, f"hover({number_of(desk, 'Hover me')})")


def test_what_is_far_down_is_scrolled_to(desk):
    assert "Page: far" in act(desk, f"click({number_of(desk, 'Far down')})")


def test_scrolling_the_page_and_a_box(desk):
    assert "Scrolled: 300 of" in act(desk, "scroll(0, 300)")
    [[box, at, most]] = desk.look.scrollers
    assert at == 0 < most
    act(desk, f"scroll(0, 100, {box})")
    assert desk.look.scrollers[0][1] == 100
    act(desk, "scroll(0, -9999)")
    assert "Nothing scrolls there" in refused(desk, "scroll(0, -10)")


def test_what_cannot_be_done_is_explained(desk):
    press = number_of(desk, "Press")
    assert "is disabled" in refused(desk, f"click({number_of(desk, 'Off')})")
    assert "is read-only" in refused(desk, f'fill({number_of(desk, "Fixed")}, "x")')
    assert "is no field to write into" in refused(desk, f'fill({press}, "x")')
    assert "is no list of options" in refused(desk, f'select_option({press}, "x")')
    assert "is covered by" in refused(desk, f"click({number_of(desk, 'Hidden below')})")
    assert "There is no element 99" in refused(desk, "click(99)")
    assert "wants its ISO form" in refused(desk, f'fill({number_of(desk, "Day")}, "tomorrow")')
    assert "outside the picture" in refused(desk, "mouse_click(800, 10)")
    assert "The task does not allow 'example.org'. Allowed: page.test." in refused(desk, 'goto("http://example.org/")')
    assert "is no address" in refused(desk, 'goto("file:///etc/passwd")')
    assert "The task has no file 'x'. Its files: 'note.txt'." in refused(
        desk, f'upload_file({number_of(desk, "File")}, "x")'
    )
    assert "no page to go back to" in refused(desk, "go_back()")
    assert "the only tab" in refused(desk, "tab_close()")


def test_an_element_that_is_gone_is_said_to_be(visit):
    env, _ = visit("<button onclick='setTimeout(() => this.remove(), 100)'>Once</button><button>Other</button>")
    once = number_of(env, "Once")
    act(env, f"click({once})")
    assert f"Element {once} is gone" in refused(env, f"click({once})")


def test_timers_after_a_press_are_on_time(visit):
    page = """<button onmouseup="const pressed = Date.now(); for (const ms of [10, 20, 30])
      setTimeout(() => said.textContent += ' ' + ms + '=' + (Date.now() - pressed), ms)">Go</button><p id=said></p>"""
    env, _ = visit(page)
    for _ in range(5):
        observation = act(env, f"click({number_of(env, 'Go')})")
    assert observation.count("10=10") == observation.count("20=20") == observation.count("30=30") == 5


def test_going_places(desk):
    assert "Page: Next (http://page.test/next)" in act(desk, f"click({number_of(desk, 'Next page')})")
    assert "Page: Desk" in act(desk, "go_back()")
    assert "Page: Next" in act(desk, "go_forward()")
    assert "Page: Desk" in act(desk, 'goto("page.test/")')
    act(desk, f'fill({number_of(desk, "Name")}, "gone after reloading")')
    assert "gone after" not in act(desk, "reload()")


def test_tabs(visit):
    env, _ = visit({"/": "<a href=/two target=_blank>Open</a>", "/two": "<title>Two</title><button>In two</button>"})
    observation = act(env, f"click({number_of(env, 'Open')})")
    assert "Event: a new tab was opened" in observation
    assert "> tab 1: http://page.test/two" in observation
    assert '"In two"' in observation
    assert '"Open"' in act(env, "tab_focus(0)")
    assert "There is no tab 5" in refused(env, "tab_focus(5)")
    act(env, "tab_focus(1)")
    assert '"Open"' in act(env, "tab_close()")
    assert "tab 1" in act(env, "new_tab()")


def test_dialogs_are_told_and_answered_as_asked(desk):
    ask = number_of(desk, "Ask")
    observation = act(desk, f"click({ask})")
    assert "Event: confirm: Sure? (accepted)" in observation
    assert "Event: prompt: Who? (accepted with 'me')" in observation
    assert "Page: true me" in observation
    act(desk, "handle_dialog(False)")
    assert "Page: false me" in act(desk, f"click({ask})")


def test_uploading_a_file_of_the_task(desk):
    assert "Page: note.txt 5" in act(desk, f'upload_file({number_of(desk, "File")}, "note.txt")')


def test_dragging(visit):
    page = """<div id=a style="width:50px;height:50px;background:red;cursor:pointer"></div>
    <div style="margin-top:150px;width:90px;height:90px;cursor:pointer" aria-label=Target tabindex=0></div><script>
    let held = false, moves = 0; a.onmousedown = () => { held = true; };
    onmousemove = () => { moves += held; };
    onmouseup = (e) => { document.title = `${held} ${moves > 1} ${e.target.ariaLabel}`; };
    </script>"""
    env, _ = visit(page)
    first = env.look.elements[0]["number"]
    assert "Page: true true Target" in act(env, f"drag_and_drop({first}, {number_of(env, 'Target')})")
    env.reset(seed=0)
    assert "Page: true true Target" in act(env, "mouse_drag_and_drop(30, 30, 40, 250)")


def test_the_answer_ends_the_episode(desk):
    _, reward, terminated, _, info = desk.step('send_msg_to_user("42")')
    assert (reward, terminated, info["outcome"]) == (0.0, True, "failure")
    assert "no judge" in info["reason"]
