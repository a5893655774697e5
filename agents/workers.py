"""Environments in worker processes, for those too heavy to share the rollout's own.

`RemoteEnv` starts one process that makes the environment and answers calls over a pipe. Calls are started and awaited
apart (`RemoteEnv.start`), so that many workers compute while the policy answers. A worker that dies or stays silent
past its deadline raises `WorkerError`, which a rollout records as ``env_error``.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
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
        self.version: str = self._finish("version")

    def start(self, method: str, *arguments: Any, **keywords: Any) -> _Call:
        """Send a call; ``result()`` of what is returned waits for the value."""
        try:
            self._pipe.send((method, arguments, keywords))
        except (BrokenPipeError, OSError) as error:
            raise WorkerError(f"the environment's process is gone ({error})") from error
        return _Call(self, method)

    def receive(self, method: str) -> Any:
        """Wait for the answer to the oldest call. Raises `WorkerError`."""
        try:
            if not self._pipe.poll(self._deadline):
                raise WorkerError(f"the environment's process did not answer {method!r} in {self._deadline:.0f} s")
            failure, value = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(1.0)
            raise WorkerError(
                f"the environment's process died during {method!r} (exit code {self._process.exitcode})"
            ) from error
        if failure is not None:
            raise WorkerError(failure)
        return value

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


def _serve(pipe: Connection, make: Callable[[], Any]) -> None:
    env: Any = None
    while (request := pipe.recv()) is not None:
        method, arguments, keywords = request
        try:
            if env is None:
                env = make()
            member = getattr(env, method)
            pipe.send((None, member(*arguments, **keywords) if callable(member) else member))
        except Exception as error:
            pipe.send((f"{type(error).__name__}: {error}", None))
    if env is not None:
        env.close()
