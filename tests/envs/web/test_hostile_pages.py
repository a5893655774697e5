"""Pages that attack: each ends in an observation or in an outcome that says why, nothing gets out, nothing stays."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future
from ipaddress import ip_address
from typing import Any

import pytest

from selfgym.envs.core import Outcome
from selfgym.envs.web.finding import BrowserUnavailable, find_executable
from selfgym.envs.web.opened import WebEnv
from selfgym.envs.web.sites.site import SiteError

from .hostile_site import Attack, Ears, HostileSite, attacks

pytest.importorskip("playwright", reason="the browser is driven by Playwright: pip install 'selfgym[web]'")
try:
    find_executable()
except BrowserUnavailable as missing:
    pytest.skip(str(missing), allow_module_level=True)

ATTACKS = attacks()
BRIEF = [attack for attack in ATTACKS if not attack.hangs]
HANGING = [attack for attack in ATTACKS if attack.hangs]
NOTHING_KEPT = (
    "Kept: cookie '' local '' session '' databases '' caches '' workers 0 name '' opener null history 2 hash ''"
)
LONGEST = 40.0  # seconds of a step, on a machine that does much else
ELEMENT = re.compile(r"\[(\d+)\] ")
OURS = re.compile(r"(Task|Error|Event|Page|Scrolled): |(>| ) tab \d+: |\(not everything is shown")


@pytest.fixture(scope="module")
def ears() -> Iterator[Ears]:
    ears = Ears()
    yield ears
    ears.close()


@pytest.fixture(scope="module")
def site(ears: Ears) -> Iterator[HostileSite]:
    site = HostileSite(ears)
    yield site
    site.close()


@pytest.fixture(scope="module")
def envs(site: HostileSite) -> Iterator[dict[str, WebEnv]]:
    envs = {host: surfing(site, host) for host in ("evil.test", "evil.localhost")}
    yield envs
    for env in envs.values():
        env.close()


def surfing(site: HostileSite, host: str = "evil.test", path: str = "/start") -> WebEnv:
    """An environment that begins at a harmless page of the site."""
    return WebEnv(url=f"http://{host}{path}", addresses={host: site.address}, deadline=1.0)


def begin(env: WebEnv, site: HostileSite, attack: Attack) -> None:
    env.reset(seed=1)
    profile = env.session.browser.folder / "profile"
    site.words["DEVTOOLS_PORT"] = (profile / "DevToolsActivePort").read_text().split()[0]
    site.now = attack.name


def next_action(env: WebEnv, number: int) -> str:
    """A press on something that is seen, another one each time; at last, and where there is nothing, patience."""
    spots = [one["number"] for one in env.look.elements if "point" in one]
    return f"click({spots[number % len(spots)]})" if spots and number < 2 else "noop(300)"


def check_text(env: WebEnv, text: str, info: dict[str, Any]) -> None:
    """It is an observation, and every line that looks like one of ours is."""
    assert env.observation_space.contains(text)
    assert "ESCAPED" not in text
    lines = text.split("\n")
    assert lines[0] == "Task: Look around."
    if info["outcome"] is Outcome.ENV_ERROR:
        assert lines[1:] == [f"Error: the browser failed: {info['reason']}"]
        assert info["reason"]
        return
    assert info["outcome"] is Outcome.RUNNING
    look = env.look
    body = len(lines) - len(look.text.split("\n")) - bool(look.truncated)
    assert lines[body : len(lines) - bool(look.truncated)] == look.text.split("\n")
    told = {one["number"]: one for one in look.elements}
    for line in look.text.split("\n"):
        assert not OURS.match(line), f"the page's text passes for ours: {line[:100]}"
        found = ELEMENT.match(line)
        if found:
            one = told.pop(int(found[1]), None)
            assert one is not None, f"no element, or one twice: {line[:100]}"
            assert line[found.end() :].startswith(one["role"])
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", line)
    assert len(text) < env.view.most + 8192


def check_next(env: WebEnv, ears: Ears) -> None:
    """The next episode begins where nothing ever happened, and nobody outside has heard of the one before."""
    text, info = env.reset(seed=2)
    for _ in range(20):  # stores are opened in real time
        if "Kept:" in text:
            break
        text, _, _, _, info = env.step("noop(100)")
    assert NOTHING_KEPT in text.split("\n"), text
    assert info["refused_hosts"] == []
    assert len(env.session.tabs) == 1
    assert env.step("go_back()")[4]["action_error"] == "There is no page to go back to."
    assert ears.heard == []


def test_there_are_many_attacks() -> None:
    assert len(ATTACKS) >= 50
    assert all(attack.words for attack in ATTACKS)


def test_the_ears_hear_what_is_let_through(site: HostileSite, ears: Ears) -> None:
    site.now = "frames-out"
    out = ("127.0.0.1", ears.tcp)
    env = WebEnv(url="http://evil.test/", addresses={"evil.test": site.address, "canary.test": out}, deadline=1.0)
    env.reset(seed=0)
    env.close()
    assert any("GET /a" in words for words in ears.heard)
    ears.heard.clear()


@pytest.mark.parametrize("attack", BRIEF, ids=lambda attack: attack.name)
def test_an_attack_ends_well(attack: Attack, envs: dict[str, WebEnv], site: HostileSite, ears: Ears) -> None:
    env = envs[attack.host]
    begin(env, site, attack)
    info: dict[str, Any] = {}
    for number in range(-1, 3):
        begun = time.monotonic()
        action = f'goto("http://{attack.host}/")' if number < 0 else next_action(env, number)
        text, reward, _, _, info = env.step(action)
        assert time.monotonic() - begun < LONGEST
        assert reward == 0.0
        check_text(env, text, info)
        if info["outcome"] is not Outcome.RUNNING:
            break
    assert {re.sub("[A-Z]+_PORT", lambda found: site.words[found[0]], host) for host in attack.refused} <= set(
        info["refused_hosts"]
    )
    assert len(info["refused_hosts"]) <= 100
    check_next(env, ears)


def test_pages_that_never_come_back_end_their_own_episodes_only(site: HostileSite, ears: Ears) -> None:
    calm = surfing(site)
    calm.reset(seed=0)
    envs = [surfing(site) for _ in HANGING]
    for start in [env.start("reset", seed=1) for env in envs]:
        start.result(LONGEST)
    steps: list[Future[Any]] = []
    for env, attack in zip(envs, HANGING, strict=True):
        site.now = attack.name
        asked = len(site.asked)
        steps.append(env.start("step", f'goto("http://{attack.host}/")'))
        while len(site.asked) == asked and not steps[-1].done():  # the page now is the same for all
            time.sleep(0.01)
    ends = {}
    for _ in range(3):  # some hang as soon as they are there, some when they are pressed
        for env, step in zip(envs, steps, strict=True):
            ends[env] = step.result(LONGEST * 2)
            check_text(env, ends[env][0], ends[env][4])
        running = [env for env in envs if ends[env][4]["outcome"] is Outcome.RUNNING]
        steps = [
            env.start("step", next_action(env, 0)) if env in running else step
            for env, step in zip(envs, steps, strict=True)
        ]
    for env, attack in zip(envs, HANGING, strict=True):
        _, _, _, truncated, info = ends[env]
        assert (info["outcome"], truncated) == (Outcome.ENV_ERROR, True), attack.name
        assert re.search("did not answer|more than 25 dialogs|crashed", info["reason"])
    assert calm.step("click(1)")[4]["outcome"] is Outcome.RUNNING
    browser = calm.session.browser
    for env in envs:
        check_next(env, ears)
        assert env.session.browser is browser
        env.close()
    calm.close()


def test_an_attack_on_the_first_page_is_said_and_the_next_reset_works(site: HostileSite, ears: Ears) -> None:
    env = surfing(site, path="/")
    site.now = "alert-loop"
    with pytest.raises(SiteError, match="the episode cannot begin: the page opened more than 25 dialogs at once"):
        env.reset(seed=1)
    site.now = "zalgo"
    text, info = env.reset(seed=1)
    check_text(env, text, info)
    env.close()
    assert ears.heard == []


def test_a_public_name_that_leads_to_this_machine_is_refused(site: HostileSite) -> None:
    """Its owner decides where a name leads: the name of this machine stands for one of an attacker here."""
    name = socket.gethostname()
    try:
        if not ip_address(socket.gethostbyname(name)).is_loopback:
            pytest.skip(f"the name of this machine, {name}, does not lead to its loopback address")
    except OSError:
        pytest.skip(f"the name of this machine, {name}, leads nowhere")
    asked = len(site.asked)
    env = WebEnv(url=f"http://{name}:{site.address[1]}/start", deadline=1.0)
    text, info = env.reset(seed=0)
    assert info["refused_hosts"] == [f"{name} (which leads to this machine)"]
    assert "not on the list" in text
    assert len(site.asked) == asked
    env.close()


def test_nothing_is_saved_from_a_page(envs: dict[str, WebEnv], site: HostileSite) -> None:
    env = envs["evil.test"]
    begin(env, site, next(attack for attack in ATTACKS if attack.name == "downloads"))
    env.step('goto("http://evil.test/")')
    env.step(next_action(env, 0))
    folder = env.session.browser.folder
    assert not [path for path in folder.rglob("*") if path.suffix in (".exe", ".crdownload")]
    assert not (folder.parent / "escaped.exe").exists()


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "chrome://version", "javascript:alert(1)", "data:text/html,x", "about:blank",
              "view-source:http://evil.test/", "http://127.0.0.1:1/", "http://evil.test:1/", "http://canary.test/"]
)  # fmt: skip
def test_the_agent_cannot_be_talked_into_leaving(envs: dict[str, WebEnv], place: str) -> None:
    env = envs["evil.test"]
    env.reset(seed=1)
    text, *_, info = env.step(f'goto("{place}")')
    assert info["action_error"]
    assert "Page: Harmless (http://evil.test/start)" in text
