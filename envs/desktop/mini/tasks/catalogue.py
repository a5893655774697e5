"""Every template of the small desktop."""

from __future__ import annotations

from selfgym.envs.desktop.mini.tasks import files, forms, settings, sheets, writing
from selfgym.envs.desktop.mini.tasks.task import Template

TEMPLATES: dict[str, Template] = {
    template.name: template for room in (settings, files, writing, sheets, forms) for template in room.TEMPLATES
}
