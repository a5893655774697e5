"""Every template with real applications."""

from __future__ import annotations

from selfgym.envs.desktop.real.tasks import (
    a_together,
    featherpad,
    mousepad,
    mousepad_around,
    sakura,
    xarchiver,
    zim,
)
from selfgym.envs.desktop.real.tasks.task import Template

_ROOMS = (mousepad, mousepad_around, featherpad, zim, sakura, xarchiver, a_together)
TEMPLATES: dict[str, Template] = {template.name: template for room in _ROOMS for template in room.TEMPLATES}
