"""One update of a Hugging Face model on rows: optimiser, schedule, accumulation, checkpoints.

Interrupted at any point and started again with the same arguments, `update` goes on from its last checkpoint and ends
with the same weights, bit for bit on a CPU: batches follow from rows and seed alone, and a checkpoint holds weights,
optimiser and step.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from selfgym.trainers.objectives import Objective, log_likelihood
from selfgym.trainers.packing import Batch, collate, pack
from selfgym.trainers.rows import Row

if TYPE_CHECKING:
    from accelerate import Accelerator


@dataclass(frozen=True, slots=True)
class UpdateConfig:
    """How to train on a set of rows."""

    learning_rate: float = 1e-3
    """Peak rate of AdamW."""
    steps: int = 300
    """Optimiser steps; the rows are passed over, in a new order each time, as often as that takes."""
    epochs: int = 0
    """Passes over the rows, however many steps these take, instead of ``steps``; 0: as ``steps`` says."""
    batch_tokens: int = 8192
    """Padded tokens in one forward pass."""
    accumulate: int = 1
    """Forward passes for one optimiser step; their Z is shared, so that every token weighs the same."""
    warmup: float = 0.05
    """Share of the steps over which the rate rises linearly; it then falls to a tenth as a cosine."""
    weight_decay: float = 0.01
    tree: bool = False
    """Compute prefixes that rows share once; ``batch_tokens`` then counts them once."""
    clip: float = 1.0
    """Gradient norm above which gradients are scaled down."""
    bf16: bool = False
    """Run the forward pass under bfloat16 autocast."""
    checkpoint_every: int = 100
    """Optimiser steps between checkpoints."""


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What an update did."""

    steps: int
    tokens: int
    """Tokens that carried a loss, counted once for each pass."""
    loss: float
    """Mean loss per trained token over the last tenth of the steps."""


