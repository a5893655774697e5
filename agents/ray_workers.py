"""Environments on the actors of a Ray cluster: `RayPool` stands where `selfgym.agents.workers.EnvPool` does.

An actor that is lost, killed or gone with its machine, is replaced. The new one is asked everything that its episode
had asked before, in the same order, and must give the same answers; then it gets the call that was lost, once. So
nothing depends on how many actors there are or when they die. Nothing is kept on an actor: an episode counts when the
caller has stored it.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from selfgym.agents.workers import Host, WorkerError

LOSSES, STARTS = 5, 20
"""Actors that an episode may lose by what it asks before it is taken to be what kills them, and ends as ``env_error``;
and actors that may be lost one after another before they are asked anything new."""

_Question = tuple[str, tuple[Any, ...], dict[str, Any]]


class WorkerLostError(WorkerError):
    """An actor is gone."""


def import_ray() -> Any:
    """Ray, without its reports of usage, and without its words on stdout about workers and machines that are lost.

    Raises `DependencyNotInstalled`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".*")
    try:
        import ray
    except ImportError:
        from gymnasium.error import DependencyNotInstalled

        raise DependencyNotInstalled("a Ray cluster needs ray: pip install 'selfgym[ray]'") from None
    return ray


class RayPool:
    """Actors that are lent to episodes; ``Job(env=pool.lease, ...)``. Closing it ends them all.

    ``make`` is called on the actor; an answer may take ``deadline`` seconds, the start of the actor included. ``ready``
    actors are started at once, further ones when they are needed; ``gpus`` is the share of a GPU that each is promised.
    Several threads may lease at once.
    """

    def __init__(self, make: Callable[[], Any], *, deadline: float = 300.0, ready: int = 0, gpus: float = 0.0) -> None:
        self._start = partial(RayEnv, make, deadline=deadline, gpus=gpus)
        self._idle = [self._start() for _ in range(ready)]
        self._living = set(self._idle)
        self._open, self._mutex = True, threading.Lock()
        self.lost = 0
        """Actors that have been replaced."""

    def lease(self) -> EnduringEnv:
        """An environment for one episode; closing the lease gives its actor back."""
        return EnduringEnv(self)

    def take(self) -> RayEnv:
        """An actor that waits, or a new one. Raises `WorkerError` where the pool is closed."""
        with self._mutex:
            if not self._open:
                raise WorkerError("the workers were told to end")
            if self._idle:
                return self._idle.pop()
            env = self._start()
            self._living.add(env)
            return env

    def give(self, env: RayEnv) -> None:
        """Take an actor back; one that failed is ended instead."""
        with self._mutex:
            if env.reusable and self._open:
                self._idle.append(env)
                return
            self._living.discard(env)
            self.lost += env.lost
        env.close()

    def close(self) -> None:
        """End every actor, also those that work: whoever waits for one gets a `WorkerError`."""
        with self._mutex:
            self._open = False
            ending, self._living, self._idle = self._living, set(), []
        for env in ending:
            env.close()

    def __enter__(self) -> RayPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Actor:
    """What runs on the other side."""

    def settle(self, path: Sequence[str], folder: str) -> None:
        """Find modules and files as they are found at home, where this machine has them."""
        sys.path.extend(entry for entry in path if entry not in sys.path)
        if os.path.isdir(folder):
            os.chdir(folder)

    def open(self, make: Callable[[], Any]) -> None:
        """What to hold; apart from `settle`, because its module may lie where that looks."""
        self._host = Host(make)

    def answer(self, *question: Any) -> Any:
        """Ask what is held."""
        return self._host.answer(*question)

    def close(self) -> None:
        """Close what is held."""
        self._host.close()


