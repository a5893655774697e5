"""Screens that are started ahead, so that a reset need not wait for one: a few for each size, in this process."""

from __future__ import annotations

import atexit
import os
import threading
from collections import defaultdict
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from selfgym.envs.desktop.real.session import ScreenFailure, Session
from selfgym.envs.sandbox.limits import SandboxError

Size = tuple[int, int]


class Spares:
    """The screens of one process. For any thread."""

    _owner: int
    _users: WeakSet[Any]
    _threads: list[threading.Thread]
    _ready: dict[Size, list[Session]]
    _starting: dict[Size, int]

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def take(self, size: Size) -> Session:
        """A screen of this size: a spare one, or one that is started now. Raises `ScreenFailure`."""
        with self._lock:
            self._own()
            found = self._ready[size].pop() if self._ready[size] else None
        return found or Session(*size)

    def prepare(self, size: Size, count: int) -> None:
        """Start screens in the background until there are ``count`` spare ones of this size."""
        with self._lock:
            self._own()
            lacking = count - len(self._ready[size]) - self._starting[size]
            self._starting[size] += max(0, lacking)
            threads = [threading.Thread(target=self._start, args=(size,), daemon=True) for _ in range(lacking)]
            self._threads = [thread for thread in self._threads if thread.is_alive()] + threads
        for thread in threads:
            thread.start()

    def end(self, session: Session) -> None:
        """Close a screen in the background."""
        thread = threading.Thread(target=session.close, daemon=True)
        with self._lock:
            self._own()
            self._threads.append(thread)
            thread.start()

    def enter(self, user: Any) -> None:
        """Say that an environment may take screens, until it leaves or is forgotten."""
        with self._lock:
            self._own()
            self._users.add(user)

    def leave(self, user: Any) -> None:
        """Say that it takes no more; with the last one go the spare screens."""
        with self._lock:
            self._own()
            self._users.discard(user)
            if self._users:
                return
        self.close()

    def close(self) -> None:
        """End every spare screen, and wait for those that are being started or closed."""
        with self._lock:
            self._own()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        with self._lock:
            left = [session for sessions in self._ready.values() for session in sessions]
            self._ready.clear()
        for session in left:
            session.close()

    def _start(self, size: Size) -> None:
        found: list[Session] = []
        try:
            with suppress(ScreenFailure, SandboxError):  # whoever needs one is told when starting it himself
                found.append(Session(*size))
        finally:
            with self._lock:
                self._starting[size] -= 1
                self._ready[size] += found

    def _own(self) -> None:
        if self._owner != os.getpid():  # a fork: what was started belongs to the parent
            self._forget()

    def _forget(self) -> None:
        self._owner, self._users = os.getpid(), WeakSet()
        self._threads = []
        self._ready = defaultdict(list)
        self._starting = defaultdict(int)


SPARES = Spares()
"""Those of this process."""
atexit.register(SPARES.close)
