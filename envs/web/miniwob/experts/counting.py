"""Experts of tasks about many small shapes, letters and digits: which are meant, how many, in which order."""

from __future__ import annotations

import cmath
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.clicking import press, seen_colour
from selfgym.envs.web.miniwob.experts.scene import Element, Expert, LostError, Scene, call
from selfgym.envs.web.miniwob.experts.steps import part

_TAGS = {"rect": "rectangle", "circle": "circle", "polygon": "triangle"}
_COLOURS = ("red", "green", "blue", "aqua", "black", "magenta", "yellow")
_LARGE = 14  # pixels; the small ones have 10 to 12, the large ones 20 to 24
_OUTLINE = """(() => {
  const canvas = document.getElementById('c'), found = [];
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 3; at < data.length; at += 4)
    if (data[at] > 127) found.push([(at >> 2) % canvas.width, Math.floor((at >> 2) / canvas.width)]);
  return found;
})()"""


def click_ascending(scene: Scene) -> Iterator[str]:
    """The one; then the squares that the other numbers have become, which stay in the numbers' order."""
    yield press(scene, "graphic", "1")
    for _ in range(4):
        yield press(scene, "graphic", "rect black")


def click_shape(scene: Scene) -> Iterator[str]:
    """One that is as the goal says."""
    (wanted,) = part("Click on a (.*)", scene.goal)
    found = _fitting(scene, wanted)
    if not found:
        raise LostError(f"nothing is a {wanted}: {scene.text}")
    yield call("click", found[0]["number"])


def count_shapes(scene: Scene) -> Iterator[str]:
    """As many as are as the goal says."""
    (wanted,) = part("How many (.*)s are there", scene.goal)
    yield press(scene, "button", str(len(_fitting(scene, wanted))))


def _fitting(scene: Scene, wanted: str) -> list[Element]:
    """The shapes, letters and digits of the drawing that fit a description such as "small red letter"."""
    things = [one for one in scene.all("graphic") if one["box"][2] < 100]  # without the drawing itself
    return [one for one in things if all(_fits(one, word) for word in wanted.split())]


def _kind(thing: Element) -> str:
    """``letter``, ``digit`` or ``shape``."""
    name = thing["name"]
    return "shape" if len(name) > 1 else "digit" if name.isdigit() else "letter"


def _fits(thing: Element, word: str) -> bool:
    if word in ("large", "small"):
        return bool(thing["box"][3] > _LARGE) == (word == "large")
    tag, _, colour = str(thing["name"]).partition(" ")
    if word in _COLOURS:
        return seen_colour(word) in (colour, *thing["state"])
    return word in {"item", _kind(thing), str(thing["name"]), _TAGS.get(tag)}


def count_sides(scene: Scene) -> Iterator[str]:
    """The strongest of the frequencies with which the outline's distance from the middle goes up and down."""
    points = [complex(x - 75, y - 50) for x, y in scene.peek(_OUTLINE)]
    waves = {sides: abs(sum(abs(p) * cmath.exp(1j * sides * cmath.phase(p)) for p in points)) for sides in range(3, 8)}
    yield press(scene, "button", str(max(waves, key=lambda sides: waves[sides])))


EXPERTS: dict[str, Expert] = {
    "ascending-numbers": click_ascending,
    "click-shape": click_shape,
    "count-shape": count_shapes,
    "count-sides": count_sides,
}
"""Which tasks of MiniWoB++ have a scripted expert."""
