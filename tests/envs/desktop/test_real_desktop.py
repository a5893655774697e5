"""The desktop of real applications: real servers, real windows, real input. Skipped, loudly, where they are missing."""

import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled, ResetNeeded

from selfgym.agents.typist import TypistAgent
from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.desktop.actions import Click, Done, Key, Move, Type
from selfgym.envs.desktop.looking import find, press

TASK = "mousepad-append"

pytestmark = pytest.mark.usefixtures("desktop")


@pytest.fixture
def make():
    """Makes environments and closes them."""
    from selfgym.envs.desktop.real.env import DesktopEnv

    made = []

    def make_one(task=TASK, **more):
        made.append(DesktopEnv(task=task, **more))
        return made[-1]

    yield make_one
    for env in made:
        env.close()


def inside(env):
    """The host's process ids of what runs on an environment's screen, by the name of the program."""
    space = os.readlink(env.stage.session.sandbox.outside("/").removesuffix("root/") + "ns/pid")
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "ns/pid") == space:
                found[(process / "comm").read_text().strip()] = int(process.name)
        except OSError:
            continue
    return found


def solve(env):
    """Play the task's solution; returns the last info."""
    for action in env.task.solution(env.nodes):
        *_, info = env.step(action)
    return info


def test_a_task_is_done_with_real_windows(make):
    env = make(observe=("tree", "pixels"))
    seen, info = env.reset(seed=0)
    assert 'text = "' in seen["tree"] or "text = '" in seen["tree"]
    assert seen["pixels"].shape == (720, 1280, 3)
    assert seen["pixels"].std() > 10, "the screen is not empty"
    assert info["window"].endswith("Mousepad")
    before = seen["pixels"]
    seen, *_, info = env.step(Type("hello"))
    assert info["settled"].quiet
    assert info["settled"].answered
    assert "hello" in seen["tree"]
    assert np.any(seen["pixels"] != before)
    assert env.screenshot()[:4] == b"\x89PNG"
    env.reset(seed=0)
    assert solve(env)["outcome"] is Outcome.SUCCESS


def test_characters_that_are_on_no_key_are_typed(make):
    env = make()
    env.reset(seed=0)
    text = "Grüße, naïve \u20ac \u6f22 \u03a9 {[~^`\\|]}"
    env.step(Key("ctrl+a"))
    *_, info = env.step(Type(text))
    assert info["action_error"] is None
    assert any(node.value == text for node in env.nodes())


def test_a_point_that_is_not_on_the_screen_is_told_and_nothing_happens(make):
    env = make(width=800, height=600)
    env.reset(seed=0)
    before = env.state_key()
    for wrong, words in (
        ("click(800, 5)", "800 x 600"),
        ("key('hyper+x')", "no key"),
        (Type("\x07"), "cannot be typed"),
    ):
        seen, *_, info = env.step(wrong)
        assert words in info["action_error"]
        assert info["action_error"] in seen
    assert env.state_key() == before


def test_two_clicks_are_no_double_click(make):
    env = make()
    env.reset(seed=0)
    text = find(env.nodes, "", "text")
    where = Click(text.box[0] + 20, text.box[1] + 10)
    env.step(where)
    env.step(where)
    env.step(Type("_"))
    assert "_" in find(env.nodes, "", "text").value
    assert len(find(env.nodes, "", "text").value) == len(text.value) + 1, "a double click would have replaced a word"
    env.step(dataclasses.replace(where, count=2))
    env.step(Type("_"))
    assert len(find(env.nodes, "", "text").value) < len(text.value)


def test_menus_open_and_close(make):
    env = make()
    env.reset(seed=0)
    assert not any(node.name == "Save" for node in env.nodes())
    env.step(press(env.nodes, "File", "menu"))
    assert find(env.nodes, "Save", "menu item")
    env.step(Key("Escape"))
    assert not any(node.name == "Save" for node in env.nodes())


@pytest.mark.parametrize("count", [1, 2])
def test_a_click_that_the_window_manager_is_slow_to_pass_on_is_waited_for(make, count):
    env = make("pcmanfm-largest" if count == 2 else TASK, patience=10.0)
    env.reset(seed=0)
    if count == 1:
        click = press(env.nodes, "File", "menu")
    else:
        folder = next(path for path in env.task.files if "/" in path).partition("/")[0]
        click = press(env.nodes, folder, "table cell", count=2)
    before = env.nodes()
    manager = inside(env)["openbox"]
    os.kill(manager, signal.SIGSTOP)
    later = threading.Timer(0.5, os.kill, (manager, signal.SIGCONT))
    later.start()
    *_, info = env.step(click)
    told = env.nodes()
    later.join()
    assert info["settled"].answered
    assert told != before
    time.sleep(0.5)
    assert env.nodes() == told


def test_the_pointer_is_where_it_was_put(make):
    env = make()
    env.reset(seed=0)
    *_, info = env.step(Move(321, 234))
    assert info["pointer"] == (321, 234)


