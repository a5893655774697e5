"""Full-text search over a store, kept beside it."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Step
from selfgym.memory.search_index import EpisodeIndex
from selfgym.memory.store import EpisodeStore, StoreError

GROUP = ("run/tree-0/T/0", "run/tree-0/T/1", "run/tree-0/T/2", "run/revision-0/T/0")


def episode(id, actions, **fields):
    steps = [Step(observation=f"place {number}", action=action) for number, action in enumerate(actions)]
    standard = {"id": id, "env": "E", "task": f"task of {id}", "steps": steps, "outcome": Outcome.SUCCESS}
    return Episode(**{**standard, **fields})


def group():
    """Three paths of a tree and a revision of the first."""
    task = {"task": "put a cup away", "phase": "tree-0"}
    turn = Step(observation="a fork", action="take cup", thought="That was wrong.")
    return [
        episode(GROUP[0], ("go", "take fork", "wait"), **task),
        episode(GROUP[1], ("go", "take fork", "sing"), parent=GROUP[0], branch_step=2, **task),
        episode(GROUP[2], ("go", "take cup", "put cup"), parent=GROUP[1], branch_step=1, **task),
        episode(GROUP[3], (), steps=[Step(observation="x", action="take fork"), turn], parent=GROUP[0], branch_step=2,
                task="put a cup away", phase="revision-0"),
    ]  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with EpisodeStore(tmp_path / "episodes.db") as made:
        made.append([*group(), *(episode(f"e{number}", ("look",)) for number in range(22))])
    with EpisodeStore(tmp_path / "episodes.db", readonly=True) as found:
        yield found


def built(store):
    index = EpisodeIndex(store)
    while index.grow():
        pass
    return index


def ids(index, query, **filters):
    return [id for _, id in index.find(query, filters, limit=100)]


def test_words_are_found_where_they_stand(store):
    index = built(store)
    assert ids(index, "done:fork") == [GROUP[0], GROUP[1], GROUP[3]]
    assert ids(index, "seen:fork") == [GROUP[3]]
    assert ids(index, "fork") == [GROUP[0], GROUP[1], GROUP[3]]
    assert ids(index, '"take cup"') == [GROUP[2], GROUP[3]]
    assert ids(index, '"cup take"') == []
    assert ids(index, "putting cups away") == [*GROUP], "words are compared by their stems"
    assert ids(index, "fork sing") == [GROUP[1]], "all words must be there"
    assert ids(index, "wrong", phase="revision-0") == [GROUP[3]], "thoughts are searched with the actions"
    assert ids(index, "wrong", phase="tree-0") == []
    index.close()


def test_pages_follow_on_one_another_both_ways(store):
    index = built(store)
    every = index.find("task", {}, limit=100)
    assert len(every) == 22
    walked, last = [], 0
    while page := index.find("task", {}, after=last, limit=5):
        walked, last = [*walked, *page], page[-1][0]
    assert walked == every
    assert index.find("task", {}, before=every[10][0], limit=5) == every[5:10][::-1]
    assert index.count("task", {}, most=100) == 22
    assert index.count("task", {}, most=10) == 10
    index.close()


@pytest.mark.parametrize(
    "query",
    ["", '"', "*", "- ^", "NEAR(cup fork)", "done:*", "\0", "AND OR NOT", 'a"b"c', "()", "words:fork"],
)
def test_nothing_in_a_query_is_an_operator(store, query):
    index = built(store)
    assert ids(index, query) == []
    assert index.count(query, {}, most=9) == 0
    index.close()


def test_what_comes_later_is_indexed_once(store, tmp_path):
    built(store).close()
    with EpisodeStore(tmp_path / "episodes.db") as writer:
        writer.append([episode("late", ("whistle",))])
    index = EpisodeIndex(store)
    assert index.left() == 1
    assert ids(index, "whistle") == []
    assert index.grow() == 0
    assert ids(index, "whistle") == ["late"]
    assert index.count("fork", {}, most=9) == 3, "what was indexed before was not indexed again"
    index.close()


def test_an_index_of_another_file_is_made_anew(tmp_path):
    path = tmp_path / "episodes.db"
    for word in ("whistle", "hum"):
        path.unlink(missing_ok=True)
        with EpisodeStore(path) as store:
            store.append([episode("one", (word,))])
        with EpisodeStore(path, readonly=True) as store:
            index = built(store)
            assert ids(index, word) == ["one"]
            assert index.count("one", {}, most=5) == 1
            index.close()


def test_several_at_once_index_nothing_twice(tmp_path):
    with EpisodeStore(tmp_path / "episodes.db") as store:
        store.append(episode(f"e{number}", ("sing",)) for number in range(450))
    with EpisodeStore(tmp_path / "episodes.db", readonly=True) as store:
        indexes = [EpisodeIndex(store) for _ in range(3)]
        with ThreadPoolExecutor() as pool:
            for future in [pool.submit(lambda index=index: [None for _ in iter(index.grow, 0)]) for index in indexes]:
                future.result()
        assert ids(indexes[0], "sing")[:2] == ["e0", "e1"]
        assert indexes[1].count("sing", {}, most=1000) == 450
        for index in indexes:
            index.close()


def test_one_that_was_overtaken_takes_nothing_back(tmp_path, monkeypatch):
    with EpisodeStore(tmp_path / "episodes.db") as store:
        store.append(episode(f"e{number}", ("sing",)) for number in range(450))
    with EpisodeStore(tmp_path / "episodes.db", readonly=True) as store:
        slow, quick = EpisodeIndex(store), EpisodeIndex(store)
        read = store.get

        def overtaken(id):
            monkeypatch.setattr(store, "get", read)
            quick.grow()
            left.append(quick.grow())
            return read(id)

        left = []
        monkeypatch.setattr(store, "get", overtaken)
        assert slow.grow() == left[0] == 250
        slow.close()
        quick.close()


def test_who_refers_to_whom(store):
    index = built(store)
    assert index.referring("parent", "run/tree-0/T/0", limit=9) == ["run/tree-0/T/1", "run/revision-0/T/0"]
    assert index.referring("chain", "none", limit=9) == []
    index.close()


def test_another_file_in_its_place_is_left_alone(store, tmp_path):
    beside = tmp_path / "episodes.db.search"
    beside.write_text("my notes, which are long enough to be no empty database at all\n" * 20)
    with pytest.raises(StoreError, match="in the way of a search index"):
        EpisodeIndex(store)
    assert beside.read_text().startswith("my notes")
    beside.unlink()
    connection = sqlite3.connect(beside)
    connection.execute("CREATE TABLE words (mine TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="another SQLite file"):
        EpisodeIndex(store)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_where_nothing_can_be_written_the_index_is_temporary(store, tmp_path):
    os.chmod(tmp_path, 0o555)
    try:
        index = built(store)
        assert ids(index, "sing") == ["run/tree-0/T/1"]
        assert index.path.parent != tmp_path
        index.close()
        assert not index.path.exists()
    finally:
        os.chmod(tmp_path, 0o755)


def test_where_its_place_is_taken_by_a_folder_the_index_is_temporary(store, tmp_path):
    (tmp_path / "episodes.db.search").mkdir()
    index = built(store)
    assert ids(index, "sing") == ["run/tree-0/T/1"]
    index.close()
    assert not index.path.exists()
