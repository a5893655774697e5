"""The episode store: what goes in comes out, nothing half-written stays, and every misuse gets a sentence."""

import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import zlib

import pytest

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Step
from selfgym.memory.store import (
    DuplicateEpisodeError,
    EpisodeNotFoundError,
    EpisodeStore,
    NotAStoreError,
    StoreError,
    StoreLockedError,
    StoreVersionError,
)


def make_episode(number: int = 0, **fields) -> Episode:
    steps = tuple(
        Step(
            observation=f"You see a mug {n}. ünïcödé ✓ \x00\t\n",
            prompt_ids=(1, 2, 3 + n),
            response_ids=(70000, 5),
            logprobs=(-0.1234567890123456789, -1e-30),
            fresh=n == 0,
            action=f"go to shelf {n}",
            thought="hm",
            reward=0.1 * n,
            info={"value": [1, 2.5, None, {"a": "b"}]},
        )
        for n in range(3)
    )
    base = {"id": f"e{number}", "env": "selfgym/Household-v0", "task": "put a mug in a shelf", "seed": 2**63 + number}
    return Episode(**(base | {"steps": steps, "outcome": Outcome.SUCCESS, "run": "r", "created": 1.5} | fields))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "episodes.db"


def test_what_goes_in_comes_out_equal_and_in_order(path):
    episodes = [make_episode(n) for n in range(200)]
    with EpisodeStore(path) as store:
        assert store.append(episodes[:3]) == 3
        assert store.append(iter(episodes[3:])) == 197
        assert list(store.episodes()) == episodes
    with EpisodeStore(path, readonly=True) as store:
        assert list(store.episodes()) == episodes
        assert store.get("e7") == episodes[7]
        assert len(store) == store.count() == 200
        assert "e7" in store
        assert "e200" not in store
        assert list(store.ids(limit=2, after="e99")) == ["e100", "e101"]


def test_filters_agree_with_a_filter_written_in_python(path):
    episodes = [
        make_episode(
            n,
            run=f"run{n % 3}",
            phase=("bc", "eval")[n % 2],
            split=("train", "test")[n % 5 == 0],
            agent=f"a{n % 4}",
            outcome=list(Outcome)[n % 6],
            group=f"g{n // 4}" if n % 7 else "",
            task_id=f"t{n // 2}",
            env=f"env{n % 2}",
        )
        for n in range(150)
    ]
    with EpisodeStore(path) as store:
        store.append(episodes)
        for filters in (
            {"run": "run1"},
            {"run": "run1", "phase": "eval", "split": "train"},
            {"outcome": Outcome.SUCCESS},
            {"outcome": "failure", "agent": "a2"},
            {"group": ""},
            {"group": "g3", "task_id": "t7"},
            {"env": "env1", "run": "run0"},
            {"run": "nobody"},
        ):
            expected = [e for e in episodes if all(getattr(e, k) == v for k, v in filters.items())]
            assert list(store.episodes(**filters)) == expected
            assert list(store.ids(**filters)) == [e.id for e in expected]
            assert store.count(**filters) == len(expected)
            assert list(store.episodes(limit=3, **filters)) == expected[:3]
        assert store.runs() == ["run0", "run1", "run2"]
        assert list(store.episodes(limit=0)) == []


def test_unknown_filters_and_outcomes_name_the_nearest(path):
    with EpisodeStore(path) as store:
        with pytest.raises(ValueError, match=r"no filter 'phases'\. Did you mean 'phase'\?"):
            store.count(phases="x")
        with pytest.raises(ValueError, match=r"no outcome 'sucess'\. Did you mean 'success'\?"):
            next(store.episodes(outcome="sucess"))
        with pytest.raises(ValueError, match="must not be negative"):
            next(store.episodes(limit=-1))
        with pytest.raises(EpisodeNotFoundError, match="e5"):
            next(store.episodes(after="e5"))
        with pytest.raises(EpisodeNotFoundError, match="has no episode 'e5'"):
            store.get("e5")


def test_iterating_while_appending_ends(path):
    with EpisodeStore(path) as store:
        store.append(make_episode(n) for n in range(5))
        for episode in store.episodes():
            store.append([episode.model_copy(update={"id": episode.id + "-child", "parent": episode.id})])
        assert len(store) == 10