@pytest.mark.parametrize("name", ["Xvfb", "mousepad", "dbus-daemon"])
def test_a_program_that_is_killed_is_an_error_of_the_environment(make, name):
    env = make(observe=("tree", "pixels"))
    env.reset(seed=0)
    os.kill(inside(env)[name], signal.SIGKILL)
    for _ in range(20):
        seen, reward, terminated, truncated, info = env.step(Key("a"))
        if info["outcome"] is not Outcome.RUNNING:
            break
    assert info["outcome"] is Outcome.ENV_ERROR
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert "failed" in seen["tree"]
    assert seen["pixels"].shape == (720, 1280, 3)
    env.reset(seed=0)
    assert solve(env)["outcome"] is Outcome.SUCCESS


def test_a_program_that_is_quit_is_no_error(make):
    env = make()
    env.reset(seed=0)
    *_, info = env.step(Key("ctrl+q"))
    assert info["outcome"] is Outcome.RUNNING
    *_, info = env.step(Done())
    assert info["outcome"] is Outcome.FAILURE


def test_nothing_of_an_episode_reaches_the_next(make):
    env = make()
    env.reset(seed=0)
    solve(env)
    env.stage.session.sandbox.put("/work/left.txt", "here")
    env.reset(seed=0)
    assert "left.txt" not in [entry.path for entry in env.stage.session.sandbox.list("/work")]


def test_four_at_once_and_many_in_a_row_leave_nothing(make):
    from selfgym.envs.desktop.real.spares import SPARES

    def left():
        time.sleep(0.1)
        here = [Path(f"/proc/{number}/cmdline").read_bytes() for number in children(os.getpid())]
        return len(here), len(os.listdir("/proc/self/fd"))

    warm = make()
    warm.reset(seed=0)
    warm.close()
    SPARES.close()
    before = left()
    outcomes = []

    def play(seed):
        env = make(spares=0)
        for turn in range(2):
            env.reset(seed=seed + turn)
            outcomes.append(solve(env)["outcome"])
        env.close()

    threads = [threading.Thread(target=play, args=(10 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.SUCCESS] * 8
    assert left() == before


def children(process):
    """The process ids of all descendants of a process."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for number in task.read_text().split():
            found += [int(number), *children(int(number))]
    return found


def test_a_snapshot_is_restored_by_doing_it_again(make):
    env, other = make(), make()
    env.reset(seed=3)
    env.step(Key("ctrl+End"))
    env.step(Type("more\n"))
    kept, key, seen = env.snapshot(), env.state_key(), env.nodes()
    other.restore(kept)
    assert (other.snapshot(), other.state_key(), other.nodes()) == (kept, key, seen)
    third = make(task="mousepad-append", width=1000)
    with pytest.raises(SnapshotError, match="differs"):
        third.restore(kept)


def test_pixels_alone_can_be_restored_whoever_looked_at_the_elements_meanwhile(make):
    env, other = make(observe=("pixels",)), make(observe=("pixels",))
    env.reset(seed=3)
    env.nodes()
    key = env.state_key()
    env.nodes()
    assert env.state_key() == key, "looking changes nothing"
    env.step(Key("ctrl+End"))
    env.step(Type("more\n"))
    other.restore(env.snapshot())
    assert other.nodes() == env.nodes()


def test_a_failed_restore_leaves_no_episode_behind(make):
    env, other = make(), make(width=1000)
    env.reset(seed=3)
    env.step(Key("ctrl+End"))
    other.reset(seed=1)
    with pytest.raises(SnapshotError, match="differs"):
        other.restore(env.snapshot())
    with pytest.raises(ResetNeeded):
        other.step(Key("a"))
    other.reset(seed=0)
    assert solve(other)["outcome"] is Outcome.SUCCESS


def test_the_typist_plays_real_applications_too(make):
    env, typist = make(), TypistAgent()
    observation, info = env.reset(seed=1)
    typist.begin(env)
    while info["outcome"] is Outcome.RUNNING:
        observation, *_, info = env.step(typist.act(observation, info).action)
    assert info["outcome"] is Outcome.SUCCESS


def test_what_is_missing_is_named(make, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DependencyNotInstalled, match=r"xvfb.*selfgym download desktop"):
        make()


def test_the_languages_that_are_left_are_highlighted():
    from selfgym.envs.desktop.real.session import Session
    from selfgym.envs.desktop.real.stage import Stage

    files = {".config/glib-2.0/settings/keyfile": b"[org/xfce/mousepad/preferences/view]\ncolor-scheme='classic'\n"}

    def colours(name):
        session = Session(1280, 720)
        try:
            Stage(session, (("mousepad", name),), files | {name: b'def lamp():\n    return "rope"\n'})
            text = session.pixels()[60:400].astype(int)
            return int((text.max(axis=2) - text.min(axis=2) > 100).sum()), session.sandbox.get("/tmp/mousepad.log")
        finally:
            session.close()

    coloured, said = colours("lamps.py")
    assert coloured > 10
    assert b"RelaxNG" not in said
    assert colours("lamps.txt")[0] == 0
