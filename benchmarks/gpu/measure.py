"""What a GPU makes of a model: tokens a second of rollouts and of training, and the share of its arithmetic used.

    python benchmarks/gpu/measure.py [--model smollm2] [--tasks 64] [--batch-tokens 16384] [--runs 2]

Households are played by the model as it is, eight samples a task under a system prompt; then one pass over these
episodes is trained in bfloat16, on trees and on padded rows. Before that, loss and gradients on trees are compared with
those of rows in float32, for every objective: on a GPU trees are computed by FlexAttention, which nothing else tests.
Model FLOPs count a multiplication and an addition as two, forward and backward (three times forward) where trained, and
nothing that is computed again or padded; they are divided by what a large bfloat16 product reaches in the same run.
Without a GPU everything runs small on the CPU, in float32, and says so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from selfgym.agents.policies.load import load_policy
from selfgym.agents.rollout import Job, play_all
from selfgym.memory.episode import Episode
from selfgym.trainers.objectives import Objective, clipped, dpo, log_likelihood, nft
from selfgym.trainers.packing import collate, pack
from selfgym.trainers.rows import Row, rows_from
from selfgym.trainers.stage import EvolveConfig, Stage

SAMPLES = 8
OBJECTIVES: dict[str, Objective] = {"likelihood": log_likelihood, "clipped": clipped(), "nft": nft(), "dpo": dpo()}
PRODUCT = {"cuda": 8192, "cpu": 1024}
"""Size of the matrices whose product tells how fast the device can be."""


def synchronise(device: str) -> float:
    """Now, everything that was asked of the device being done."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def reachable(device: str) -> float:
    """FLOPs a second of a large product, in bfloat16 on a GPU: the median of ten."""
    size, dtype = PRODUCT[device], torch.bfloat16 if device == "cuda" else torch.float32
    one, other = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    taken = []
    for _ in range(13):
        begun = synchronise(device)
        one @ other
        taken.append(synchronise(device) - begun)
    return 2 * size**3 / statistics.median(taken[3:])


class Size:
    """What a token costs a model."""

    def __init__(self, model: Any) -> None:
        config = model.config.get_text_config()
        self.layers: int = config.num_hidden_layers
        self.width: int = config.hidden_size
        self.head: int = config.vocab_size * config.hidden_size
        self.body: int = sum(weights.numel() for weights in model.get_decoder().layers.parameters())

    def forward(self, tokens: float, predicted: float, pairs: float) -> float:
        """FLOPs of ``tokens`` computed, ``predicted`` of them up to logits, ``pairs`` of a token and one it attends
        to."""
        return 2 * self.body * tokens + 2 * self.head * predicted + 4 * self.layers * self.width * pairs


def play(policy: Any, device: str, tasks: int) -> tuple[list[list[Episode]], dict[str, Any]]:
    """Groups of episodes, and how fast they came."""
    agent = {"max_new_tokens": 24, "max_context": 1536}
    config = EvolveConfig(env_options={"size": "tiny", "max_steps": 20}, agent=agent, device=device)
    stage = Stage(config, Path("measured"), policy)
    drawn = [stage.task(number) for number in range(tasks)]
    jobs = [
        Job(f"{task.id}/{draw}", task.make, partial(stage.agent, task, draw=draw), task.seed, record=task.record)
        for task in drawn
        for draw in range(SAMPLES)
    ]
    policy.score([(5, 6)], [(7, 8)])  # warm
    before, begun = policy.tokens_computed, synchronise(device)
    episodes = play_all(jobs, policy, width=len(jobs))
    seconds = synchronise(device) - begun
    sampled = sum(len(step.response_ids) for episode in episodes for step in episode.steps)
    computed, steps = policy.tokens_computed - before, sum(len(episode.steps) for episode in episodes)
    pairs = sum(len(row) ** 2 / 2 for episode in episodes for row in rows_from(episode))
    told = {
        "episodes": len(episodes), "seconds": seconds, "episodes_per_second": len(episodes) / seconds,
        "steps_per_second": steps / seconds, "sampled_tokens_per_second": sampled / seconds,
        "computed_tokens_per_second": computed / seconds,
        "flops_per_second": Size(policy.model).forward(computed, sampled, pairs) / seconds,
        "errors": sum(episode.outcome.is_error for episode in episodes) / len(episodes),
    }  # fmt: skip
    return [episodes[at : at + SAMPLES] for at in range(0, len(episodes), SAMPLES)], told


def rows_of(groups: Sequence[Sequence[Episode]], policy: Any) -> list[Row]:
    """A row an episode whose context was never rebuilt, with advantages drawn (of groups in which half won)."""
    draw, longest = np.random.default_rng(0), policy.model.config.max_position_embeddings
    rows = []
    for group in groups:
        for episode in group:
            sign = float(draw.choice([-0.5, 0.5]))
            found = [row for row in rows_from(episode) if len(row) <= longest]
            rows += [replace(row, weight=sign * row.weight, group=episode.task_id) for row in found]
    return rows


