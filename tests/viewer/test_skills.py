"""Skills and memory items in episodes: what a chain takes along, and what lies in another file."""

from __future__ import annotations

import pytest

from selfgym.agents.skill_writing import skills_in
from selfgym.memory.episode import Step
from selfgym.memory.item import Item
from selfgym.memory.library import Library
from selfgym.memory.store import EpisodeStore
from selfgym.viewer.export import export_page
from selfgym.viewer.routes import files, page_at
from selfgym.viewer.skills import MOST, known_in
from selfgym.viewer.source import memories_beside, open_source

from .records import HEAT, TIDY, chained, episode


def test_what_was_brought_written_and_called_is_read_off_the_record():
    first, second, thought, called = (known_in(one, ()) for one in chained())
    [tidy] = first.cards
    assert (tidy.name, tidy.body, tidy.written, tidy.called, tidy.brought) == ("tidy", TIDY, 1, [2], False)
    old, new = second.cards
    assert (old.origin, old.brought, old.called) == ("run/apps/0", True, [1])
    assert (new.name, new.written, new.called) == ("tidy", 2, [2]), "a name means what was written last"
    assert second.deeds == {1: [("calls", 0)], 2: [("writes", 1), ("calls", 1)]}
    assert [(card.name, card.body, card.written) for card in thought.cards] == [("heat", HEAT, 1)]
    [heat] = called.cards
    assert (heat.brought, heat.called, heat.item) == (True, [1], skills_in(HEAT)["heat"].id)
    assert called.deeds == {1: [("calls", 0)], 2: [("by", 0)]}


def test_older_records_and_other_episodes_with_code():
    code = (Step(observation="", action=TIDY), Step(observation="", action="tidy(1)"))
    assert known_in(episode("e", steps=code), ()).cards == []
    old = known_in(episode("e", steps=code[1:], info={"brought": ["tidy"], "used": ["tidy"]}), ())
    assert [(card.name, card.body, card.called) for card in old.cards] == [("tidy", "", [1])]


@pytest.mark.parametrize("noted", [7, "tidy", None, {"a": 1, "b": {"source": 3}}, [[1], None]])
def test_what_others_noted_under_the_same_names_is_no_trouble(noted):
    odd = [{"skill": [1], "call": 2, "asides": 3}, {"skill": "", "asides": [1, ["a"], ["a", 2], {}]}]
    steps = tuple(Step(observation="", action="(" * 300, info=info) for info in odd)
    found = known_in(episode("e", steps=steps, info={"brought": noted}), ())
    assert len(found.cards) == (len(noted) if isinstance(noted, dict | list) else 0)
    assert not found.deeds


def test_not_more_cards_than_anybody_reads():
    many = "\n".join(f"def f{number}():\n    x = {number}\n    return x" for number in range(3 * MOST))
    found = known_in(episode("e", steps=(Step(observation="", action=many),), info={"brought": {}}), ())
    assert len(found.cards) == MOST


def test_the_page_of_a_chained_episode_links_skills_steps_and_places(remembering):
    body = page_at(remembering, "/0/episode?id=run/apps/1").body
    for said in (
        'written at <a href="/0/episode?id=run%2Fapps%2F0">place 1 of the chain</a>',
        'called at step <a href="/0/episode?id=run%2Fapps%2F1#step-1">1</a>',
        '<a href="#card-1" class="badge turn">calls tidy</a>',
        '<a href="#card-2" class="badge good">writes tidy</a>',
        'aria-label="place 1"', "apis.mail.search(day=day)",
    ):  # fmt: skip
        assert said in body, said
    assert "Kept beside" not in body
    body = page_at(remembering, "/0/episode?id=run/rooms/1").body
    assert '<a href="#card-1" class="badge">by heat</a>' in body
    assert "call heat(thing=&quot;egg 1&quot;)" in body
    assert "not in the files" not in body
    body = page_at(remembering, "/0/chain?name=run/apps").body
    assert '1. <a href="/0/episode?id=run%2Fapps%2F0">' in body
    assert body.index("run%2Fapps%2F0") < body.index("run%2Fapps%2F1")
    assert body.count('<code class="name">tidy</code>') == 5


