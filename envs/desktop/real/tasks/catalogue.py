"""Every template with real applications."""

from __future__ import annotations

from selfgym.envs.desktop.real.tasks import mousepad, pcmanfm, pcmanfm_views
from selfgym.envs.desktop.real.tasks.task import Template

TEMPLATES: dict[str, Template] = {
    template.name: template for room in (mousepad, pcmanfm, pcmanfm_views) for template in room.TEMPLATES
}
