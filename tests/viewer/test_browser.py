"""The pages in a real browser, for people with and without eyes, a mouse or scripts, and among hostile texts."""

from __future__ import annotations

import pytest

from selfgym.envs.web.finding import BrowserUnavailable, find_executable
from selfgym.memory.store import EpisodeStore
from selfgym.viewer.export import export_page
from selfgym.viewer.server import ViewServer
from selfgym.viewer.source import open_source

from .records import GROUP, episode
from .test_hostile import ALL, hostile  # noqa: F401  (a fixture)

WIDTHS = (390, 800, 1400)
CONTRAST = """
() => {
  const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || e.closest("svg") || !e.checkVisibility() || getComputedStyle(e).opacity < 1) continue;
    const [a, b] = [light(numbers(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return [...poor];
}
"""
STRUCTURE = """
() => {
  const wrong = [];
  const one = (what) => document.querySelectorAll(what).length === 1 || wrong.push(`not one ${what}`);
  ["main", "h1", "header"].forEach(one);
  let last = 1;
  for (const h of document.querySelectorAll("main :is(h1,h2,h3,h4)")) {
    const level = Number(h.tagName[1]);
    if (level > last + 1) wrong.push(`${h.tagName} after h${last}: ${h.textContent.slice(0, 40)}`);
    last = level;
  }
  for (const field of document.querySelectorAll("input, select"))
    if (!field.labels?.length) wrong.push(`no label: ${field.name}`);
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption?.textContent) wrong.push("a table without a caption");
    if (table.querySelector("thead th:not([scope=col])")) wrong.push("a head without a scope");
  }
  for (const nav of document.querySelectorAll("nav")) if (!nav.ariaLabel) wrong.push("a nav without a name");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) wrong.push("an id twice");
  if (!document.documentElement.lang) wrong.push("no language");
  for (const a of document.querySelectorAll("a"))
    if (!a.textContent.trim() && !a.ariaLabel) wrong.push("a link without words");
  return wrong;
}
"""


