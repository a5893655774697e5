"""Sessions that wait for their next episode: to open one takes a tenth of a second, to begin in it milliseconds.

Only sessions of sources whose tasks put everything back are kept, only for environments with the same view, clock and
sites, and only a few.
"""

from __future__ import annotations

from collections.abc import Hashable

from selfgym.envs.web.session import Session

MOST = 8
"""Sessions kept for each kind."""
_idle: dict[Hashable, list[Session]] = {}


async def keep(kind: Hashable, session: Session) -> None:
    """Put a session that nobody uses aside, or close it where there are enough or it is no longer sound."""
    for one, lost in [(one, session) for one, others in _idle.items() for session in others if not session.sound]:
        _idle[one].remove(lost)
        await lost.close()
    waiting = _idle.setdefault(kind, [])
    if len(waiting) < MOST and session.sound:
        waiting.append(session)
    else:
        await session.close()


async def take(kind: Hashable) -> Session | None:
    """A sound session of this kind, if one waits."""
    waiting = _idle.get(kind, [])
    while waiting:
        session = waiting.pop()
        if session.sound:
            return session
        await session.close()
    return None
