"""TRL's trainer on rows of tokens: run by `benchmarks/speed/training.py` in TRL's own environment.

    python train_trl.py MODEL ROWS BATCH ACCUMULATE THREADS

Reads rows from a file (a JSON object a line: ``ids`` and ``labels``, -100 where no loss is put), trains one pass over
them in their order, BATCH rows a forward pass and ACCUMULATE passes a step, float32, and prints the seconds of each
optimiser step, by the clock and of the processor.
"""

import json
import sys
import time
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

model, path = sys.argv[1:3]
batch, accumulate, threads = map(int, sys.argv[3:])
rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
torch.set_num_threads(threads)


class Clock(TrainerCallback):
    """Notes when each step began and ended."""

    def __init__(self):
        self.seconds = []

    def on_step_begin(self, args, state, control, **kwargs):
        self.begun = time.perf_counter(), time.process_time()

    def on_step_end(self, args, state, control, **kwargs):
        self.seconds.append((time.perf_counter() - self.begun[0], time.process_time() - self.begun[1]))


class InOrder(SFTTrainer):
    """Rows come in the order of the file, so that each step has the rows that selfgym's has."""

    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)


clock = Clock()
trainer = InOrder(
    model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
    args=SFTConfig(
        output_dir="/tmp/selfgym-trl", per_device_train_batch_size=batch, gradient_accumulation_steps=accumulate,
        num_train_epochs=1, learning_rate=1e-5,
        report_to="none", logging_steps=10**6, save_strategy="no", gradient_checkpointing=False, max_length=None,
        use_cpu=True, bf16=False, disable_tqdm=True, dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False, dataloader_pin_memory=False,
    ),
    train_dataset=Dataset.from_list([{"input_ids": row["ids"], "labels": row["labels"]} for row in rows]),
    processing_class=AutoTokenizer.from_pretrained(model),
    callbacks=[clock],
)  # fmt: skip
trainer.train()
print("RESULT", json.dumps(clock.seconds))