def test_the_same_again_is_skipped_and_other_content_is_refused(path):
    with EpisodeStore(path) as store:
        assert store.append([make_episode(0), make_episode(1)]) == 2
        assert store.append([make_episode(0), make_episode(2)]) == 1
        assert store.append([make_episode(0, created=99.0)]) == 0
        with pytest.raises(DuplicateEpisodeError, match="'e1'; they differ in task, outcome"):
            store.append([make_episode(3), make_episode(1, task="other", outcome="failure"), make_episode(4)])
        assert list(store.ids()) == ["e0", "e1", "e2"]
        with pytest.raises(DuplicateEpisodeError):
            store.append([make_episode(5), make_episode(5, task="other")])
        assert len(store) == 3
        in_memory = make_episode(6, info={"pair": (1, 2)})
        assert store.append([in_memory]) == 1
        assert store.append([in_memory]) == 0


def test_an_iterable_that_raises_leaves_nothing(path):
    def collected():
        yield make_episode(0)
        raise OSError("the collector died")

    with EpisodeStore(path) as store:
        with pytest.raises(OSError, match="collector died"):
            store.append(collected())
        with pytest.raises(TypeError, match="takes Episode objects, not dict"):
            store.append([make_episode(0), {"id": "x"}])
        assert len(store) == 0


def test_episodes_and_notes_are_committed_together(path):
    with EpisodeStore(path) as store:
        with store.transaction():
            store.append([make_episode(0)])
            store.note("phase", {"done": 1})
        with pytest.raises(KeyError), store.transaction():  # noqa: PT012
            store.append([make_episode(1)])
            store.note("phase", {"done": 2})
            raise KeyError
        with store.transaction():
            with pytest.raises(DuplicateEpisodeError):
                store.append([make_episode(2), make_episode(0, task="other")])
            store.append([make_episode(3)])
            store.note("phase", {"done": "ünï", "at": [1, 2.5, None]})
        assert list(store.ids()) == ["e0", "e3"]
        assert store.notes("phase") == [{"done": 1}, {"done": "ünï", "at": [1, 2.5, None]}]
        assert store.notes("other") == []
        with pytest.raises(StoreError, match="'phase' is not plain JSON data"):
            store.note("phase", {"x": float("nan")})


@pytest.mark.parametrize("info", [{"x": float("nan")}, {"x": [1.0, {"y": float("inf")}]}])
def test_what_json_cannot_hold_is_refused_at_the_door(path, info):
    with EpisodeStore(path) as store:
        with pytest.raises(StoreError, match="'e0' holds a number that is not finite"):
            store.append([make_episode(0, info=info)])
        with pytest.raises(StoreError, match="'e0' holds what JSON cannot"):
            store.append([make_episode(0, info={"x": object()})])
        assert store.append([make_episode(0, task="NaN and Infinity are words")]) == 1


