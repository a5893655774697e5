"""The browser itself: without rights, without leaks, and gone when it is killed or its Python is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from selfgym.envs.core import Outcome
from selfgym.envs.web.background import run
from selfgym.envs.web.browser import NOBODY, Browser, close_browsers, shared_browser
from selfgym.envs.web.finding import BrowserUnavailable, find_executable
from selfgym.envs.web.idle import close_idle
from selfgym.envs.web.opened import WebEnv

from .episode_process import descendants, play
from .hostile_site import Ears, HostileSite

pytest.importorskip("playwright", reason="the browser is driven by Playwright: pip install 'selfgym[web]'")
try:
    find_executable()
except BrowserUnavailable as missing:
    pytest.skip(str(missing), allow_module_level=True)
if not Path("/proc/self/stat").exists():
    pytest.skip("processes are counted under /proc, which is Linux's", allow_module_level=True)

SCRIPT = Path(__file__).with_name("episode_process.py")


@pytest.fixture(scope="module")
def site() -> Iterator[HostileSite]:
    ears = Ears()
    site = HostileSite(ears)
    yield site
    site.close()
    assert ears.heard == []
    ears.close()


@pytest.fixture(autouse=True)
def a_new_browser() -> None:
    """Pages that earlier tests left open, or for the next episode, would be counted here."""
    close_idle()
    close_browsers()


def surfing(site: HostileSite) -> WebEnv:
    return WebEnv(url="http://evil.test/start", addresses={"evil.test": site.address})


def processes(browser: Browser, kind: str = "") -> list[int]:
    """The browser's processes of a kind (``renderer``), or the main one."""
    mine = descendants(os.getpid())
    if kind:
        return [one for one, line in mine.items() if f"--type={kind}" in line]
    profile = f"--user-data-dir={browser.folder}"
    return [one for one, line in mine.items() if profile in line and "--type=" not in line and "/bin/sh" not in line]


def count(word: str, *without: str) -> int:
    """Processes of ours with a word on their command lines, and none of some others."""
    lines = descendants(os.getpid()).values()
    return sum(word in line and not any(other in line for other in without) for line in lines)


def soon(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether it comes to hold."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def test_the_browser_has_no_rights_and_its_renderers_are_in_a_sandbox(site: HostileSite) -> None:
    env = surfing(site)
    play(env)
    browser = env.session.browser
    [main] = processes(browser)
    renderers = processes(browser, "renderer")
    assert renderers
    owners = {process: os.stat(f"/proc/{process}").st_uid for process in (main, *renderers)}
    if browser.able.unprivileged:
        assert 0 not in owners.values()
    if os.geteuid() == 0 and browser.able.unprivileged:
        assert set(owners.values()) == {NOBODY}
    for process in (main, *renderers):
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":\t" in line
        )
        if os.geteuid() == 0 and browser.able.unprivileged:
            assert status["NoNewPrivs"] == "1"
            assert process != main or int(status["CapEff"], 16) == 0
        if browser.able.sandboxed and process in renderers:
            assert status["Seccomp"] == "2", "a renderer filters no system calls"
            assert int(status["NSpid"].split()[-1]) != process, "a renderer sees the processes of the machine"
    line = descendants(os.getpid())[main]
    assert ("--no-sandbox" in line) != browser.able.sandboxed
    assert oct(os.stat(browser.folder).st_mode & 0o077) == "0o0", "others of this machine can read the profile"
    env.close()


def test_sixty_four_episodes_in_a_row_leave_nothing(site: HostileSite) -> None:
    env = surfing(site)
    for _ in range(4):
        play(env)
    browser = env.session.browser

    def open_now() -> tuple[int, int, int]:
        return browser.contexts, len(descendants(os.getpid())), len(os.listdir("/proc/self/fd"))

    assert soon(lambda: len(processes(browser, "renderer")) <= 2)
    before = open_now()
    for _ in range(64):
        play(env)
    assert env.session.browser is browser
    assert soon(lambda: all(now <= then for now, then in zip(open_now(), before, strict=True))), (before, open_now())
    env.close()
    assert soon(lambda: browser.contexts == before[0] - 1)


