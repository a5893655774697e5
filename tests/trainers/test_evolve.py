"""The loop: a run is a folder, is resumed wherever it was killed, and every number in it is backed by episodes."""

import json
import os
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Source
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.evolve import RunError, evolve
from selfgym.trainers.presets import preset
from selfgym.trainers.recipe import find_recipe
from selfgym.trainers.stage import EvolveConfig
from selfgym.trainers.units import workers

from .runs import contents, done_pieces, weights

SETTINGS = {
    "env_options": {"size": "tiny", "max_steps": 8},
    "agent": {"instruction": "", "max_new_tokens": 8},
    "demos": 8,
    "tasks": 4,
    "evaluations": 5,
    "iterations": 1,
    "unit": 2,
    "search": {"simulations": 2, "branch": 2, "max_depth": 8},
    "clone": {"steps": 12, "batch_tokens": 512, "checkpoint_every": 3, "learning_rate": 0.003},
    "update": {"steps": 6, "batch_tokens": 512, "checkpoint_every": 2},
}
# started once, with everything imported: each of its processes is there at once, and one of its own that can be killed
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["selfgym.trainers.evolve", "matplotlib.figure"])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone") / "run"
    return evolve(EvolveConfig(**SETTINGS), folder), folder


def test_the_mean_of_the_last_checkpoints_is_what_is_evaluated(tmp_path):
    changes = {"recipe": "more-cloning", "iterations": 3, "average": 2, "evaluate_every": 3}
    evolve(EvolveConfig(**SETTINGS | changes), folder := tmp_path / "run")
    one, two, mean = (load_file(folder / "checkpoints" / name / "model.safetensors") for name in ("2", "3", "mean-3"))
    assert all(torch.allclose(mean[name], (one[name] + two[name]) / 2, atol=1e-7) for name in mean)
    assert not torch.equal(one["model.norm.weight"], two["model.norm.weight"])
    with EpisodeStore(folder / "episodes.db", readonly=True) as store:
        first, last = ([*store.episodes(phase=f"eval-{number}")] for number in (0, 3))
    assert {step.policy_version for episode in first for step in episode.steps} == {0}
    assert {step.policy_version for episode in last for step in episode.steps} == {3}
    assert not (folder / "checkpoints" / "mean-2").exists()


def test_demonstrations_are_cloned_whatever_the_recipe_minimises_later(tmp_path):
    changes = {"recipe": "dpo", "iterations": 0, "evaluations": 1, "demos": 4}
    evolve(EvolveConfig(**SETTINGS | changes), folder := tmp_path / "run")
    report = json.loads((folder / "checkpoints" / "0" / "update.json").read_text())
    assert report["loss"] > 1  # of words that a new model does not know: nats a token


def test_a_run_leaves_its_settings_episodes_checkpoints_and_views(finished):
    metrics, folder = finished
    assert [record["iteration"] for record in metrics] == [0, 1]
    assert json.loads((folder / "config.json").read_text())["seed"] == 0
    assert [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()] == metrics
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((folder / "tensorboard").iterdir())) == 1
    assert weights(folder, 0) != weights(folder, 1)


def test_every_metric_is_backed_by_logged_episodes(finished):
    metrics, folder = finished
    episodes = contents(folder)
    assert sum(episode.phase == "demo" for episode in episodes) == 8
    for record in metrics:
        held_out = [episode for episode in episodes if episode.phase == f"eval-{record['iteration']}"]
        assert len(held_out) == record["episodes"] == 5
        assert record["success"] == sum(e.outcome is Outcome.SUCCESS for e in held_out) / 5


def test_nothing_evaluated_was_trained_on(finished):
    _, folder = finished
    names = {"train": set(), "test": set()}
    for episode in contents(folder):
        names[episode.split].add(episode.steps[0].observation)
        assert episode.env_options.get("split", "train") == episode.split
    assert not names["train"] & names["test"]


def test_demonstrations_carry_the_tokens_they_are_cloned_from(finished):
    _, folder = finished
    demo = next(episode for episode in contents(folder) if episode.phase == "demo")
    assert all(step.source is Source.TEACHER and step.trainable and step.response_ids for step in demo.steps)


def test_a_finished_run_is_not_run_again(finished):
    metrics, folder = finished
    before = contents(folder)
    assert evolve(EvolveConfig(**SETTINGS), folder) == metrics
    assert contents(folder) == before


def test_a_run_is_only_continued_with_its_own_settings(finished):
    _, folder = finished
    with pytest.raises(RunError, match=r"other settings \(seed\)"):
        evolve(EvolveConfig(**SETTINGS, seed=1), folder)