def test_rows_can_be_neither_changed_nor_removed(path):
    with EpisodeStore(path) as store:
        store.append([make_episode(0)])
        store.note("k", {"v": 1})
    with sqlite3.connect(path) as connection:
        for statement in (
            "UPDATE episodes SET run = 'x'",
            "DELETE FROM episodes",
            "INSERT OR REPLACE INTO episodes SELECT 9, id, run, env, phase, split, agent, outcome, [group], task_id, "
            "x'00' FROM episodes",
            "UPDATE notes SET value = '{}'",
            "DELETE FROM notes",
            "INSERT OR REPLACE INTO notes VALUES (1, 'k', '{}')",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()
    with EpisodeStore(path, readonly=True) as store:
        assert store.get("e0") == make_episode(0)


def test_one_writer_many_readers(path):
    with EpisodeStore(path) as store:
        store.append([make_episode(0)])
        with pytest.raises(StoreLockedError, match=r"another writer has .* open.*readonly=True"):
            EpisodeStore(path)
        other = "import sys; from selfgym.memory.store import *; EpisodeStore(sys.argv[1])"
        told = subprocess.run([sys.executable, "-c", other, str(path)], capture_output=True, text=True, check=False)
        assert "StoreLockedError: another writer has" in told.stderr
        with EpisodeStore(path, readonly=True) as first, EpisodeStore(path, readonly=True) as second:
            store.append([make_episode(1)])
            assert len(first) == len(second) == 2
            with pytest.raises(StoreError, match="readonly=True: open it without"):
                first.append([make_episode(2)])
    with EpisodeStore(path) as store:
        assert len(store) == 2


def test_readers_in_other_processes_see_whole_transactions_while_a_writer_appends(path):
    reader = textwrap.dedent("""
        import sys, time
        from selfgym.memory.store import EpisodeStore
        store, seen = EpisodeStore(sys.argv[1], readonly=True), -1
        while seen < 100:
            number = sum(1 for _ in store.episodes())
            assert number % 10 == 0 and number >= seen, (number, seen)
            seen = number
        """)
    with EpisodeStore(path) as store:
        readers = [subprocess.Popen([sys.executable, "-c", reader, str(path)]) for _ in range(2)]
        for start in range(0, 100, 10):
            store.append(make_episode(n) for n in range(start, start + 10))
            time.sleep(0.05)
        assert [process.wait(timeout=60) for process in readers] == [0, 0]


def test_kill_minus_nine_loses_at_most_the_open_transaction(path):
    writer = textwrap.dedent("""
        import sys
        from selfgym.memory.store import EpisodeStore
        sys.path.insert(0, sys.argv[2])
        from test_store import make_episode
        store = EpisodeStore(sys.argv[1])
        for batch in range(int(sys.argv[3]), 10**6):
            store.append(make_episode(10 * batch + n) for n in range(10))
            print(batch, flush=True)
        """)
    folder, done = os.path.dirname(__file__), -1
    for life in range(5):
        command = [sys.executable, "-c", writer, str(path), folder, str(done + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(5 + 7 * life):
                done = int(process.stdout.readline())
            time.sleep(0.0007 * life)
            process.send_signal(signal.SIGKILL)
            done = max([done, *map(int, process.stdout.read().split())])
        with EpisodeStore(path) as store:
            ids = list(store.ids())
            assert len(ids) in (10 * (done + 1), 10 * (done + 2))
            assert ids == [f"e{n}" for n in range(len(ids))]
            assert sum(1 for _ in store.episodes()) == len(ids)
            done = len(ids) // 10 - 1
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


def test_a_full_disk_is_an_error_and_loses_nothing(path):
    script = textwrap.dedent("""
        import resource, signal, sys
        from selfgym.memory.store import EpisodeStore, StoreError
        sys.path.insert(0, sys.argv[2])
        from test_store import make_episode
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with EpisodeStore(sys.argv[1]) as store:
            store.append([make_episode(0)])
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, -1))
            try:
                store.append(make_episode(n, info={"noise": str(list(range(n, n + 9000)))}) for n in range(1, 99))
            except StoreError as error:
                assert "nothing of this transaction was stored" in str(error), error
            else:
                sys.exit("the disk was not full")
            assert list(store.episodes()) == [make_episode(0)]
            resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
            assert store.append([make_episode(1)]) == 1
        """)
    subprocess.run([sys.executable, "-c", script, str(path), os.path.dirname(__file__)], check=True)
    with EpisodeStore(path, readonly=True) as store:
        assert list(store.ids()) == ["e0", "e1"]


def test_what_is_no_store_is_refused_and_left_alone(path, tmp_path):
    with pytest.raises(NotAStoreError, match="there is no store at"):
        EpisodeStore(path, readonly=True)
    with pytest.raises(StoreError, match=r"folder .* does not exist"):
        EpisodeStore(tmp_path / "absent" / "episodes.db")
    with pytest.raises(NotAStoreError, match="is a folder, not a store"):
        EpisodeStore(tmp_path)
    foreign = tmp_path / "foreign.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    text = tmp_path / "notes.txt"
    text.write_text(
        "These are my notes, more than a hundred bytes of them so that nothing looks like an empty file." * 9
    )
    for file, complaint in ((foreign, "is an SQLite file but not a selfgym store"), (text, "is not a selfgym store")):
        before = file.read_bytes()
        for readonly in (False, True):
            with pytest.raises(NotAStoreError, match=complaint):
                EpisodeStore(file, readonly=readonly)
        assert file.read_bytes() == before
    assert sorted(child.name for child in tmp_path.iterdir()) == ["foreign.db", "notes.txt"]
    assert not tmp_path.with_name(f"{tmp_path.name}.lock").exists()


@pytest.mark.parametrize(("version", "age"), [(0, "an older"), (2, "a newer")])
def test_another_schema_version_is_refused_and_left_alone(path, version, age):
    EpisodeStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = path.read_bytes()
    for readonly in (False, True):
        with pytest.raises(StoreVersionError, match=f"written by {age} selfgym .schema {version}"):
            EpisodeStore(path, readonly=readonly)
    assert path.read_bytes() == before


def test_a_damaged_body_names_the_episode(path):
    with EpisodeStore(path) as store:
        store.append([make_episode(0)])
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER episodes_update")
    connection.execute("UPDATE episodes SET body = x'00'")
    connection.commit()
    connection.close()
    with EpisodeStore(path, readonly=True) as store, pytest.raises(StoreError, match="'e0' is damaged"):
        store.get("e0")


def test_a_read_only_folder_can_be_read_and_says_so_when_written():
    script = textwrap.dedent("""
        import os, sys, tempfile
        from pathlib import Path
        from selfgym.memory.store import EpisodeStore, StoreError
        sys.path.insert(0, sys.argv[1])
        from test_store import make_episode
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with EpisodeStore(folder / "episodes.db") as store:
                store.append([make_episode(0)])
            (folder / "episodes.db.lock").unlink()
            if os.fork() == 0:
                EpisodeStore(folder / "crashed.db").append([make_episode(0)])
                os._exit(9)
            os.wait()
            (folder / "crashed.db-shm").unlink()
            folder.chmod(0o555)
            if os.fork() == 0:
                if os.geteuid() == 0:  # root may write anywhere, so become nobody
                    os.setgroups([])
                    os.setgid(65534)
                    os.setuid(65534)
                with EpisodeStore(folder / "episodes.db", readonly=True) as store:
                    assert list(store.episodes()) == [make_episode(0)]
                try:
                    EpisodeStore(folder / "crashed.db", readonly=True)
                except StoreError as error:
                    assert "a writer has it open or died" in str(error), error
                else:
                    sys.exit("a log that cannot be written back was passed over")
                try:
                    EpisodeStore(folder / "episodes.db")
                except StoreError as error:
                    assert "writable" in str(error), error
                else:
                    sys.exit("a read-only folder was written to")
                os._exit(0)
            _, status = os.wait()
            folder.chmod(0o755)
        sys.exit(os.waitstatus_to_exitcode(status))
        """)
    subprocess.run([sys.executable, "-c", script, os.path.dirname(__file__)], check=True)


def test_several_threads_share_a_store(path):
    with EpisodeStore(path) as store:

        def work(number):
            for n in range(20):
                with store.transaction():
                    store.append([make_episode(100 * number + n)])
                    store.note("t", {"thread": number, "n": n})

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store) == len(store.notes("t")) == 80


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_told_to_open_its_own_and_does_not_hold_the_lock(path):
    def child(queue):
        try:
            len(store)
        except StoreError as error:
            store.close()
            queue.put(str(error))
        time.sleep(60)

    context = multiprocessing.get_context("fork")
    store, queue = EpisodeStore(path), context.Queue()
    process = context.Process(target=child, args=(queue,), daemon=True)
    process.start()
    try:
        assert "open it again, readonly, in this one" in queue.get(timeout=30)
        store.append([make_episode(0)])
        store.close()
        with EpisodeStore(path) as again:
            assert list(again.ids()) == ["e0"]
    finally:
        process.kill()
        process.join()


def test_a_closed_store_says_so(path):
    store = EpisodeStore(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        len(store)


def test_the_body_is_plain_json(path):
    with EpisodeStore(path) as store:
        store.append([make_episode(0)])
    connection = sqlite3.connect(path)
    (body,) = connection.execute("SELECT body FROM episodes").fetchone()
    connection.close()
    assert json.loads(zlib.decompress(body))["steps"][0]["prompt_ids"] == [1, 2, 3]
