"""Experts of tasks in which things are dragged: into boxes, into order, around."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.clicking import seen_colour
from selfgym.envs.web.miniwob.experts.scene import Element, Expert, Scene, call
from selfgym.envs.web.miniwob.experts.steps import middle, part, submit

_WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
_TAGS = {"rectangles": "rect", "circles": "circle", "triangles": "polygon"}
_SHAPE = 30  # pixels; the shapes are smaller, the boxes that they belong in larger
_PLACES = ("top left", "top center", "top right", "center left", "center", "center right",
           "bottom left", "bottom center", "bottom right")  # fmt: skip


def _drag(one: Element, to: tuple[float, float]) -> str:
    return call("mouse_drag_and_drop", *middle(one), *to)


def drag_box(scene: Scene) -> Iterator[str]:
    """The small box into the middle of the large one."""
    small, large = scene.all("clickable", "s")[0], scene.all("clickable", "L")[0]
    yield _drag(small, middle(large))
    yield submit(scene)


def drag_thing(scene: Scene) -> Iterator[str]:
    """The only shape, to the side that the goal says."""
    (way,) = part("Drag the [a-z]+ ([a-z]+) then", scene.goal)
    shape = scene.all("graphic")[0]
    (x, y), (dx, dy) = middle(shape), _WAYS[way]
    yield _drag(shape, (x + 20 * dx, y + 20 * dy))
    yield submit(scene)


def drag_into_box(scene: Scene) -> Iterator[str]:
    """Every shape of a kind into the box."""
    (kind,) = part("Drag all ([a-z]+) into", scene.goal)
    shapes, (box,) = _shapes(scene), _boxes(scene)
    for shape in shapes:
        if shape["name"].startswith(_TAGS[kind]):
            yield _drag(shape, middle(box))
    yield submit(scene)


def sort_into_boxes(scene: Scene) -> Iterator[str]:
    """The shapes of a kind or colour into the left box, the others into the right one."""
    (what,) = part("Drag all ([a-z]+)", scene.goal)
    shapes, (left, right) = _shapes(scene), _boxes(scene)
    for shape in shapes:
        tag, colour = shape["name"].split(" ")
        wanted = tag == _TAGS[what] if what in _TAGS else colour == seen_colour(what)
        yield _drag(shape, middle(left if wanted else right))
    yield submit(scene)


def _shapes(scene: Scene) -> list[Element]:
    return [one for one in scene.all("graphic") if one["box"][2] < _SHAPE]


def _boxes(scene: Scene) -> list[Element]:
    return [one for one in scene.all("graphic") if _SHAPE < one["box"][2] < 3 * _SHAPE]


# Lists whose items change places while one is dragged over them


def _items(scene: Scene) -> list[Element]:
    """The items of a list or grid, in order; an icon's name may follow theirs."""
    return [one for one in scene.all("clickable") if re.fullmatch(r"[\w'-]+( \(ui-icon.*\))?", one["name"])]


def _label(item: Element) -> str:
    return str(item["name"].split(" ")[0])


def _move(items: list[Element], at: int, to: int) -> str:
    """Drag an item a little beyond the middle of the place that it is to have.

    To the right it lands behind what it is dropped on, even on the way up, so that there the item before is aimed at.
    """
    (x, y), (from_x, from_y) = middle(items[to]), middle(items[at])
    if y < from_y and x > from_x:
        x, y = middle(items[to - 1])
        return _drag(items[at], (x + 6, y))
    return _drag(items[at], (x + _sign(x - from_x) * 4, y + _sign(y - from_y) * 4))


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def drag_in_list(scene: Scene) -> Iterator[str]:
    """The item to the place that the goal says."""
    items = _items(scene)
    name, where = part(r"Drag (\S+) (.*)\.", scene.goal)
    at = next(number for number, one in enumerate(items) if _label(one) == name)
    if "by one" in where:
        to = at + (1 if where.startswith("down") else -1)
    elif ordinal := re.search(r"(\d)\w\w position", where):
        to = int(ordinal[1]) - 1
    else:
        to = 0 if where == "to the top" else len(items) - 1
    yield _move(items, at, to)


def drag_in_grid(scene: Scene) -> Iterator[str]:
    """The item to the place of a grid of three times three that the goal says."""
    items = _items(scene)
    name, where = part(r"Drag (\S+) (.*)\.", scene.goal)
    at = next(number for number, one in enumerate(items) if _label(one) == name)
    if "by one" in where:
        dx, dy = _WAYS[where.split(" ")[0]]
        to = at + dx + 3 * dy
    else:
        to = _PLACES.index(where.removeprefix("to the "))
    yield _move(items, at, to)


def sort_numbers(scene: Scene) -> Iterator[str]:
    """Place after place, drag the least of the numbers that are left there."""
    for place in range(len(_items(scene))):
        items = _items(scene)
        numbers = [int(_label(one)) for one in items]
        least = numbers.index(min(numbers[place:]), place)
        if least != place:
            yield _move(items, least, place)
    yield submit(scene)


EXPERTS: dict[str, Expert] = {
    "drag-box": drag_box,
    "drag-circle": drag_thing,
    "drag-items": drag_in_list,
    "drag-items-grid": drag_in_grid,
    "drag-shapes": drag_into_box,
    "drag-shapes-2": sort_into_boxes,
    "drag-single-shape": drag_thing,
    "drag-sort-numbers": sort_numbers,
}
"""Which tasks of MiniWoB++ have a scripted expert."""
