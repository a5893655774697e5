"""What a leaderboard refuses, and that it says why; two results side by side."""

from __future__ import annotations

import json
import shutil

import pytest

from selfgym.benchmarks.leaderboard.checking import checked
from selfgym.benchmarks.leaderboard.comparing import compare, in_words
from selfgym.benchmarks.leaderboard.remembering import Remembering
from selfgym.benchmarks.leaderboard.result import EPISODES, JSON, ResultError
from selfgym.benchmarks.leaderboard.suite import Seeds, find_suite
from selfgym.envs.core import Outcome
from selfgym.memory.exchange.formats import export_episodes, import_episodes

from .measured import HOUSE, measure

PUPIL = "selfgym.agents.pupil:PupilAgent"


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("sound"), "random", HOUSE)[1]


@pytest.fixture(scope="module")
def remembering(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("memory"), PUPIL, HOUSE, memory=Remembering("awm"))


def forged(folder, tmp_path, *, told=lambda result: None, episodes=lambda all: all):
    """A copy of a result with its JSON or its episodes changed."""
    shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("*.db*"))
    result = json.loads((tmp_path / "copy" / JSON).read_text())
    told(result)
    (tmp_path / "copy" / JSON).write_text(json.dumps(result))
    kept = list(import_episodes(folder / EPISODES, "parquet"))
    export_episodes(episodes(kept), tmp_path / "copy" / EPISODES, "parquet")
    return tmp_path / "copy"


def check_refused(folder, reason):
    with pytest.raises(ResultError, match=reason):
        checked(folder)


def test_a_copy_without_the_store_is_sound(sound, tmp_path):
    assert checked(forged(sound, tmp_path))[0] == checked(sound)[0]


def test_all_games_are_sound_whoever_plays_and_whatever_they_pay(tmp_path):
    games = find_suite("games")
    parts = tuple(part.model_copy(update={"seeds": Seeds(count=3)}) for part in games.parts)
    few = games.model_copy(update={"name": "few", "parts": parts})
    for agent in ("solver", "random"):
        result, folder = measure(tmp_path, agent, few)
        assert checked(folder)[0] == result


def test_episodes_that_are_missing(sound, tmp_path):
    check_refused(forged(sound, tmp_path, episodes=lambda all: all[1:]), "1 of 8 episodes are not there")
    (tmp_path / "copy" / EPISODES).unlink()
    check_refused(tmp_path / "copy", "cannot be read")
    (tmp_path / "copy" / EPISODES).write_text("nonsense")
    check_refused(tmp_path / "copy", "not a Parquet file")


def test_a_suite_that_is_not_what_it_says(sound, tmp_path):
    def easier(result):
        result["suite"]["parts"][0]["options"]["max_steps"] = 50

    check_refused(forged(sound, tmp_path, told=easier), "the suite that it holds has the hash")


def test_the_name_of_a_known_suite_on_another(sound, tmp_path):
    known = find_suite("household")

    def renamed(result):
        suite = known.model_copy(update={"parts": HOUSE.parts})
        result["suite"], result["suite_hash"] = suite.model_dump(mode="json"), suite.hash

    check_refused(forged(sound, tmp_path, told=renamed), "its suite is not version 1 of 'household'")


def test_numbers_that_do_not_follow(sound, tmp_path):
    def better(result):
        result["total"]["success"] = 0.99

    check_refused(
        forged(sound, tmp_path, told=better), r"total do not follow from its episodes: success is 0\.\d+, it says 0.99"
    )


def test_another_agent_or_draw_than_the_episodes_were_played_by(sound, tmp_path):
    def renamed(result):
        result["agent"] = "genius"

    check_refused(forged(sound, tmp_path, told=renamed), "8 of 8 episodes are not there")


def changed(first, **update):
    return lambda all: [one.model_copy(update=update) if one.id == all[first].id else one for one in all]


def test_a_success_without_its_reward(sound, tmp_path):
    lost = next(
        n for n, e in enumerate(import_episodes(sound / EPISODES, "parquet")) if e.outcome is not Outcome.SUCCESS
    )
    check_refused(forged(sound, tmp_path, episodes=changed(lost, outcome=Outcome.SUCCESS)), "which its rewards are not")


def test_an_easier_task_under_the_same_name(sound, tmp_path):
    easy = {"size": "tiny", "split": "train", "max_steps": 12}
    check_refused(forged(sound, tmp_path, episodes=changed(0, env_options=easy)), "is of another task")
    shutil.rmtree(tmp_path / "copy")
    check_refused(forged(sound, tmp_path, episodes=changed(0, seed=99)), "is of another task")


