"""What the pages of `selfgym view` say, without a browser."""

from __future__ import annotations

import base64
import contextlib
import sqlite3

import numpy as np
import pytest

from selfgym.agents.screenshots import shown
from selfgym.memory.episode import Step
from selfgym.memory.library import Library
from selfgym.memory.snapshots import snapshots
from selfgym.memory.store import EpisodeNotFoundError, EpisodeStore, NotAStoreError, StoreError
from selfgym.viewer.episode_page import steps
from selfgym.viewer.export import export_page
from selfgym.viewer.links import STEPS
from selfgym.viewer.list_page import SIZE
from selfgym.viewer.pointer import drawn
from selfgym.viewer.routes import NotFound, page_at
from selfgym.viewer.skills import Known
from selfgym.viewer.source import open_source
from selfgym.viewer.tree import goes_on_as, grow, is_spliced

from .records import GROUP, episode, evaluations, make_run, tree


def read(source, address, *more):
    """The page at an address."""
    return page_at([source, *more], address)


def links_of(body):
    return [part.partition('"')[0].replace("&amp;", "&") for part in body.split('href="')[1:]]


def test_the_list_can_be_walked_both_ways_without_losing_or_doubling_one(tmp_path):
    ids = [f"e{number:03}" for number in range(2 * SIZE + 3)]
    with EpisodeStore(tmp_path / "long.db") as store:
        store.append(episode(id, phase="odd" if number % 2 else "even") for number, id in enumerate(ids))
    source = open_source(tmp_path / "long.db")

    def walk(address, rel):
        seen = []
        while address:
            body = read(source, address).body
            seen.append([id for id in ids if f"task of {id}<" in body])
            address = next((link for link in links_of(body) if f'{rel}"' in body and link == way(body, rel)), "")
        return seen

    def way(body, rel):
        before = body.partition(f'rel="{rel}"')[0]
        return links_of(before)[-1] if f'rel="{rel}"' in body else ""

    forward = walk("/0/episodes", "next")
    assert [id for page in forward for id in page] == ids
    backward = walk("/0/episodes?before=99999999", "prev")
    assert [id for page in backward[::-1] for id in page] == ids
    assert [id for page in walk("/0/episodes?phase=odd", "next") for id in page] == ids[1::2]
    source.close()


def test_filters_and_words_narrow_the_list(source):
    body = read(source, "/0/episodes?phase=eval-0&outcome=success").body
    assert "2 of 29 episodes" in body
    assert "<b>" not in body
    body = read(source, "/0/episodes?q=done:fork").body
    assert "3 of 29 episodes" in body, "the two bad paths and the revision"
    assert "No episode matches" in read(source, "/0/episodes?q=done:fork&phase=eval-1").body


def test_an_episode_shows_every_part_of_every_step(source):
    body = read(source, "/0/episode?id=run/sampled").body
    for said in ("a shelf", "I think so.", "go to shelf", "not admitted", "ValueError: no more", "policy 3",
                 "whole context: 3 tokens", "mean log-prob -1.067, least -3.000", "policy error"):  # fmt: skip
        assert said in body, said
    assert 'class="t h0" title="token 7, log-prob -0.001"' in body
    assert 'class="t h5" title="token 8, log-prob -3.000"' in body
    item = next(source.library.items())
    assert f'<a href="/0/item?id={item.id}">Look before you take</a>' in body


def test_a_step_links_what_branched_and_what_it_branched_from(source):
    body = read(source, f"/0/episode?id={GROUP}/0").body
    assert "revision-0: success, after step 2" in body
    assert "2 actions proposed here, value 0.25, visits 4" in body
    body = read(source, "/0/episode?id=run/revision-0/T/0").body
    assert "branches off here" in body
    assert "after its step 2" in body
    assert read(source, "/0/chain?name=run/chain").body.count("task of run/chain/") == 2


def test_a_tree_shares_what_its_paths_share_and_marks_the_splice():
    episodes = tree()
    assert [is_spliced(one) for one in episodes] == [False, False, False, True]
    nodes = grow(episodes)
    mended = ["take cup", "put cup"]
    assert [node.action for node in nodes[1:]] == ["go", "take fork", "wait", "sing", *mended, *mended]
    assert [node.action for node in nodes if node.spliced] == ["", "go", "take fork", *mended]
    [turn] = [node for node in nodes if node.turn]
    assert (turn.action, turn.parent.action, turn.depth) == ("take cup", "take fork", 3)
    assert goes_on_as(episodes[3], episodes).id == f"{GROUP}/2"
    assert len({node.row for node in nodes if not node.children}) == 4, "no two leaves are drawn on one line"


