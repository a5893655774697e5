"""Experts of tasks in which a point, a line or a circle is drawn, or a circle is followed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.scene import Element, Expert, LostError, Scene, call
from selfgym.envs.web.miniwob.experts.steps import middle, submit

_SHIFT = 2  # pixels that a drawn point lies right of and below the pointer
_DOT = 3  # pixels from the corner of a dot's box to its middle, which lies on a whole pixel
_RADIUS = 22  # pixels of the circle that is drawn
_CORNERS = 12  # points of that circle
_HALF = 25  # pixels of the line on each side of the dot


def _circle(scene: Scene) -> Element:
    """The first circle of the drawing."""
    for one in scene.all("graphic"):
        if one["name"].startswith("circle "):
            return one
    raise LostError(f"there is no circle: {scene.text}")


def find_centre(scene: Scene) -> Iterator[str]:
    """Draw the point in the middle of the circle."""
    x, y = middle(_circle(scene))
    yield call("mouse_click", x - _SHIFT, y - _SHIFT)
    yield submit(scene)


def bisect_angle(scene: Scene) -> Iterator[str]:
    """Draw the point, of all pixels, from which both sides of the angle are equally far."""
    points = [one["box"] for one in scene.all("graphic") if one["name"] in ("circle blue", "circle black")]
    vertex, *ends = [(left + _DOT, top + _DOT) for left, top, *_ in points]
    whole = _angle(vertex, *ends)
    best, least = vertex, math.inf
    for x in range(8, 146):
        for y in range(60, 172):
            first, second = (_angle(vertex, (x, y), end) for end in ends)
            off = abs(first - second) - math.hypot(x - vertex[0], y - vertex[1]) * 1e-6  # of equals, the farther one
            if first < whole and second < whole and off < least:
                best, least = (x, y), off
    yield call("mouse_click", best[0] - _SHIFT, best[1] - _SHIFT)
    yield submit(scene)


def _angle(vertex: tuple[float, float], one: tuple[float, float], other: tuple[float, float]) -> float:
    """Between two points as seen from ``vertex``, 0 to pi."""
    turns = [math.atan2(y - vertex[1], x - vertex[0]) for x, y in (one, other)]
    off = abs(turns[0] - turns[1])
    return min(off, 2 * math.pi - off)


def draw_line(scene: Scene) -> Iterator[str]:
    """Drag through the dot, along or down."""
    x, y = middle(_circle(scene))
    dx, dy = (_HALF, 0) if "horizontal" in scene.goal else (0, _HALF)
    yield call("mouse_drag_and_drop", x - dx, y - dy, x + dx, y + dy)
    yield submit(scene)


def draw_circle(scene: Scene) -> Iterator[str]:
    """Drag around the dot, from corner to corner."""
    x, y = middle(_circle(scene))
    turns = [math.pi + 2 * math.pi * corner / _CORNERS for corner in range(_CORNERS + 1)]
    path = [(x + _RADIUS * math.cos(turn), y + _RADIUS * math.sin(turn)) for turn in turns]
    yield call("mouse_down", *path[0])
    for point in path[1:]:
        yield call("mouse_move", *point)
    yield call("mouse_up", *path[-1])
    yield submit(scene)


def chase_circle(scene: Scene) -> Iterator[str]:
    """Go to where the circle will be, when it goes on as it did since the action before."""
    before = middle(_circle(scene))
    while True:
        x, y = middle(_circle(scene))
        ahead = (x + (x - before[0]) / 2, y + (y - before[1]) / 2)
        before = (x, y)
        yield call("mouse_move", *ahead)


EXPERTS: dict[str, Expert] = {
    "bisect-angle": bisect_angle,
    "chase-circle": chase_circle,
    "circle-center": find_centre,
    "draw-circle": draw_circle,
    "draw-line": draw_line,
}
"""Which tasks of MiniWoB++ have a scripted expert."""