def test_eight_at_once_leave_nothing(site: HostileSite) -> None:
    one = surfing(site)
    play(one)
    browser = one.session.browser
    contexts = browser.contexts
    assert soon(lambda: len(processes(browser, "renderer")) <= 2)
    before = len(descendants(os.getpid()))
    envs = [surfing(site) for _ in range(8)]
    for round in range(2):
        starts = [env.start("reset", seed=round) for env in envs]
        assert all("Nothing happens here" in start.result()[0] for start in starts)
        assert browser.contexts == contexts + 8
        for _ in range(3):
            steps = [env.start("step", "click(1)") for env in envs]
            assert all(step.result()[4]["action_error"] is None for step in steps)
    for env in envs:
        env.close()
    assert browser.contexts == contexts
    assert soon(lambda: len(descendants(os.getpid())) <= before)
    one.close()


@pytest.mark.parametrize("victim", ["renderer", "browser"])
def test_ten_kills_end_only_the_episodes_that_they_hit(site: HostileSite, victim: str) -> None:
    hit, spared = surfing(site), surfing(site)
    play(spared)
    for _ in range(10):
        there = set(processes(spared.session.browser, "renderer"))
        play(hit)
        browser = hit.session.browser
        killed = set(processes(browser) if victim == "browser" else processes(browser, "renderer")) - there
        assert killed
        for process in killed:
            with contextlib.suppress(ProcessLookupError):  # a renderer that was for nobody yet
                os.kill(process, signal.SIGKILL)
        text, reward, terminated, truncated, info = hit.step("click(1)")
        assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, True, Outcome.ENV_ERROR)
        assert info["reason"]
        assert text.endswith(f"Error: the browser failed: {info['reason']}")
        if victim == "browser":
            assert spared.step("click(1)")[4]["outcome"] is Outcome.ENV_ERROR
            play(spared)
            assert spared.session.browser is not browser
            assert not browser.folder.exists()
        else:
            assert spared.step("click(1)")[4]["outcome"] is Outcome.RUNNING
            assert spared.session.browser is browser
    play(hit)
    browser = hit.session.browser
    assert browser.contexts == 2
    assert len(processes(browser)) == 1
    assert soon(lambda: count("--user-data-dir=", "--type=", "/bin/sh") == 1)
    assert soon(lambda: count("run-driver") == 1), "Playwright's drivers of browsers that have gone are still there"
    hit.close()
    spared.close()
    assert soon(lambda: browser.contexts == 0)


def test_a_python_that_is_killed_leaves_no_browser_behind(site: HostileSite) -> None:
    command = [sys.executable, str(SCRIPT), "wait", str(site.address[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        below = [int(word) for word in process.stdout.readline().split()]
        assert len(below) > 2
        process.kill()
    assert soon(lambda: not any(Path(f"/proc/{one}").exists() for one in below))


def test_two_forks_have_browsers_of_their_own(site: HostileSite) -> None:
    command = [sys.executable, str(SCRIPT), "fork", str(site.address[1])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.returncode) == ("ended with 0 0", 0), done.stderr


def test_it_works_inside_a_running_loop_and_from_threads(site: HostileSite) -> None:
    async def inside() -> None:
        env = surfing(site)
        play(env)  # blocking, as in a notebook
        await asyncio.wrap_future(env.start("reset", seed=3))
        _, _, _, _, info = await asyncio.wrap_future(env.start("step", "click(1)"))
        assert info["action_error"] is None
        env.close()

    asyncio.run(inside())
    failures: list[BaseException] = []

    def one() -> None:
        try:
            env = surfing(site)
            play(env)
            env.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert run(shared_browser()).contexts == 0
