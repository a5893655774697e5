"""What a model, a page or an import may have written is shown, and does nothing."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import zlib
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from selfgym.memory.episode import Step
from selfgym.memory.store import EpisodeStore, StoreError
from selfgym.viewer.export import export_page
from selfgym.viewer.html import tag, text, words
from selfgym.viewer.layout import dressed
from selfgym.viewer.routes import page_at, places
from selfgym.viewer.source import open_source

from .records import episode

ATTACKS = (
    "<script>document.title='caught'</script>", "\"><img src=x onerror=\"document.title='caught'\">",
    "' onmouseover='document.title=1' x='", "</pre></main></body></html><h1>caught", "javascript:alert(1)",
    "</title><svg/onload=alert(1)>", "<!--", "&lt;b&gt;&#60;script&#62;", "<style>*{display:none}</style>",
    "]]><a href='javascript:alert(1)'>x</a>", "{{7*7}}${7*7}", "\x00\x08\x1b[31m",
    "\u202egpj.exe\u2066\u2069\u200b\ufeff",
    "w" * 5000, "\u0301" * 300,
)  # fmt: skip
ALL = "\n".join(ATTACKS)
ALLOWED = """
html head meta title link style script body a header p span nav ul ol li main h1 h2 h3 form label input select option
div button table caption thead tbody tr th td aside dl dt dd code q section pre strong details summary figure figcaption
svg path circle rect g text line polyline polygon
"""


class Reading(HTMLParser):
    """Every element and attribute of a page, with its text; well-formedness is asserted."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text, self._open = [], [], "", []
        self.feed(html)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "link", "input", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A store in which every text that can be hostile is."""
    path = tmp_path_factory.mktemp("hostile") / f"{'x' * 20}<img src=x>.db"
    step = Step(
        observation=ALL, action=ALL, thought=ALL, valid=False, state_key=ALL, response_ids=(1, 2**40, 3),
        logprobs=(-1.0, -1e300, 0.0), prompt_ids=(-5,),
        info={ALL: ALL, "proposed": [[ALL, 1.0], [2, "x"], ["b", 2]], "skill": ALL, "call": ALL,
              "asides": [[ALL, ALL], [1, 2], ALL, 3]},
    )  # fmt: skip
    writes = step.model_copy(
        update={
            "valid": True,
            "action": f"def {'w' * 300}():\n    '''{ALL[:900]}'''\n    x = 1",
            "thought": f"skill heat(thing): {ALL[:200]} {{thing}}",
            "info": {"skill": [ALL]},
        }
    )
    one = episode(
        ALL, task=ALL, task_id=ALL, agent=ALL, policy=ALL, run=ALL, phase=ALL, group=ALL, chain=ALL, role=ALL,
        items=(ALL,), steps=(step, step, writes), env=ALL, env_version=ALL, env_options={ALL: ALL}, error=ALL,
        parent=ALL, branch_step=1, final_observation=ALL, created=9e99, seed=-(2**62),
        info={ALL: [ALL], "brought": {ALL: {"source": ALL, "episode": ALL}, "b": 7}, "used": ALL},
    )  # fmt: skip
    other = one.model_copy(
        update={"id": ALL + "2", "phase": "eval-1", "chain_position": 1, "info": {"brought": [ALL, [ALL], 3]}}
    )
    with EpisodeStore(path) as store:
        store.append([one, other])
    source = open_source(path)
    while source.index.grow():
        pass
    yield source
    source.close()


ADDRESSES = ("episodes", "episode", "group", "chain", "curves", "compare")


@pytest.mark.parametrize("place", ADDRESSES)
def test_no_text_becomes_markup(hostile, place):
    sides = f"0/{len(ALL)}/{ALL}{ALL}", f"0/{len(ALL)}/{ALL}eval-1"
    query = {"id": ALL, "name": ALL, "q": ALL if place == "episodes" else "", "left": sides[0], "right": sides[1]}
    if place == "episodes":
        query = {"phase": ALL}
    page = page_at([hostile], f"/0/{place}?{urlencode(query)}")
    html = dressed(page, places([hostile], 0), hostile.name)
    html.encode("utf-8")
    read = Reading(html)
    assert set(read.tags) <= {*ALLOWED.split()}
    assert read.tags.count("script") == 1
    for name, attribute, value in read.attributes:
        assert not attribute.startswith("on"), (name, attribute)
        assert attribute != "style"
        if attribute in ("href", "src", "action"):
            assert value.startswith(("/", "#", "?")), value
            assert not value.startswith("//")
    assert "<script>document.title='caught'</script>" in read.text, "it is shown as it was written"
    assert not re.search("[\x00\x08\x1b\u202e\u2066\u200b\ufeff]", html)
    assert "U+202E" in read.text
    assert "U+0000" in read.text


def test_the_search_for_hostile_words_finds_them(hostile):
    assert page_at([hostile], "/0/episodes?q=gpj").body.count("<tr>") == 3
    page = page_at([hostile], f"/0/episodes?{urlencode({'q': ALL})}")
    assert "No episode matches" in page.body or "<tr>" in page.body
    Reading(dressed(page, [], "x"))


def test_an_exported_page_is_as_safe(hostile, tmp_path):
    export_page([hostile], tmp_path / "page.html", limit=5, filters={})
    read = Reading((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert set(read.tags) <= {*ALLOWED.split()}
    assert read.tags.count("script") == 1
    assert not [value for _, name, value in read.attributes if name in ("href", "src") and not value.startswith("#")]
    [policy] = [value for _, name, value in read.attributes if name == "content" and "default-src" in value]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_half_a_surrogate_in_a_file_is_damage(tmp_path):
    """selfgym never writes one; somebody else's program can."""
    with EpisodeStore(tmp_path / "odd.db") as store:
        store.append([episode("odd")])
        [(sound,)] = store.rows("SELECT body FROM episodes")
    body = json.loads(zlib.decompress(sound)) | {"id": "odd2", "info": {"a": "\ud800"}}
    with contextlib.closing(sqlite3.connect(tmp_path / "odd.db")) as connection, connection:
        [row] = connection.execute("SELECT * FROM episodes")
        made = (2, "odd2", *row[2:-1], zlib.compress(json.dumps(body).encode()))
        connection.execute(f"INSERT INTO episodes VALUES ({', '.join('?' * len(row))})", made)
    source = open_source(tmp_path / "odd.db")
    with pytest.raises(StoreError, match="damaged"):
        page_at([source], "/0/episode?id=odd2")
    source.close()


def test_unseen_characters_are_told_in_text_and_in_attributes():
    assert text("a\ud800b") == 'a<span class="odd">U+D800</span>b'
    assert text("line\r\nline\rx") == 'line\nline<span class="odd">U+000D</span>x'
    assert words("a\u202eb") == "a[U+202E]b"
    assert tag("a", "x", title='"\u200b<') == '<a title="&quot;[U+200B]&lt;">x</a>'
    assert text("naïve 日本語 🙂 ok") == "naïve 日本語 🙂 ok"
