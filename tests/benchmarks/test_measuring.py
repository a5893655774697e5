"""A suite as it is played: the same whatever plays it, resumed where it stopped, metered, nothing lost silently."""

from __future__ import annotations

import itertools

import pytest

from selfgym.agents.agent import AgentOptionError, find_agent
from selfgym.agents.around import Around
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.benchmarks.leaderboard.checking import checked, replayed
from selfgym.benchmarks.leaderboard.playing import Entrant
from selfgym.benchmarks.leaderboard.result import EPISODES, STORE, ResultError, read_result
from selfgym.benchmarks.leaderboard.running import run_suite
from selfgym.benchmarks.leaderboard.suite import SuiteError
from selfgym.envs.core import Outcome
from selfgym.memory.exchange.formats import import_episodes
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.metrics import pass_at_k, wilson

from .measured import HOUSE, SUITE, measure, plan


def outcomes(result):
    return [(line.task, line.sample, line.outcome, line.steps) for line in result.lines]


def test_the_ends_are_far_apart_and_ask_no_model(tmp_path):
    expert, folder = measure(tmp_path, "expert")
    random, _ = measure(tmp_path, "random")
    assert expert.total.success == 1.0
    assert random.total.success < 0.5
    assert (expert.total.low, expert.total.high) == wilson(11, 11)
    assert expert.total.model_calls == random.total.model_calls == 0
    assert {name: part.tasks for name, part in expert.parts.items()} == {"house": 8, "desk": 3}
    assert read_result(folder) == expert
    assert [e.id for e in import_episodes(folder / EPISODES, "parquet")] == [line.episode for line in expert.lines]
    assert expert.total.outcomes == {"success": 11}
    assert expert.suite_hash == SUITE.hash
    assert expert.software["gymnasium"]


def test_workers_change_nothing_but_the_time(tmp_path):
    alone, _ = measure(tmp_path / "a", "random")
    beside, _ = measure(tmp_path / "b", "random", workers=2)
    assert outcomes(alone) == outcomes(beside)
    assert len({line.outcome for line in alone.lines}) > 0


def test_what_is_stored_is_not_played_again(tmp_path):
    first, folder = measure(tmp_path, "random")
    again, _ = measure(tmp_path, "random")
    assert again.lines == first.lines  # to the millisecond that each took
    more, other = measure(tmp_path, "random", samples=2)
    assert other == folder
    assert [line for line in more.lines if line.sample == 0] == list(first.lines)
    with EpisodeStore(folder / STORE, readonly=True) as store:
        assert len(store) == 22


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_where_it_was(tmp_path, workers):
    made = plan("random")
    seen = []

    def interrupt(what, done, total):
        seen.append(done)
        if done:
            raise KeyboardInterrupt

    twice = plan("random", samples=2)
    with pytest.raises(KeyboardInterrupt):
        run_suite(twice, tmp_path / made.run, lambda part: "", interrupt, workers=workers)
    with EpisodeStore(tmp_path / made.run / STORE, readonly=True) as store:
        kept = {episode.id: episode for episode in store.episodes()}
    assert len(kept) == seen[-1] < 22
    result, folder = measure(tmp_path, "random", samples=2)
    assert len(result.lines) == 22
    whole = {episode.id: episode for episode in import_episodes(folder / EPISODES, "parquet")}
    assert all(whole[id] == episode for id, episode in kept.items())


def test_an_agent_or_suite_that_differs_is_another_run(tmp_path):
    runs = [
        plan("random"), plan("Halting"), plan("random", HOUSE), plan("random", options={"seed": 4}),
        plan("random", fresh="a"), plan("random", model="nano"),
    ]  # fmt: skip
    assert len({made.run for made in runs}) == len(runs)
    entrant = Entrant("random")
    assert entrant.source(SUITE) == plan("random").source
    assert entrant.source(SUITE) != plan("Halting").source


def test_errors_are_outcomes_and_never_failures(tmp_path):
    result, folder = measure(tmp_path, "Halting", HOUSE)
    assert result.total.outcomes["policy_error"] == 4
    assert result.total.errors == 0.5
    assert result.total.scored == 4
    assert "lost to errors" in result.ranked
    assert {line.error for line in result.lines if line.seed % 2 == 0} == {"RuntimeError: no idea"}
    assert checked(folder)[0] == result


