"""Environments in worker processes, for those too heavy to share the rollout's own.

`RemoteEnv` starts one process that makes the environment and answers calls over a pipe. Calls are started and awaited
apart (`RemoteEnv.start`), so that many workers compute while the policy answers. A worker that dies or stays silent
past its deadline raises `WorkerError`, which a rollout records as ``env_error``. `EnvPool` lends workers to one episode
after another, because starting a process costs more than most episodes. `selfgym.agents.cluster` has the same for many
machines.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any


class WorkerError(RuntimeError):
    """A worker process died, stayed silent, or its environment raised."""


class _Call:
    def __init__(self, worker: RemoteEnv, method: str) -> None:
        self.worker, self.method = worker, method

    def result(self) -> Any:
        return self.worker.receive(self.method)


class RemoteEnv:
    """An environment in a process of its own; ``make`` must be importable there (a function of a module, a partial)."""

    def __init__(self, make: Callable[[], Any], *, deadline: float = 300.0) -> None:
        context = multiprocessing.get_context("forkserver")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make), daemon=True)
        self._process.start()
        theirs.close()
        self._deadline = deadline
        self._awaited = 0
        self._failed = False
        self.version: str = self._finish("version")

    def start(self, method: str, *arguments: Any, **keywords: Any) -> _Call:
        """Send a call; ``result()`` of what is returned waits for the value."""
        try:
            self._awaited += 1
            self._pipe.send((method, arguments, keywords))
        except (BrokenPipeError, OSError) as error:
            raise WorkerError(f"the environment's process is gone ({error})") from error
        return _Call(self, method)

    def receive(self, method: str) -> Any:
        """Wait for the answer to the oldest call. Raises `WorkerError`."""
        failure: str | None = ""  # until the answer is here whole
        try:
            if not self._pipe.poll(self._deadline):
                raise WorkerError(f"the environment's process did not answer {method!r} in {self._deadline:.0f} s")
            failure, value = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(1.0)
            raise WorkerError(
                f"the environment's process died during {method!r} (exit code {self._process.exitcode})"
            ) from error
        finally:
            self._failed = self._failed or failure is not None
        self._awaited -= 1
        if failure is not None:
            raise WorkerError(failure)
        return value

    @property
    def reusable(self) -> bool:
        """Whether the next episode may be played here: nothing has failed and no answer is outstanding."""
        return not self._failed and self._awaited == 0

    def _finish(self, method: str, *arguments: Any) -> Any:
        return self.start(method, *arguments).result()

    def close(self) -> None:
        """End the process: politely, then by force."""
        if self._process.is_alive():
            try:
                self._pipe.send(None)
            except OSError:
                self._process.terminate()
            self._process.join(5.0)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        self._pipe.close()


class EnvPool:
    """Worker processes that are lent to episodes; ``Job(env=pool.lease, ...)``. Close it when all episodes are over.

    Several threads may lease at once.
    """

    def __init__(self, make: Callable[[], Any], *, deadline: float = 300.0) -> None:
        self._make, self._deadline = make, deadline
        self._idle: list[RemoteEnv] = []

    def lease(self) -> LeasedEnv:
        """A worker that waits, or a new one; closing the lease gives it back."""
        try:
            env = self._idle.pop()
        except IndexError:
            env = RemoteEnv(self._make, deadline=self._deadline)
        return LeasedEnv(env, self._idle)

    def close(self) -> None:
        """End the waiting workers."""
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> EnvPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LeasedEnv:
    """A `RemoteEnv` for one episode."""

    def __init__(self, env: RemoteEnv, idle: list[RemoteEnv]) -> None:
        self._env, self._idle = env, idle
        self.version, self.start = env.version, env.start

    def close(self) -> None:
        """Give the worker back; one that failed is ended instead."""
        if self._env.reusable:
            self._idle.append(self._env)
        else:
            self._env.close()


class Host:
    """What a worker holds: an environment that is made when it is first asked."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._env: Any = None

    def answer(self, method: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """What a method returns, or an attribute. Raises what making the environment or asking it does."""
        if self._env is None:
            self._env = self._make()
        member = getattr(self._env, method)
        return member(*arguments, **keywords) if callable(member) else member

    def close(self) -> None:
        """Close the environment, if there is one."""
        if self._env is not None:
            self._env.close()


def _serve(pipe: Connection, make: Callable[[], Any]) -> None:
    host = Host(make)
    with suppress(KeyboardInterrupt):  # Ctrl+C reaches a terminal's processes all at once; who started this one tells
        while (request := pipe.recv()) is not None:
            try:
                pipe.send((None, host.answer(*request)))
            except Exception as error:
                pipe.send((f"{type(error).__name__}: {error}", None))
    host.close()