def test_items_are_found_in_the_file_that_has_them(remembering):
    run, memory = remembering
    body = page_at(remembering, "/0/episode?id=run/sampled").body
    titles = [item.title for item in memory.library.items()]
    ids = [item.id for item in memory.library.items()]
    for title, id in zip(titles, ids, strict=True):
        assert f'<a href="/1/item?id={id}">{title}</a>' in body
    assert body.count("What it says is not in the files that are open here.") == 1
    assert body.count('called at step <a href="/0/episode?id=run%2Fsampled#step-1">1</a>') == 2
    assert "calls Cool a thing" in body
    assert "calls Where things are" in body
    for said in ("Asked", "Heard", "where answers: &quot;here&quot;", "by Cool a thing"):
        assert said in body, said
    back = page_at(remembering, f"/1/item?id={ids[0]}").body
    assert "Episodes of remembering that were shown it" in back
    assert back.count('href="/0/episode?id=run%2Fsampled"') == 2, "where it was learned, and where it was shown"
    assert "Look--0" not in "".join(part.partition('"')[0] for part in back.split('href="')), "no file has that one"
    alone = page_at([run], "/0/episode?id=run/sampled").body
    assert "/item?id=" not in alone
    assert alone.count("What it says is not in the files that are open here.") == 4


def test_an_item_says_what_it_will(tmp_path):
    bad = "</pre></li><img src=x onerror=alert(1)>\" ' <!--"
    with Library(tmp_path / "mine.db") as library, EpisodeStore(tmp_path / "mine.db") as store:
        id = library.propose(Item(kind="insight", title=bad, when=bad, body=bad))
        store.append([episode("e", items=(id,))])
    source = open_source(tmp_path)
    export_page([source], tmp_path / "page.html", limit=1, filters={})
    for body in (page_at([source], "/0/episode?id=e").body, (tmp_path / "page.html").read_text(encoding="utf-8")):
        assert body.count("&lt;/pre&gt;&lt;/li&gt;&lt;img src=x onerror=alert(1)&gt;&quot; &#x27; &lt;!--") >= 3
        assert "<img" not in body
        assert "<!--" not in body
    source.close()


def test_a_memory_without_episodes_begins_with_its_items(remembering):
    assert [address for _, address, _ in files(remembering, 0)] == ["/0/episodes", "/1/items"]
    assert page_at([remembering[1]], "/").moved_to == "/0/items"


def test_memories_in_the_folder_of_a_run_are_found(remembering_folder, tmp_path):
    assert [path.name for path in memories_beside(remembering_folder)] == ["memory-house.db"]
    assert memories_beside(remembering_folder / "episodes.db") == []
    EpisodeStore(tmp_path / "mine.db").close()
    Library(tmp_path / "memory.db").close()
    (tmp_path / "memory-2.db").write_text("no store")
    EpisodeStore(tmp_path / "memory-3.db").close()
    source = open_source(tmp_path)
    assert source.name == "mine"
    source.close()
    assert [path.name for path in memories_beside(tmp_path)] == ["memory.db"]


def test_an_export_has_the_items_that_its_episodes_were_shown(remembering, tmp_path):
    run, memory = remembering
    page = tmp_path / "page.html"
    export_page(remembering, page, limit=9, filters={})
    body = page.read_text(encoding="utf-8")
    [first, *_] = memory.library.items()
    assert f'<a href="#i0">{first.title}</a>' in body
    assert 'id="i0"' in body
    assert "Episodes of this file that were shown it" in body
    assert 'written at <a href="#e0">place 1 of the chain</a>' in body
    assert '<a href="#e1-card-1" class="badge turn">calls tidy</a>' in body
    assert body.count('id="e1-card-1"') == 1
    export_page([run], page, limit=9, filters={})
    assert 'href="#i' not in page.read_text(encoding="utf-8"), "without the memory no link to its items"
