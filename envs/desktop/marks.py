"""Set-of-marks (arXiv 2310.11441): elements are numbered, in the picture and in words, and an action may name a number.

`MarkedEnv` goes around any desktop that has ``nodes()``. What its observations show as a tree becomes a list of marks,
what they show as pixels gets the marks drawn in; ``info["marks"]`` always has the list. Wherever an action takes x and
y, a number in brackets stands for the middle of that element: ``click([3])``, ``drag([3], [5])``; in a tool call it is
``"x": [3]`` without a y. Coordinates may still be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, create_model
from pydantic_core import PydanticCustomError

from selfgym.envs.around import AroundEnv
from selfgym.envs.calls import read_call
from selfgym.envs.core import AgentEnv
from selfgym.envs.desktop.actions import DESKTOP_TOOLS, Action, Click, Pixel, Scroll, read_action, written
from selfgym.envs.desktop.node import Node
from selfgym.envs.desktop.pictures import Picture, copy_of
from selfgym.envs.tools import ActionError, Tool, ToolSet

CLICKABLE = frozenset({
    "push button", "toggle button", "menu", "menu item", "list item", "check box", "radio button", "combo box",
    "slider", "entry", "text", "table cell", "page tab", "link", "tree item", "spin button", "icon",
})  # fmt: skip
"""Roles of AT-SPI that are marked."""
_PLACES = frozenset({"slider", "text", "entry"})  # where in the element one clicks makes a difference
_POINTS = {"x": "y", "to_x": "to_y"}
_INK, _GROUND, _OUTLINE = (0, 0, 0), (255, 225, 0), (220, 0, 110)


class MarkedEnv(AroundEnv[Any]):
    """``env`` with marks.

    Args:
        env: a desktop with a method ``nodes()``, whose observations are a text, pixels of (height, width, 3) bytes, or
            a dictionary of ``tree`` and ``pixels``.
        most: elements that are marked; ``info["marks_left_out"]`` says how many more there are.
    """

    def __init__(self, env: AgentEnv[Any], most: int = 100) -> None:
        inner: Any = env.unwrapped
        if not callable(getattr(inner, "nodes", None)):
            raise TypeError(f"marks need an environment with nodes(), which {inner} has not")
        if most < 1:
            raise ValueError(f"most should be at least 1, not {most}")
        super().__init__(inner, "marks")
        self.most = most
        self.tools = MARKED_TOOLS
        self._marks: list[Node] = []

    def nodes(self) -> list[Node]:
        """The elements on the screen, marked or not."""
        found: list[Node] = self.inner.nodes()  # type: ignore[attr-defined]
        return found

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Do an action, in which marks are those of the last observation."""
        try:
            meant: Any = self._read(action)
        except ActionError as error:
            meant = error
        return super().step(meant)

    def written(self, action: Action) -> str:
        """The action as a call: with a mark where it is on one."""
        text = written(action)
        if not isinstance(action, Click | Scroll):
            return text
        found = [number for number, node in enumerate(self._marks, 1) if _means(action, node)]
        return text.replace(f"({action.x}, {action.y}", f"([{found[-1]}]", 1) if found else text

    def _read(self, action: Any) -> Action:
        if isinstance(action, Action):
            return action
        call = read_call(action, MARKED_TOOLS, example='click([3]) or type("text")', spread=_spread)
        arguments = dict(call.arguments)
        for x, y in _POINTS.items():
            if x in arguments:
                arguments[x], arguments[y] = self._point(call.name, x, y, arguments)
        return read_action({"name": call.name, "arguments": arguments})

    def _point(self, name: str, x: str, y: str, arguments: dict[str, Any]) -> tuple[int, int]:
        across, down = arguments[x], arguments[y]
        if isinstance(across, int):
            if down is None:
                raise ActionError(f"{name} needs {y} beside {x}, or a mark in brackets, as in {name}([3]).")
            return across, down
        if down is not None:
            raise ActionError(f"{name}: a mark stands for {x} and {y}, so there is no {y} beside it.")
        if not 1 <= across[0] <= len(self._marks):
            raise ActionError(f"There is no mark [{across[0]}]: marks are [1] to [{len(self._marks)}].")
        return middle(self._marks[across[0] - 1])

    def _shown(self, observation: Any, info: dict[str, Any]) -> Any:
        found = marks_of(self.nodes())
        self._marks = found[: self.most]
        words = "\n".join(map(mark_line, range(1, len(self._marks) + 1), self._marks))
        info["marks"], info["marks_left_out"] = words, len(found) - len(self._marks)
        if isinstance(observation, dict):
            return {name: self._part(part, words, info) for name, part in observation.items()}
        return self._part(observation, words, info)

    def _part(self, part: Any, words: str, info: dict[str, Any]) -> Any:
        if not isinstance(part, str):
            return draw_marks(part, self._marks)
        said = info["action_error"] or f"Your task is: {info['task']}"
        return f"{said}\n{words}" if part.startswith(said) else words


