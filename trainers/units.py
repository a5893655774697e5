"""A unit of collecting: a handful of tasks, played here or in a process of its own, always with the same episodes.

Where processes collect, they begin on an iteration as soon as there is the checkpoint that plays it, and go on while
the run evaluates and, with ``lag``, trains. When they end changes nothing: a unit depends on its checkpoint alone, and
the run takes units in their order.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection, get_all_start_methods, get_context, parent_process
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from selfgym.memory.episode import Episode
from selfgym.trainers.acting import rest
from selfgym.trainers.recipe import find_recipe
from selfgym.trainers.stage import EvolveConfig, open_stage, played_with, task_seed


def collect_unit(config: EvolveConfig, folder: Path, number: int, indices: Sequence[int]) -> list[Episode]:
    """The episodes of the tasks ``indices``: demonstrations for number 0, else what the recipe collects for update
    ``number``. Reads the run's checkpoint and nothing else."""
    torch.set_num_threads(config.threads)
    iteration = max(0, number - 1)
    stage = open_stage(config, folder, iteration, played_with(config, iteration) if number else "start")
    tasks = [stage.task(task_seed(config.seed, number, index)) for index in indices]
    recipe = find_recipe(config.recipe)
    episodes = list(recipe.collect(stage, tasks) if number else recipe.demonstrate(stage, tasks))
    rest(config, stage.policy)
    return episodes


class Collecting:
    """Units under way, for several updates at once; without a ``pool`` they are played when they are taken."""

    def __init__(self, config: EvolveConfig, folder: Path, pool: Executor | None) -> None:
        self._config, self._folder, self._pool = config, folder, pool
        self._begun: dict[int, list[Future[list[Episode]]]] = {}

    def begin(self, number: int, units: Sequence[range]) -> None:
        """Have the processes begin on the units of update ``number``, whose checkpoint is there."""
        if self._pool is not None and number not in self._begun:
            collect = partial(collect_unit, self._config, self._folder, number)
            self._begun[number] = [self._pool.submit(collect, unit) for unit in units]

    def take(self, number: int, units: Sequence[range]) -> Iterator[list[Episode]]:
        """The episodes of the units, in order; ``units`` are those of `begin`."""
        self.begin(number, units)
        if self._pool is None:
            yield from (collect_unit(self._config, self._folder, number, unit) for unit in units)
            return
        waiting = deque(self._begun.pop(number))
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def workers(config: EvolveConfig) -> Iterator[Executor | None]:
    """The processes that collect, or None where the run itself does; what they have not begun is dropped in the end.

    What they have begun is waited for: a process of multiprocessing's that ends before its workers waits for ever.
    """
    if config.workers == 1 and not config.lag:
        yield None
        return
    if "forkserver" in get_all_start_methods():  # what takes seconds to import is imported once, for all of them
        context: Any = get_context("forkserver")
        context.set_forkserver_preload([__name__])
    else:
        context = get_context("spawn")
    with ProcessPoolExecutor(config.workers, context, initializer=_settle, initargs=(dict(os.environ),)) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def _settle(environment: dict[str, str]) -> None:
    os.environ.update(environment)  # which may have changed since the first of them was started
    transformers_logging.disable_progress_bar()  # several workers' bars would be written over each other
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A run that is killed must not leave its workers behind."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
