"""Rollouts ahead of the trainer: older weights play them, the record says so, and a killed run still ends the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from selfgym.memory.store import EpisodeStore
from selfgym.trainers.evolve import evolve
from selfgym.trainers.stage import EvolveConfig

from .runs import contents, done_pieces, weights

SETTINGS = {
    "recipe": "reinforce",  # it trains on every group, also on those in which all failed
    "env_options": {"size": "tiny", "max_steps": 4},
    "agent": {"instruction": "", "max_new_tokens": 6},
    "demos": 6,
    "tasks": 3,
    "unit": 2,
    "group": {"size": 2},
    "evaluations": 2,
    "evaluate_every": 3,
    "iterations": 3,
    "clone": {"steps": 10, "batch_tokens": 512, "learning_rate": 0.003},
    "update": {"steps": 3, "batch_tokens": 512, "checkpoint_every": 1, "learning_rate": 0.003},
    "lag": 1,
}
RUN = """
import json, sys
from pathlib import Path
from selfgym.trainers.evolve import evolve
from selfgym.trainers.stage import EvolveConfig
if __name__ == "__main__":
    evolve(EvolveConfig(**json.loads(sys.argv[1])), Path(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone") / "run"
    evolve(EvolveConfig(**SETTINGS), folder)
    return folder


def test_episodes_say_which_weights_played_them_and_updates_how_old_these_were(alone):
    assert len({weights(alone, number) for number in range(4)}) == 4
    versions = {
        phase: {step.policy_version for episode in contents(alone) if episode.phase == phase for step in episode.steps}
        for phase in ("group-0", "group-1", "group-2", "eval-3")
    }
    assert versions == {"group-0": {0}, "group-1": {0}, "group-2": {1}, "eval-3": {3}}
    with EpisodeStore(alone / "episodes.db", readonly=True) as store:
        assert [note["staleness"] for note in store.notes("updates")] == [0, 0, 1, 1]


def test_a_killed_run_ends_as_the_one_left_alone_with_any_number_of_workers(alone, tmp_path):
    killed, environment = tmp_path / "run", {**os.environ, "HF_HUB_OFFLINE": "1"}
    (tmp_path / "run.py").write_text(RUN)
    command = [sys.executable, str(tmp_path / "run.py"), json.dumps({**SETTINGS, "workers": 2}), str(killed)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    while process.poll() is None and done_pieces(killed) < 8:  # after the first update on episodes
        time.sleep(0.1)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    subprocess.run(command, check=True, env=environment, capture_output=True)
    assert contents(killed) == contents(alone)
    assert weights(killed, 3) == weights(alone, 3)
    assert (killed / "metrics.jsonl").read_text() == (alone / "metrics.jsonl").read_text()


def test_without_lag_the_newest_weights_play(alone, tmp_path):
    evolve(EvolveConfig(**{**SETTINGS, "lag": 0, "iterations": 2, "evaluate_every": 2}), tmp_path / "run")
    assert weights(tmp_path / "run", 1) == weights(alone, 1)
    assert weights(tmp_path / "run", 2) != weights(alone, 2)
    last = [episode for episode in contents(tmp_path / "run") if episode.phase == "group-1"]
    assert {step.policy_version for episode in last for step in episode.steps} == {1}
