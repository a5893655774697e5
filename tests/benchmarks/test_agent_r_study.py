"""The study's script: arms share their start, prefixes are the same for all, and the report comes from the episodes."""

import json
import random
import sys

import pytest

from selfgym.benchmarks.learning import agent_r as study
from selfgym.envs.core import Outcome
from selfgym.trainers.stage import EvolveConfig, Stage

SETTINGS = {
    "env_options": {"size": "tiny", "max_steps": 10},
    "agent": {"instruction": "", "max_new_tokens": 8},
    "demos": 6,
    "tasks": 2,
    "evaluations": 4,
    "iterations": 1,
    "search": {"simulations": 1, "branch": 2, "max_depth": 6},
    "clone": {"steps": 4, "batch_tokens": 512},
    "update": {"steps": 2, "batch_tokens": 512},
}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    settings, results = folder / "settings.json", folder / "results"
    settings.write_text(json.dumps(SETTINGS))
    command = ["agent_r", "--seeds", "1", "--out", str(folder), "--settings", str(settings), "--results", str(results)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", command)
        study.main()
    return folder


def test_every_arm_starts_from_the_same_weights_and_has_its_episodes(out):
    starts = {(out / "seed-0" / arm / "run/checkpoints/0/model.safetensors").read_bytes() for arm in study.ARMS}
    assert len(starts) == 1
    for arm in study.ARMS:
        assert len(study.load(out, 0, arm, "eval-1")) == len(study.load(out, 0, arm, "recovery-1")) == 4


def test_recovery_is_measured_from_forced_prefixes_on_layouts_of_their_own(out):
    held_out = {episode.task_id for episode in study.load(out, 0, "agent-r", "eval-1")}
    prefixes = set()
    for arm in study.ARMS:
        for episode in study.load(out, 0, arm, "recovery-1"):
            assert episode.task_id not in held_out
            assert [step.trainable for step in episode.steps[: study.PREFIX]] == [False] * study.PREFIX
            prefixes.add((episode.task_id, tuple(step.action for step in episode.steps[: study.PREFIX])))
    assert len(prefixes) == 4


def test_a_prefix_never_ends_the_episode():
    task = Stage(EvolveConfig(**SETTINGS), None, None).task(random.Random(0).randrange(1000), held_out=True)
    env = task.make()
    env.reset(seed=task.seed)
    for action in study.bad_prefix(task):
        *_, info = env.step(action)
        assert info["outcome"] is Outcome.RUNNING


def test_the_report_names_every_arm_with_seeds_and_errors(out):
    [path] = (out / "results").iterdir()
    result = json.loads(path.read_text())
    assert [row["arm"] for row in result["rows"]] == ["cloned start", *(f"{arm} 1" for arm in study.ARMS)]
    assert set(result["agent_r_minus"]) == {"cloned start", "more-cloning 1", "good-only 1", "direct-revision 1"}
    assert all(row["errors"] == 0 and len(row["success_by_seed"]) == 1 for row in result["rows"])


def test_differences_are_paired_and_bracketed_by_their_interval():
    ours = [{f"t{n}": float(n % 2) for n in range(100)}, {f"t{n}": 1.0 for n in range(100)}]
    theirs = [{f"t{n}": 0.0 for n in range(100)}, {f"t{n}": 0.5 for n in range(100)}]
    gap = study.difference(ours, theirs)
    assert gap["points"] == pytest.approx(50)
    assert gap["low"] <= 50 <= gap["high"]
    assert gap["low"] > 0