def train(policy: Any, rows: Sequence[Row], device: str, *, tree: bool, tokens: int) -> dict[str, Any]:
    """One pass over ``rows``, after some of it to warm up."""
    model, pad, size = policy.model.train(), policy.tokenizer.pad_token_id or 0, Size(policy.model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-6)
    batches = pack(rows, tokens=tokens, seed=0, tree=tree)
    objective, warm = clipped(), min(4, len(batches) // 2)
    original = computed = flops = 0.0
    begun = synchronise(device)
    for number, batch in enumerate([*batches[:warm], *batches]):
        if number == warm:
            begun = synchronise(device)
        chosen = [rows[one] for one in batch]
        packed = collate(chosen, pad_id=pad, tree=tree)
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            loss = objective(model, packed.to(torch.device(device))) / packed.normaliser
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if number >= warm:
            original += sum(map(len, chosen))
            mine = float(len(packed.tree.ids)) if packed.tree else float(sum(map(len, chosen)))
            pairs = float(packed.tree.depth.sum()) if packed.tree else sum(len(row) ** 2 / 2 for row in chosen)
            wanted = packed.weight != 0
            heads = len(torch.unique(packed.tree.places[wanted])) if packed.tree else int(wanted.sum())
            computed += mine
            flops += 3 * size.forward(mine, heads, pairs)
    seconds = synchronise(device) - begun
    model.eval()
    return {
        "seconds": seconds, "rows": len(rows), "steps": len(batches), "original_tokens_per_second": original / seconds,
        "computed_tokens_per_second": computed / seconds, "flops_per_second": flops / seconds,
    }  # fmt: skip


def exactness(policy: Any, groups: Sequence[Sequence[Row]], device: str) -> dict[str, float]:
    """How far loss and gradients on trees are from those of padded rows, in float32, relative to these."""
    model, pad, worst = policy.model, policy.tokenizer.pad_token_id or 0, dict.fromkeys(OBJECTIVES, 0.0)
    for name, objective in OBJECTIVES.items():
        for rows in groups:
            if name == "dpo":
                signs = (1.0, -1.0)
                rows = [
                    replace(row, weight=np.where(row.weight != 0, signs[at % 2], 0).astype(np.float32))
                    for at, row in enumerate(rows[: len(rows) // 2 * 2])
                ]
            found = []
            for tree in (False, True):
                model.zero_grad(set_to_none=True)
                loss = objective(model, collate(rows, pad_id=pad, tree=tree).to(torch.device(device)))
                loss.backward()  # type: ignore[no-untyped-call]
                whole = torch.cat([weights.grad.flatten().double() for weights in model.parameters()])
                found.append((float(loss.detach()), whole))
            (plain, gradients), (ours, others) = found
            apart = float((others - gradients).norm() / gradients.norm())
            worst[name] = max(worst[name], apart, abs(ours - plain) / max(1.0, abs(plain)))
    model.zero_grad(set_to_none=True)
    return worst


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--tasks", type=int)
    parser.add_argument("--batch-tokens", type=int)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--results", type=Path, default=Path(__file__).resolve().parent.parent / "results")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        print("NO GPU: a small run on the CPU, which says nothing about one", file=sys.stderr)
    tasks, tokens = arguments.tasks or {"cuda": 64, "cpu": 1}[device], arguments.batch_tokens or 16384
    best = reachable(device)
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    sampler: Any = load_policy(arguments.model, device=device, dtype="bfloat16" if device == "cuda" else "float32")
    result: dict[str, Any] = {
        "date": str(date.today()), "device": name, "torch": torch.__version__, "model": arguments.model,
        "parameters": sum(weights.numel() for weights in sampler.model.parameters()), "product_flops": best,
    }  # fmt: skip
    print(f"{name}: a product of {PRODUCT[device]} x {PRODUCT[device]} runs at {best / 1e12:.3g} TFLOP/s", flush=True)
    arguments.results.mkdir(exist_ok=True)
    path = arguments.results / f"gpu-{device}-{date.today()}.json"
    groups, result["rollout"] = play(sampler, device, tasks)
    tell("rollout", result["rollout"], best)
    rows = rows_of(groups, sampler)
    for number in range(arguments.runs):
        learner: Any = load_policy(arguments.model, device=device, dtype="float32")
        if number == 0:
            few = [[row for row in rows if row.group == group[0].task_id][:4] for group in groups[:3]]
            result["exactness"] = exactness(learner, few, device)
            print("trees against rows, float32:", {key: f"{value:.1e}" for key, value in result["exactness"].items()})
        for kind in ("tree", "rows"):
            told = train(learner, rows, device, tree=kind == "tree", tokens=tokens)
            result.setdefault(kind, []).append(told)
            tell(kind, told, best)
            path.write_text(json.dumps(result, indent=2) + "\n")


def tell(what: str, told: dict[str, Any], best: float) -> None:
    """Print one line of figures."""
    rates = ", ".join(f"{key.replace('_', ' ')} {value:,.4g}" for key, value in told.items())
    print(f"{what}: {rates}, utilisation {100 * told['flops_per_second'] / best:.2f}%", flush=True)


if __name__ == "__main__":
    main()