def marks_of(nodes: Sequence[Node]) -> list[Node]:
    """The elements to be marked, in order: those that are clickable and whose middle nothing in front covers.

    What lies within an element, as the label in a button does, does not cover it.
    """
    if not nodes:
        return []
    boxes = np.array([node.box for node in nodes])
    (left, top), (right, bottom) = boxes[:, :2].T, (boxes[:, :2] + boxes[:, 2:]).T
    x, y = (boxes[:, :2] + boxes[:, 2:] // 2).T[..., None]
    holds = (left <= x) & (x < right) & (top <= y) & (y < bottom)
    within = (left[:, None] <= left) & (top[:, None] <= top) & (right <= right[:, None]) & (bottom <= bottom[:, None])
    covered = np.triu(holds & ~within, 1).any(axis=1)
    return [node for node, hidden in zip(nodes, covered, strict=True) if node.role in CLICKABLE and not hidden]


def mark_line(number: int, node: Node) -> str:
    """A mark in words.

    >>> mark_line(3, Node("entry", "City", (10, 20, 60, 24), "Graz", ("focused",)))
    "[3] entry: City = 'Graz' (focused)"
    """
    value = f" = {node.value!r}" if node.value else ""
    states = f" ({', '.join(node.states)})" if node.states else ""
    return f"[{number}] {node.role}: {node.name}{value}{states}"


def middle(node: Node) -> tuple[int, int]:
    """Where an element is clicked."""
    x, y, width, height = node.box
    return x + width // 2, y + height // 2


def draw_marks(pixels: Picture, marks: Sequence[Node]) -> Picture:
    """A copy of (height, width, 3) bytes with a frame around each element and its number in the top left corner."""
    picture = copy_of(pixels)
    height, width, _ = picture.shape
    for node in marks:
        x, y, across, down = node.box
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + across, width), min(y + down, height)
        if left < right and top < bottom:
            picture[top, left:right] = picture[bottom - 1, left:right] = _OUTLINE
            picture[top:bottom, left] = picture[top:bottom, right - 1] = _OUTLINE
    for number, node in enumerate(marks, 1):
        left, top = max(node.box[0], 0), max(node.box[1], 0)
        label = _label(number)
        room = picture[top : top + label.shape[0], left : left + label.shape[1]]
        room[:] = label[: room.shape[0], : room.shape[1]]
    return picture


@lru_cache(maxsize=1024)
def _label(number: int) -> Picture:
    from PIL import Image, ImageDraw, ImageFont

    font, text = ImageFont.load_default(10), str(number)
    image = Image.new("RGB", (int(font.getlength(text)) + 4, 12), _GROUND)
    ImageDraw.Draw(image).text((2, 0), text, fill=_INK, font=font)
    return np.asarray(image)


def _means(action: Click | Scroll, node: Node) -> bool:
    """Whether an action does to an element what it would do to its middle."""
    if isinstance(action, Click) and node.role in _PLACES:
        return (action.x, action.y) == middle(node)
    left, top, width, height = node.box
    return left <= action.x < left + width and top <= action.y < top + height


def _spread(given: list[Any]) -> list[Any]:
    """A mark takes the places of x and y."""
    return [one for value in given for one in ((value, None) if isinstance(value, list) else (value,))]


def _marked(tool: Tool) -> Tool:
    """A tool whose points may be marks."""
    fields: dict[str, Any] = {name: (field.annotation, field) for name, field in tool.parameters.model_fields.items()}
    if not fields.keys() & _POINTS.keys():
        return tool
    for x, y in _POINTS.items():
        if x in fields:
            fields[x], fields[y] = (_Point, ...), (Pixel | None, None)
    about = f"{tool.description} A point is x and y, or a mark as x, in brackets."
    return Tool(tool.name, about, create_model(tool.name, **fields))


def _sort(value: Any) -> Any:
    """One sentence for whatever is no point: pydantic would have one for each kind of point."""
    numbers = value if isinstance(value, list) and len(value) == 1 else [value]
    if isinstance(numbers[0], bool) or not isinstance(numbers[0], int):
        raise PydanticCustomError("point", "should be a whole number, or one mark in brackets")
    return value


_Mark = Annotated[list[int], Field(min_length=1, max_length=1)]
_Point = Annotated[Pixel | _Mark, BeforeValidator(_sort)]
MARKED_TOOLS = ToolSet(map(_marked, DESKTOP_TOOLS))
"""Every action, with marks."""
