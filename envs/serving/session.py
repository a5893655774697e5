"""One client's environment, and all those that a server has at once.

An environment is made, used and closed by one thread of its own: some of them hold a browser or a sandbox that belongs
to a thread. A client may send anything; what it gets back is a `Turn` or a `ServingError` with a sentence for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from selfgym.envs.core import AgentEnv
from selfgym.envs.serving.turn import Turn, begun, sentence, stepped

MOST_SEED = 2**63
MakeEnv = Callable[[], AgentEnv[Any]]
_T = TypeVar("_T")


class ServingError(Exception):
    """What a client asked for cannot be done; the text is for the client."""


class FullError(ServingError):
    """There are as many sessions as there may be."""


class Session:
    """An environment for one client. ``turn`` is what it was told last, None before the first reset."""

    def __init__(self, make: MakeEnv) -> None:
        self._make = make
        self._env: AgentEnv[Any] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="selfgym-session")
        self.turn: Turn | None = None
        self.seed: int | None = None
        self.episodes, self.steps, self.total_reward = 0, 0, 0.0
        self.used = time.monotonic()
        self.busy = 0

    async def open(self) -> None:
        """Make the environment. Raises whatever that raises."""
        await self._inside(self._made)

    async def reset(self, seed: Any = None) -> Turn:
        """Begin an episode. Raises `ServingError` for a seed that is none, or where the environment cannot begin."""
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < MOST_SEED):
            raise ServingError("a seed is a whole number from 0 to 2**63 - 1")
        return await self._inside(lambda: self._reset(seed))

    async def step(self, action: Any) -> Turn:
        """Do one action: text or a tool call. Raises `ServingError` where no episode is running."""
        return await self._inside(lambda: self._step(action))

    def told(self) -> Turn:
        """What the client was told last. Raises `ServingError` before the first reset."""
        if self.turn is None:
            raise ServingError("no episode has begun: reset first")
        return self.turn

    async def close(self) -> None:
        """Close the environment, after what is still being done. A session is used no more after this."""
        try:
            await self._inside(self._closed)
        finally:
            self._thread.shutdown(wait=False)

    async def _inside(self, work: Callable[[], _T]) -> _T:
        self.busy += 1
        try:
            try:
                doing = self._thread.submit(work)
            except RuntimeError as error:
                raise ServingError("the session is closed") from error
            return await asyncio.wrap_future(doing)
        finally:
            self.busy -= 1
            self.used = time.monotonic()

    def _made(self) -> AgentEnv[Any]:
        if self._env is None:
            self._env = self._make()
        return self._env

    def _reset(self, seed: int | None) -> Turn:
        try:
            turn = begun(self._made(), seed)
        except Exception as error:
            self.turn = None
            raise ServingError(f"the episode cannot begin: {sentence(error)}") from error
        self.seed, self.turn = seed, turn
        self.episodes, self.steps, self.total_reward = self.episodes + 1, 0, 0.0
        return turn

    def _step(self, action: Any) -> Turn:
        last = self.told()
        if last.done:
            raise ServingError(f"the episode has ended ({last.info['outcome']}): reset to begin another")
        self.turn = stepped(self._made(), action, last)
        self.steps += 1
        self.total_reward += self.turn.reward or 0.0
        return self.turn

    def _closed(self) -> None:
        if self._env is not None:
            self._env.close()


class Sessions:
    """The sessions of a server by name: at most ``most``, and one that rests for ``idle`` seconds makes room."""

    def __init__(self, make: MakeEnv, most: int = 16, idle: float = 1800.0) -> None:
        self.make, self.most, self.idle = make, most, idle
        self._open: dict[str, Session] = {}
        self._changing = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def get(self, name: str) -> Session | None:
        """The session of that name, if it is open."""
        return self._open.get(name)

    async def open(self, name: str) -> Session:
        """The session of that name; a new one where there is none.

        Raises `FullError` if there are enough, `ServingError` where the environment cannot be made.
        """
        async with self._changing:
            if name in self._open:
                return self._open[name]
            if len(self._open) >= self.most:
                await self._make_room()
            session = self._open[name] = Session(self.make)
        try:
            await session.open()
        except Exception as error:
            self._open.pop(name, None)
            await session.close()
            raise ServingError(f"the environment cannot be made: {sentence(error)}") from error
        return session

    async def close(self, name: str) -> None:
        """Close a session; nothing happens where there is none."""
        session = self._open.get(name)
        if session is not None:
            try:
                await session.close()
            finally:
                self._open.pop(name, None)

    async def close_all(self) -> None:
        """Close every session."""
        for name in list(self._open):
            await self.close(name)

    async def _make_room(self) -> None:
        rested = [name for name, one in self._open.items() if not one.busy and time.monotonic() - one.used > self.idle]
        if not rested:
            raise FullError(f"there are {self.most} sessions already, as many as this server allows; try later")
        for name in rested:
            await self.close(name)
