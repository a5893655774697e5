"""Suites: what they may say, that they stay what they were, and which tasks they name."""

from __future__ import annotations

import hashlib
import shutil
import tomllib

import pytest

from selfgym.benchmarks.leaderboard import suite as suites
from selfgym.benchmarks.leaderboard.suite import SuiteError, find_suite, frozen_hashes, read_suite, suite_names, tasks

SMALL = """
name = "small"
version = 1
about = "A house."
[[parts]]
name = "house"
env = "selfgym/Household-v0"
env_version = "1.1"
options = { size = "tiny", split = "test", max_steps = 5 }
seeds = { start = 7, count = 3 }
practice = { options = { split = "train" }, seeds = { count = 3 } }
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    return find_suite(str(tmp_path / "small.toml"))


def test_the_suites_are_what_they_were_when_they_were_frozen():
    assert {"apps", "code", "desktop", "games", "household", "quick", "remember", "web"} <= {*suite_names()}
    for name in suite_names():
        found = find_suite(name)
        assert frozen_hashes(name)[found.version] == found.hash
        assert found.name == name
    families = {part.env.partition("/")[2].partition("-")[0] for part in find_suite("quick").parts}
    assert families >= {"Household", "AlfWorld", "MiniWoB", "Code", "Apps", "TextCraft", "MiniDesktop", "Desktop"}


def test_a_suite_that_changed_under_its_version_is_refused(tmp_path, monkeypatch):
    shutil.copytree(suites.FOLDER, tmp_path / "suites")
    monkeypatch.setattr(suites, "FOLDER", tmp_path / "suites")
    assert find_suite("web").name == "web"
    path = tmp_path / "suites/web.toml"
    path.write_text(path.read_text().replace("max_steps = 20", "max_steps = 21"))
    with pytest.raises(SuiteError, match="raise its version"):
        find_suite("web")


def test_its_hash_is_that_of_everything_it_says(small, tmp_path):
    for old, new in (("start = 7", "start = 8"), ("max_steps = 5", "max_steps = 6"), ("A house", "Houses")):
        (tmp_path / "other.toml").write_text(SMALL.replace(old, new))
        assert read_suite(tmp_path / "other.toml").hash != small.hash
    (tmp_path / "other.toml").write_text("# a remark\n" + SMALL)
    assert read_suite(tmp_path / "other.toml").hash == small.hash


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("max_steps = 5", "most = 5", "max_steps"),
        ("count = 3 }\npractice", "count = 0 }\npractice", "count"),
        ('options = { split = "train" }, seeds = { count', "seeds = { count", "practice would be on the tasks"),
        ('about = "A house."', "", "about"),
        ("version = 1", "version = 1\nspeed = 3", "speed"),
        ("[[parts]]", "[[parts", "cannot be read"),
        ("selfgym/Household", "os:selfgym/Household", "env"),
        ('name = "small"', 'name = "web"', "that of a suite of selfgym"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_suite_says_why(tmp_path, old, new, problem):
    assert old in SMALL
    (tmp_path / "x.toml").write_text(SMALL.replace(old, new))
    with pytest.raises(SuiteError, match=problem):
        find_suite(str(tmp_path / "x.toml"))


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(SuiteError, match="Did you mean 'household'"):
        find_suite("houshold")


def test_its_own_tasks_are_its_seeds_and_tries_come_together(small):
    found = list(tasks(small, samples=2))
    assert [(task.seed, task.sample) for task in found] == [(7, 0), (7, 1), (8, 0), (8, 1), (9, 0), (9, 1)]
    assert found[0].id == found[1].id == "small/house/7"


def test_a_draw_names_tasks_that_anybody_can_name_again(small):
    seeds = [task.seed for task in tasks(small, fresh="dice of Saturday")]
    text = f"{small.hash}/dice of Saturday/house/1"
    assert seeds[1] == int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % 2**31
    assert seeds == [task.seed for task in tasks(small, fresh="dice of Saturday")]
    assert not set(seeds) & {task.seed for task in tasks(small, fresh="dice of Sunday")}
    assert not set(seeds) & {7, 8, 9}


def test_a_fixed_collection_has_no_fresh_tasks():
    household = find_suite("household")
    assert {task.part.name for task in tasks(household)} >= {"alfworld-seen", "medium"}
    assert {task.part.name for task in tasks(household, fresh="x")} == {"medium", "large"}


def test_the_lock_file_holds_every_suite_and_no_other():
    lock = tomllib.loads((suites.FOLDER / "frozen.toml").read_text())
    assert sorted(lock) == suite_names()
