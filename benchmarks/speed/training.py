"""Training on trees of rollouts: selfgym beside TRL's trainer, on the same model and episodes, in one run and in turn.

    python benchmarks/speed/training.py --install     # once: TRL in an environment of its own
    python benchmarks/speed/training.py [--runs 5] [--hidden 384] [--layers 6]

Three sets of real episodes of a small model in households: *trees* (the leaves of search trees), *groups* (eight
samples of a task, several turns, under a long system prompt) and *apart* (one episode a task, no prompt in common).
*tree* computes shared prefixes once, *plain* pads rows, *trl* is SFTTrainer with the same rows in each step. Everybody
trains in float32 on two threads, with the loss on the same tokens. Reported: tokens of the original rollouts a second,
medians over steps of all runs without the first two of each run, and the ratios to TRL.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from selfgym.agents.policies.load import load_policy
from selfgym.agents.policies.nano import nano_folder
from selfgym.agents.rollout import Job, rollout
from selfgym.agents.search import SearchConfig
from selfgym.memory.episode import Episode
from selfgym.trainers.collectors import collect_trees
from selfgym.trainers.objectives import log_likelihood
from selfgym.trainers.packing import collate
from selfgym.trainers.rows import Row, rows_from
from selfgym.trainers.stage import EvolveConfig, Stage
from selfgym.trainers.trees import plant

PEER = Path("/opt/peers/trl")
HERE = Path(__file__).resolve().parent
SIZE = 8  # rows of a step
SKIPPED = 2  # steps of each run that warm up
_RULE = "A thing is heated with the microwave, cooled with the fridge and cleaned with the sinkbasin. "
PROMPT = "You act in a household. " + 16 * _RULE
"""About 400 tokens."""


def episodes(kind: str, folder: Path, tasks: int) -> Iterator[list[Episode]]:
    """Episodes by task, of the model in ``folder``."""
    agent = {"instruction": PROMPT if kind == "groups" else "", "max_new_tokens": 8, "max_context": 2000}
    config = EvolveConfig(env_options={"size": "tiny", "max_steps": 8}, agent=agent)
    stage = Stage(config, folder, load_policy(str(folder)))
    drawn = [stage.task(number) for number in range(tasks)]
    if kind == "trees":
        search = SearchConfig(simulations=4, branch=3, max_depth=8)
        yield from collect_trees(drawn, stage.policy, stage.agent, search, record={"run": "speed", "phase": "tree"})
        return
    draws = 8 if kind == "groups" else 1
    jobs = [
        Job(f"{task.id}/{draw}", task.make, partial(stage.agent, task, draw=draw), task.seed, record=task.record)
        for task in drawn
        for draw in range(draws)
    ]
    played = dict(rollout(jobs, stage.policy))
    for at in range(0, len(jobs), draws):
        yield [played[number] for number in range(at, at + draws)]


def steps_of(kind: str, folder: Path, tasks: int) -> list[list[Row]]:
    """The rows of each optimiser step, `SIZE` of them: of one task, or where nothing is shared of as many tasks."""
    by_task = [[row for episode in group for row in rows_from(episode)] for group in episodes(kind, folder, tasks)]
    if kind == "apart":
        by_task = [[_apart(row, number) for number, [row, *_] in enumerate(by_task)]]
    return [rows[at : at + SIZE] for rows in by_task for at in range(0, len(rows) - SIZE + 1, SIZE)]


def _apart(row: Row, number: int) -> Row:
    """The row under a first token of its own, so that no two begin alike."""
    ids = row.token_ids.copy()
    ids[0] = 10 + number
    return Row(ids, row.weight, row.old_logprob, row.normaliser)


def ours(folder: Path, steps: list[list[Row]], *, tree: bool) -> list[float]:
    """Seconds of each optimiser step, packing included."""
    policy: Any = load_policy(str(folder))
    model, pad = policy.model.train(), policy.tokenizer.pad_token_id
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)
    seconds = []
    for rows in steps:
        begun = time.perf_counter()
        batch = collate(rows, pad_id=pad, tree=tree)
        optimiser.zero_grad(set_to_none=True)
        (log_likelihood(model, batch) / batch.normaliser).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        seconds.append(time.perf_counter() - begun)
    return seconds


def trl(folder: Path, steps: list[list[Row]], scratch: Path) -> list[float]:
    """Seconds of each of TRL's optimiser steps on the same rows."""
    path, script = scratch / "rows.jsonl", HERE / "peers" / "train_trl.py"
    path.write_text("\n".join(json.dumps(_plain(row)) for rows in steps for row in rows))
    command = [str(PEER / "bin" / "python"), str(script), str(folder), str(path), str(SIZE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"TRL failed: {done.stderr[-2000:]}")
    found = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    seconds: list[float] = json.loads(found.removeprefix("RESULT "))
    return seconds


def _plain(row: Row) -> dict[str, list[int]]:
    labels = np.where(row.weight != 0, row.token_ids, -100)
    return {"ids": row.token_ids.tolist(), "labels": labels.tolist()}


def measure(kind: str, folder: Path, runs: int, tasks: int, scratch: Path) -> dict[str, Any]:
    """Tokens a second of everybody on one kind of episodes."""
    steps = steps_of(kind, folder, tasks)
    original = sum(len(row) for rows in steps for row in rows)
    distinct = sum(len(plant(rows).ids) for rows in steps)
    players: dict[str, Callable[[], list[float]]] = {
        "tree": partial(ours, folder, steps, tree=True), "plain": partial(ours, folder, steps, tree=False),
    }  # fmt: skip
    if (PEER / "bin" / "python").exists():
        players["trl"] = partial(trl, folder, steps, scratch)
    else:
        print(f"LEFT OUT: TRL is not installed in {PEER}; say --install", file=sys.stderr)
    rates: dict[str, list[float]] = {name: [] for name in players}
    for _ in range(runs):
        for name, play in players.items():
            taken = play()
            counts = [sum(map(len, rows)) for rows in steps]
            rates[name] += [count / one for count, one in zip(counts[SKIPPED:], taken[SKIPPED:], strict=True)]
    middle = {name: statistics.median(found) for name, found in rates.items()}
    return {
        "rows": sum(map(len, steps)), "tokens": original, "distinct": distinct, "sharing": original / distinct,
        "steps": len(steps), "runs": runs, "tokens_per_second": middle,
        "times_trl": {name: rate / middle["trl"] for name, rate in middle.items()} if "trl" in middle else {},
    }  # fmt: skip


def install() -> None:
    """TRL in an environment of its own."""
    subprocess.run([sys.executable, "-m", "venv", str(PEER)], check=True)
    for packages in (["torch==2.13.0"], ["trl", "datasets"]):
        subprocess.run([str(PEER / "bin" / "pip"), "install", "--quiet", *packages], check=True)


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=12)
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--kinds", default="trees,groups,apart")
    parser.add_argument("--results", type=Path, default=HERE.parent / "results")
    arguments = parser.parse_args()
    if arguments.install:
        install()
        return
    torch.set_num_threads(2)
    result: dict[str, Any] = {"date": str(date.today()), "hidden": arguments.hidden, "layers": arguments.layers}
    with tempfile.TemporaryDirectory() as scratch:
        folder = nano_folder(Path(scratch) / "model", hidden_size=arguments.hidden, layers=arguments.layers, heads=6)
        for kind in arguments.kinds.split(","):
            tasks = 8 * arguments.tasks if kind == "apart" else arguments.tasks
            found = result[kind] = measure(kind, folder, arguments.runs, tasks, Path(scratch))
            told = "  ".join(f"{name} {rate:.0f}" for name, rate in found["tokens_per_second"].items())
            times = "  ".join(f"{name} {ratio:.2f}x" for name, ratio in found["times_trl"].items())
            print(f"{kind:7} {found['tokens']} tokens, {found['sharing']:.2f} shared; tokens/s: {told}; {times}")
    path = arguments.results / f"training_speed-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
