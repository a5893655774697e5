"""Rollouts: selfgym's `rollout` beside TRL's multi-turn environments, the same work in one run and in turn.

    python benchmarks/speed/training.py --install     # once: TRL in an environment of its own
    python benchmarks/speed/rollouts.py [--runs 5] [--settings bare,instructed]

TRL's player is `GRPOTrainer` with ``environment_factory`` and transformers' generation (vLLM is left out on both
sides): what the trainer itself calls for a batch, from resets to rewards (`peers/rollout_trl.py`). Both sides play the
same households with the same weights, float32, as many samples a task, temperature 1, one batch, the same threads. The
weights are untrained: no command is ever understood, so that every episode has all its steps and nearly every answer
all its tokens. Counted and printed on both sides: steps of environments, sampled tokens, tokens of the final contexts,
and tokens that went through the model, padding included. Unequal steps stop the run.

Favourable to TRL: it describes no tools in the prompt, it keeps neither log-probabilities nor a record of steps
(selfgym does both), it makes no environments within the clock, an answer cut at its limit is not closed (a token less a
turn), and its last step is taken where rewards are computed, which saves it an answer. Favourable to selfgym: episodes
of many turns, since TRL computes a context anew at each turn, and samples of a prompt, which selfgym computes once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import torch

from selfgym.agents.policies.load import load_policy
from selfgym.agents.policies.nano import nano_folder
from selfgym.agents.react import INSTRUCTION, ReactAgent
from selfgym.agents.rollout import Job, rollout
from selfgym.envs.core import Outcome

PEER = Path("/opt/peers/trl/bin/python")
HERE = Path(__file__).resolve().parent
Counts = dict[str, float]
"""seconds, cpu (seconds of the processor), env_steps, sampled, context, fed"""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is played, and by what model."""

    hidden: int
    layers: int
    heads: int
    instruction: str
    admissible: bool
    """Whether each observation lists the admissible commands."""
    episodes: int
    new_tokens: int
    """The most tokens of an answer."""
    samples: int = 4
    """Episodes of one task."""
    steps: int = 12

    @property
    def env(self) -> dict[str, Any]:
        """Keyword arguments of the environment."""
        return {"size": "tiny", "max_steps": self.steps, "admissible_commands": self.admissible}


SETTINGS = {
    "bare": Setting(hidden=128, layers=4, heads=4, instruction="", admissible=False, episodes=32, new_tokens=8),
    "instructed": Setting(
        hidden=256, layers=4, heads=4, instruction=INSTRUCTION, admissible=True, episodes=16, new_tokens=16
    ),
}
"""As nano is used, and more as a pretrained model is. A household command and its end are 4 to 8 tokens of nano's."""


def make_env(options: dict[str, Any]) -> Any:
    """A household."""
    return gymnasium.make("selfgym/Household-v0", **options).unwrapped


def ours(setting: Setting, policy: Any, fed: list[int], seeds: Sequence[int], draw: int) -> Counts:
    """Play every seed ``samples`` times with `rollout`."""
    names = [(seed, sample) for seed in seeds for sample in range(setting.samples)]
    policy.forget(None)
    fed[0] = 0
    begun, busy = time.perf_counter(), time.process_time()
    jobs = [
        Job(
            f"{seed}/{sample}",
            partial(make_env, setting.env),
            partial(agent, setting, policy, seed, sample, draw),
            seed,
        )
        for seed, sample in names
    ]
    episodes = [episode for _, episode in rollout(jobs, policy)]
    spent = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - busy}
    wrong = [episode.error for episode in episodes if episode.outcome is not Outcome.TRUNCATED]
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {len(episodes)} episodes did not run to their last step: {wrong[0]}")
    steps = [step for episode in episodes for step in episode.steps]
    sampled = sum(len(step.response_ids) for step in steps)
    context = sampled + sum(len(step.prompt_ids) for step in steps)
    return {**spent, "env_steps": len(steps), "sampled": sampled, "context": context, "fed": fed[0]}


def agent(setting: Setting, policy: Any, seed: int, sample: int, draw: int) -> ReactAgent:
    """Who plays one episode."""
    return ReactAgent(
        policy, seed=hash((seed, sample, draw)), key=f"{seed}/{sample}", instruction=setting.instruction,
        show_admissible=setting.admissible, max_new_tokens=setting.new_tokens, max_context=2000,
    )  # fmt: skip


