"""Training on trees of rollouts: selfgym beside TRL's trainer, on the same model and episodes, in one run and in turn.

    python benchmarks/speed/training.py --install     # once: TRL in an environment of its own
    python benchmarks/speed/training.py [--runs 5] [--hidden 384] [--layers 6] [--kinds trees,groups,apart]

Three sets of real episodes of a small model in households. *trees*: leaves of search trees as Agent-R grows them (16
simulations, 4 answers an expansion, depth 16, the default instruction, a policy held to admissible commands), 24 rows a
step. *groups*: eight samples of a task, several turns, under a long system prompt, 8 rows a step. *apart*: one episode
a task, no prompt in common, 8 rows a step.

*tree* computes shared prefixes once, a step in one forward pass; *plain* pads rows, 8 in a forward pass; *trl* is
SFTTrainer with the same rows in each step, 8 in a forward pass and the rest accumulated. Everybody trains in float32 on
the same threads, with the loss on the same tokens. Reported: tokens of the original rollouts a second, medians over
steps of all runs without the first of each run, and the ratios to TRL; the same by seconds of the processor, which
other work on the machine disturbs less.

Favourable to TRL: batches are collated before its clock starts; the vocabulary is small (about 1,000), so that logits
where no loss is put, which it computes too, cost little. Favourable to selfgym: how much the rows share, as printed.
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
from selfgym.agents.rollout import Job, play_all
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
SIZE = {"trees": 24, "groups": 8, "apart": 8}  # rows of a step
PADDED = 8  # rows of a forward pass without a tree
SKIPPED = 1  # steps of each run that warm up
Spent = list[tuple[float, float]]
"""Seconds, and seconds of the processor, of each optimiser step."""
_RULE = "A thing is heated with the microwave, cooled with the fridge and cleaned with the sinkbasin. "
PROMPT = "You act in a household. " + 16 * _RULE
"""About 400 tokens."""
POSITIONS = 4096


def episodes(kind: str, folder: Path, tasks: int) -> Iterator[list[Episode]]:
    """Episodes by task, of the model in ``folder``."""
    agent: dict[str, Any] = {"max_context": POSITIONS - 96}
    if kind == "trees":
        config = EvolveConfig(
            env_options={"size": "tiny", "max_steps": 16, "admissible_commands": True}, agent=agent | {"restrict": True}
        )
    else:
        agent |= {"instruction": PROMPT if kind == "groups" else "", "max_new_tokens": 8}
        config = EvolveConfig(env_options={"size": "tiny", "max_steps": 8}, agent=agent)
    stage = Stage(config, folder, load_policy(str(folder)))
    drawn = [stage.task(number) for number in range(tasks)]
    if kind == "trees":
        search = SearchConfig(simulations=16, branch=4, max_depth=16)
        yield from collect_trees(drawn, stage.policy, stage.agent, search, record={"run": "speed", "phase": "tree"})
        return
    draws = 8 if kind == "groups" else 1
    jobs = [
        Job(f"{task.id}/{draw}", task.make, partial(stage.agent, task, draw=draw), task.seed, record=task.record)
        for task in drawn
        for draw in range(draws)
    ]
    played = play_all(jobs, stage.policy)
    yield from (played[at : at + draws] for at in range(0, len(jobs), draws))


def steps_of(kind: str, folder: Path, tasks: int) -> list[list[Row]]:
    """The rows of each optimiser step, `SIZE` of them: of one task, or where nothing is shared of as many tasks."""
    size = SIZE[kind]
    by_task = [[row for episode in group for row in rows_from(episode)] for group in episodes(kind, folder, tasks)]
    if kind == "apart":
        by_task = [[_apart(row, number) for number, [row, *_] in enumerate(by_task)]]
    return [rows[at : at + size] for rows in by_task for at in range(0, len(rows) - size + 1, size)]


def _apart(row: Row, number: int) -> Row:
    """The row under a first token of its own, so that no two begin alike."""
    ids = row.token_ids.copy()
    ids[0] = 10 + number
    return Row(ids, row.weight, row.old_logprob, row.normaliser)


def ours(folder: Path, steps: list[list[Row]], *, tree: bool) -> Spent:
    """What each optimiser step took, packing included."""
    policy: Any = load_policy(str(folder))
    model, pad = policy.model.train(), policy.tokenizer.pad_token_id
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)
    spent = []
    for rows in steps:
        begun = time.perf_counter(), time.process_time()
        normaliser = sum(row.normaliser for row in rows)
        optimiser.zero_grad(set_to_none=True)
        for part in [rows] if tree else [rows[at : at + PADDED] for at in range(0, len(rows), PADDED)]:
            batch = collate(part, pad_id=pad, tree=tree)
            (log_likelihood(model, batch) / normaliser).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        spent.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    return spent


def trl(folder: Path, steps: list[list[Row]], scratch: Path) -> Spent:
    """What each of TRL's optimiser steps on the same rows took."""
    path, script = scratch / "rows.jsonl", HERE / "peers" / "train_trl.py"
    path.write_text("\n".join(json.dumps(_plain(row)) for rows in steps for row in rows))
    counts = [str(PADDED), str(len(steps[0]) // PADDED), str(torch.get_num_threads())]
    command = [str(PEER / "bin" / "python"), str(script), str(folder), str(path), *counts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"TRL failed: {done.stderr[-2000:]}")
    found = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return [(seconds, cpu) for seconds, cpu in json.loads(found.removeprefix("RESULT "))]


def _plain(row: Row) -> dict[str, list[int]]:
    labels = np.where(row.weight != 0, row.token_ids, -100)
    return {"ids": row.token_ids.tolist(), "labels": labels.tolist()}


def measure(kind: str, grower: Path, folder: Path, runs: int, tasks: int, most: int) -> dict[str, Any]:
    """Tokens a second of everybody on one kind of episodes, which the model in ``grower`` plays."""
    steps = steps_of(kind, grower, tasks)[:most]
    if len(steps) <= SKIPPED:
        raise RuntimeError(f"{kind}: {len(steps)} steps of {SIZE[kind]} rows are too few: say more --tasks")
    original = sum(len(row) for rows in steps for row in rows)
    distinct = sum(len(plant(rows).ids) for rows in steps)
    players: dict[str, Callable[[], Spent]] = {
        "tree": partial(ours, folder, steps, tree=True), "plain": partial(ours, folder, steps, tree=False),
    }  # fmt: skip
    if (PEER / "bin" / "python").exists():
        players["trl"] = partial(trl, folder, steps, folder.parent)
    else:
        print(f"LEFT OUT: TRL is not installed in {PEER}; say --install", file=sys.stderr)
    counts = [sum(map(len, rows)) for rows in steps][SKIPPED:]
    rates: dict[str, list[tuple[float, ...]]] = {name: [] for name in players}
    for _ in range(runs):
        for name, play in players.items():
            taken = play()[SKIPPED:]
            rates[name] += [tuple(count / one for one in each) for count, each in zip(counts, taken, strict=True)]
    wall, cpu = ({name: statistics.median(one[clock] for one in rates[name]) for name in rates} for clock in (0, 1))
    return {
        "rows": sum(map(len, steps)), "tokens": original, "distinct": distinct, "sharing": original / distinct,
        "steps": len(steps), "runs": runs, "tokens_per_second": wall, "tokens_per_cpu_second": cpu,
        "times_trl": {name: rate / wall["trl"] for name, rate in wall.items()} if "trl" in wall else {},
        "times_trl_by_cpu": {name: rate / cpu["trl"] for name, rate in cpu.items()} if "trl" in cpu else {},
    }  # fmt: skip


def install() -> None:
    """TRL in an environment of its own."""
    subprocess.run([sys.executable, "-m", "venv", str(PEER)], check=True)
    for packages in (["torch==2.13.0"], ["trl", "datasets", "gymnasium"]):
        subprocess.run([str(PEER / "bin" / "pip"), "install", "--quiet", *packages], check=True)


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=12)
    parser.add_argument("--steps", type=int, default=12, help="the most optimiser steps of a run")
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kinds", default="trees,groups,apart")
    parser.add_argument("--results", type=Path, default=HERE.parent / "results")
    arguments = parser.parse_args()
    if arguments.install:
        install()
        return
    torch.set_num_threads(arguments.threads)
    sizes = {"hidden": arguments.hidden, "layers": arguments.layers, "threads": arguments.threads}
    result: dict[str, Any] = {"date": str(date.today()), **sizes}
    with tempfile.TemporaryDirectory() as scratch:
        grower = nano_folder(Path(scratch) / "grower", max_positions=POSITIONS)
        folder = nano_folder(
            Path(scratch) / "model", hidden_size=arguments.hidden, layers=arguments.layers,
            heads=max(1, arguments.hidden // 64), max_positions=POSITIONS,
        )  # fmt: skip
        for kind in arguments.kinds.split(","):
            tasks = 8 * arguments.tasks if kind == "apart" else arguments.tasks
            found = result[kind] = measure(kind, grower, folder, arguments.runs, tasks, arguments.steps)
            told = "  ".join(f"{name} {rate:.0f}" for name, rate in found["tokens_per_second"].items())
            times = "  ".join(f"{name} {ratio:.2f}x" for name, ratio in found["times_trl"].items())
            cpu = "  ".join(f"{name} {ratio:.2f}x" for name, ratio in found["times_trl_by_cpu"].items())
            print(
                f"{kind:7} {found['rows']} rows, {found['tokens']} tokens, {found['sharing']:.2f} for one of the tree"
            )
            print(f"        tokens/s: {told}; {times}; by the processor's seconds: {cpu}", flush=True)
    some = "" if set(SIZE) == set(arguments.kinds.split(",")) else f"-{arguments.kinds.replace(',', '-')}"
    path = arguments.results / f"training_speed{some}-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