def test_a_worker_that_dies_costs_its_episode_only(tmp_path):
    result, folder = measure(tmp_path, "Dying", HOUSE, workers=2)
    lost = [line for line in result.lines if line.outcome is Outcome.ENV_ERROR]
    assert [line.seed for line in lost] == [1]
    assert "died" in lost[0].error
    assert checked(folder)[0] == result


def test_prompts_and_tokens_are_counted_as_they_pass(tmp_path):
    policy = ScriptedPolicy(lambda text: "look")
    result, folder = measure(tmp_path, "Asking", HOUSE, policy=policy, model="scripted:x:y", prices=(1.0, 10.0))
    assert result.total.steps == 12
    assert (result.total.calls, result.total.prompt_tokens, result.total.response_tokens) == (24, 72, 96)
    assert result.total.model_calls == 8 * 24
    assert result.total.cost == pytest.approx((72 + 10 * 96) / 1e6)
    assert not result.total.declared
    assert checked(folder)[0] == result


def test_a_model_in_workers_gives_the_same(tmp_path):
    policy = ScriptedPolicy(lambda text: "look")
    alone, _ = measure(tmp_path / "a", "Asking", HOUSE, policy=policy)
    beside, _ = measure(tmp_path / "b", "Asking", HOUSE, policy=policy, workers=2)
    assert outcomes(alone) == outcomes(beside)
    assert alone.total.model_calls == beside.total.model_calls


def test_what_an_agent_tells_of_its_own_model_is_marked(tmp_path):
    result, _ = measure(tmp_path, "Telling", HOUSE)
    assert (result.total.calls, result.total.prompt_tokens, result.total.declared) == (3, 100, True)
    assert Around(Around(find_agent("entrants:Telling")())).usage["calls"] == 3


def test_an_agent_without_its_model_is_refused(tmp_path):
    with pytest.raises(AgentOptionError, match="give --model"):
        measure(tmp_path, "Asking", HOUSE)


def test_what_is_missing_is_told_and_no_failure(tmp_path):
    result, folder = measure(tmp_path, "expert", missing=lambda part: "no screen here" if part.name == "desk" else "")
    assert [(one.part, one.reason) for one in result.left_out] == [("desk", "no screen here")]
    assert result.total.tasks == 8
    assert result.total.success == 1.0
    assert result.ranked == "incomplete: desk left out"
    assert checked(folder)[0] == result
    with pytest.raises(SuiteError, match="nothing at all"):
        measure(tmp_path, "random", missing=lambda part: "nothing at all")


def test_another_version_of_an_environment_is_not_measured(tmp_path):
    part = SUITE.parts[0].model_copy(update={"env_version": "0.9"})
    suite = SUITE.model_copy(update={"name": "old", "parts": (part, SUITE.parts[1])})
    result, _ = measure(tmp_path, "random", suite)
    assert "the suite was frozen for 0.9" in result.left_out[0].reason


def test_pass_at_k_is_what_drawing_k_tries_would_give(tmp_path):
    for wins in range(6):
        tries = [True] * wins + [False] * (5 - wins)
        for k in range(1, 6):
            draws = [any(drawn) for drawn in itertools.combinations(tries, k)]
            assert pass_at_k(5, wins, k) == pytest.approx(sum(draws) / len(draws))
    result, _ = measure(tmp_path, "Lucky", HOUSE, samples=2)
    assert result.total.pass_at == {1: 0.5, 2: 1.0}
    assert result.total.success == 0.5
    assert (result.total.low, result.total.high) == wilson(4.0, 8)  # tasks, not tries


def test_fresh_tasks_are_others_and_recorded(tmp_path):
    own, _ = measure(tmp_path, "expert", HOUSE)
    fresh, folder = measure(tmp_path, "expert", HOUSE, fresh="17 sixes")
    assert not {line.task for line in own.lines} & {line.task for line in fresh.lines}
    assert checked(folder)[0].fresh == "17 sixes"
    assert own.same_tasks != fresh.same_tasks


def test_actions_taken_again_end_the_same(tmp_path):
    _, episodes = checked(measure(tmp_path, "expert")[1])
    assert replayed(episodes, 11) == 11
    step = episodes[0].steps[-1].model_copy(update={"action": "look"})
    forged = episodes[0].model_copy(update={"steps": (*episodes[0].steps[:-1], step)})
    with pytest.raises(ResultError, match="taken again"):
        replayed([forged], 1)