class Trl:
    """TRL in a process of its own that waits for seeds."""

    def __init__(self, setting: Setting, folder: Path, threads: int) -> None:
        told = {**asdict(setting), "env": setting.env, "model": str(folder), "threads": threads, "scratch": str(folder)}
        source = str(HERE.parents[1] / "src")
        environ = {**os.environ, "PYTHONPATH": source, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads)}
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(PEER), str(HERE / "peers" / "rollout_trl.py"), json.dumps(told)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, env=environ,
        )  # fmt: skip

    def play(self, seeds: Sequence[int], draw: int) -> Counts:
        """Play every seed ``samples`` times; TRL goes on with the random stream it began with, whatever ``draw``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"seeds": list(seeds)}), file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith("RESULT "):
                counts: Counts = json.loads(line.removeprefix("RESULT "))
                return counts
        self._errors.seek(0)
        raise RuntimeError(f"TRL failed: {self._errors.read()[-2000:]}")

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


def measure(setting: Setting, folder: Path, runs: int, threads: int) -> dict[str, Any]:
    """Episodes a second of both, in turn: medians over runs after one that warms up."""
    policy: Any = load_policy(str(folder))
    fed = [0]
    policy.model.register_forward_pre_hook(
        lambda model, given, named: fed.__setitem__(0, fed[0] + named["input_ids"].numel()), with_kwargs=True
    )
    peer = Trl(setting, folder, threads)
    players: dict[str, Callable[[Sequence[int], int], Counts]] = {
        "selfgym": partial(ours, setting, policy, fed), "trl": peer.play,
    }  # fmt: skip
    found: dict[str, list[Counts]] = {name: [] for name in players}
    try:
        for run in range(runs + 1):
            seeds = range(1000 * run, 1000 * run + setting.episodes // setting.samples)
            for name, play in players.items():
                found[name].append(play(seeds, run))
            if found["selfgym"][-1]["env_steps"] != found["trl"][-1]["env_steps"]:
                raise RuntimeError(f"the players took other numbers of steps: {found}")
    finally:
        peer.close()
    middle = {
        name: {key: statistics.median(counts[key] for counts in all_counts[1:]) for key in all_counts[0]}
        for name, all_counts in found.items()
    }
    ratios = {clock: _ratios(found, clock) for clock in ("seconds", "cpu")}
    return {
        "setting": asdict(setting), "runs": runs, "threads": threads, "medians": middle,
        "episodes_per_second": {name: setting.episodes / counts["seconds"] for name, counts in middle.items()},
        "times_trl": statistics.median(ratios["seconds"]), "times_trl_by_cpu": statistics.median(ratios["cpu"]),
        "times_trl_of_runs": ratios,
    }  # fmt: skip


def _ratios(found: dict[str, list[Counts]], clock: str) -> list[float]:
    """How many times as long TRL took, run by run."""
    return [trl[clock] / own[clock] for own, trl in zip(found["selfgym"][1:], found["trl"][1:], strict=True)]


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--settings", default=",".join(SETTINGS))
    parser.add_argument("--results", type=Path, default=HERE.parent / "results")
    arguments = parser.parse_args()
    if not PEER.exists():
        sys.exit(f"TRL is not installed as {PEER}: python benchmarks/speed/training.py --install")
    torch.set_num_threads(arguments.threads)
    for name in arguments.settings.split(","):
        setting = SETTINGS[name]
        with tempfile.TemporaryDirectory() as scratch:
            folder = nano_folder(
                Path(scratch) / "model", hidden_size=setting.hidden, layers=setting.layers, heads=setting.heads
            )
            found = measure(setting, folder, arguments.runs, arguments.threads)
        print(f"{name}: {setting.episodes} episodes of {setting.steps} steps, {arguments.runs} runs")
        for player, counts in found["medians"].items():
            told = ", ".join(f"{value:.0f} {key}" for key, value in counts.items() if key not in ("seconds", "cpu"))
            print(f"  {player:8} {found['episodes_per_second'][player]:.3f} episodes/s  {told}")
        print(f"  {found['times_trl']:.2f}x; {found['times_trl_by_cpu']:.2f}x by seconds of the processor", flush=True)
        path = arguments.results / f"rollout_speed-{name}-{date.today()}.json"
        path.write_text(json.dumps({"date": str(date.today()), **found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
