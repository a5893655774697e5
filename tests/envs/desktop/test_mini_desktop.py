"""The small desktop as a place: pictures, windows, programs, and states that are put back exactly."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("PIL")

from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.desktop.actions import Click, Done, Drag, Key, Scroll, Type
from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.desktop import Desktop
from selfgym.envs.desktop.mini.programs.catalogue import LAUNCHERS
from selfgym.envs.desktop.mini.programs.formula import shown
from selfgym.envs.desktop.mini.programs.settings import DEFAULTS
from selfgym.envs.desktop.mini.saving import plain, world_from
from selfgym.envs.desktop.mini.world import HOME, World

WIDTH, HEIGHT = 800, 500
FILES = {f"{HOME}/a.txt": "one\ntwo\n", f"{HOME}/b.csv": "x,1\ny,2\n", f"{HOME}/old/": "", f"{HOME}/old/c.txt": "three"}


def desktop():
    return Desktop(World(WIDTH, HEIGHT, files=dict(FILES), settings=dict(DEFAULTS)), LAUNCHERS)


def box_of(place, name, role=""):
    return next(w.box for w in reversed(place.widgets) if w.name == name and role in ("", w.role))


def click(place, name, role="", count=1):
    x, y, width, height = box_of(place, name, role)
    place.act(Click(x + width // 2, y + height // 2, count=count))


def drawn_anew(place):
    fresh = Desktop(place.world, LAUNCHERS)
    return fresh.canvas().pixels


points = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1))
KEYS = [
    "ctrl+s", "ctrl+a", "ctrl+c", "ctrl+v", "ctrl+z", "ctrl+o", "ctrl+h", "ctrl+n", "Return", "Escape", "Tab", "Delete",
    "BackSpace", "F2", "Up", "Down", "Left", "Right", "shift+Right", "shift+Down", "Home", "End", "alt+F4", "x",
    "space",
]  # fmt: skip
actions = st.one_of(
    st.sampled_from(sorted(LAUNCHERS)),
    st.sampled_from(
        ["a.txt", "b.csv", "old/", "File", "Edit", "x", "^", "_", "Up", "Send", "Cancel", "Save", "B2", "="]
    ),
    points.map(lambda at: Click(*at)),
    st.builds(lambda at, n: Click(*at, count=n), points, st.integers(1, 3)),
    st.builds(lambda a, b: Drag(*a, *b), points, points),
    st.builds(lambda at, n: Scroll(*at, n), points, st.integers(-3, 3)),
    st.sampled_from(KEYS).map(Key),
    st.text("ab1=+(\n\té", max_size=6).map(Type),
)


def do(place, action):
    if isinstance(action, str):
        if any(widget.name == action for widget in place.widgets):
            click(place, action, count=2 if "." in action or "/" in action else 1)
    else:
        place.act(action)


@settings(max_examples=60, deadline=None)
@given(st.lists(actions, max_size=25))
def test_what_is_drawn_again_is_all_that_changed(todo):
    place = desktop()
    for action in todo:
        do(place, action)
        place.canvas()
    assert np.array_equal(place.canvas().pixels, drawn_anew(place))


@settings(max_examples=40, deadline=None)
@given(st.lists(actions, max_size=15), st.lists(actions, max_size=10))
def test_a_world_that_is_put_back_goes_on_in_the_same_way(before, after):
    place = desktop()
    for action in before:
        do(place, action)
    again = Desktop(world_from(plain(place.world)), LAUNCHERS)
    for action in after:
        do(place, action)
        do(again, action)
    assert plain(place.world) == plain(again.world)
    assert place.widgets == again.widgets


def meant(place, action):
    """The action; for a name a click where it is shown, or None."""
    if not isinstance(action, str):
        return action
    boxes = [widget.box for widget in place.widgets if widget.name == action]
    return Click(boxes[-1].x + 5, boxes[-1].y + 5, count=2 if "." in action or "/" in action else 1) if boxes else None


@settings(max_examples=60, deadline=None)
@given(st.lists(actions, max_size=25))
def test_what_happens_does_not_depend_on_whether_it_is_looked_at(todo):
    seen, unseen = desktop(), desktop()
    for action in todo:
        action = meant(seen, action)
        if action is not None:
            seen.act(action)
            unseen.act(action)
            seen.canvas()
            assert seen.widgets == Desktop(seen.world, LAUNCHERS).widgets
    assert plain(seen.world) == plain(unseen.world)
    assert seen.widgets == unseen.widgets


def test_an_editor_scrolls_by_what_has_room_in_its_window():
    place = desktop()
    click(place, "Editor")
    place.act(Type("\n" * 30))
    x, y, width, height = box_of(place, "Text", "text")
    place.act(Scroll(x + width // 2, y + height // 2, 10))
    assert place.world.active.program.text.top == 31 - (height - 8) // 18


def test_pictures_are_copies_of_red_green_and_blue():
    place = desktop()
    first = place.canvas().picture()
    assert (first.shape, first.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    assert tuple(first[5, 5]) == (58, 110, 120)
    click(place, "Settings")
    assert not np.array_equal(place.canvas().picture(), first)
    assert tuple(first[30, 60]) == (58, 110, 120)


def test_windows_are_raised_moved_and_closed():
    place = desktop()
    click(place, "Settings")
    click(place, "Calculator")
    assert place.world.active.program.title == "Calculator"
    click(place, "Settings", "toggle button")
    assert place.world.active.program.title == "Settings"
    window = place.world.active
    bar = box_of(place, "Settings", "title bar")
    place.act(Drag(bar.x + 30, bar.y + 5, bar.x + 130, bar.y + 45))
    assert box_of(place, "Settings", "frame") == Box(bar.x + 100, bar.y + 40, window.width, window.height)
    place.act(Key("alt+F4"))
    assert [one.program.title for one in place.world.windows] == ["Calculator"]


def test_a_window_waits_for_its_dialog():
    place = desktop()
    click(place, "Editor")
    place.act(Type("text"))
    place.act(Key("alt+F4"))
    assert place.world.active.program.title == "Question"
    editor = place.world.windows[0]
    place.act(Click(editor.x + 60, editor.y + 60 + editor.height // 2))
    place.act(Type("more"))
    assert editor.program.text.text == "text"
    click(place, "Discard")
    assert not place.world.windows


def test_an_editor_undoes_and_replaces():
    place = desktop()
    click(place, "Files")
    click(place, "a.txt", count=2)
    place.act(Key("ctrl+h"))
    place.act(Type("o\n0\n"))
    editor = place.world.active.program
    assert editor.text.text == "0ne\ntw0\n"
    place.act(Key("ctrl+z"))
    assert editor.text.text == "one\ntwo\n"
    assert place.world.files == FILES


def test_a_file_is_not_pasted_over_another_and_no_folder_into_itself():
    place = desktop()
    click(place, "Files")
    click(place, "old/")
    place.act(Key("ctrl+x"))
    click(place, "old/", count=2)
    place.act(Key("ctrl+v"))
    assert place.world.files == FILES
    click(place, "c.txt")
    place.act(Key("ctrl+c"))
    place.act(Key("ctrl+v"))
    assert place.world.files == {**FILES, f"{HOME}/old/copy of c.txt": "three"}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=1+2*3", "7"), ("=(1+2)*3", "9"), ("=-A1/4", "-0.5"), ("=SUM(A1:A3)", "7"),
        ("=max(A1:A3, 9)-min(A1,A2)", "7"),
        ("=AVERAGE(A1:A2)", "2.5"), ("=COUNT(A1:B2)", "4"), ("=1/0", "#ERROR"), ("=A9+", "#ERROR"), ("=D1", "#ERROR"),
        ("=__import__", "#ERROR"), ("=A99", "#ERROR"), ("plain", "plain"),
    ],
)  # fmt: skip
def test_formulas_are_worked_out(formula, expected):
    cells = {"A1": "2", "A2": "3", "A3": "=A1", "D1": formula}
    assert shown(cells, "D1") == expected


def test_the_episode_ends_where_the_agent_says_so():
    env = gymnasium.make("selfgym/MiniDesktop-v0", level=1, observe=("tree", "pixels"), width=640, height=480).unwrapped
    observation, info = env.reset(seed=3)
    assert observation["pixels"].shape == (480, 640, 3)
    assert observation["tree"].startswith(f"Your task is: {info['task']}")
    observation, reward, terminated, _, info = env.step("done()")
    assert (reward, terminated, info["outcome"]) == (0.0, True, Outcome.FAILURE)


def test_where_nothing_is_observed_the_world_goes_on_and_mistakes_are_told():
    env = gymnasium.make("selfgym/MiniDesktop-v0", task="files-move", observe=(), max_steps=60).unwrapped
    observation, info = env.reset(seed=3)
    assert observation == f"Your task is: {info['task']}"
    observation, *_, info = env.step("clik(1, 2)")
    assert observation == info["action_error"]
    assert "Did you mean 'click'?" in observation
    for action in env.task.solution(env.nodes):
        observation, *_, info = env.step(action)
        assert observation == ""
        assert observation in env.observation_space
    assert info["outcome"] is Outcome.SUCCESS
    assert env.pixels().shape == (720, 1280, 3)


def test_a_mistake_is_told_and_costs_a_step():
    env = gymnasium.make("selfgym/MiniDesktop-v0", max_steps=2).unwrapped
    env.reset(seed=3)
    observation, *_, info = env.step("key('hyper+q')")
    assert info["action_error"].startswith("'hyper+q' is no key")
    assert observation.startswith(info["action_error"])
    *_, truncated, info = env.step("clik(1, 2)")
    assert "Did you mean 'click'?" in info["action_error"]
    assert (truncated, info["outcome"]) == (True, Outcome.TRUNCATED)


def test_the_tree_is_bounded_and_says_so():
    env = gymnasium.make("selfgym/MiniDesktop-v0", max_elements=3).unwrapped
    observation, info = env.reset(seed=3)
    assert info["tree_truncated"]
    assert observation.splitlines()[-1].endswith("more elements are not shown]")


def test_a_snapshot_of_other_options_is_refused():
    one, other = (gymnasium.make("selfgym/MiniDesktop-v0", level=level).unwrapped for level in (1, 2))
    one.reset(seed=1)
    other.reset(seed=1)
    with pytest.raises(SnapshotError, match="other options"):
        other.restore(one.snapshot())


def test_doing_it_is_rewarded():
    env = gymnasium.make("selfgym/MiniDesktop-v0", task="calculate").unwrapped
    _, info = env.reset(seed=5)
    one, other = (int(word) for word in info["task"].replace("?", "").split() if word.isdigit())
    *_, reward, terminated, _, info = env.step(Done(str(one * other)))
    assert (reward, terminated, info["outcome"]) == (1.0, True, Outcome.SUCCESS)


def test_a_state_is_the_same_however_often_it_was_left():
    env = gymnasium.make("selfgym/MiniDesktop-v0", task="settings-switch").unwrapped
    env.reset(seed=0)
    env.step(next(env.task.solution(env.nodes)))
    x, y, _, height = next(node.box for node in env.nodes() if node.name == "Bluetooth")
    keys = []
    for _ in range(4):
        env.step(Click(x + 7, y + height // 2))
        keys.append(env.state_key())
    assert keys[0] == keys[2] != keys[1] == keys[3]
