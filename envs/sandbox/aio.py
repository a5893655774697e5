"""The same session for asyncio: calls run on a thread of the session's own, and a cancelled one is interrupted."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self, TypeVar

from selfgym.envs.sandbox.limits import Entry, Result
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.envs.sandbox.snapshot import Snapshot

T = TypeVar("T")


class AsyncSandbox:
    """`Sandbox` with coroutines; the arguments and results of each are those of the method of the same name."""

    def __init__(self, sandbox: Sandbox, thread: ThreadPoolExecutor) -> None:
        """Use `open` or `fork` instead."""
        self.sandbox = sandbox
        self._thread = thread

    @classmethod
    async def open(cls, *arguments: Any, **options: Any) -> Self:
        """A new session; the arguments are those of `open_sandbox`."""
        return await cls._made(partial(open_sandbox, *arguments, **options))

    @classmethod
    async def _made(cls, make: Callable[[], Sandbox]) -> Self:
        thread = ThreadPoolExecutor(1, "selfgym-sandbox")
        loop = asyncio.get_running_loop()
        making = loop.run_in_executor(thread, make)
        try:
            return cls(await asyncio.shield(making), thread)
        except asyncio.CancelledError:
            making.add_done_callback(lambda done: None if done.exception() else done.result().close())
            thread.shutdown(wait=False)
            raise
        except BaseException:
            thread.shutdown(wait=False)
            raise

    async def exec(self, *arguments: Any, **options: Any) -> Result:
        """Run a program. Where the coroutine is cancelled the program is ended; the session goes on."""
        return await self._call(partial(self.sandbox.exec, *arguments, **options))

    async def start(self, *arguments: Any, **options: Any) -> int:
        """See `Sandbox.start`."""
        return await self._call(partial(self.sandbox.start, *arguments, **options))

    async def ended(self) -> dict[int, int]:
        """See `Sandbox.ended`."""
        return await self._call(self.sandbox.ended)

    async def put(self, path: str, data: bytes | str, mode: int = 0o644) -> None:
        """Write a file."""
        await self._call(partial(self.sandbox.put, path, data, mode))

    async def put_all(self, files: Mapping[str, bytes | str]) -> None:
        """Write many files."""
        await self._call(partial(self.sandbox.put_all, files))

    async def get(self, path: str, limit: int = 2**26) -> bytes:
        """The bytes of a file."""
        return await self._call(partial(self.sandbox.get, path, limit))

    async def list(self, path: str = ".", recursive: bool = False) -> builtins.list[Entry]:
        """What is in a folder."""
        return await self._call(partial(self.sandbox.list, path, recursive))

    async def remove(self, path: str) -> None:
        """Remove a file or a folder."""
        await self._call(partial(self.sandbox.remove, path))

    async def snapshot(self) -> Snapshot:
        """The files as they are."""
        return await self._call(self.sandbox.snapshot)

    async def restore(self, snapshot: Snapshot) -> None:
        """Make the files those of ``snapshot``."""
        await self._call(partial(self.sandbox.restore, snapshot))

    async def fork(self) -> AsyncSandbox:
        """Another session with the same files."""
        return await self._made(self.sandbox.fork)

    async def close(self) -> None:
        """End everything inside."""
        await self._call(self.sandbox.close)
        self._thread.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _call(self, function: Callable[[], T]) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._thread, function)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self.sandbox.interrupt()
            running.add_done_callback(lambda done: done.exception())  # nobody waits for its result any more
            raise
