"""A run whose episodes vLLM samples, for real, in the environment that tests/peers.py makes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from selfgym.agents.policies.transformers import TransformersPolicy
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.objectives import token_logprobs
from selfgym.trainers.packing import collate
from selfgym.trainers.rows import rows_from

ROOT = Path(__file__).resolve().parents[2]
NEAR = 2e-5  # nats between vLLM and Transformers in float32, as in test_policies_vllm.py
SETTINGS = {
    "recipe": "grpo",
    "group": {"size": 2, "baseline": "none"},  # every group teaches, also those in which all failed
    "sampler": "vllm",
    "sampler_options": {"dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": 1 << 28},
    "env_options": {"size": "tiny", "max_steps": 4},
    "agent": {"instruction": "", "max_new_tokens": 6},
    "demos": 6,
    "tasks": 4,
    "unit": 2,
    "evaluations": 2,
    "iterations": 2,
    "clone": {"steps": 10, "batch_tokens": 512, "learning_rate": 0.003},
    "update": {"steps": 4, "batch_tokens": 512, "learning_rate": 0.003},
}
RUN = """
import json, shutil, sys
from pathlib import Path
import torch
from selfgym.trainers.evolve import evolve
from selfgym.trainers.stage import EvolveConfig

run, copy = map(Path, sys.argv[2:])

def progress(what, done, total):
    # what a kill at this moment would leave: the run goes on in the copy, in another process
    if what == "eval-1" and not copy.exists():
        shutil.copytree(run, copy)

evolve(EvolveConfig(**json.loads(sys.argv[1])), run, progress=progress)
assert torch.get_num_threads() == 1
torch.set_num_threads(2)
assert torch.get_num_threads() == 2, "vLLM took the threads from the trainer"
"""


def child(python, run, copy):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    command = [python, "-c", RUN, json.dumps(SETTINGS), run, copy]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, python_of) -> tuple[Path, Path]:
    """A run, and one that was broken off before its second evaluation and gone on with."""
    python = python_of("vllm")
    here = tmp_path_factory.mktemp("vllm")
    alone, copy = here / "alone" / "run", here / "resumed" / "run"
    child(python, alone, copy)
    child(python, copy, copy)
    return alone, copy


def contents(folder):
    with EpisodeStore(folder / "episodes.db", readonly=True) as store:
        return [episode.model_copy(update={"created": 0.0}) for episode in store.episodes()]


def furthest(folder, number, phase) -> float:
    """The most that the record's log-probabilities of a phase differ from those of checkpoint ``number``."""
    model, most = TransformersPolicy.load(folder / "checkpoints" / str(number)).model, 0.0
    for episode in contents(folder):
        for row in rows_from(episode) if episode.phase == phase else ():
            with torch.no_grad():
                exact = token_logprobs(model, collate([row], pad_id=0)).numpy()[0]
            sampled = row.weight != 0
            most = max(most, float(np.abs(exact - row.old_logprob)[sampled].max()))
    return most


@pytest.mark.parametrize(("iteration", "older"), [(0, "start"), (1, 0)])
def test_each_iteration_is_sampled_with_the_newest_weights(runs, iteration, older):
    folder, _ = runs
    assert furthest(folder, iteration, f"group-{iteration}") < NEAR
    assert furthest(folder, older, f"group-{iteration}") > 100 * NEAR
    episodes = [episode for episode in contents(folder) if episode.phase == f"group-{iteration}"]
    assert len(episodes) == 8
    assert {step.policy_version for episode in episodes for step in episode.steps} == {iteration}


def test_an_interrupted_run_ends_as_one_left_alone(runs):
    alone, resumed = runs
    assert contents(resumed) == contents(alone)
    for number in (1, 2):
        ends = [folder / "checkpoints" / str(number) / "model.safetensors" for folder in runs]
        assert ends[0].read_bytes() == ends[1].read_bytes()