def test_a_tree_page_says_what_was_spliced(source):
    page = read(source, f"/0/group?name={GROUP}")
    assert page.title == "Tree: put a cup away"
    assert "3 paths, 1 of 3 succeeded" in page.body
    assert "That was wrong." in page.body
    assert page.body.count('class="edge spliced"') == 4
    assert page.body.count('aria-label="step') == 8


def test_deep_trees_are_drawn(tmp_path):
    actions = [f"a{number}" for number in range(1500)]
    deep = [episode(f"g/{at}", [*actions[: 10 * at], f"end {at}"], group="g") for at in range(100)]
    with EpisodeStore(tmp_path / "deep.db") as store:
        store.append(deep)
    source = open_source(tmp_path / "deep.db")
    body = read(source, "/0/group?name=g").body
    assert all(f">end {at}<" in body for at in range(100))
    source.close()


def test_curves_leave_errors_out_and_count_them(source):
    body = read(source, "/0/curves").body
    assert "20.0%" in body
    assert "5.7 to 51.0%" in body, "Wilson of 2 in 10"
    assert "6 of 10" in body
    assert '<td class="num">1</td>' in body


def test_two_phases_are_paired_by_task(source):
    body = read(source, "/0/compare?left=0/3/runeval-0&right=0/3/runeval-1").body
    assert "11 tasks are in both: 4 better after, 0 worse, 6 alike, 1 lost to errors." in body
    assert "+40.0 points" in body
    assert body.index(">better<") < body.index(">same<")


def test_two_files_are_paired(source, tmp_path):
    with EpisodeStore(tmp_path / "other.db") as store:
        store.append(evaluations("other", (9,)))
    other = open_source(tmp_path / "other.db")
    body = read(source, "/0/compare?left=0/3/runeval-1&right=1/5/othereval-0", other).body
    assert "+30.0 points" in body
    assert "/1/episode?id=other%2Feval-0%2F7" in body
    other.close()


def test_nothing_in_common_is_said(source):
    body = read(source, "/0/compare?left=0/3/runchain-0&right=0/3/runeval-0").body
    assert "no scored task in common" in body


def test_memory_shows_worth_and_history(source):
    body = read(source, "/0/items").body
    assert "2 items" in body
    assert "+0.50 ±" in body
    item = next(source.library.items())
    body = read(source, f"/0/item?id={item.id}").body
    for said in ("Look around first.", "it helped", "trial: to be tried", "proposed", "withheld", "symbolic"):
        assert said in body, said
    assert "from +1.00 to +0.50" in body


def test_snapshots_side_by_side(source):
    old, new = snapshots(source.library)
    body = read(source, f"/0/snapshots?left={old}&right={new}").body
    assert "1 added, 0 removed, 0 in another status." in body
    assert "Doors are opened first" in body
    assert "0.25" in body
    assert "0.75" in body


def test_a_long_episode_comes_in_parts(tmp_path):
    long = episode("long", [f"act {number}." for number in range(STEPS + 5)])
    wordy = episode("wordy", steps=(Step(observation="w" * 30_000, action="read"),))
    with EpisodeStore(tmp_path / "long.db") as store:
        store.append([long, wordy])
    source = open_source(tmp_path / "long.db")
    first, second = (read(source, f"/0/episode?id=long&part={part}").body for part in (0, 1))
    assert "act 0." in first
    assert "act 204." not in first
    assert "act 204." in second
    assert "the end" in second
    assert "10,000 characters more" in read(source, "/0/episode?id=wordy").body
    [whole] = [link for link in links_of(read(source, "/0/episode?id=wordy").body) if "whole" in link]
    assert "w" * 30_000 in read(source, whole).body
    assert "whole=1" not in first
    source.close()


def test_a_desktop_is_drawn_from_its_words():
    seen = 'desktop frame "Desktop" at 640,360 size 1280x720\npush button "Files" at 27,704 size 47x24'
    picture = drawn(Step(observation=seen, action="click(27, 704)"), {})
    assert "click at 27,704" in picture
    assert 'viewBox="0 0 1280 720"' in picture
    assert picture.count('class="ring"') == 1
    dragged = drawn(Step(observation=seen, action="drag(1, 2, 30, 40)"), {})
    assert dragged.count('class="ring"') == 2
    assert drawn(Step(observation="a room with a click(1, 2)", action="click(1, 2)"), {}) is None
    assert 'class="ring"' not in drawn(Step(observation=seen, action="go north"), {})


