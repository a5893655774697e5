"""What ``selfgym/MiniDesktop-v0`` is made by."""

from __future__ import annotations

from typing import Any

from selfgym.envs.core import AgentEnv
from selfgym.envs.desktop.marks import MarkedEnv
from selfgym.envs.desktop.mini.env import MiniDesktopEnv


def mini_desktop(marks: bool = False, **options: Any) -> AgentEnv[Any]:
    """Tasks at the small desktop: windows, menus and six programs in real pixels.

    ``marks`` puts `MarkedEnv` around it; the other options are those of `MiniDesktopEnv`.
    """
    env = MiniDesktopEnv(**options)
    return MarkedEnv(env) if marks else env
