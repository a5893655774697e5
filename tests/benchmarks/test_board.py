"""The page of results in a real browser: sorting by mouse and keys, hostile names, both schemes, three widths."""

from __future__ import annotations

import json
import shutil

import pytest

from selfgym.benchmarks.leaderboard.board import gathered, page
from selfgym.benchmarks.leaderboard.result import JSON
from selfgym.cli.browsers import web_needs

from .measured import SUITE, measure

HOSTILE = '</script><img src=x onerror="document.title=1">\u202e${style} & more'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results: both ends, one that crashes, one with a hostile name, one incomplete, one forged."""
    folder = tmp_path_factory.mktemp("results")
    for agent in ("random", "expert", "Halting", "Telling"):
        measure(folder, agent)
    measure(folder, "random", options={"seed": HOSTILE})
    measure(folder, "Lucky", missing=lambda part: "<b>no screen</b>" if part.name == "desk" else "", samples=2)
    forged = folder / "forged"
    shutil.copytree(next(folder.glob("small-random-*")), forged)
    told = json.loads((forged / JSON).read_text())
    told["total"]["success"] = 1.0
    (forged / JSON).write_text(json.dumps(told))
    return folder


@pytest.fixture(scope="module")
def html(folder):
    return page(*gathered(folder))


@pytest.fixture(scope="module")
def chromium():
    if needs := web_needs():
        pytest.skip(f"NO BROWSER: {needs}")
    from playwright.sync_api import sync_playwright

    from selfgym.envs.web.finding import find_executable

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_executable()), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, html, tmp_path):
    """Opens the page; the test fails if it complains, or asks for anything."""
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    address = (tmp_path / "page.html").as_uri()
    complaints, pages = [], []

    def open_page(**how):
        tab = chromium.new_page(**how)
        pages.append(tab)
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: complaints.append(request.url) if request.url != address else None)
        tab.goto(address)
        return tab

    yield open_page
    for tab in pages:
        tab.close()
    assert not complaints


def column(tab, head):
    """The values of a column, by its head, from the top."""
    return tab.evaluate(
        """head => { const heads = [...document.querySelectorAll('thead th')];
        const at = heads.findIndex(one => one.textContent === head);
        return [...document.querySelectorAll('tbody tr')].map(row => row.cells[at].dataset.value) }""",
        head,
    )


def sorted_as(tab, head):
    return tab.locator("thead th", has_text=head).first.get_attribute("aria-sort")


def test_the_page_is_one_file_that_asks_for_nothing(html):
    assert "http:" not in html
    assert "https:" not in html
    assert "default-src 'none'" in html
    assert "<link" not in html
    assert "src=" not in html.replace("&lt;img src=x", "")


def test_refused_results_are_named_with_the_reason(folder, html):
    results, refused = gathered(folder)
    assert len(results) == 6
    assert [name for name, _ in refused] == ["forged"]
    assert "do not follow from its episodes" in html.partition('class="refused"')[2]


def test_a_click_sorts_and_a_second_one_turns_it_round(opened):
    tab = opened()
    steps = tab.get_by_role("button", name="Steps")
    steps.click()
    down = [float(value) for value in column(tab, "Steps")]
    assert down == sorted(down, reverse=True)
    assert sorted_as(tab, "Steps") == "descending"
    steps.click()
    assert [float(value) for value in column(tab, "Steps")] == sorted(down)
    assert sorted_as(tab, "Steps") == "ascending"
    assert tab.get_by_role("status").text_content() == "sorted by Steps, ascending"


def test_keys_sort_too_and_the_focus_is_seen(opened):
    tab = opened()
    tab.keyboard.press("Tab")  # the region that scrolls
    for _ in range(2):
        tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Agent"
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.keyboard.press("Enter")
    names = column(tab, "Agent")
    assert names == sorted(names, key=str.casefold)
    assert sorted_as(tab, "Agent") == "ascending"
    tab.keyboard.press("Space")
    assert sorted_as(tab, "Agent") == "descending"


def test_what_is_missing_stays_last_either_way(opened):
    tab = opened()
    for _ in range(2):
        tab.get_by_role("button", name="desk").click()
        assert column(tab, "desk")[-1] == ""


def test_numbers_are_sorted_as_numbers(opened):
    tab = opened()
    tab.get_by_role("button", name="Tokens").click()
    tokens = [float(value) for value in column(tab, "Tokens")]
    assert tokens[0] == 110
    assert tokens == sorted(tokens, reverse=True)


def test_without_scripts_it_is_a_plain_table_in_order_of_rank(opened):
    tab = opened(java_script_enabled=False)
    rows = tab.locator("tbody tr")
    assert rows.count() == 6
    assert "expert" in rows.first.text_content()
    assert "ceiling" in rows.first.text_content()
    assert tab.locator("thead button").count() == 0
    assert tab.locator("th[scope=row]").count() == 6


def test_hostile_names_are_text(opened):
    tab = opened()
    assert tab.title() == "selfgym leaderboard"
    assert tab.locator("img").count() == 0
    shown = tab.locator("tbody th", has_text="onerror").text_content()
    assert HOSTILE.replace("\u202e", "") in shown
    assert tab.locator("td.gone").get_attribute("title") == "<b>no screen</b>"
    assert tab.locator("b", has_text="no screen").count() == 0


def test_errors_models_and_left_out_parts_are_shown(opened):
    tab = opened()
    crashing = tab.locator("tbody tr", has_text="Halting").text_content()
    assert "lost to errors" in crashing
    assert "no model" in tab.locator("tbody tr", has_text="expert").first.text_content()
    assert "model use as declared" in tab.locator("tbody tr", has_text="Telling").text_content()
    assert "incomplete: desk left out" in tab.locator("tbody tr", has_text="Lucky").text_content()
    tab.get_by_text("How each result came about").click()
    facts = tab.locator("details").text_content()
    assert "left out desk: <b>no screen</b>" in facts
    assert SUITE.hash[:12] in facts
    assert "model calls = 0" in facts
    assert "pass@2 100.0%" in facts


@pytest.mark.parametrize("width", [390, 800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(opened, width, scheme):
    tab = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") == width  # only the table scrolls
    assert tab.locator(".success .figure").first.bounding_box()["x"] < width - 60
    texts = ["body", ".about", "tbody .mark.free", "tbody .mark.bad", "td.bad", "tr.unranked td"]
    colours = tab.evaluate(
        """texts => [getComputedStyle(document.body).backgroundColor,
        ...texts.map(one => getComputedStyle(document.querySelector(one)).color)]""",
        texts,
    )
    paper, *inks = [luminance(colour) for colour in colours]
    assert (paper > 0.5) == (scheme == "light")
    for ink in inks:
        lighter, darker = max(paper, ink), min(paper, ink)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def luminance(colour):
    """Relative luminance of ``rgb(r, g, b)``, as WCAG 2.2 defines it."""
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
