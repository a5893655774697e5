"""One event loop in a thread of its own, where every browser of this process lives.

The environments are ordinary blocking objects on top of it, so they work in a script, in a thread, in Jupyter and
inside a running event loop alike; `submit` is the edge for those who want many episodes at once.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
_loops: dict[int, asyncio.AbstractEventLoop] = {}  # by process: a fork has the memory of the thread, not the thread
_starting = threading.Lock()


def _reset_lock() -> None:
    global _starting
    _starting = threading.Lock()


os.register_at_fork(after_in_child=_reset_lock)


def loop() -> asyncio.AbstractEventLoop:
    """The loop of this process; its thread is started by the first call."""
    with _starting:
        found = _loops.get(os.getpid())
        if found is None:
            found = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=found.run_forever, name="selfgym-web", daemon=True).start()
        return found


def submit(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Begin ``work`` on the loop. ``asyncio.wrap_future`` makes the answer awaitable elsewhere."""
    return asyncio.run_coroutine_threadsafe(work, loop())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` on the loop and wait for it; an interrupt cancels it."""
    if threading.current_thread().name == "selfgym-web":
        work.close()
        raise RuntimeError("a web environment was called from the thread that its browsers live in")
    answer = submit(work)
    try:
        return answer.result()
    except BaseException:
        answer.cancel()
        raise
