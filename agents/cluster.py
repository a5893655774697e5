"""Many machines: connecting to a Ray cluster, and whole pieces of work on its actors.

`RayExecutor` stands where a pool of processes does: for episodes without a model, and for a trainer's handful of tasks.
Its workers are those of `selfgym.agents.ray_workers`. They are sent what pickle can carry, and run it: connect only to
a cluster that is yours.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from selfgym.agents.ray_workers import RayPool, import_ray
from selfgym.agents.rollout import Job, lost_episode, play_all
from selfgym.agents.workers import WorkerError
from selfgym.memory.episode import Episode


@contextmanager
def connected() -> Iterator[None]:
    """Connected to the cluster that the variable ``RAY_ADDRESS`` names, else to one that is started on this machine.

    The latter listens on 127.0.0.1 alone and ends with the block. A connection that is there already is used and left.
    Raises `DependencyNotInstalled`, and ``ConnectionError`` where no cluster answers.
    """
    address = os.environ.get("RAY_ADDRESS", "local")
    if address == "local":  # Ray reads it when it is imported, on Linux too: 0 means that no other machine will join
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    ray = import_ray()
    if ray.is_initialized():
        yield
        return
    quiet = {"log_to_driver": False, "logging_level": "error"}
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        if address == "local":
            small = {"include_dashboard": False, "object_store_memory": 128 * 2**20, "_temp_dir": folder}
            ray.init(address="local", **small, **quiet)
        else:
            ray.init(address=address, **quiet)
        try:
            if address == "local" and ray.util.get_node_ip_address() != "127.0.0.1":
                raise RuntimeError(
                    "ray was imported before this and would listen to other machines: set "
                    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 first, or RAY_ADDRESS to use a cluster"
                )
            yield
        finally:
            ray.shutdown()


def cpus() -> int:
    """The cores of the whole cluster."""
    return max(1, int(import_ray().cluster_resources().get("CPU", 1)))


def gpus() -> float:
    """The GPUs of the whole cluster."""
    return float(import_ray().cluster_resources().get("GPU", 0.0))


class RayExecutor(ThreadPoolExecutor):
    """Runs functions on ``workers`` actors; a function whose actor is lost is run again. A thread here awaits each.

    A future raises `WorkerError` with the words of what the function raised. Used as a context manager.
    """

    def __init__(self, workers: int, *, gpus: float = 0.0) -> None:
        super().__init__(workers)
        self.pool = RayPool(_Caller, deadline=math.inf, ready=workers, gpus=gpus)

    def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> Any:
        """Have a function run on an actor."""
        return super().submit(self._run, function, *arguments, **keywords)

    def _run(self, *call: Any, **keywords: Any) -> Any:
        env = self.pool.lease()
        try:
            return env.start("call", *call, **keywords).result()
        finally:
            env.close()

    def __exit__(self, *_: object) -> None:
        """End the actors; what they have not finished is dropped."""
        self.shutdown(wait=False, cancel_futures=True)
        self.pool.close()
        self.shutdown(wait=True)


class _Caller:
    """Held by an actor that calls functions."""

    version = ""

    def call(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        return function(*arguments, **keywords)

    def close(self) -> None:
        """Nothing is kept."""


def rollout_on(executor: RayExecutor, jobs: Sequence[Job]) -> Iterator[tuple[int, Episode]]:
    """Play jobs whole on actors and yield ``(index, episode)`` in the order of the jobs; for agents without a model.

    That is the order of `selfgym.agents.rollout.rollout`, which plays such episodes one after another.
    """
    playing = [executor.submit(play_all, [job]) for job in jobs]
    for index, (job, future) in enumerate(zip(jobs, playing, strict=True)):
        try:
            [episode] = future.result()
        except WorkerError as error:
            episode = lost_episode(job, error)
        yield index, episode
