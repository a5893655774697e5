"""Expert of the cube that is turned with the mouse until a number faces the user."""

from __future__ import annotations

from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.scene import Expert, Scene, call
from selfgym.envs.web.miniwob.experts.steps import submit

_CUBE = "[cube.viewport.positionX, cube.viewport.positionY, document.querySelector('.cube-image.active').textContent]"
_ROUND = {"2": 0, "5": 86, "4": 177, "3": 269}
"""How far the cube is turned about its upright axis, in degrees, when a side is in front; upright it is then."""
_TILTED = {"1": 264, "6": 88}
"""How far it is tilted when the upper or lower side is in front."""
_UPRIGHT = 25  # degrees off
_MIDDLE = (166.0, 107.0)


def turn_cube(scene: Scene) -> Iterator[str]:
    """Tilt and turn by dragging with the button held, looking at the cube's angles after each move."""
    wanted = scene.quoted[0]
    at: tuple[float, float] | None = None
    while True:
        turned, tilted, front = scene.peek(_CUBE)
        if front == wanted:
            break
        dx, dy = _move(wanted, turned, tilted)
        if at is None or not (0 <= at[0] + dx < 330 and 0 <= at[1] + dy < 212):
            if at is not None:
                yield call("mouse_up", *at)
            at = (_MIDDLE[0] - dx / 2, _MIDDLE[1] - dy / 2)
            yield call("mouse_move", *at)
            yield call("mouse_down", *at)
        at = (at[0] + dx, at[1] + dy)
        yield call("mouse_move", *at)
    if at is not None:
        yield call("mouse_up", *at)
    yield submit(scene)


def _move(wanted: str, turned: float, tilted: float) -> tuple[float, float]:
    """The pixels to drag: the tilt first, because the sense of turning depends on it."""
    if wanted in _TILTED:
        return 0, -_pixels(_TILTED[wanted] - tilted)
    if abs(_short_way(-tilted)) > _UPRIGHT:
        return 0, -_pixels(-tilted)
    return _pixels(_ROUND[wanted] - turned), 0


def _short_way(angle: float) -> float:
    return (angle + 180) % 360 - 180


def _pixels(angle: float) -> float:
    """How far to drag at once for the cube to turn by ``angle``, until its momentum is spent."""
    angle = _short_way(angle)
    return (0.85 * abs(angle) + 5) * (1 if angle > 0 else -1)


EXPERTS: dict[str, Expert] = {"drag-cube": turn_cube}
"""Which tasks of MiniWoB++ have a scripted expert."""
