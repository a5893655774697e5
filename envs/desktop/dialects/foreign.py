"""What the readers of other people's actions share: fields of plain data, points, and the scale of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from selfgym.envs.desktop.actions import Action, Click, Drag, Move, Scroll
from selfgym.envs.tools import ActionError

Point = tuple[int, int]


def number(data: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """A number among the fields. Raises `ActionError` where it is missing or none."""
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e6 < value < 1e6:
        raise ActionError(f"{name!r} should be a number, not {str(value)[:40]!a}.")
    return value


def words(data: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text among the fields. Raises `ActionError` where it is missing or none."""
    value = data.get(name, default)
    if not isinstance(value, str):
        raise ActionError(f"{name!r} should be a text, not {str(value)[:40]!a}.")
    return value


def point(value: Any, what: str = "the coordinate") -> Point:
    """Two numbers. Raises `ActionError` for anything else."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ActionError(f"{what} should be two numbers, not {str(value)[:40]!a}.")
    fields = dict(zip("xy", value, strict=True))
    return round(number(fields, "x")), round(number(fields, "y"))


def scaled(action: Action, across: float, down: float) -> Action:
    """An action on a picture of another size: its points times ``across`` and ``down``."""
    if isinstance(action, Move | Click | Scroll):
        return replace(action, x=round(action.x * across), y=round(action.y * down))
    if isinstance(action, Drag):
        begin, end = (round(action.x * across), round(action.y * down)), (action.to_x, action.to_y)
        return Drag(*begin, round(end[0] * across), round(end[1] * down))
    return action


def notches(direction: str, amount: int) -> tuple[int, int]:
    """Notches down and to the right. Raises `ActionError` where there is no such direction."""
    ways = {"down": (1, 0), "up": (-1, 0), "right": (0, 1), "left": (0, -1)}
    if direction not in ways:
        raise ActionError(f"there is no direction {direction[:40]!a}: choose among {', '.join(ways)}.")
    down, right = ways[direction]
    return down * amount, right * amount
