"""The library: nothing is changed or lost, whoever writes and whoever dies; what is derived cannot drift."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from selfgym.memory.item import Check, Code, Item, Origin
from selfgym.memory.library import ItemNotFoundError, Library, LibraryError, Status
from selfgym.memory.snapshots import difference, rollback, score, scores, snapshot, snapshots, standing_on, take
from selfgym.memory.store import EpisodeStore, NotAStoreError

from .test_store import make_episode


def tip(number=0, **fields):
    return Item(**({"kind": "insight", "title": f"Tip {number}", "body": f"Look behind door {number}."} | fields))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "memory.db"


def admit(library, *items, status=Status.ACTIVE):
    for item in items:
        library.propose(item)
        library.move(item.id, status, "for the test")
    return [item.id for item in items]


def test_an_item_comes_back_as_it_was_proposed(path):
    items = [tip(n, origin=Origin(run="r", episodes=(f"e{n}",))) for n in range(5)]
    with Library(path) as library:
        for item in items:
            library.propose(item, why="seen")
    with Library(path, readonly=True) as library:
        assert list(library.items()) == items
        assert library.get(items[2].id[:9]) == items[2]
        assert len(library) == 5
        assert library.standing(items[0].id).status is Status.CANDIDATE
        with pytest.raises(LibraryError, match="readonly=True"):
            library.propose(tip(9))
        with pytest.raises(ItemNotFoundError, match="no item 'ffff'"):
            library.get("ffff")
        with pytest.raises(ItemNotFoundError):
            library.get("")


def test_it_lives_beside_the_episodes(path):
    with EpisodeStore(path) as store, Library(path) as library:  # the store's writer is at work meanwhile
        store.append([make_episode(1)])
        library.propose(tip())
        store.append([make_episode(2)])
        assert (len(store), len(library)) == (2, 1)
    with EpisodeStore(path) as store:
        assert len(store) == 2


def test_the_same_item_again_gains_an_origin_and_nothing_else(library):
    library.propose(tip(origin=Origin(run="one")))
    library.propose(tip(origin=Origin(run="two")), why="again")
    assert len(library) == 1
    assert library.get(tip().id).origin.run == "one"
    notes = [event.note for event in library.events(tip().id, what="proposed")]
    assert ['"run": "one"' in notes[0], '"run": "two"' in notes[1], '"why": "again"' in notes[1]] == [True] * 3


def test_what_belongs_elsewhere_is_refused(library):
    with pytest.raises(LibraryError, match="learns from 'train' tasks; the item comes from 'test'"):
        library.propose(tip(origin=Origin(split="test")))
    with pytest.raises(LibraryError, match="refers to 0123456789abcdef"):
        library.propose(tip(origin=Origin(parents=("0123456789abcdef",))))
    check = Check(rung="unit", source="pass")
    code = Code(runtime="actions", entry="f", source="look", requires=("0123456789abcdef",))
    with pytest.raises(LibraryError, match="refers to 0123456789abcdef"):
        library.propose(Item(kind="skill", title="f", code=code, checks=(check,)))
    assert len(library) == 0
    assert library.events() == []


def test_a_status_moves_along_the_known_ways_only(library):
    [id] = admit(library, tip())
    library.move(id, Status.RETIRED, "no use")
    with pytest.raises(LibraryError, match="is retired: it can become trial, quarantined, not active"):
        library.move(id, Status.ACTIVE, "please")
    library.move(id, Status.RETIRED, "twice is nothing")
    assert [event.note for event in library.events(id, what="status")] == ["active: for the test", "retired: no use"]
    with pytest.raises(ItemNotFoundError):
        library.move("f" * 16, Status.TRIAL, "")


def test_credit_is_summed_by_exposure(library):
    [id, other] = admit(library, tip(1), tip(2))
    for number, (what, reward) in enumerate([("shown", 1.0), ("shown", 0.0), ("withheld", 0.0), ("shown", None)]):
        library.log(id, what, episode=f"e{number}")
        if reward is not None:  # the last episode was lost to an error
            library.log(id, "reward", episode=f"e{number}", value=reward)
    library.log(id, "reward", episode="e0", value=1.0)  # a resumed run says it again
    library.log(id, "shown", episode="e0")
    standing = library.standing(id)
    assert (standing.shown, standing.withheld, standing.shown_closed, standing.withheld_closed) == (3, 1, 2, 1)
    assert standing.uplift == 0.5
    assert library.standing(other).uplift is None


def test_nothing_can_be_changed_or_removed(library, path):
    admit(library, tip())
    take(library)
    outsider = sqlite3.connect(path)
    for statement in (
        "UPDATE items SET title = 'x'", "DELETE FROM items", "UPDATE events SET note = 'x'", "DELETE FROM events",
        "UPDATE snapshots SET items = '[]'", "DELETE FROM snapshots",
        "INSERT OR REPLACE INTO items SELECT 99, id, kind, env, task, split, source, 'x', whn, body, code, doc "
        "FROM items",
        "INSERT OR REPLACE INTO events SELECT seq, at, 'x', episode, what, value, note FROM events",
    ):  # fmt: skip
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            outsider.execute(statement)
    outsider.close()


def test_what_is_derived_can_be_made_anew_and_is_the_same(library):
    ids = admit(library, *(tip(n) for n in range(6)), status=Status.TRIAL)
    library.move(ids[0], Status.RETIRED, "")
    library.move(ids[1], Status.ACTIVE, "")
    library.move(ids[2], Status.QUARANTINED, "")
    library.propose(tip(99))
    for number, id in enumerate(ids):
        library.log(id, "shown" if number % 2 else "withheld", episode="e")
        library.log(id, "reward", episode="e", value=number / 10)
        library.log(id, "used", episode="e")

    def derived():
        return [
            library.rows("SELECT * FROM standing ORDER BY seq"),
            library.rows("SELECT rowid FROM words WHERE words MATCH 'door' ORDER BY rowid"),
            library.rows("SELECT showable FROM library"),
        ]

    before = derived()
    assert [len(before[0]), len(before[1]), before[2]] == [7, 4, [(4,)]]
    library.rebuild()
    assert derived() == before


def test_a_transaction_is_kept_whole_or_not_at_all(library):

    def halfway():
        with library.transaction():
            library.propose(tip(1))
            library.propose(tip(2, origin=Origin(split="test")))

    with pytest.raises(LibraryError, match="comes from 'test'"):
        halfway()
    assert len(library) == 0
    with library.transaction():
        library.propose(tip(1))
        library.move(tip(1).id, Status.TRIAL, "at once")
    assert library.standing(tip(1).id).status is Status.TRIAL


def test_what_is_no_library_is_said_to_be_none(tmp_path):
    with pytest.raises(NotAStoreError, match="there is no store"):
        Library(tmp_path / "none.db", readonly=True)
    (tmp_path / "text.db").write_text("hello, this is not a database at all, by any means\n" * 10)
    with pytest.raises(NotAStoreError, match="not a selfgym store"):
        Library(tmp_path / "text.db")
    EpisodeStore(tmp_path / "episodes.db").close()
    with pytest.raises(LibraryError, match="has no library of items yet"):
        Library(tmp_path / "episodes.db", readonly=True)
    with pytest.raises(LibraryError, match="does not exist"):
        Library(tmp_path / "no" / "where.db")
    with Library(tmp_path / "episodes.db") as library, pytest.raises(ValueError, match="Did you mean 'active'"):
        list(library.items(status="activ"))


def _write(path, name, count):
    with Library(path) as library:
        for number in range(count):
            library.propose(tip(f"{name} {number}"))
            library.log(tip(f"{name} {number}").id, "used", episode=name)


def test_processes_write_at_once_and_nothing_is_lost(path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, name, 150)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    with Library(path) as library:
        assert len(library) == 450
        assert len(library.events(what="used")) == 450
        assert len(library.events(what="proposed")) == 450
        assert sum(library.standing(item.id).used for item in library.items()) == 450


WRITER = """
import sys
from selfgym.memory.item import Item
from selfgym.memory.library import Library, Status
with Library(sys.argv[1]) as library:
    for number in range(int(sys.argv[2]), 1_000_000):
        item = Item(kind="insight", title=f"Tip {number}", body="word " * 60)
        with library.transaction():
            library.propose(item)
            library.move(item.id, Status.TRIAL, "")
            library.log(item.id, "shown", episode="e")
        print(number, flush=True)
