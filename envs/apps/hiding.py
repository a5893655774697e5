"""What the agent's code must not read: how tasks are made and judged, where selfgym is installed beside Python.

A session of the local backend sees this Python with everything that is installed in it. A checkout lies elsewhere, and
is not seen anyway.
"""

from __future__ import annotations

import site
from pathlib import Path

from selfgym.envs.sandbox import guest


def hidden() -> dict[str, str]:
    """A folder that tells nothing, and the folder of a session that it is to be put over; nothing in a checkout."""
    from selfgym.envs.sandbox.local import seen_inside

    ours = Path(__file__).parent
    if not any(ours.is_relative_to(place) for place in site.getsitepackages()):
        return {}
    return {str(Path(next(iter(guest.__path__))) / "etc"): seen_inside(str(ours))}
