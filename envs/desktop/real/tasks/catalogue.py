"""Every template with real applications."""

from __future__ import annotations

from selfgym.envs.desktop.real.tasks import (
    b_together,
    galculator,
    gnumeric,
    gnumeric_books,
    gnumeric_reading,
    gnumeric_rows,
    mousepad,
    pcmanfm,
    pcmanfm_views,
    sqlitebrowser,
    sqlitebrowser_schema,
    viewnior,
)
from selfgym.envs.desktop.real.tasks.task import Template

_ROOMS = (
    mousepad,
    pcmanfm,
    pcmanfm_views,
    galculator,
    gnumeric,
    gnumeric_books,
    gnumeric_reading,
    gnumeric_rows,
    sqlitebrowser,
    sqlitebrowser_schema,
    viewnior,
    b_together,
)
TEMPLATES: dict[str, Template] = {template.name: template for room in _ROOMS for template in room.TEMPLATES}