@pytest.fixture(scope="module")
def chromium():
    """Skips where no Chromium can be started."""
    try:
        executable = find_executable()
    except BrowserUnavailable as error:
        pytest.skip(f"NO BROWSER: {error}")
    playwright = pytest.importorskip("playwright.sync_api", reason="NO BROWSER: needs selfgym[web]")
    with playwright.sync_playwright() as found:
        browser = found.chromium.launch(executable_path=str(executable), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """(address, options) -> a page. Afterwards nothing may have complained, or been asked of another host."""
    trouble, contexts = [], []

    def open_page(address, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        home = address.split("/")[2]
        page.on("dialog", lambda dialog: (trouble.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: trouble.append(f"error {error}"))
        page.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda asked: None if asked.url.split("/")[2] == home else trouble.append(asked.url))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not trouble


@pytest.fixture(scope="module")
def base(run_folder):
    source = open_source(run_folder)
    while source.index.grow():
        pass
    with ViewServer([source]) as server:
        yield server.url
    source.close()


def pages(base):
    return [
        base + path
        for path in (
            "0/episodes", "0/episode?id=run/sampled", f"0/episode?id={GROUP}/0", f"0/group?name={GROUP}", "0/curves",
            "0/items", "0/compare?left=0/3/runeval-0&right=0/3/runeval-1",
        )
    ]  # fmt: skip


@pytest.fixture
def both(remembering):
    """The address of a run and of its memory."""
    with ViewServer(remembering) as server:
        yield server.url


def pages_of_skills(both, item):
    return [
        both + path
        for path in (
            "0/episode?id=run/apps/1", "0/episode?id=run/rooms/1", "0/episode?id=run/sampled", "0/chain?name=run/apps",
            f"1/item?id={item}",
        )
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_reads_and_is_built_for_screen_readers(visit, base, both, remembering, scheme):
    item = next(remembering[1].library.items()).id
    for address in (*pages(base), *pages_of_skills(both, item)):
        page = visit(address, color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert beyond <= 0, f"{address} at {width}: {beyond} px too wide"
        assert page.evaluate(STRUCTURE) == [], address
        assert page.evaluate(CONTRAST) == [], address


def test_dark_is_dark(visit, base):
    grounds = [
        visit(base + "0/episodes", color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert grounds[0] != grounds[1]


def test_an_episode_is_found_and_read_without_scripts(visit, base):
    page = visit(base, java_script_enabled=False)
    page.get_by_label("Search tasks, observations, actions").fill("shelf")
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("status").inner_text().startswith("1 of 29 episodes")
    page.get_by_role("rowheader").get_by_role("link").click()
    assert page.get_by_role("heading", level=1).inner_text() == "task of run/sampled"
    assert page.get_by_role("heading", name="Step 2").is_visible()
    page.get_by_role("link", name="Look before you take").click()
    page.get_by_role("table", name="What happened to it, oldest first").wait_for()
    assert page.get_by_role("link", name="Memory").get_attribute("aria-current") == "page"


def test_a_skill_is_followed_through_its_chain_without_scripts(visit, both):
    page = visit(both + "0/episode?id=run/apps/1", java_script_enabled=False)
    cards = page.locator(".cards > li")
    assert cards.count() == 2
    assert cards.first.get_by_text("apis.mail.search(day=day)").is_visible()
    page.get_by_role("link", name="calls tidy").first.click()
    assert "def tidy(day)" in page.locator(":target").inner_text()
    cards.first.get_by_role("link", name="place 1 of the chain").click()
    page.wait_for_url("**run%2Fapps%2F0")
    assert page.get_by_role("link", name="place 1", exact=True).get_attribute("aria-current") == "page"
    page.get_by_role("link", name="run/apps", exact=True).click()
    page.get_by_role("table", name="Its tasks, in their order").wait_for()


def test_an_item_of_another_file_is_followed_there_and_back(visit, both):
    page = visit(both + "0/episode?id=run/sampled")
    page.get_by_role("link", name="Look before you take").click()
    page.wait_for_url("**/1/item?**")
    table = page.get_by_role("table", name="Episodes of remembering that were shown it")
    table.get_by_role("rowheader").get_by_role("link").click()
    page.wait_for_url("**/0/episode?id=run%2Fsampled")
    assert page.get_by_role("heading", level=1).inner_text() == "task of run/sampled"


def test_the_keyboard_is_enough(visit, base):
    page = visit(base + f"0/episode?id={GROUP}/2")
    focused = "document.activeElement.textContent"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Skip to content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0, (
        "it shows itself when it is focused"
    )
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("j")
    assert page.evaluate(focused).startswith("Step")
    page.keyboard.press("n")
    page.wait_for_url("**revision-0**")


def test_a_tree_is_walked_by_arrow_keys(visit, base):
    page = visit(base + f"0/group?name={GROUP}")
    name = "document.activeElement.getAttribute('aria-label')"
    page.locator("svg.tree a.node").first.focus()
    assert page.evaluate(name).startswith("step 1: go")
    assert page.evaluate("getComputedStyle(document.activeElement).stroke") != page.evaluate(
        "getComputedStyle(document.querySelectorAll('svg.tree a.node')[2]).stroke"
    )
    seen = []
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        seen.append(page.evaluate(name).partition(",")[0])
    assert seen == ["step 2: take fork", "step 2: take cup", "step 3: put cup", "step 2: take cup", "step 2: take fork"]
    page.keyboard.press("Enter")
    page.wait_for_url("**step-2")
    assert page.locator(":target h3").inner_text().startswith("Step 2")


def test_hostile_text_does_nothing(visit, hostile, tmp_path):  # noqa: F811
    with ViewServer([hostile]) as server:
        page = visit(server.url)
        for number in range(2):
            page.goto(server.url + "0/episodes")
            page.get_by_role("rowheader").get_by_role("link").nth(number).click()
            page.wait_for_url("**/episode?**")
            page.mouse.move(200, 300)
            assert "caught" not in page.title().replace(ALL.partition("\n")[0], "")
            assert page.locator("img, svg:not(.tree):not(.screen), iframe, object, base").count() == 0
            assert page.evaluate("[...document.scripts].map((script) => script.src)") == [server.url + "view.js"]
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        page.locator("dt:text-is('Group') + dd a").click()
        page.wait_for_url("**/group?**")
        assert page.locator("svg.tree").count() == 1
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_policy_stops_what_would_get_through(chromium, base):
    """The second wall, should the first have a hole: nothing that is put into a page runs or loads."""
    page = chromium.new_page()
    page.goto(base + "0/episodes")
    stopped = page.evaluate(
        """async () => {
          const stopped = [];
          document.addEventListener("securitypolicyviolation", (event) => stopped.push(event.effectiveDirective));
          const script = document.createElement("script");
          script.textContent = "window.caught = true";
          const image = document.createElement("img");
          image.src = "http://127.0.0.1:9/x.png";
          document.body.append(script, image);
          document.body.insertAdjacentHTML("beforeend", "<p onclick='window.caught = true' id=bait>x</p>");
          document.getElementById("bait").click();
          await fetch("/0/episodes").catch(() => 0);
          await new Promise((done) => setTimeout(done, 200));
          return [...stopped, window.caught ?? "nothing ran"];
        }"""
    )
    assert {"script-src-elem", "script-src-attr", "img-src", "connect-src"} <= set(stopped)
    assert stopped[-1] == "nothing ran"
    page.context.close()


def test_one_file_stands_alone(visit, run_folder, tmp_path):
    source = open_source(run_folder, indexed=False)
    done = export_page([source], tmp_path / "run.html", limit=12, filters={})
    source.close()
    assert (done.episodes, done.matching) == (12, 29)
    page = visit((tmp_path / "run.html").as_uri())
    assert page.get_by_text("12 of 29 episodes").is_visible()
    ground = page.evaluate("getComputedStyle(document.querySelector('.badge.good')).backgroundColor")
    assert ground != "rgba(0, 0, 0, 0)", "its own style sheet is heeded"
    assert page.evaluate(STRUCTURE) == []
    page.get_by_role("rowheader").get_by_role("link", name="task of run/sampled").click()
    page.get_by_text("ValueError: no more").wait_for()  # what a link leads to is unfolded
    page.get_by_role("link", name="Look before you take").first.click()
    page.get_by_text("trial: to be tried").first.wait_for()
    page.locator("summary", has_text="Tree: put a cup away").click()
    assert page.locator("svg.tree a.node").count() == 8
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_one_file_holds_what_a_run_remembered(visit, remembering, tmp_path):
    export_page(remembering, tmp_path / "run.html", limit=12, filters={})
    page = visit((tmp_path / "run.html").as_uri() + "#e1")
    assert page.evaluate(STRUCTURE) == []
    page.locator("#e1").get_by_role("link", name="calls tidy").first.click()
    assert page.locator(":target").is_visible()
    page.locator("#e1").get_by_role("link", name="place 1 of the chain").click()
    page.locator("#e0 h3").first.wait_for()
    page.locator("#e4 > summary").click()
    page.locator("#e4").get_by_role("link", name="Look before you take").click()
    page.locator("#i0").get_by_role("table", name="Episodes of this file that were shown it").wait_for()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_long_list_is_paged_by_keys(visit, tmp_path):
    with EpisodeStore(tmp_path / "long.db") as store:
        store.append(episode(f"e{number:03}") for number in range(120))
    source = open_source(tmp_path / "long.db")
    with ViewServer([source]) as server:
        page = visit(server.url)
        first = page.get_by_role("rowheader").first
        assert first.inner_text() == "task of e000"
        page.keyboard.press("n")
        page.wait_for_url("**after=50")
        assert first.inner_text() == "task of e050"
        page.get_by_role("link", name="Last").click()
        page.wait_for_url("**before=99*")
        assert page.get_by_role("rowheader").last.inner_text() == "task of e119"
        page.keyboard.press("p")
        page.wait_for_url("**before=71")
        assert first.inner_text() == "task of e020"
    source.close()