def test_killed_runs_end_as_the_one_left_alone(finished, tmp_path):
    _, alone = finished
    killed = tmp_path / "run"
    pieces = 0
    for wanted in (1, 5, 8):
        process = start(killed)
        while process.is_alive() and pieces < wanted:
            pieces = done_pieces(killed)
        process.kill()
        process.join()
        pieces = done_pieces(killed)
    process = start(killed)
    process.join()
    assert process.exitcode == 0
    assert weights(killed) == weights(alone)
    assert contents(killed) == contents(alone)
    assert (killed / "metrics.jsonl").read_text() == (alone / "metrics.jsonl").read_text()


def start(folder, **changes):
    process = PROCESSES.Process(target=evolve, args=(EvolveConfig(**SETTINGS, **changes), folder))
    process.start()
    return process


def below(pid):
    """The processes that a process has started, directly or not."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [*children, *(further for child in children for further in below(child))]


def running(pid):
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # empty once it is dead
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_another_seed_is_another_run(finished, tmp_path):
    _, folder = finished
    evolve(EvolveConfig(**{**SETTINGS, "iterations": 0}, seed=1), tmp_path / "run")
    assert weights(tmp_path / "run", 0) != weights(folder, 0)


@pytest.mark.parametrize("model", ["nano", "smollm2", "some/model"])
def test_there_are_settings_that_suit_every_model(model):
    config = EvolveConfig(**preset(model))
    assert config.model == model
    assert config.search.max_depth == config.env_options["max_steps"]


@pytest.mark.parametrize("env", ["selfgym/KuhnPoker-v0", "selfgym:selfgym/Sokoban-v0", "somebodys/Game-v0"])
def test_a_game_begins_with_its_own_limits_and_its_solutions(env):
    config = EvolveConfig(**preset("nano", env) | {"env": env})
    assert (config.env_options, config.expert) == ({}, "solver")
    assert EvolveConfig(**preset("nano", "selfgym/Household-v0")) == EvolveConfig(**preset("nano"))


def test_recipes_are_found_by_name():
    assert find_recipe("agent-r").paper.endswith("2501.11425")
    with pytest.raises(LookupError, match="Did you mean 'agent-r'"):
        find_recipe("agentr")
    assert find_recipe("selfgym.trainers.recipes.agent_r:AGENT_R") is find_recipe("agent-r")
    with pytest.raises(LookupError, match="cannot be loaded"):
        find_recipe("no_such_module:RECIPE")
    with pytest.raises(LookupError, match="not a Recipe"):
        find_recipe("selfgym.trainers.recipes.agent_r:PAPER")


@pytest.mark.parametrize("recipe", ["good-only", "direct-revision"])
def test_the_controls_run(recipe, tmp_path):
    metrics = evolve(EvolveConfig(**{**SETTINGS, "recipe": recipe, "demos": 2}), tmp_path / "run")
    assert [record["iteration"] for record in metrics] == [0, 1]


def test_low_rank_adapters_are_merged_into_the_checkpoint(tmp_path):
    evolve(EvolveConfig(**{**SETTINGS, "iterations": 0, "evaluations": 1}, lora=4), tmp_path / "run")
    names = json.loads((tmp_path / "run" / "checkpoints" / "0" / "config.json").read_text())
    assert names["model_type"] == "llama"
    assert weights(tmp_path / "run", 0) != weights(tmp_path / "run", "start")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked for in /proc, which is not here")
def test_two_workers_collect_what_one_process_does_and_end_with_a_run_that_is_killed(finished, tmp_path):
    _, alone = finished
    process = start(tmp_path / "run", workers=2)
    while process.is_alive() and not done_pieces(tmp_path / "run"):
        time.sleep(0.01)
    started = below(process.pid)
    assert len(started) >= 3  # and the process that they are forked from
    process.kill()
    process.join()
    while any(map(running, started)):
        time.sleep(0.01)
    evolve(EvolveConfig(**SETTINGS, workers=2), tmp_path / "run")
    assert contents(tmp_path / "run") == contents(alone)
    assert weights(tmp_path / "run") == weights(alone)


def test_workers_see_the_environment_as_it_is_now(monkeypatch):
    seen = []
    for value in ("one", "two"):
        monkeypatch.setenv("SELFGYM_TEST", value)
        with workers(EvolveConfig(workers=2)) as pool:
            seen.append(pool.submit(os.getenv, "SELFGYM_TEST").result())
    assert seen == ["one", "two"]


def leave_workers_at_work():
    with workers(EvolveConfig(workers=2)) as pool:
        for _ in range(20):
            pool.submit(os.getpid).result()  # they are up
        begun = pool.submit(time.sleep, 0.5)
        while not begun.running():
            time.sleep(0.01)


def test_a_run_in_a_process_of_its_own_ends_with_its_workers():
    process = PROCESSES.Process(target=leave_workers_at_work)
    process.start()
    process.join(60)
    process.kill()
    assert process.exitcode == 0


def test_a_model_that_is_not_there_leaves_no_run_behind(tmp_path):
    with pytest.raises(LookupError, match="no model folder"):
        evolve(EvolveConfig(**{**SETTINGS, "model": str(tmp_path / "none")}), tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()
