"""Task files in the form of WebArena and VisualWebArena: reading them, and judging what an agent did."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.web.env import BrowserEnv
from selfgym.envs.web.finding import BrowserUnavailable, find_executable
from selfgym.envs.web.opened import WebEnv
from selfgym.envs.web.session import View
from selfgym.envs.web.taskfiles import FileSource
from selfgym.envs.web.webarena.entries import Required, read_entries
from selfgym.envs.web.webarena.looking import post_url, read_call
from selfgym.envs.web.webarena.matching import Question, clean, findings, tokens, url_fits

ROOT = "http://small.test"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)
ITEM = """<title>Item</title><h1>Kettle &amp; lid</h1><p class=price>$25.00</p><p id=stock>Only 12 left, sold by Ann</p>
<div class=photos><img src=/kettle.png></div><a href=/list?sort=up&page=2>All items</a><button
onclick="this.textContent='Pressed'">Press</button>"""
ME = """<title>Me</title><p id=who></p><p id=where></p><script>
who.textContent = document.cookie + " " + localStorage.getItem("seen");
navigator.geolocation.getCurrentPosition((at) => where.textContent = at.coords.latitude)</script>"""


class _Small(BaseHTTPRequestHandler):
    orders: ClassVar[list[str]] = []
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.asked.append(parts.path)
        if parts.path == "/order":
            self.orders.extend(parse_qs(parts.query)["what"])
        pages = {
            "/": "<title>Home</title><h1>Small shop</h1><a href=/item/5>Kettle</a>",
            "/item/5": ITEM,
            "/list": "<title>List</title>" + "<p>A line.</p>" * 3,
            "/me": ME,
            "/order": "<title>Thanks</title>",
            "/orders": f"<title>Orders</title><ul id=orders><li>{'<li>'.join(self.orders)}</ul>",
        }
        status = 503 if parts.path == "/broken" else 200 if parts.path in pages or parts.path == "/kettle.png" else 404
        body = PNG if parts.path == "/kettle.png" else pages.get(parts.path, f"<h1>Error {status}</h1>").encode()
        self.send_response(status)
        self.send_header("Content-Type", "image/png" if body is PNG else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def small() -> Iterator[dict[str, tuple[str, int]]]:
    """The addresses of a small site."""
    try:
        find_executable()
    except BrowserUnavailable as missing:
        pytest.skip(str(missing))
    pytest.importorskip("playwright", reason="Playwright is not installed: pip install 'selfgym[web]'")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Small)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = ("127.0.0.1", server.server_address[1])
    yield {"small.test": address, "small.localhost": address}  # pages of a localhost may ask where they are
    server.shutdown()
    server.server_close()


@pytest.fixture
def begin(small: dict[str, tuple[str, int]]) -> Iterator[Callable[..., BrowserEnv]]:
    """An environment of the entries, in the episode of the first."""
    made: list[BrowserEnv] = []
    _Small.orders.clear()
    _Small.asked.clear()

    def begin(*entries: dict[str, Any], **options: Any) -> BrowserEnv:
        made.append(BrowserEnv(FileSource(list(entries), (), small, **options), view=View()))
        made[-1].reset(seed=0)
        return made[-1]

    yield begin
    for env in made:
        env.close()


def entry(task_id: int = 1, **changes: Any) -> dict[str, Any]:
    """An entry as WebArena writes it; ``eval`` is given by its fields."""
    evaluation = {"reference_answers": None, "reference_url": "", "program_html": []}
    base = {
        "sites": ["small"], "task_id": task_id, "require_login": False, "storage_state": None, "start_url": ROOT,
        "geolocation": None, "intent_template": "Look at {{what}}.", "intent": "Look at the kettle.",
        "instantiation_dict": {"what": "the kettle"}, "require_reset": False, "intent_template_id": 3,
    }  # fmt: skip
    return {**base, **changes, "eval": {**evaluation, **changes["eval"]}}


def answers(*kinds: str, **wanted: Any) -> dict[str, Any]:
    return {"eval_types": ["string_match", *kinds], "reference_answers": wanted}


def ending(url: str, note: str | None = None) -> dict[str, Any]:
    return {"eval_types": ["url_match"], "reference_url": url, "url_note": note}


def program(url: str, locator: str, **required: Any) -> dict[str, Any]:
    target = {"url": url, "locator": locator, "required_contents": required}
    return {"eval_types": ["program_html"], "program_html": [target]}


def say(env: BrowserEnv, answer: str = "done") -> tuple[float, dict[str, Any]]:
    """Answer, and get reward and info."""
    _, reward, terminated, _, info = env.step({"name": "send_msg_to_user", "arguments": {"text": answer}})
    assert terminated is (info["outcome"] is not Outcome.ENV_ERROR)
    return reward, info


def score(required: dict[str, Any], given: Any, *, visual: bool = False, page: bool = False) -> float:
    async def never(question: Question) -> float:
        raise AssertionError(question)

    wanted = Required.model_validate(required)
    found = asyncio.run(findings(wanted, given, never, what="it", visual=visual, page=page, intent=""))
    return min(one.score for one in found)


# Matching, by the published rules


@pytest.mark.parametrize(
    ("required", "given", "expected"),
    [
        ({"exact_match": "Kettle"}, ' "kettle" ', 1),
        ({"exact_match": "Kettle"}, "the kettle", 0),
        ({"exact_match": "N/A"}, "n/a", 1),
        ({"must_include": ["5.49", "375.19"]}, "From $5.49 to $375.19.", 1),
        ({"must_include": ["5.49", "375.19"]}, "From $5.49.", 0),
        ({"must_include": ["5"]}, "15 items", 0),
        ({"must_include": ["5"]}, "It has 5, I think.", 1),
        ({"must_include": ["5", "e"]}, "15 items", 1),
        ({"must_include": ["15"]}, "2015", 1),
        ({"must_include": ["red |OR| blue"]}, "a blue one", 1),
        ({"must_exclude": ["red"]}, "reddish", 1),
        ({"must_exclude": ["red"]}, "a red one", 0),
        ({"must_exclude": ["dark red"]}, "a dark reddish one", 0),
        ({"one_of": ["a week", "7 days"]}, "It takes 7 days.", 1),
        ({"one_of": ["a week", "7 days"]}, "It takes long.", 0),
        ({"required_values": [">= 1000", "< 2000 |OR| == 5000"]}, "1,500", 1),
        ({"required_values": [">= 1000", "< 2000 |OR| == 5000"]}, "5000", 1),
        ({"required_values": ["> 3"]}, "three", 0),
        ({"exact_match": "a b", "must_exclude": ["c"]}, "a b", 1),
    ],
)
def test_an_answer_is_compared_as_webarena_does(required: dict[str, Any], given: str, expected: float) -> None:
    assert score(required, given) == expected


def test_visualwebarena_takes_single_words_as_words() -> None:
    assert score({"must_include": ["15"]}, "2015", visual=True) == 0.0
    assert score({"must_include": ["15"]}, "it is 15.", visual=True) == 1.0
    assert score({"must_include": ["5"]}, "15", page=True) == 1.0, "WebArena looks anywhere in a page"
    assert score({"must_include": ["5"]}, "15", page=True, visual=True) == 0.0
    assert score({"required_values": ["<= 3.5"]}, 3.2, page=True, visual=True) == 1.0


def test_words_are_told_apart() -> None:
    assert tokens("it's $5,000.") == ["it", "'s", "$", "5,000", "."]
    assert tokens("don't pay 5%, e.g. (n/a)") == ["do", "n't", "pay", "5", "%", ",", "e.g.", "(", "n/a", ")"]
    assert clean("'Ann'") == "ann"


@pytest.mark.parametrize(
    ("reference", "note", "url", "visual", "expected"),
    [
        (f"{ROOT}/list?sort=up&page=2", None, f"{ROOT}/list?page=2&sort=up", False, True),
        (f"{ROOT}/list?sort=up", "GOLD in PRED", f"{ROOT}/list/more?page=2&sort=up", False, True),
        (f"{ROOT}/list?sort=up", "GOLD in PRED", f"{ROOT}/list?sort=down", False, False),
        (f"{ROOT}/a |OR| {ROOT}/list", None, f"{ROOT}/list/", False, True),
        (f"{ROOT}/a?x=1 |OR| {ROOT}/b?x=2", None, f"{ROOT}/a?x=2", False, True),
        (f"{ROOT}/list", "EXACT", f"{ROOT}/list?page=2", False, False),
        (f"{ROOT}/list?a=1&b=2", None, f"{ROOT}/list?b=2&a=1", True, False),
        (f"{ROOT}/list/", None, f"{ROOT}/list", True, True),
        (f"{ROOT}/list", "GOLD in PRED", f"{ROOT}/list?b=2&a=1", True, True),
    ],
)
def test_addresses_are_compared_as_each_benchmark_does(
    reference: str, note: str | None, url: str, visual: bool, expected: bool
) -> None:
    assert url_fits(reference, note, url, visual=visual) is expected


# Files


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"eval": {"eval_types": ["string_mach"]}}, "eval.eval_types.0: Input should be 'string_match'"),
        ({"eval": {"eval_types": []}}, "eval.eval_types: List should have at least 1 item"),
        ({"eval": {"eval_types": ["string_match"]}}, "string_match needs reference_answers, which is empty"),
        ({"eval": {"eval_types": ["url_match"]}}, "url_match needs reference_url"),
        ({"eval": {"eval_types": ["page_image_query"]}}, "page_image_query needs page_image_query"),
        ({"eval": answers(must_inclde=["a"])}, "eval.reference_answers.must_inclde: Extra inputs are not permitted"),
        ({"eval": answers()}, "it requires nothing"),
        ({"eval": answers(required_values=["about 3"])}, "'about 3' is no inequality such as '<= 300'"),
        ({"eval": ending(ROOT, "SIMILAR")}, "url_note should be 'EXACT' or 'GOLD in PRED', not 'SIMILAR'"),
        ({"eval": program("last", "$('p')", exact_match="a")}, "eval.program_html.0.locator: a locator is empty or"),
        ({"intent": "", "intent_template": None, "eval": ending(ROOT)}, "intent: String should have at least 1"),
        ({"geolocation": {"latitude": 100, "longitude": 0}, "eval": ending(ROOT)}, "geolocation.latitude: Input"),
    ],
)
def test_a_mistake_names_file_entry_and_place(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = tmp_path / "shop.json"
    path.write_text(json.dumps([entry(6, eval=ending(ROOT)), entry(7, **change)]))
    with pytest.raises(ValueError, match=r"shop.json, entry 1 .task_id 7.: ") as caught:
        FileSource(path)
    assert words in str(caught.value)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('[{"task_id": 1},')
    with pytest.raises(ValueError, match=r"broken.json is no JSON: .* line 1"):
        FileSource(tmp_path)
    (tmp_path / "broken.json").write_text("3")
    with pytest.raises(ValueError, match="should hold an entry or a list of entries, not int"):
        FileSource(tmp_path / "broken.json")
    with pytest.raises(ValueError, match="there is no task file"):
        FileSource(tmp_path / "none.json")
    with pytest.raises(ValueError, match="there is no task in"):
        FileSource([])


def test_one_entry_a_file_and_a_folder_of_files(tmp_path: Path) -> None:
    for number in (10, 2):
        (tmp_path / f"{number}.json").write_text(json.dumps(entry(number, eval=ending(ROOT))))
    assert [one.entry.task_id for one in read_entries(tmp_path)] == [2, 10]
    assert read_entries(tmp_path / "2.json")[0].id == f"{tmp_path.name}/2"
    source = FileSource(str(tmp_path))
    assert [source.draw(seed).entry.task_id for seed in range(3)] == [2, 10, 2]
    (tmp_path / "11.json").write_text(json.dumps(entry(2, eval=ending(ROOT))))
    with pytest.raises(ValueError, match=r"11.json: the task_id 2 is taken by .*2.json"):
        FileSource(tmp_path)


def test_an_intent_comes_from_its_template_and_names_its_pictures() -> None:
    one = entry(intent=None, image=["http://a.test/1.png"], eval=ending(ROOT))
    [filed] = read_entries([one])
    assert filed.entry.goal == "Look at the kettle. (Pictures: http://a.test/1.png)"
    assert filed.entry.visual


def test_places_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHOPPING", "SHOPPING_ADMIN", "REDDIT"):
        monkeypatch.delenv(name, raising=False)
    evaluation = program("__SHOPPING_ADMIN__/orders", "", must_include=["__REDDIT__/f/1"])
    one = entry(start_url="__SHOPPING__/a |AND| __REDDIT__", eval=evaluation)
    with pytest.raises(ValueError, match=r"entry 0 of the list .task_id 1. cannot be begun: __REDDIT__ has no address"):
        FileSource([one], urls={"SHOPPING": ROOT, "SHOPPING_ADMIN": ROOT}).draw(0)
    monkeypatch.setenv("REDDIT", "http://forum.test:99/")
    source = FileSource([one], urls={"__SHOPPING__": ROOT, "shopping_admin": f"{ROOT}/admin"})
    task = source.draw(0)
    assert task.entry.start_urls == [f"{ROOT}/a", "http://forum.test:99"]
    assert task.entry.eval.targets[0].url == f"{ROOT}/admin/orders"
    assert task.entry.eval.targets[0].required_contents.must_include == ["http://forum.test:99/f/1"]
    assert source.addresses() == ({}, ("small.test", "forum.test:99"))


def test_a_beginning_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="'__SHOP__' is no address to begin at"):
        FileSource([entry(start_url="__SHOP__", eval=ending(ROOT))]).draw(0)


@pytest.mark.parametrize(
    ("evaluation", "words"),
    [
        (answers(fuzzy_match=["a week"]), "fuzzy_match of the answer needs a judge: give judge="),
        (answers(fuzzy_match="N/A"), "fuzzy_match of the answer needs a judge"),
        (program("last", "document.title", fuzzy_match="a week"), "fuzzy_match of a page needs a judge"),
        (
            {
                "eval_types": ["page_image_query"],
                "page_image_query": [
                    {"eval_image_url": "last", "eval_image_class": "", "eval_vqa": [{"question": "a", "answer": "b"}]}
                ],
            },
            "page_image_query needs a judge",
        ),
        (
            program("func:shopping_get_latest_order_url()", "", must_include=["a"]),
            "the helper shopping_get_latest_order",
        ),
        (program("last", "func:__import__('os').remove('a')", must_include=["a"]), "is not one call of a helper"),
    ],
)
def test_a_task_that_cannot_be_judged_is_refused_when_drawn(evaluation: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match="cannot be begun") as caught:
        FileSource([entry(eval=evaluation)]).draw(0)
    assert words in str(caught.value)


def test_helpers_are_read_and_never_run() -> None:
    assert read_call("func:get_query_text(__page__, '.price')") == ("get_query_text", ["__page__", ".price"])
    for text in ("func:f(g(1))", "func:f(*[1])", "func:f(a=1)", "func:f", "func:f(1); g(2)", "func:(lambda: 1)()"):
        with pytest.raises(ValueError, match="is not one call of a helper"):
            read_call(text)
    assert post_url("http://a.test/f/books/12/title/-/comment/3") == "http://a.test/f/books/12/"
    assert post_url("http://a.test/user/ann") == "http://a.test/user/ann"


# Episodes


def test_an_answer_ends_the_episode_and_nothing_before_does(small: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([entry(eval=answers(must_include=["25.00"])), entry(2, eval=ending(ROOT))]))
    env = WebEnv(tasks=path, addresses=small)
    observation, info = env.reset(seed=0)
    assert info["task"] == "Look at the kettle."
    assert info["task_id"] == "tasks/1"
    assert "Small shop" in observation
    _, reward, terminated, _, info = env.step(f"goto('{ROOT}/item/5')")
    assert (reward, terminated, info["outcome"]) == (0.0, False, Outcome.RUNNING)
    reward, info = say(env, "It costs $25.00.")
    assert reward == 1.0
    assert info["outcome"] is Outcome.SUCCESS
    env.reset(seed=0)
    reward, info = say(env, "It costs $2.")
    assert (reward, info["outcome"]) == (0.0, Outcome.FAILURE)
    assert info["reason"] == "the answer does not include '25.00'"
    env.reset(seed=1)
    assert say(env)[0] == 1.0, "the episode began where it should end"
    env.close()


def test_infeasible_is_the_answer_na(begin: Callable[..., BrowserEnv]) -> None:
    env = begin(entry(eval=answers(exact_match="N/A")))
    assert env.step("report_infeasible('there is no kettle')")[1] == 1.0
    env.reset(seed=0)
    assert say(env, "N/A")[0] == 1.0
    env.reset(seed=0)
    assert say(env, "there is no kettle")[0] == 0.0


def test_the_address_at_the_end_counts(begin: Callable[..., BrowserEnv]) -> None:
    env = begin(entry(start_url=f"{ROOT}/item/5", eval=ending(f"{ROOT}/list?page=2&sort=up")))
    link = next(one["number"] for one in env.look.elements if one["role"] == "link")
    assert env.step(f"click({link})")[2] is False
    assert say(env)[0] == 1.0
    env.reset(seed=0)
    assert say(env)[1]["reason"] == f"the episode ended at {ROOT}/item/5 instead of {ROOT}/list?page=2&sort=up"


@pytest.mark.parametrize(
    ("locator", "required", "expected"),
    [
        ("document.querySelector('.price').outerText", {"exact_match": "$25.00"}, 1),
        ("document.querySelector('h1').innerHTML", {"exact_match": "Kettle & lid"}, 1),
        ("[...document.querySelectorAll('p')].map((one) => one.outerText).join(' ')", {"must_include": ["sold by"]}, 1),
        ("document.querySelector('.nothing').outerText", {"must_include": ["25"]}, 0),
        ("document.querySelector('.nothing').outerText", {"exact_match": ""}, 1),
        ("document.querySelector('.nothing')", {"exact_match": "None"}, 1),
        ("", {"must_include": ["<title>Item</title>", "nowhere |OR| Kettle & lid"], "must_exclude": ["rust"]}, 1),
        ("func:get_query_text(__page__, '#stock')", {"must_include": ["Ann"], "must_exclude": ["Bob"]}, 1),
        ("func:get_query_text_lowercase(__page__, '#stock')", {"must_include": ["sold BY ann"]}, 1),
        ("func:get_query_text(__page__, '.nothing')", {"exact_match": ""}, 1),
        ("lambda: () => document.querySelectorAll('p').length", {"required_values": ["== 2"]}, 1),
        ("lambda: async () => document.title", {"exact_match": "item"}, 1),
    ],
)
def test_parts_of_the_last_page(
    begin: Callable[..., BrowserEnv], locator: str, required: dict[str, Any], expected: float
) -> None:
    env = begin(entry(start_url=f"{ROOT}/item/5", eval=program("last", locator, **required)))
    reward, info = say(env)
    assert reward == expected, info["reason"]


def test_preparations_run_before_a_locator(begin: Callable[..., BrowserEnv]) -> None:
    evaluation = program("last", "document.querySelector('button').outerText", exact_match="Pressed")
    evaluation["program_html"][0]["prep_actions"] = ["document.querySelector('button').click()"]
    assert say(begin(entry(start_url=f"{ROOT}/item/5", eval=evaluation)))[0] == 1.0


def test_another_page_is_looked_at_without_disturbing_the_episode(begin: Callable[..., BrowserEnv]) -> None:
    wanted = program(f"{ROOT}/orders", "document.querySelector('#orders').outerText", must_include=["lid"])
    env = begin(entry(eval=wanted))
    env.step(f"goto('{ROOT}/order?what=lid')")
    env.step("new_tab()")
    env.step(f"goto('{ROOT}/item/5')")
    before, history = env.look.text, [tab.page.url for tab in env.session.tabs]
    reward, _ = say(env)
    assert reward == 1.0
    assert _Small.asked[-1] in ("/orders", "/favicon.ico")
    assert (env.look.text, [tab.page.url for tab in env.session.tabs], env.session.active) == (before, history, 1)
    assert len(env.session.context.pages) == 2
    env.reset(seed=0)
    _Small.orders.clear()
    assert say(env)[0] == 0.0


def test_kinds_have_to_hold_together(begin: Callable[..., BrowserEnv]) -> None:
    evaluation = {**program("last", "document.title", exact_match="Home"), **answers("program_html", exact_match="a")}
    env = begin(entry(eval=evaluation))
    assert say(env, "a")[0] == 1.0
    env.reset(seed=0)
    assert say(env, "b")[1]["reason"] == "the answer is not 'a'"


def test_several_tabs_to_begin_with(begin: Callable[..., BrowserEnv]) -> None:
    env = begin(entry(start_url=f"{ROOT} |AND| {ROOT}/item/5", eval=ending(f"{ROOT}/item/5")))
    assert [tab.page.url for tab in env.session.tabs] == [f"{ROOT}/", f"{ROOT}/item/5"]
    assert env.look.url == f"{ROOT}/"
    assert env.look.tab == 0
    env.step("tab_focus(1)")
    assert "Kettle" in env.look.text
    assert say(env)[0] == 1.0


def test_logged_in_from_the_start(small: dict[str, Any], tmp_path: Path) -> None:
    cookie = {"name": "user", "value": "ann", "domain": "small.test", "path": "/", "expires": -1, "httpOnly": False}
    cookie |= {"secure": False, "sameSite": "Lax"}
    stored = {"origin": ROOT, "localStorage": [{"name": "seen", "value": 'the "tour"'}]}
    (tmp_path / "state.json").write_text(json.dumps({"cookies": [cookie], "origins": [stored]}))
    one = entry(
        start_url=f"{ROOT}/me", storage_state="./state.json",
        eval=program(f"{ROOT}/me", "document.querySelector('#who').outerText", must_include=["user=ann"]),
    )  # fmt: skip
    (tmp_path / "tasks.json").write_text(json.dumps(one))
    _Small.asked.clear()
    env = WebEnv(tasks=tmp_path / "tasks.json", addresses=small)
    observation, _ = env.reset(seed=0)
    assert 'user=ann the "tour"' in observation
    assert _Small.asked.count("/") == 0, "storing asks the site for nothing"
    assert "no page to go back" in env.step("go_back()")[4]["action_error"]
    assert say(env)[0] == 1.0
    (tmp_path / "state.json").write_text('{"cookies": 3}')
    with pytest.raises(ValueError, match=r"state.json is no storage state of Playwright: cookies"):
        env.reset(seed=0)
    (tmp_path / "state.json").unlink()
    with pytest.raises(ValueError, match=r"storage_state ./state.json is neither beside the task file nor here"):
        env.reset(seed=0)
    env.close()


def test_a_task_can_be_somewhere(begin: Callable[..., BrowserEnv]) -> None:
    at = {"latitude": 40.5, "longitude": -79.9}
    evaluation = program("last", "document.querySelector('#where').outerText", exact_match="40.5")
    assert say(begin(entry(start_url="http://small.localhost/me", geolocation=at, eval=evaluation)))[0] == 1.0


def test_a_judge_reads_what_no_rule_can(begin: Callable[..., BrowserEnv]) -> None:
    asked: list[Question] = []

    def judge(question: Question) -> float:
        asked.append(question)
        return float("seven" in question.answer)

    env = begin(entry(eval=answers(fuzzy_match=["a week"])), judge=judge)
    assert say(env, "seven days")[0] == 1.0
    assert asked == [Question("meaning", "Look at the kettle.", "a week", "seven days")]
    env.reset(seed=0)
    assert say(env, "a month")[1]["outcome"] is Outcome.FAILURE


def test_a_judge_hears_why_a_task_cannot_be_done(begin: Callable[..., BrowserEnv]) -> None:
    evaluation = {**answers(fuzzy_match="N/A"), "string_note": "there are no lids"}
    env = begin(entry(eval=evaluation), judge=lambda question: float(question.reference == "there are no lids"))
    assert say(env, "None has a lid.")[0] == 1.0


def test_a_judge_that_fails_is_no_failure_of_the_agent(begin: Callable[..., BrowserEnv]) -> None:
    def judge(question: Question) -> float:
        raise ConnectionError("no model")

    _, info = say(begin(entry(eval=answers(fuzzy_match=["a week"])), judge=judge), "a week")
    assert info["outcome"] is Outcome.ENV_ERROR
    assert "the judge failed: ConnectionError: no model" in info["reason"]


def test_a_judge_sees_the_pictures_of_a_page(begin: Callable[..., BrowserEnv], tmp_path: Path) -> None:
    asked: list[Question] = []

    def judge(question: Question) -> float:
        asked.append(question)
        return float(question.pictures == (PNG,))

    query = {"eval_image_url": f"{ROOT}/item/5", "eval_image_class": ".photos", "eval_fuzzy_image_match": "kettle.png"}
    query["eval_vqa"] = [{"question": "What is it?", "answer": "a kettle"}]
    env = begin(entry(eval={"eval_types": ["page_image_query"], "page_image_query": [query]}), judge=judge)
    assert say(env)[0] == 1.0
    assert [(one.kind, one.question) for one in asked] == [("picture", "What is it?"), ("same picture", "")]
    assert asked[1].reference == str(Path("kettle.png").resolve())
    query["eval_image_class"] = ".nothing"
    env = begin(entry(eval={"eval_types": ["page_image_query"], "page_image_query": [query]}), judge=judge)
    assert say(env)[1]["reason"] == f"there is no picture at {ROOT}/item/5"
    assert len(asked) == 2


def test_helpers_of_ones_own(begin: Callable[..., BrowserEnv]) -> None:
    def latest(last: str, count: int) -> str:
        return f"{ROOT}/item/5" if last == f"{ROOT}/" and count == 2 else ""

    evaluation = program("func:latest('__last_url__', 2)", "document.title", exact_match="Item")
    env = begin(entry(eval=evaluation), helpers={"latest": latest})
    assert say(env)[0] == 1.0
    env.reset(seed=0)
    env.step(f"goto('{ROOT}/list')")
    assert say(env)[1]["reason"] == "document.title at func:latest('__last_url__', 2) is not 'Item'"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"{ROOT}/broken", "answers with the status 503"),
        ("func:fail()", "the helper fail failed: OSError: no API"),
        ("func:away()", "which is not among the hosts: add it to hosts or addresses"),
    ],
)
def test_what_cannot_be_looked_at_is_no_failure_of_the_agent(
    begin: Callable[..., BrowserEnv], url: str, words: str
) -> None:
    def fail() -> str:
        raise OSError("no API")

    helpers = {"fail": fail, "away": lambda: "http://elsewhere.test/"}
    _, info = say(begin(entry(eval=program(url, "", must_include=["a"])), helpers=helpers))
    assert info["outcome"] is Outcome.ENV_ERROR
    assert words in info["reason"]


def test_a_page_that_is_gone_can_be_what_is_wanted(begin: Callable[..., BrowserEnv]) -> None:
    assert say(begin(entry(eval=program(f"{ROOT}/gone", "", must_include=["404"]))))[0] == 1.0


def test_snapshots_belong_to_their_file(begin: Callable[..., BrowserEnv]) -> None:
    resets: list[int] = []

    def reset() -> None:
        resets.append(len(resets))
        _Small.orders.clear()

    wanted = program(f"{ROOT}/orders", "document.querySelector('#orders').outerText", exact_match="lid")
    env = begin(entry(eval=wanted), entry(2, eval=wanted), reset=reset)
    env.step(f"goto('{ROOT}/order?what=lid')")
    snapshot, key = env.snapshot(), env.state_key()
    env.step(f"goto('{ROOT}/order?what=cup')")
    assert say(env)[0] == 0.0
    env.restore(snapshot)
    assert env.state_key() == key
    assert len(resets) == 2
    assert say(env)[0] == 1.0
    ended = env.snapshot()
    env.restore(ended)
    assert env.restore(ended)[1]["outcome"] is Outcome.SUCCESS
    with pytest.raises(SnapshotError, match="version"):
        begin(entry(eval=ending(ROOT))).restore(snapshot)
