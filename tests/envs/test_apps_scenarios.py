"""Every scenario of the app world: the oracle does it, doing nothing does not, and carelessness is noticed."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from selfgym.envs.apps.api.schema import as_json
from selfgym.envs.apps.api.session import run
from selfgym.envs.apps.evaluate import NOTHING_ELSE, Expected, evaluate, same_answer
from selfgym.envs.apps.host import Changes, Host, read_report
from selfgym.envs.apps.oracle import skill, steps
from selfgym.envs.apps.scenarios.catalogue import all_scenarios, assigned, chosen, make_task
from selfgym.envs.apps.scenarios.scenario import SPLITS, VARIANTS

SCENARIOS = all_scenarios()


def play(assignment, codes, kept=()):
    """Run trusted code on the true database without a sandbox; the tests that it passes and fails."""
    host, answer = Host(assignment.world, list(kept)), None
    for code in codes:
        job, data = host.job(code, 2000)
        report = read_report(as_json(run(json.loads(as_json(job)), data)).encode())
        assert report.error is None, f"{report.error}\n{code}"
        assert host.apply(report)
        answer = report.answer if report.finished else answer
    tests = evaluate(assignment.task.expected, assignment.task.answer, host.all_changes(), answer)
    host.close()
    return tests


def failed(tests):
    return [name for name, passed in tests if not passed]


def test_there_are_as_many_as_promised():
    levels = Counter(one.level for one in SCENARIOS)
    assert len(SCENARIOS) >= 60
    assert set(levels) == {1, 2, 3}
    assert min(levels.values()) >= 20
    assert {one.split for one in SCENARIOS} == set(SPLITS)
    assert {(one.split, one.level) for one in SCENARIOS} == {(split, level) for split in SPLITS for level in (1, 2, 3)}


def test_no_procedure_is_a_copy_of_another():
    assert len({one.procedure for one in SCENARIOS}) == len({one.name for one in SCENARIOS}) == len(SCENARIOS)


def test_every_scenario_of_the_challenge_needs_an_app_that_is_unseen():
    seen = {app for one in SCENARIOS if one.split != "test-challenge" for app in one.apps}
    challenge = [set(one.apps) for one in SCENARIOS if one.split == "test-challenge"]
    assert len(set().union(*challenge) - seen) >= 2
    assert all(apps - seen for apps in challenge)


def test_levels_grow():
    apps = {level: [len(one.apps) for one in SCENARIOS if one.level == level] for level in (1, 2, 3)}
    lines = {
        level: [len("\n".join(one.procedure).splitlines()) for one in SCENARIOS if one.level == level]
        for level in (1, 2, 3)
    }
    for measured in (apps, lines):
        assert sum(measured[1]) / len(measured[1]) < sum(measured[2]) / len(measured[2])
        assert sum(measured[2]) / len(measured[2]) < sum(measured[3]) / len(measured[3])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_the_oracle_does_it_and_nobody_else(scenario):
    texts, kept = set(), []
    for variant in range(VARIANTS):
        assignment = make_task(scenario, 0, variant)
        task = assignment.task
        texts.add(task.text)
        plain = steps(scenario, task)
        assert not failed(play(assignment, plain))
        assert failed(play(assignment, ["finish()"]))
        assert NOTHING_ELSE in failed(play(assignment, steps(scenario, task, "careless", slip=variant)))
        assert failed(play(assignment, [*plain[:-2], "finish()"])), "the last thing that it does is not needed"
        assert not failed(play(assignment, steps(scenario, task, "skill", defined=bool(kept)), kept))
        kept = [(scenario.name, skill(scenario, task))]
        assert 2 <= len(plain) <= (4 if scenario.level == 1 else 6)
        assert all(len(code.splitlines()) <= 7 for code in plain)
    assert len(texts) == VARIANTS


def test_a_chain_is_three_seeds_and_the_next_is_another_scenario():
    scenarios = chosen("train", level=1)
    chain = [assigned(scenarios, seed) for seed in (30, 31, 32)]
    assert [one.variant for one in chain] == [0, 1, 2]
    assert len({one.scenario.name for one in chain}) == len({one.world.data for one in chain}) == 1
    assert len({one.task.text for one in chain}) == 3
    assert {assigned(scenarios, 3 * k).scenario.name for k in range(len(scenarios))} == {one.name for one in scenarios}


def test_later_chains_have_other_worlds():
    scenario = chosen("dev")[0]
    first, later = make_task(scenario, 0, 0), make_task(scenario, 1, 0)
    assert first.world.data != later.world.data
    assert not failed(play(later, steps(scenario, later.task)))


def test_what_does_not_exist_is_named():
    with pytest.raises(ValueError, match="test-normal"):
        chosen("test")
    with pytest.raises(ValueError, match="star_mails_of"):
        chosen("train", name="star_male")
    with pytest.raises(ValueError, match="'star_male'"):
        chosen("train", name="pin_tag,star_male")
    assert [one.name for one in chosen("train", name="pin_tag, like_artist")] == ["pin_tag", "like_artist"]


def test_collateral_damage_of_every_kind_is_noticed():
    row = {"id": 1, "a": 1, "b": 2}
    asked = Expected().change("t", 1, a=5).add("t", a=7).remove("t", 3)
    right = Changes(added={4: {"id": 4, "a": 7, "b": 0}}, removed={3: row}, changed={1: (row, row | {"a": 5})})
    assert not failed(evaluate(asked, None, {"t": right}, None))
    other = row | {"a": 5, "b": 9}
    worse = {
        "another column": Changes(right.added, right.removed, {1: (row, other)}),
        "another row": Changes(right.added, right.removed, {**right.changed, 2: (row, other)}),
        "one more added": Changes({**right.added, 5: row}, right.removed, right.changed),
        "one more deleted": Changes(right.added, {**right.removed, 9: row}, right.changed),
    }
    for what, changes in worse.items():
        assert failed(evaluate(asked, None, {"t": changes}, None)) == [NOTHING_ELSE], what
    assert failed(evaluate(asked, None, {"t": right, "u": Changes(added={1: row})}, None)) == [NOTHING_ELSE]


def test_one_added_row_does_not_count_for_two():
    asked = Expected().add("t", a=1).add("t", a=1)
    assert failed(evaluate(asked, None, {"t": Changes(added={1: {"id": 1, "a": 1}})}, None)) == [
        "t: rows added as asked"
    ]


def test_answers_are_compared_as_they_are_meant():
    assert same_answer(12.0, 12)
    assert same_answer(" Ann@x.example", "ann@x.example")
    assert not same_answer([12], 12)
    assert not same_answer(["a"], ["a", "a"])
    assert not same_answer({"a": 1}, ["a"])
