"""The views of a run for people: metrics.jsonl, TensorBoard, and a picture of the learning curve.

All are made anew from the notes in the store after each evaluation, so an interrupted run leaves no double entries.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def write_reports(folder: Path, metrics: Sequence[dict[str, Any]], updates: Sequence[dict[str, Any]]) -> None:
    """Write all three views of ``metrics`` (one record an evaluation) and ``updates`` into ``folder``."""
    _write_lines(folder / "metrics.jsonl", metrics)
    _write_tensorboard(folder / "tensorboard", metrics, updates)
    _draw(folder / "curve.png", metrics)


def _write_lines(path: Path, records: Sequence[dict[str, Any]]) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text("".join(json.dumps(record) + "\n" for record in records))
    partial.replace(path)


def _write_tensorboard(folder: Path, metrics: Sequence[dict[str, Any]], updates: Sequence[dict[str, Any]]) -> None:
    from torch.utils.tensorboard import SummaryWriter

    shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(str(folder)) as writer:
        for record in metrics:
            for name in ("success", "success_low", "success_high", "steps", "loops", "invalid", "errors"):
                writer.add_scalar(f"held_out/{name}", record[name], record["iteration"])
        for record in updates:
            writer.add_scalar("update/loss", record["loss"], record["number"])
            writer.add_scalar("update/rows", record["rows"], record["number"])
            writer.add_scalar("update/staleness", record["staleness"], record["number"])


def _draw(path: Path, metrics: Sequence[dict[str, Any]]) -> None:
    from matplotlib.figure import Figure

    numbers = [record["iteration"] for record in metrics]
    success = [record["success"] for record in metrics]
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(
        numbers,
        [record["success_low"] for record in metrics],
        [record["success_high"] for record in metrics],
        alpha=0.2,
        label="95% interval",
    )
    axes.plot(numbers, success, marker="o", label="success")
    axes.set(xlabel="iteration", ylabel="held-out success", ylim=(0, 1), xticks=numbers)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    partial = path.with_name("curve.partial.png")
    figure.savefig(partial, dpi=120)
    partial.replace(path)