def test_tokens_that_nobody_counted(sound, tmp_path):
    def sampled(all):
        step = all[0].steps[0].model_copy(update={"response_ids": (1, 2, 3)})
        return [all[0].model_copy(update={"steps": (step, *all[0].steps[1:])}), *all[1:]]

    check_refused(forged(sound, tmp_path, episodes=sampled), "holds 3 sampled tokens, more than it says")


@pytest.mark.parametrize("cost", [None, "much", {"calls": -1}, {"calls": 1, "thoughts": 2}])
def test_costs_that_are_none(sound, tmp_path, cost):
    check_refused(forged(sound, tmp_path, episodes=changed(0, info={"metered": cost})), "does not say what it cost")


def test_a_claim_of_many_more_tries(sound, tmp_path):
    check_refused(
        forged(sound, tmp_path, told=lambda result: result.update(samples=10_000)), "it lists 8 episodes, 80000"
    )


def test_what_is_no_result(tmp_path):
    check_refused(tmp_path, "holds no result")
    (tmp_path / JSON).write_text('{"format": 1}')
    check_refused(tmp_path, "is no result")


def test_a_memory_that_was_learned_from_practice_is_sound(remembering):
    result, folder = remembering
    assert checked(folder)[0] == result
    assert result.memory.items
    assert result.total.errors == 0
    assert all(source in [e.id for e in import_episodes(folder / EPISODES, "parquet")]
               for item in result.memory.items for source in item.episodes)  # fmt: skip
    assert "remembering by awm (frozen)" in result.name


def learned(from_where):
    def change(result):
        result["memory"]["items"][0]["episodes"] = [from_where(result)]

    return change


def test_a_memory_that_was_learned_on_the_test(remembering, tmp_path):
    _, folder = remembering
    on_test = learned(lambda result: result["lines"][0]["episode"])
    check_refused(forged(folder, tmp_path, told=on_test), "was learned from the test episode")
    shutil.rmtree(tmp_path / "copy")
    check_refused(forged(folder, tmp_path, told=learned(lambda result: "elsewhere/1")), "an episode that is not there")


def test_practice_on_tasks_of_the_test(remembering, tmp_path):
    result, folder = remembering
    source = result.memory.items[0].episodes[0]
    task = HOUSE.parts[0]

    def disguised(all):
        return [e.model_copy(update={"seed": 3, "env_options": task.options}) if e.id == source else e for e in all]

    check_refused(forged(folder, tmp_path, episodes=disguised), "was learned on a test task")


def test_practice_that_is_not_that_of_the_suite(remembering, tmp_path):
    result, folder = remembering
    source = result.memory.items[0].episodes[0]

    def larger(all):
        options = {"size": "large", "split": "train", "max_steps": 12}
        return [e.model_copy(update={"env_options": options}) if e.id == source else e for e in all]

    check_refused(forged(folder, tmp_path, episodes=larger), "which is no practice of the suite")


def test_items_that_nobody_declared(remembering, tmp_path):
    _, folder = remembering
    check_refused(forged(folder, tmp_path, told=lambda result: result["memory"].update(items=[])), "nothing says where")


def test_a_memory_practises_once_and_leaves_the_library_alone(remembering):
    result, folder = remembering
    before = (folder / "memory-house.db").read_bytes()
    again, _ = measure(folder.parent, PUPIL, HOUSE, memory=Remembering("awm"))
    assert again.lines == result.lines
    assert (folder / "memory-house.db").read_bytes() == before


def test_an_online_memory_is_another_result(remembering, tmp_path):
    result, folder = measure(tmp_path, PUPIL, HOUSE, memory=Remembering("awm", "online"))
    assert result.memory.arm == "online"
    assert folder.name != remembering[1].name
    assert checked(folder)[0] == result
    practised = [e for e in import_episodes(folder / EPISODES, "parquet") if e.phase == "practice"]
    assert len(practised) == 20
    assert {e.split for e in practised} == {"train"}


def test_two_results_are_compared_task_by_task(sound, tmp_path):
    _, folder = measure(tmp_path, "expert", HOUSE)
    first, second = checked(sound), checked(folder)
    found = compare(first, second)
    gap = found.success["total"]
    assert gap.middle == pytest.approx(second[0].total.success - first[0].total.success)
    assert gap.significant
    assert "expert solves more than random" in in_words(found)
    assert found.tasks == 8
    same = compare(first, first)
    assert same.success["total"].middle == 0
    assert "No difference in success is shown" in in_words(same)


def test_other_tasks_cannot_be_compared(sound, tmp_path):
    _, folder = measure(tmp_path, "random", HOUSE, fresh="x")
    with pytest.raises(ResultError, match="different tasks"):
        compare(checked(sound), checked(folder))
