"""Sessions that wait for their next episode: to open one takes a tenth of a second, to begin in it milliseconds.

Only sessions of sources whose tasks put everything back are kept, only for environments with the same view, clock and
sites, and only a few: the one that has waited longest makes room.
"""

from __future__ import annotations

from collections.abc import Hashable

from selfgym.envs.web.background import run
from selfgym.envs.web.session import Session

MOST = 8
"""Sessions kept in a process."""
_idle: list[tuple[Hashable, Session]] = []


async def keep(kind: Hashable, session: Session) -> None:
    """Put a session that nobody uses aside, and close those that are no longer sound or too many."""
    kept = [one for one in (*_idle, (kind, session)) if one[1].sound][-MOST:]
    gone = [one[1] for one in (*_idle, (kind, session)) if one not in kept]
    _idle[:] = kept
    for one in gone:
        await one.close()


async def take(kind: Hashable) -> Session | None:
    """The sound session of this kind that was put aside last, if one waits."""
    while (place := max((at for at, one in enumerate(_idle) if one[0] == kind), default=-1)) >= 0:
        session = _idle.pop(place)[1]
        if session.sound:
            return session
        await session.close()
    return None


def close_idle() -> None:
    """Close the sessions that wait, for a process that has ended its episodes and goes on to other things."""

    async def close() -> None:
        while _idle:
            await _idle.pop()[1].close()

    if _idle:
        run(close())
