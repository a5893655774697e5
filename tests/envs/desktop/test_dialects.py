"""Other people's actions, read into ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfgym.envs.desktop.actions import Click, Done, Drag, Key, Move, Scroll, Type, Wait
from selfgym.envs.desktop.dialects.android_world import from_android_world
from selfgym.envs.desktop.dialects.computer_use import from_anthropic, from_google, from_openai
from selfgym.envs.desktop.dialects.osworld import from_computer_13, from_pyautogui
from selfgym.envs.desktop.dialects.ui_tars import from_ui_tars
from selfgym.envs.desktop.node import Node
from selfgym.envs.tools import ActionError

NODES = [Node("frame", "Notes", (0, 0, 800, 600)), Node("push button", "Files", (4, 570, 60, 24))]


@pytest.mark.parametrize(
    ("call", "actions"),
    [
        ({"action": "left_click", "coordinate": [1, 2]}, [Click(1, 2)]),
        ({"action": "right_click"}, [Click(8, 9, "right")]),
        ({"action": "triple_click", "coordinate": [1, 2]}, [Click(1, 2, count=3)]),
        ({"action": "left_click", "coordinate": [1, 2], "text": "shift"}, [Click(1, 2, held="shift")]),
        ({"action": "mouse_move", "coordinate": [1, 2]}, [Move(1, 2)]),
        ({"action": "left_click_drag", "start_coordinate": [1, 2], "coordinate": [3, 4]}, [Drag(1, 2, 3, 4)]),
        ({"action": "left_click_drag", "coordinate": [3, 4]}, [Drag(8, 9, 3, 4)]),
        (
            {"action": "scroll", "coordinate": [1, 2], "scroll_direction": "up", "scroll_amount": 4},
            [Scroll(1, 2, -4)],
        ),
        ({"action": "key", "text": "ctrl+s"}, [Key("ctrl+s")]),
        ({"action": "type", "text": "a b"}, [Type("a b")]),
        ({"action": "wait", "duration": 2}, [Wait(2)]),
        ({"action": "screenshot"}, [Wait(0.0)]),
    ],
)
def test_anthropic(call, actions):
    assert from_anthropic(call, pointer=(8, 9)) == actions


@pytest.mark.parametrize(
    ("action", "actions"),
    [
        ({"type": "click", "x": 1, "y": 2, "button": "right"}, [Click(1, 2, "right")]),
        ({"type": "click", "x": 1, "y": 2, "button": "wheel"}, [Click(1, 2, "middle")]),
        ({"type": "double_click", "x": 1, "y": 2}, [Click(1, 2, count=2)]),
        ({"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 5, "y": 5}, {"x": 3, "y": 4}]}, [Drag(1, 2, 3, 4)]),
        ({"type": "scroll", "x": 1, "y": 2, "scroll_x": 0, "scroll_y": 300}, [Scroll(1, 2, 3)]),
        ({"type": "keypress", "keys": ["CTRL", "C"]}, [Key("CTRL+c")]),
        ({"type": "type", "text": "hi"}, [Type("hi")]),
        ({"type": "screenshot"}, [Wait(0.0)]),
    ],
)
def test_openai(action, actions):
    assert from_openai(action) == actions


def test_google():
    assert from_google("hover_at", {"x": 100, "y": 1000}, 1000, 500) == [Move(100, 500)]
    assert from_google("type_text_at", {"x": 0, "y": 0, "text": "hi", "press_enter": False}, 100, 100) == [
        Click(0, 0), Key("ctrl+a"), Key("Delete"), Type("hi"),
    ]  # fmt: skip
    assert from_google("scroll_document", {"direction": "down"}, 1000, 1000) == [Scroll(500, 500, 8)]
    drag = {"x": 0, "y": 0, "destination_x": 500, "destination_y": 500}
    assert from_google("drag_and_drop", drag, 1280, 720) == [Drag(0, 0, 640, 360)]


@pytest.mark.parametrize(
    ("script", "actions"),
    [
        ("import pyautogui\nimport time\npyautogui.click(1, 2)\ntime.sleep(0.5)", [Click(1, 2), Wait(0.5)]),
        ("pyautogui.click(x=1, y=2, clicks=2, button='right')", [Click(1, 2, "right", 2)]),
        ("pyautogui.moveTo(1, 2, duration=0.5); pyautogui.click()", [Move(1, 2), Click(1, 2)]),
        ("pyautogui.moveTo(1, 2); pyautogui.dragTo(3, 4, button='left')", [Move(1, 2), Drag(1, 2, 3, 4)]),
        ("pyautogui.scroll(-5, 1, 2)", [Scroll(1, 2, 5)]),
        ("pyautogui.typewrite('hi\\n', interval=0.1)", [Type("hi\n")]),
        ("pyautogui.write(['a', 'enter'])", [Key("a"), Key("enter")]),
        ("pyautogui.press('tab', presses=2)", [Key("tab"), Key("tab")]),
        ("pyautogui.hotkey('ctrl', 'shift', 't')", [Key("ctrl+shift+t")]),
        (
            "pyautogui.keyDown('ctrl'); pyautogui.click(1, 2); pyautogui.press('a'); pyautogui.keyUp('ctrl')",
            [Click(1, 2, held="ctrl"), Key("ctrl+a")],
        ),
        ("DONE", [Done()]),
        ("FAIL", [Done(feasible=False)]),
    ],
)
def test_pyautogui(script, actions):
    assert from_pyautogui(script) == actions


@pytest.mark.parametrize(
    "script",
    [
        "import os", "__import__('os').system('touch /tmp/x')", "pyautogui.click(open('/etc/passwd'))",
        "x = 1\npyautogui.click(x, 2)", "for i in range(3): pyautogui.click(1, 2)", "pyautogui.screenshot('a.png')",
        "pyautogui.click(1, 2", "pyautogui.click(True, 2)", "pyautogui.click(*[1, 2])", "time.sleep('long')",
        "pyautogui.click(1, 2, button='side')", "pyautogui.click(1e300, 2)",
    ],
)  # fmt: skip
def test_a_script_is_read_and_never_run(script):
    with pytest.raises(ActionError):
        from_pyautogui(script)


@pytest.mark.parametrize(
    ("action", "actions"),
    [
        ("DONE", [Done()]),
        ({"action_type": "CLICK", "parameters": {"x": 1, "y": 2, "num_clicks": 2}}, [Click(1, 2, count=2)]),
        ({"action_type": "CLICK", "x": 1, "y": 2}, [Click(1, 2)]),
        ({"action_type": "RIGHT_CLICK", "parameters": {}}, [Click(8, 9, "right")]),
        ({"action_type": "DRAG_TO", "parameters": {"x": 1, "y": 2}}, [Drag(8, 9, 1, 2)]),
        ({"action_type": "SCROLL", "parameters": {"dx": 0, "dy": 3}}, [Scroll(8, 9, -3)]),
        ({"action_type": "TYPING", "parameters": {"text": "hi"}}, [Type("hi")]),
        ({"action_type": "HOTKEY", "parameters": {"keys": ["ctrl", "c"]}}, [Key("ctrl+c")]),
        ({"action_type": "PRESS", "parameters": {"key": "enter"}}, [Key("enter")]),
    ],
)
def test_computer_13(action, actions):
    assert from_computer_13(action, pointer=(8, 9)) == actions


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("Thought: x\nAction: click(start_box='(500,500)')", [Click(640, 360)]),
        ("Action: left_double(start_box='[0, 0, 1000, 1000]')", [Click(640, 360, count=2)]),
        ("Action: right_single(start_box='<|box_start|>(0,0)<|box_end|>')", [Click(0, 0, "right")]),
        ("Action: drag(start_box='(0,0)', end_box='(1000,1000)')", [Drag(0, 0, 1280, 720)]),
        ("Action: hotkey(key='ctrl shift t')", [Key("ctrl+shift+t")]),
        ("Action: type(content='a\\nb')", [Type("a\nb")]),
        ("Action: scroll(start_box='(500,500)', direction='down')", [Scroll(640, 360, 5)]),
        ("Action: wait()", [Wait(5.0)]),
        ("Action: finished(content='42')", [Done("42")]),
        ("Action: call_user()", [Done(feasible=False)]),
    ],
)
def test_ui_tars(text, actions):
    assert from_ui_tars(text, (1280, 720)) == actions


@pytest.mark.parametrize(
    ("action", "actions"),
    [
        ({"action_type": "click", "index": 1}, [Click(34, 582)]),
        ({"action_type": "long_press", "x": 1, "y": 2}, [Click(1, 2, "right")]),
        ({"action_type": "input_text", "index": 1, "text": "hi"}, [Click(34, 582), Type("hi"), Key("Return")]),
        ({"action_type": "scroll", "direction": "down"}, [Scroll(400, 300, 5)]),
        ({"action_type": "swipe", "direction": "up"}, [Scroll(400, 300, 5)]),
        ({"action_type": "open_app", "app_name": "files"}, [Click(34, 582)]),
        ({"action_type": "status", "goal_status": "infeasible"}, [Done(feasible=False)]),
        ({"action_type": "answer", "text": "7"}, [Done("7")]),
    ],
)
def test_android_world(action, actions):
    assert from_android_world(action, NODES) == actions


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (from_anthropic, {"action": "left_mouse_down"}),
        (from_anthropic, {"action": "left_click", "coordinate": [1]}),
        (from_anthropic, {}),
        (from_openai, {"type": "drag", "path": []}),
        (from_openai, {"type": "click", "x": "far", "y": 2}),
        (from_computer_13, {"action_type": "MOUSE_DOWN", "parameters": {}}),
        (lambda action: from_android_world(action, NODES), {"action_type": "click", "index": 2}),
        (lambda action: from_android_world(action, NODES), {"action_type": "navigate_home"}),
        (lambda action: from_google("fly_to", action, 10, 10), {}),
        (lambda text: from_ui_tars(text, (10, 10)), "Action: click(start_box='here')"),
        (lambda text: from_ui_tars(text, (10, 10)), "I do not know."),
    ],
)
def test_what_there_is_not_is_told(read, wrong):
    with pytest.raises(ActionError):
        read(wrong)


def outcome(read, text):
    """The actions, or the sentence that says what was wrong."""
    try:
        return read(text)
    except ActionError as error:
        return str(error)


@given(st.text(max_size=60))
def test_no_text_breaks_a_reader(text):
    for read in (from_pyautogui, from_computer_13, lambda one: from_ui_tars(one, (10, 10))):
        assert outcome(read, text)
