"""A step's screen with the pointer: the screenshot that was kept, or the outlines of a desktop's elements.

Where no screenshot was kept (`selfgym run --screenshots` keeps them), a desktop's text still says where each element
lies and an action where it points, and that can be drawn.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping
from typing import Any

from selfgym.agents.screenshots import POINTER, SCREENSHOT
from selfgym.envs.desktop.actions import Click, Drag, Move, Scroll, read_action
from selfgym.envs.tools import ActionError
from selfgym.memory.episode import Step
from selfgym.viewer.html import Html, tag, words

_ELEMENT = re.compile(
    r'^\s*(?:\[\d+\] )?([a-z][a-z ]*?)(?: "(.*?)")? at (-?\d{1,5}),(-?\d{1,5}) size (\d{1,5})x(\d{1,5})', re.M
)
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_MOST = 400  # elements drawn
_LARGEST = 8192  # pixels that a screen may say it has


def drawn(step: Step, env_options: Mapping[str, Any]) -> Html | None:
    """The screen before a step with the pointer of its action; None where neither picture nor elements were kept."""
    boxes = [_box(*match.groups()) for match in _ELEMENT.finditer(step.observation)][:_MOST]
    told, pointer = _pointer(step)
    if kept := screenshot(step.info):
        picture, (width, height) = kept
        return _figure([picture], pointer, (width, height), f"Screenshot, {width} by {height}", told)
    if len(boxes) < 2:
        return None
    outlines = [_outline(role, name, box) for role, name, box in boxes]
    what = f"The screen in outline, {len(boxes)} elements, drawn from the words of the observation"
    return _figure(outlines, pointer, _size(env_options, boxes), what, told)


def _figure(shapes: list[Html], pointer: list[Html], size: tuple[int, int], what: str, told: str) -> Html:
    box, caption = f"0 0 {size[0]} {size[1]}", f"{what}; {told}"
    picture = tag("svg", tag("title", caption), *shapes, *pointer, viewBox=box, role="img", class_="screen")
    return tag("figure", picture, tag("figcaption", caption, class_="note"))


def final(info: Mapping[str, Any]) -> Html | None:
    """The screen after the last action, where it was kept."""
    if not (kept := screenshot(info)):
        return None
    picture, size = kept
    return _figure([picture], [], size, f"Screenshot, {size[0]} by {size[1]}", "the end")


def screenshot(info: Mapping[str, Any]) -> tuple[Html, tuple[int, int]] | None:
    """A kept picture and its size in pixels; None where there is none, or something that is no PNG."""
    kept = info.get(SCREENSHOT)
    if not isinstance(kept, str):
        return None
    try:
        head = base64.b64decode(kept, validate=True)[:24]
        signature, width, height = struct.unpack(">16sII", head)
    except (ValueError, struct.error):
        return None
    if signature != _PNG or not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
        return None
    return tag("image", href=f"data:image/png;base64,{kept}", width=width, height=height), (width, height)


def _left(info: Mapping[str, Any]) -> tuple[int, int] | None:
    """Where the action left the pointer, if that was kept."""
    match info.get(POINTER):
        case [int(x), int(y)]:
            return x, y
    return None


Box = tuple[float, float, int, int]
"""Left, top, width, height in pixels."""


def _box(role: str, name: str, x: str, y: str, width: str, height: str) -> tuple[str, str, Box]:
    wide, high = int(width), int(height)
    return role, name or "", (int(x) - wide / 2, int(y) - high / 2, wide, high)


def _size(options: Mapping[str, Any], found: list[tuple[str, str, Box]]) -> tuple[int, int]:
    """Of the screen: as asked for, else as far as an element reaches."""
    asked = [options.get(name) for name in ("width", "height")]
    reach = max(left + wide for _, _, (left, _, wide, _) in found), max(top + high for _, _, (_, top, _, high) in found)
    width, height = (
        ask if isinstance(ask, int) and ask > 0 else int(far) for ask, far in zip(asked, reach, strict=True)
    )
    return min(max(width, 1), _LARGEST), min(max(height, 1), _LARGEST)


def _outline(role: str, name: str, box: Box) -> Html:
    left, top, wide, high = box
    kind = "window" if role in ("frame", "dialog", "desktop frame", "panel") else "part"
    rect = tag("rect", x=left, y=top, width=wide, height=high, class_=kind)
    room = int(wide / 7)
    short = name if len(name) <= room else name[: max(0, room - 1)] + "…"
    write = kind == "part" and high >= 10 and room >= 1 and name
    return tag("g", rect, tag("text", words(short), x=left + 3, y=top + high / 2 + 4) if write else None)


def _pointer(step: Step) -> tuple[str, list[Html]]:
    """What the action did with the pointer, in words and as shapes."""
    try:
        done = read_action(step.action)
    except ActionError:  # a mark, or another set of actions
        if place := _left(step.info):
            return f"pointer at {place[0]},{place[1]}", [_cross(*place)]
        return "no pointer action that could be read", []
    if isinstance(done, Drag):
        line = tag("line", x1=done.x, y1=done.y, x2=done.to_x, y2=done.to_y, class_="way")
        told = f"pointer dragged from {done.x},{done.y} to {done.to_x},{done.to_y}"
        return told, [line, _cross(done.x, done.y), _cross(done.to_x, done.to_y)]
    if isinstance(done, Click | Move | Scroll):
        return f"{type(done).__name__.lower()} at {done.x},{done.y}", [_cross(done.x, done.y)]
    return "the pointer was not used", []


def _cross(x: int, y: int) -> Html:
    ring = tag("circle", cx=x, cy=y, r=16, class_="ring")
    arrow = tag("path", d=f"M{x} {y}l0 22 5 -5 4 9 4 -2 -4 -8 7 0z", class_="arrow")
    return tag("g", ring, arrow)
