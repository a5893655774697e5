"""The study at the small desktop: its report comes from the episodes, and no layout counts that was trained on."""

import json

import pytest

pytest.importorskip("PIL")

from selfgym.benchmarks.learning import desktop as study
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.presets import preset
from selfgym.trainers.stage import EvolveConfig, task_seed

TRAINED, OTHER = 7, 999_000_001


def played(seed, phase, *, won, split="test"):
    outcome = Outcome.SUCCESS if won else Outcome.FAILURE
    return Episode(
        id=f"{phase}/{seed}", env=study.ENV, task="", task_id=str(seed), seed=seed, outcome=outcome, phase=phase,
        split=split,
    )  # fmt: skip


def log(out, arm, episodes):
    folder = out / "seed-0" / arm / "run"
    folder.mkdir(parents=True)
    with EpisodeStore(folder / "episodes.db") as store:
        store.append(episodes)


def config(**changes):
    settings = preset("nano", study.ENV, "grpo") | {"env": study.ENV, "recipe": "grpo", "words": 0, "evaluations": 2}
    return EvolveConfig(**(settings | changes))


def test_a_layout_that_was_trained_on_is_left_out(tmp_path):
    def evaluation(phase, won):
        return [played(TRAINED, phase, won=True), played(OTHER, phase, won=won)]

    log(tmp_path, "start", [*evaluation("untrained", False), *evaluation("eval-0", False)])
    for arm in ("grpo", study.CONTROL):
        demo = played(TRAINED, "demo", won=True, split="train")
        log(tmp_path, arm, [demo, *evaluation("eval-1", arm == "grpo")])
    found = study.report(config(iterations=1, evaluate_every=1), tmp_path, [0], "grpo")
    assert found["known_layouts_left_out"] == 1
    assert {row["stage"]: row["success"] for row in found["rows"]} == {
        "untrained": 0.0, "cloned start": 0.0, "more-cloning 1": 0.0, "grpo 1": 1.0,
    }  # fmt: skip
    assert found["differences"]["grpo 1 minus more-cloning 1"]["points"] == 100.0
    assert found["rows"][-1]["by_task"] == {"files-count": [1, 1]}


def test_the_curve_has_every_evaluation_in_order():
    names = [name for name, _, _ in study.stages_of("grpo", 5, 2)]
    assert names == [
        "untrained", "cloned start", "more-cloning 2", "more-cloning 4", "more-cloning 5", "grpo 2", "grpo 4", "grpo 5",
    ]  # fmt: skip


def test_the_typist_does_all_held_out_tasks_of_the_preset_and_no_training_task_is_one():
    settings = config(evaluations=3)
    assert study.ceiling(settings) == 1.0
    options = json.dumps(settings.env_options)
    held = {study.drawn(options, settings.first_evaluation + number) for number in range(20)}
    trained = {study.drawn(options, task_seed(0, number, index)) for number in range(3) for index in range(20)}
    assert len(held) == 20
    assert not held & trained