def test_a_damaged_episode_does_not_hide_the_others(tmp_path):
    with EpisodeStore(tmp_path / "odd.db") as store:
        store.append([episode("one"), episode("two")])
    with contextlib.closing(sqlite3.connect(tmp_path / "odd.db")) as connection, connection:
        [row] = connection.execute("SELECT * FROM episodes WHERE seq = 2")
        connection.execute(f"INSERT INTO episodes VALUES ({', '.join('?' * len(row))})", (3, "odd", *row[2:-1], b"x"))
    source = open_source(tmp_path / "odd.db")
    assert source.index.grow() == 0
    body = read(source, "/0/episodes?q=look").body
    assert "task of one" in body
    assert "task of two" in body
    assert "1 episodes of this page are damaged" in read(source, "/0/episodes").body
    with pytest.raises(StoreError, match="'odd' is damaged"):
        read(source, "/0/episode?id=odd")
    source.close()


def test_an_item_names_the_episodes_it_was_shown_in(source):
    item = next(source.library.items())
    body = read(source, f"/0/item?id={item.id}").body
    assert "Episodes of this file that were shown it" in body
    assert "task of run/sampled" in body.partition("that were shown it")[2]


def test_the_other_tries_at_a_task_are_one_link_away(source):
    body = read(source, "/0/episode?id=run/eval-0/3").body
    assert '"/0/episodes?task_id=task-3"' in body
    assert "2 of 29 episodes" in read(source, "/0/episodes?task_id=task-3").body


def test_what_is_not_there_is_said(source, tmp_path):
    with pytest.raises(EpisodeNotFoundError, match="no episode 'nobody'"):
        read(source, "/0/episode?id=nobody")
    for address in ("/0/nothing", "/7/episodes", "/x", "/0/group?name=none", "/0/chain?name=none"):
        with pytest.raises(NotFound):
            read(source, address)
    with pytest.raises(NotAStoreError, match="Did you mean"):
        open_source(source.store.path.parent.parent / "rum")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotAStoreError, match="no episodes"):
        open_source(tmp_path / "empty")


def test_a_store_without_episodes_or_items_has_pages(tmp_path):
    EpisodeStore(tmp_path / "new.db").close()
    source = open_source(tmp_path / "new.db")
    assert "No episode matches" in read(source, "/0/episodes").body
    assert "No evaluations" in read(source, "/0/curves").body
    assert read(source, "/0/compare").title == "Side by side"
    with pytest.raises(NotFound, match="no memory items"):
        read(source, "/0/items")
    source.close()


def test_a_run_that_still_grows_is_followed(tmp_path):
    folder = make_run(tmp_path / "run")
    source = open_source(folder)
    while source.index.grow():
        pass
    with EpisodeStore(folder / "episodes.db") as store, Library(folder / "episodes.db"):
        store.append([episode("late", ("whistle",))])
        assert "30 of 30 episodes" in read(source, "/0/episodes").body
        assert "No episode matches" in read(source, "/0/episodes?q=whistle").body
        assert "29 of 30: reload to find more" in read(source, "/0/episodes?q=whistle").body
        assert source.index.grow() == 0
        assert "1 of 30 episodes" in read(source, "/0/episodes?q=whistle").body
    source.close()


def test_an_export_says_what_of_a_group_it_has_no_room_for(source, tmp_path):
    export_page([source], tmp_path / "few.html", limit=3, filters={})
    assert "2 further episodes of the group are left out." in (tmp_path / "few.html").read_text(encoding="utf-8")
    export_page([source], tmp_path / "all.html", limit=99, filters={})
    assert "of the group are left out" not in (tmp_path / "all.html").read_text(encoding="utf-8")


def test_a_kept_screenshot_is_shown_with_the_pointer():
    png = shown(np.zeros((20, 30, 3), np.uint8))["screenshot"]
    step = Step(observation="[3] button", action="click([3])", info={"screenshot": png, "pointer": [4, 5]})
    picture = drawn(step, {})
    assert f'<image href="data:image/png;base64,{png}" width="30" height="20">' in picture
    assert "Screenshot, 30 by 20; pointer at 4,5" in picture
    assert 'class="ring"' in picture
    told = steps(
        episode("shot", steps=(Step(observation="x", action="y", info={"screenshot": png, "odd": 1}),)), None, Known()
    )
    assert told.count(png) == 1
    assert "odd" in told


@pytest.mark.parametrize(
    "kept",
    [
        7, ["x"], "", "no base64", '" onload="alert(1)', base64.b64encode(b"<svg onload=alert(1)>" * 9).decode(),
        base64.b64encode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\xff" * 20).decode(),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_not_shown_as_one(kept):
    assert drawn(Step(observation="x", action="click(1, 2)", info={"screenshot": kept, "pointer": "here"}), {}) is None