def update(
    model: Any,
    rows: Sequence[Row],
    config: UpdateConfig,
    *,
    seed: int,
    pad_id: int,
    objective: Objective = log_likelihood,
    checkpoint: Path | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
    accelerator: Accelerator | None = None,
    weights: dict[str, torch.Tensor] | None = None,
) -> UpdateReport:
    """Train ``model`` (whole, or the parameters that ask for gradients: LoRA) on ``rows`` and leave it in eval mode.

    Args:
        objective: (model, batch) -> summed loss.
        checkpoint: file to keep the state in; an existing one is continued from. Remove it once the result is saved.
        on_step: called with (step, steps in all, loss per token).
        accelerator: of this process, where several take part; then without ``checkpoint``.
        weights: filled with the whole model's weights in the end: ``model`` may hold a part of them only then.

    Raises ValueError if there are no rows, or the loss is not finite (the weights then are those before that step).
    """
    if not rows:
        raise ValueError("there is nothing to train on: the converter gave no rows")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.95)
    )
    plan = _plan(rows, config, seed)
    device = parameters[0].device
    done, losses, tokens = _resume(checkpoint, model, optimiser)
    model.train()
    trained: Any = _Trained(model, objective)
    if accelerator is not None:
        trained, optimiser = accelerator.prepare(trained, optimiser)
        device = accelerator.device
    for step in range(done, len(plan)):
        _set_rate(optimiser, config, step, len(plan))
        loss, counted = _one_step(trained, rows, plan[step], config, optimiser, pad_id, device, accelerator)
        losses.append(loss)
        tokens += counted
        if on_step is not None:
            on_step(step + 1, len(plan), loss)
        if checkpoint is not None and (step + 1) % config.checkpoint_every == 0 and step + 1 < len(plan):
            _save(checkpoint, model, optimiser, step + 1, losses, tokens)
    if accelerator is not None and weights is not None:
        whole = accelerator.get_state_dict(trained)
        weights |= {name.removeprefix("module.").removeprefix("model."): value for name, value in whole.items()}
    model.eval()
    tail = losses[-max(1, len(losses) // 10) :]
    return UpdateReport(len(plan), tokens, sum(tail) / len(tail))


def _plan(rows: Sequence[Row], config: UpdateConfig, seed: int) -> list[list[list[int]]]:
    """For each optimiser step, the batches (lists of row numbers) it accumulates."""
    wanted = config.steps * config.accumulate
    batches: list[list[int]] = []
    epoch = 0
    while epoch < config.epochs if config.epochs else len(batches) < wanted:
        batches += pack(rows, tokens=config.batch_tokens, seed=seed * 1009 + epoch, tree=config.tree)
        epoch += 1
    end = len(batches) if config.epochs else wanted
    return [batches[start : start + config.accumulate] for start in range(0, end, config.accumulate)]


def _set_rate(optimiser: torch.optim.Optimizer, config: UpdateConfig, step: int, steps: int) -> None:
    warm = max(1, round(config.warmup * steps))
    if step < warm:
        factor = (step + 1) / warm
    else:
        factor = 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
    for group in optimiser.param_groups:
        group["lr"] = config.learning_rate * factor


def _one_step(
    trained: Any, rows: Sequence[Row], batches: list[list[int]], config: UpdateConfig,
    optimiser: torch.optim.Optimizer, pad_id: int, device: torch.device, accelerator: Accelerator | None,
) -> tuple[float, int]:  # fmt: skip
    normaliser = sum(row.normaliser for row in _of(rows, batches))
    counted = sum(int(np.count_nonzero(row.weight)) for row in _of(rows, batches))
    total, sharing = 0.0, accelerator.num_processes if accelerator else 1
    optimiser.zero_grad(set_to_none=True)
    for batch in _collated(rows, batches, pad_id, device, config.tree, accelerator):
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.bf16):
            loss = trained(batch) / normaliser
        if accelerator is None:
            loss.backward()
        else:
            accelerator.backward(loss * sharing)  # which takes the mean over processes
        total += float(loss.detach())
    if accelerator is not None:
        total = float(accelerator.reduce(torch.tensor(total, device=device), "sum"))
    if not math.isfinite(total):
        raise ValueError(f"the loss became {total}: lower the learning rate (now {config.learning_rate})")
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    clip = torch.nn.utils.clip_grad_norm_ if accelerator is None else accelerator.clip_grad_norm_
    clip(parameters, config.clip)
    optimiser.step()
    return total, counted


def _of(rows: Sequence[Row], batches: list[list[int]]) -> Iterator[Row]:
    return (rows[number] for batch in batches for number in batch)


def _collated(
    rows: Sequence[Row], batches: list[list[int]], pad_id: int, device: torch.device, tree: bool,
    accelerator: Accelerator | None,
) -> Iterator[Batch]:  # fmt: skip
    """This process's batches of a step; where others have one more, also one without weight, to keep in step."""
    first, every = (accelerator.process_index, accelerator.num_processes) if accelerator else (0, 1)
    for start in range(0, len(batches), every):
        mine = start + first < len(batches)
        batch = collate(list(_of(rows, [batches[start + first if mine else start]])), pad_id=pad_id, tree=tree)
        yield (batch if mine else replace(batch, weight=torch.zeros_like(batch.weight))).to(device)


class _Trained(torch.nn.Module):
    """Model and objective as one module: what spreads a model over processes wants to see one forward pass."""

    def __init__(self, model: Any, objective: Objective) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, batch: Batch) -> torch.Tensor:
        return self.objective(self.model, batch)


def _save(
    path: Path, model: Any, optimiser: torch.optim.Optimizer, step: int, losses: list[float], tokens: int
) -> None:
    """Write beside the old checkpoint, then replace it: a crash leaves one or the other whole."""
    tensors = {f"weight/{name}": parameter.detach() for name, parameter in _trained(model)}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{number}/{field}": torch.as_tensor(value) for field, value in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    progress = json.dumps({"step": step, "losses": losses, "tokens": tokens})
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial, {"progress": progress})
    partial.replace(path)


def _resume(path: Path | None, model: Any, optimiser: torch.optim.Optimizer) -> tuple[int, list[float], int]:
    if path is None or not path.exists():
        return 0, [], 0
    with safe_open(path, framework="pt") as file:
        progress = json.loads(file.metadata()["progress"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    with torch.no_grad():
        for name, parameter in _trained(model):
            parameter.copy_(tensors[f"weight/{name}"])
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser/"):
            _, number, field = name.split("/")
            state.setdefault(int(number), {})[field] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return progress["step"], progress["losses"], progress["tokens"]


def _trained(model: Any) -> Iterator[tuple[str, torch.nn.Parameter]]:
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)
