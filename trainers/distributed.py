"""One update by several processes or GPUs: what `accelerate launch` runs, and how the evolve loop asks for it.

    accelerate launch --num_processes 8 -m selfgym.trainers.distributed FOLDER

The folder holds the model, the rows and the job; the trained model is written beside. How the model is spread (plain
data parallelism, FSDP) is for accelerate's configuration to say. Every process packs all rows alike and takes every
Nth batch of each optimiser step; the loss of a step has one Z over all of them, so the step is that of one process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfgym.trainers.objectives import log_likelihood
from selfgym.trainers.row_file import load_rows, save_rows
from selfgym.trainers.rows import Row
from selfgym.trainers.update import UpdateConfig, UpdateReport, update

if TYPE_CHECKING:
    from selfgym.trainers.stage import EvolveConfig


class LaunchError(RuntimeError):
    """The processes of an update failed."""


def update_with(
    policy: Any, rows: Sequence[Row], which: str, config: EvolveConfig, *, seed: int, folder: Path
) -> UpdateReport:
    """Train ``policy``'s model on ``rows`` with ``config.processes`` processes, under the settings called ``which``.

    ``folder`` is for what is handed over. Raises `LaunchError` with the end of what the processes said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    policy.model.save_pretrained(folder / "model")
    policy.tokenizer.save_pretrained(folder / "model")
    save_rows(rows, folder / "rows.safetensors")
    job = {"config": config.model_dump(mode="json"), "which": which, "seed": seed}
    (folder / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(config.processes)]
    if config.accelerate:
        command += ["--config_file", config.accelerate]
    elif next(policy.model.parameters()).device.type == "cpu":
        command += ["--cpu", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    done = subprocess.run(
        [*command, "-m", "selfgym.trainers.distributed", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LaunchError(f"an update by {config.processes} processes failed:\n{done.stderr[-3000:]}")
    from transformers import AutoModelForCausalLM

    policy.model = AutoModelForCausalLM.from_pretrained(folder / "trained").to(policy.model.device).eval()
    return UpdateReport(**json.loads((folder / "report.json").read_text()))


def main(folder: Path) -> None:
    """The part of one process."""
    import torch
    from accelerate import Accelerator
    from transformers import AutoModelForCausalLM

    from selfgym.trainers.recipe import find_recipe
    from selfgym.trainers.stage import EvolveConfig

    job = json.loads((folder / "job.json").read_text())
    config = EvolveConfig.model_validate(job["config"])
    torch.set_num_threads(config.threads)
    accelerator = Accelerator()
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype="float32")
    settings: UpdateConfig = getattr(config, job["which"])
    objective = log_likelihood if job["which"] == "clone" else find_recipe(config.recipe).objective(config)
    weights: dict[str, torch.Tensor] = {}
    report = update(
        model, load_rows(folder / "rows.safetensors"), settings, seed=job["seed"], pad_id=model.config.pad_token_id,
        objective=objective, accelerator=accelerator, weights=weights,
    )  # fmt: skip
    if accelerator.is_main_process:
        model.save_pretrained(folder / "trained", state_dict=weights)
        (folder / "report.json").write_text(json.dumps(asdict(report)))
    accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
