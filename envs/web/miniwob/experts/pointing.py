"""Experts of tasks in which a point of a drawing is to be found and pressed."""

from __future__ import annotations

from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.scene import Expert, LostError, Scene, call
from selfgym.envs.web.miniwob.experts.steps import middle, part, submit

_RINGS = ("HOT", "WARM", "COLD", "ICE COLD")
_RADII = (5.0, 10.0, 40.0)


def _circles(scene: Scene) -> list[tuple[float, float]]:
    """The two points of a drawing; a press at one of these draws there (the drawing is 2 pixels off the pointer)."""
    points = [middle(one) for one in scene.all("graphic") if one["name"].startswith("circle")]
    return [(x - 2, y - 2) for x, y in points]


def find_midpoint(scene: Scene) -> Iterator[str]:
    """Half way between the points."""
    (ax, ay), (bx, by) = _circles(scene)
    yield call("mouse_click", (ax + bx) / 2, (ay + by) / 2)
    yield submit(scene)


def right_angle(scene: Scene) -> Iterator[str]:
    """From the second point at a right angle to the line, as far as the drawing goes."""
    (ax, ay), (bx, by) = _circles(scene)
    away = [(bx + share * (by - ay), by - share * (bx - ax)) for share in (1, -1, 0.5, -0.5, 0.25, -0.25, 0.1, -0.1)]
    inside = [(x, y) for x, y in away if 3 < x < 150 and 53 < y < 176]
    if not inside:
        raise LostError("there is no room for a right angle")
    yield call("mouse_click", *inside[0])
    yield submit(scene)


def grid_coordinate(scene: Scene) -> Iterator[str]:
    """The points are 30 pixels apart."""
    x, y = (int(one) for one in part(r"\((-?\d),(-?\d)\)", scene.goal))
    points = sorted(scene.all("graphic", "circle blue"), key=lambda one: (one["box"][0], -one["box"][1]))
    yield call("click", points[(x + 2) * 5 + y + 2]["number"])


def hot_cold(scene: Scene) -> Iterator[str]:
    """Ask where the answer tells most, keep the points that it leaves, and press when it is hot."""
    import numpy as np

    left = np.array([(x, y) for x in range(5, 156) for y in range(55, 171)], dtype=float)
    at, heard = (80.0, 112.0), ""
    while True:
        yield call("mouse_move", *at)
        (heard,) = part(r"(ICE COLD|COLD|WARM|HOT)", scene.text)
        if heard == "HOT":
            yield call("mouse_click", *at)
            return
        ring = np.digitize(np.hypot(*(left - at).T), _RADII)
        left = left[ring == _RINGS.index(heard)]
        tried = left[:: max(1, len(left) // 150)]
        rings = np.digitize(np.hypot(*(tried[:, None] - tried[None]).transpose(2, 0, 1)), _RADII)
        worst = np.max([np.sum(rings == ring, axis=1) for ring in range(1, 4)], axis=0)
        x, y = tried[np.argmin(worst)]
        at = float(x), float(y)


def moving_items(scene: Scene) -> Iterator[str]:
    """The clock stands still between actions, so a circle is where it was seen."""
    while True:
        seen = [one for one in scene.all("graphic", "circle black") if "point" in one]
        yield call("click", seen[0]["number"]) if seen else call("noop", 500)


EXPERTS: dict[str, Expert] = {
    "find-midpoint": find_midpoint,
    "grid-coordinate": grid_coordinate,
    "hot-cold": hot_cold,
    "moving-items": moving_items,
    "right-angle": right_angle,
}