"""


def test_kill_minus_nine_loses_nothing_that_was_acknowledged(path):
    acknowledged = -1
    for patience in (1, 3, 40, 120, 7):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), str(acknowledged + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(patience):
                acknowledged = int(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            for line in process.stdout:
                if line.endswith("\n"):
                    acknowledged = int(line)
        with Library(path) as library:
            assert len(library) in (acknowledged + 1, acknowledged + 2)  # it may have died before it could say so
            titles = [item.title for item in library.items(status="trial")]
            assert titles == [f"Tip {n}" for n in range(len(library))]
            assert len(library.events(what="shown")) == len(library)  # none is half written
            assert library.rows("PRAGMA integrity_check") == [("ok",)]
            acknowledged = len(library) - 1


def test_a_fork_must_open_the_library_itself(library):
    pid = os.fork()
    if pid == 0:
        try:
            library.propose(tip())
        except LibraryError as error:
            os._exit(0 if "open it again in this one" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_snapshots_are_a_tree_that_one_can_go_back_in(library):
    one, two = admit(library, tip(1), tip(2))
    first = take(library, why="start")
    assert take(library) == first  # nothing has changed
    library.move(one, Status.RETIRED, "no use")
    [three] = admit(library, tip(3), status=Status.TRIAL)
    second = take(library)
    assert snapshot(library, second).parent == first
    gap = difference(library, first, second)
    assert (gap.added, gap.removed, gap.changed) == ((three,), (one,), ())
    score(library, first, "success", 0.5)
    score(library, first[:8], "success", 0.6)
    assert scores(library, first) == {"success": [0.5, 0.6]}

    changed = rollback(library, first, why="it was better")
    assert (changed.added, changed.removed) == ((one,), (three,))
    assert [library.standing(id).status for id in (one, two, three)] == ["active", "active", "retired"]
    assert standing_on(library) == first
    library.move(two, Status.TRIAL, "doubts")
    assert snapshot(library, take(library)).parent == first
    assert len(snapshots(library)) == 3
    with pytest.raises(ItemNotFoundError):
        rollback(library, "f" * 16, why="")


def test_a_rollback_does_not_bring_back_what_was_quarantined(library):
    good, bad = admit(library, tip(1), tip(2))
    first = take(library)
    library.move(good, Status.RETIRED, "")
    library.move(bad, Status.QUARANTINED, "poison")
    rollback(library, first, why="start again")
    assert [library.standing(id).status for id in (good, bad)] == ["active", "quarantined"]
    library.move(bad, Status.CANDIDATE, "cleared")
    rollback(library, first, why="once more")
    assert library.standing(bad).status is Status.CANDIDATE  # it has to be admitted like any other


def test_how_many_items_have_a_word_is_remembered_only_as_long_as_it_holds(library):
    def counts():
        return library.document_counts(["mug", "zebra"])

    first, second = (Item(kind="insight", title=f"Mug {n}", body="mug") for n in (1, 2))
    for item in (first, second):
        library.propose(item)
    assert counts() == {}
    library.move(first.id, Status.TRIAL, "x")
    assert counts() == {"mug": 1}

    def undone():
        with library.transaction():
            library.move(second.id, Status.TRIAL, "x")
            assert counts() == {"mug": 2}
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        undone()
    assert counts() == {"mug": 1}
    with Library(library.path) as other:
        other.move(second.id, Status.TRIAL, "x")
    assert counts() == {"mug": 2}
    library.move(first.id, Status.RETIRED, "x")
    assert counts() == {"mug": 1}
