"""Every template with real applications."""

from __future__ import annotations

from selfgym.envs.desktop.real.tasks import (
    a_together,
    b_together,
    featherpad,
    galculator,
    gnumeric,
    gnumeric_books,
    gnumeric_reading,
    gnumeric_rows,
    mousepad,
    mousepad_around,
    pcmanfm,
    pcmanfm_views,
    sakura,
    sqlitebrowser,
    sqlitebrowser_schema,
    viewnior,
    xarchiver,
    zim,
)
from selfgym.envs.desktop.real.tasks.task import Template

_ROOMS = (
    mousepad,
    mousepad_around,
    featherpad,
    pcmanfm,
    pcmanfm_views,
    galculator,
    gnumeric,
    gnumeric_books,
    gnumeric_reading,
    gnumeric_rows,
    sqlitebrowser,
    sqlitebrowser_schema,
    sakura,
    zim,
    viewnior,
    xarchiver,
    a_together,
    b_together,
)
TEMPLATES: dict[str, Template] = {template.name: template for room in _ROOMS for template in room.TEMPLATES}
