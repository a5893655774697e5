"""kill -9 at random moments of an evolve run: does every one resume to the weights of a run that was left alone?

    python benchmarks/kill_resume.py --kills 20

One run is left alone and timed. Another, with the same settings, is killed with SIGKILL at random moments and started
again each time, until it has been killed ``--kills`` times; then it is left to finish. Compared are the bytes of the
final weights, the ids of all episodes with their contents, and the metrics. Exits with 1 on any difference.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from selfgym.memory.store import EpisodeStore

SETTINGS: dict[str, Any] = {
    "env_options": {"size": "tiny", "max_steps": 12},
    "agent": {"instruction": "", "max_new_tokens": 12},
    "demos": 60,
    "tasks": 12,
    "evaluations": 12,
    "iterations": 2,
    "unit": 6,
    "search": {"simulations": 3, "branch": 2, "max_depth": 12},
    "splice": {"pairs": "any"},
    "clone": {"steps": 60, "batch_tokens": 1024, "learning_rate": 0.003, "checkpoint_every": 10},
    "update": {"steps": 20, "batch_tokens": 1024, "checkpoint_every": 5},
}
_RUN = """
import json, sys
from pathlib import Path
from selfgym.trainers.evolve import evolve
from selfgym.trainers.stage import EvolveConfig
evolve(EvolveConfig(**json.loads(sys.argv[1])), Path(sys.argv[2]))
"""


def start(settings: dict[str, Any], folder: Path) -> subprocess.Popen[bytes]:
    """Start (or go on with) the run in ``folder`` in a process of its own."""
    command = [sys.executable, "-c", _RUN, json.dumps(settings), str(folder)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for a run that must succeed."""
    _, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"the run failed with exit code {process.returncode}:\n{errors.decode()[-2000:]}")


def state(folder: Path, iterations: int) -> dict[str, Any]:
    """Everything that must agree: final weights, episodes without their times, metrics."""
    with EpisodeStore(folder / "episodes.db", readonly=True) as store:
        episodes = [episode.model_copy(update={"created": 0.0}).model_dump_json() for episode in store.episodes()]
        done = store.notes("done")
    return {
        "weights": (folder / "checkpoints" / str(iterations) / "model.safetensors").read_bytes(),
        "episodes": episodes,
        "done": done,
        "metrics": (folder / "metrics.jsonl").read_text(),
    }


def measure(kills: int, seed: int, settings: dict[str, Any], parent: Path) -> dict[str, Any]:
    """Do the run that is left alone and as many killed ones as it takes, and compare every one that ended."""
    alone, killed = parent / "alone" / "run", parent / "killed" / "run"
    iterations = int(settings["iterations"])
    begun = time.monotonic()
    finish(start(settings, alone))
    seconds = time.monotonic() - begun
    expected = state(alone, iterations)
    moments = random.Random(seed)
    done, ended = 0, []
    while done < kills:
        process = start(settings, killed)
        try:
            process.wait(timeout=moments.uniform(0.0, 0.6 * seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            done += 1
            continue
        finish(process)  # it ended before the moment came: compare it, and kill another one from the start
        ended.append(state(killed, iterations))
        shutil.rmtree(killed)
    finish(start(settings, killed))
    ended.append(state(killed, iterations))
    ids = [json.loads(text)["id"] for other in ended for text in other["episodes"]]
    return {
        "kills": kills,
        "runs": len(ended),
        "seconds_left_alone": round(seconds, 1),
        "episodes_a_run": len(expected["episodes"]),
        "doubled": len(ids) - len(ended) * len(set(ids)),
        "same": {name: all(other[name] == expected[name] for other in ended) for name in expected},
    }


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(arguments.kills, arguments.seed, SETTINGS, Path(folder))
    print(json.dumps(result, indent=2))
    path = Path(__file__).parent / "results" / f"kill_resume-{date.today()}.json"
    path.write_text(json.dumps({"settings": SETTINGS, **result}, indent=2) + "\n")
    if result["doubled"] or not all(result["same"].values()):
        raise SystemExit("a killed run differs from the one that was left alone")


if __name__ == "__main__":
    main()