class RayEnv:
    """An environment on an actor; calls are started and awaited apart, as with `RemoteEnv`."""

    def __init__(self, make: Callable[[], Any], *, deadline: float, gpus: float) -> None:
        self._ray, self._deadline = import_ray(), deadline
        # without numbers an actor needs a core to be placed and none to wait, so that there may be more than cores
        needs = {"num_gpus": gpus} if gpus else {}
        self._actor = self._ray.remote(_Actor).options(scheduling_strategy="SPREAD", **needs).remote()
        self._actor.settle.remote(sys.path, os.getcwd())
        self._actor.open.remote(make)
        self._awaited, self._failed = 0, False
        self.lost = False

    def start(self, method: str, *arguments: Any, **keywords: Any) -> _Call:
        """Send a call; ``result()`` of what is returned waits for the value."""
        self._awaited += 1
        return _Call(self, method, self._actor.answer.remote(method, arguments, keywords))

    def receive(self, method: str, reference: Any) -> Any:
        """Wait for an answer. Raises `WorkerLostError` where the actor is gone, `WorkerError` where it failed."""
        errors = self._ray.exceptions
        self._failed = True  # until the answer is here whole
        try:
            value = self._ray.get(reference, timeout=None if math.isinf(self._deadline) else self._deadline)
        except errors.RayTaskError as error:
            raise WorkerError(f"{type(error.cause).__name__}: {error.cause}") from error
        except errors.GetTimeoutError as error:
            raise WorkerError(f"a worker did not answer {method!r} in {self._deadline:.0f} s") from error
        except errors.RayError as error:
            self.lost = True
            reason = " ".join(str(error).split())[:300]
            raise WorkerLostError(f"a worker was lost during {method!r} ({type(error).__name__}: {reason})") from error
        self._awaited -= 1
        self._failed = False
        return value

    @property
    def reusable(self) -> bool:
        """Whether the next episode may be played here: nothing has failed and no answer is outstanding."""
        return not self._failed and self._awaited == 0

    def close(self) -> None:
        """End the actor: politely, if it waits for work, else by force."""
        if self.reusable:
            self._ray.wait([self._actor.close.remote()], timeout=5.0)
        self._ray.kill(self._actor)


class _Call:
    def __init__(self, env: RayEnv, method: str, reference: Any) -> None:
        self._env, self._method, self._reference = env, method, reference

    def result(self) -> Any:
        return self._env.receive(self._method, self._reference)


class EnduringEnv:
    """An environment for one episode that outlives the actors it is on."""

    def __init__(self, pool: RayPool) -> None:
        self._pool, self._env, self._losses = pool, pool.take(), 0
        self._past: list[tuple[_Question, Any]] = []
        try:
            self.version: str = self.start("version").result()
        except BaseException:
            self.close()
            raise
        self._losses = 0

    def start(self, method: str, *arguments: Any, **keywords: Any) -> _Enduring:
        """Send a call; ``result()`` of what is returned waits for the value."""
        return _Enduring(self, (method, arguments, keywords), self._env.start(method, *arguments, **keywords))

    def finish(self, question: _Question, call: _Call) -> Any:
        """Wait for the answer, from another actor if need be. Raises `WorkerError`."""
        while True:
            try:
                answer = call.result()
            except WorkerLostError as error:
                call = self._elsewhere(question, error)
            else:
                self._past.append((question, answer))
                return answer

    def _elsewhere(self, question: _Question, error: WorkerLostError) -> _Call:
        """The same call to an actor that has been brought to where the lost one was."""
        self._losses += 1
        if self._losses == (LOSSES if self._past else STARTS):
            raise WorkerError(f"{self._losses} workers were lost over this episode; the last: {error}") from error
        for _ in range(STARTS):
            self._pool.give(self._env)
            self._env = self._pool.take()
            try:
                for (method, arguments, keywords), answer in self._past:
                    if not _same(self._env.start(method, *arguments, **keywords).result(), answer):
                        raise WorkerError(f"after a worker was lost, {method!r} gave another answer: {error}")
            except WorkerLostError as again:
                error = again
                continue
            method, arguments, keywords = question
            return self._env.start(method, *arguments, **keywords)
        raise WorkerError(f"{STARTS} workers were lost before they could play; the last: {error}") from error

    def close(self) -> None:
        """Give the actor back."""
        self._pool.give(self._env)


class _Enduring:
    def __init__(self, env: EnduringEnv, question: _Question, call: _Call) -> None:
        self._env, self._question, self._call = env, question, call

    def result(self) -> Any:
        return self._env.finish(self._question, self._call)


def _same(one: Any, other: Any) -> bool:
    """Whether two answers are equal, arrays within them too."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else bool(one == other)
