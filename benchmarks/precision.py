"""float32 against bfloat16, one thread against two: what this machine's processor does best for our two models.

    python benchmarks/precision.py [--models nano smollm2] [--threads 1 2] [--runs 5]

Three shapes of work: ``decode`` (one token for each of many contexts, keys and values there already), ``prefill``
(a turn's new tokens after a context) and ``train`` (forward and backward over whole sequences). Three ways: float32,
weights in bfloat16, and float32 weights under bfloat16 autocast. The ways are interleaved, so that another process on
the machine slows all alike; medians are printed and kept under benchmarks/results.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache

from selfgym.agents.policies.pretrained import load_pretrained

WAYS = ("float32", "bfloat16", "autocast")
SHAPES = {
    # (rows, context, new tokens)
    "nano": {"decode": (64, 300, 1), "prefill": (64, 300, 16), "train": (16, 256, 0)},
    "smollm2": {"decode": (16, 300, 1), "prefill": (16, 300, 16), "train": (2, 128, 0)},
}


def autocast(way: str) -> contextlib.AbstractContextManager[Any]:
    """The context in which a forward runs."""
    return torch.autocast("cpu", torch.bfloat16) if way == "autocast" else contextlib.nullcontext()


def inference(model: Any, way: str, rows: int, context: int, new: int) -> Callable[[], int]:
    """One forward of ``new`` tokens a row after ``context`` tokens; gives how many tokens it computed."""
    ids = torch.randint(5, 500, (rows, context + new), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    with torch.inference_mode(), autocast(way):
        cache = DynamicCache(config=model.config)
        model(input_ids=ids[:, :context], past_key_values=cache, use_cache=True, logits_to_keep=1)

    def run() -> int:
        with torch.inference_mode(), autocast(way):
            model(input_ids=ids[:, context:], attention_mask=mask, past_key_values=cache, logits_to_keep=1)
            cache.crop(-new)
        return rows * new

    return run


def training(model: Any, way: str, rows: int, length: int) -> Callable[[], int]:
    """One forward and backward over ``rows`` sequences; gives how many tokens they have."""
    ids = torch.randint(5, 500, (rows, length), generator=torch.Generator().manual_seed(0))

    def run() -> int:
        model.zero_grad()
        with autocast(way):
            loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        return rows * length

    return run


def measure(name: str, threads: int, runs: int) -> list[dict[str, Any]]:
    """Median tokens per second of every shape and way."""
    torch.set_num_threads(threads)
    wide = load_pretrained(name, dtype="float32")[0]
    models = {"float32": wide, "autocast": wide, "bfloat16": copy.deepcopy(wide).to(torch.bfloat16)}
    results = []
    for shape, (rows, context, new) in SHAPES[name].items():
        if shape == "train":
            work = {way: training(models[way], way, rows, context) for way in WAYS}
        else:
            work = {way: inference(models[way], way, rows, context, new) for way in WAYS}
        wall: dict[str, list[float]] = {way: [] for way in WAYS}
        busy: dict[str, list[float]] = {way: [] for way in WAYS}
        for attempt in range(runs + 1):
            for way, run in work.items():
                before, before_cpu = time.perf_counter(), time.process_time()
                tokens = run()
                if attempt:  # the first is a warm-up
                    wall[way].append((time.perf_counter() - before) / tokens)
                    busy[way].append((time.process_time() - before_cpu) / tokens)
        for way in WAYS:
            row = {"model": name, "threads": threads, "shape": shape, "way": way}
            row["tokens_per_second"] = round(1 / statistics.median(wall[way]))
            row["tokens_per_cpu_second"] = round(1 / statistics.median(busy[way]))
            results.append(row)
            print("{model:8} {threads} thread  {shape:8} {way:9} {tokens_per_second:>8,} tokens/s".format(**row))
    return results


def processor() -> str:
    """The processor's name as Linux tells it, with what matters for bfloat16."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
        flags = next((line for line in lines if line.startswith("flags")), "").split()
        return f"{name} ({' '.join(flag for flag in ('avx512f', 'avx512_bf16', 'amx_bf16') if flag in flags)})"
    return platform.processor()


def main() -> None:
    """Measure, print, and keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    out = Path(__file__).resolve().parent / "results" / f"precision-{time.strftime('%Y-%m-%d')}.json"
    rows: list[dict[str, Any]] = []
    for name in chosen.models:
        for count in chosen.threads:
            load = round(os.getloadavg()[0], 1)
            rows += [row | {"load_before": load} for row in measure(name, count, chosen.runs)]
            result = {
                "date": time.strftime("%Y-%m-%d"),
                "command": "python benchmarks/precision.py",
                "processor": processor(),
                "torch": torch.__version__,
                "runs": chosen.runs,
                "results": rows,
            }
            out.write_text(json.dumps(result, indent=2) + "\n")  # as it goes: two threads can take very long
    print(f"written to {out}")


if __name__ == "__main__":
    main()
