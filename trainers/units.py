"""A unit of collecting: a handful of tasks, played here or in a process of its own, always with the same episodes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_all_start_methods, get_context, parent_process
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from selfgym.memory.episode import Episode
from selfgym.trainers.recipe import find_recipe
from selfgym.trainers.stage import EvolveConfig, open_stage, task_seed


def collect_unit(config: EvolveConfig, folder: Path, number: int, indices: Sequence[int]) -> list[Episode]:
    """The episodes of the tasks ``indices``: demonstrations for number 0, else what the recipe collects for update
    ``number``. Reads the run's checkpoint and nothing else."""
    stage = open_stage(config, folder, max(0, number - 1), number - 1 if number else "start")
    tasks = [stage.task(task_seed(config.seed, number, index)) for index in indices]
    recipe = find_recipe(config.recipe)
    return list(recipe.collect(stage, tasks) if number else recipe.demonstrate(stage, tasks))


@contextmanager
def workers(config: EvolveConfig) -> Iterator[Executor | None]:
    """The processes that collect, or None where the run's own process does."""
    if config.workers == 1:
        yield None
        return
    if "forkserver" in get_all_start_methods():  # what takes seconds to import is imported once, for all of them
        context: Any = get_context("forkserver")
        context.set_forkserver_preload([__name__])
    else:
        context = get_context("spawn")
    with ProcessPoolExecutor(
        config.workers, context, initializer=_settle, initargs=(config.threads, dict(os.environ))
    ) as pool:
        yield pool


def _settle(threads: int, environment: dict[str, str]) -> None:
    os.environ.update(environment)  # which may have changed since the first of them was started
    torch.set_num_threads(threads)
    transformers_logging.disable_progress_bar()  # several workers' bars would be written over each other
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A run that is killed must not leave its workers behind."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
