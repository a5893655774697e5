"""Experts of sliders, spinners, pickers, drop-downs and a text editor."""

from __future__ import annotations

import json
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.scene import Expert, LostError, Scene, call
from selfgym.envs.web.miniwob.experts.steps import ordinal, part, rows, submit

_HEX = {
    "black": "000000", "white": "FFFFFF", "aqua": "00FFFF", "blue": "0000FF", "gray": "808080", "green": "008000",
    "lime": "00FF00", "maroon": "800000", "navy": "000080", "olive": "808000", "purple": "800080", "red": "FF0000",
    "silver": "C0C0C0", "teal": "008080", "yellow": "FFFF00", "pink": "FFC0CB", "magenta": "FF00FF", "gold": "FFD700",
    "orange": "FFA500",
}  # fmt: skip
_INKS = {
    "red": "rgb(230,0,0)", "orange": "rgb(255,153,0)", "yellow": "yellow", "green": "rgb(0,138,0)",
    "blue": "rgb(0,102,204)", "purple": "rgb(153,51,255)",
}  # fmt: skip
_STYLES = {"bold": "ql-bold", "italics": "ql-italic", "underlined": "ql-underline"}
_DIGITS = (
    "6999996", "2622222", "699248F", "6916196", "8AAF222", "F88E196", "698E996", "F912244", "6996996", "6997196",
)  # fmt: skip
"""How each digit is drawn: a hexadecimal digit a row, a bit a box."""


def _shown(scene: Scene, handle: int) -> int:
    """The number that a slider shows: the line after its handle."""
    page = rows(scene)
    place = next(index for index, row in enumerate(page) if not isinstance(row, str) and row["number"] == handle)
    row = page[place + 1]
    if not isinstance(row, str):
        raise LostError("a slider shows no number")
    return int(row)


def _slide(scene: Scene, handle: int, wanted: int, bounds: tuple[int, int] | None = None) -> Iterator[str]:
    """Bring a slider to a number: near it by a click, the rest by keys. Its handle follows its track in the page."""
    if _shown(scene, handle) == wanted:
        return
    if bounds is None:
        yield call("press", handle, "Home")
        low = _shown(scene, handle)
        yield call("press", handle, "End")
        bounds = low, _shown(scene, handle)
    place = [one["number"] for one in scene.look.elements].index(handle)
    left, top, width, height = scene.look.elements[place - 1]["box"]
    share = (wanted - bounds[0]) / (bounds[1] - bounds[0])
    if width > height:
        yield call("mouse_click", left + 1 + (width - 2) * share, top + height / 2)
    else:
        yield call("mouse_click", left + width / 2, top + 1 + (height - 2) * (1 - share))
    while (now := _shown(scene, handle)) != wanted:
        yield call("press", handle, "ArrowRight" if now < wanted else "ArrowLeft")


def use_slider(scene: Scene) -> Iterator[str]:
    """One slider, whose range the goal does not tell."""
    yield from _slide(scene, scene.all("clickable")[1]["number"], int(part(r"Select (-?\d+)", scene.goal)[0]))
    yield submit(scene)


def use_slider_2(scene: Scene) -> Iterator[str]:
    """Three sliders from 0 to 20."""
    wanted = json.loads(part(r"(\[.*\])", scene.goal)[0])
    handles = [one["number"] for one in scene.all("clickable")[1::2]]
    for handle, number in zip(handles, wanted, strict=True):
        yield from _slide(scene, handle, number, (0, 20))
    yield submit(scene)


def form_sequence(scene: Scene) -> Iterator[str]:
    """A slider from -10 to 10 and a box to check."""
    wanted = int(part(r"Select (-?\d+)", scene.goal)[0])
    yield from _slide(scene, scene.all("clickable")[1]["number"], wanted, (-10, 10))
    yield call("click", scene.all("checkbox")[ordinal(scene.goal)]["number"])
    yield submit(scene)


def form_sequence_3(scene: Scene) -> Iterator[str]:
    """A drop-down that the page draws, and a button."""
    yield call("click", scene.all("clickable")[1]["number"])
    yield call("click", scene.one("clickable", part("Choose (.+) from", scene.goal)[0]))
    yield call("click", scene.one("button", scene.quoted[0]))


def use_spinner(scene: Scene) -> Iterator[str]:
    """The field's two buttons, up and down; nothing can be typed."""
    wanted = int(part(r"Select (-?\d+)", scene.goal)[0])
    up, down = (one["number"] for one in scene.all("button")[:2])
    while (now := int(scene.all("spinbutton")[0]["value"])) != wanted:
        yield call("click", up if now < wanted else down)
    yield submit(scene)


def use_colorwheel(scene: Scene) -> Iterator[str]:
    """The number of the colour, typed; leaving the field closes the picker."""
    yield from _colour(scene, _HEX[part(r"Select (\w+)", scene.goal)[0]])


def use_colorwheel_2(scene: Scene) -> Iterator[str]:
    """The same for a colour that is told by its parts."""
    red, green, blue = part(r"rgb\((\d+), (\d+), (\d+)\)", scene.goal)
    yield from _colour(scene, f"{int(red):02X}{int(green):02X}{int(blue):02X}")


def _colour(scene: Scene, number: str) -> Iterator[str]:
    field = scene.one("textbox")
    yield call("fill", field, number)
    yield call("press", field, "Tab")
    yield submit(scene)


def resize_textarea(scene: Scene) -> Iterator[str]:
    """Drag the corner down or up, right or left."""
    left, top, width, height = scene.all("textbox")[0]["box"]
    by = 15 if "larger" in scene.goal else -15
    x, y = left + width - 5, top + height - 5
    yield call("mouse_drag_and_drop", x, y, *((x, y + by) if "height" in scene.goal else (x + by, y)))
    yield submit(scene)


def number_checkboxes(scene: Scene) -> Iterator[str]:
    """Draw a digit with 7 rows of 4 boxes, as the pictures of the page draw it."""
    drawing = _DIGITS[int(scene.quoted[0])]
    wanted = "".join(f"{int(row, 16):04b}" for row in drawing)
    for box, bit in zip(scene.all("checkbox"), wanted, strict=True):
        if bit == "1":
            yield call("click", box["number"])
    yield submit(scene)


def text_editor(scene: Scene) -> Iterator[str]:
    """Style everything, or write the text anew with one word styled."""
    (style,) = part(r"the (?:style|color) (\w+)", scene.goal)
    field, text = scene.all("textbox")[0]["number"], scene.all("textbox")[0]["value"]
    yield call("press", field, "Control+a")
    if "everything" in scene.goal:
        yield from _style(scene, style)
    else:
        (word,) = part(r"the text (\S+) the", scene.goal)
        words = text.split(" ")
        place = words.index(word)
        before, after = "".join(one + " " for one in words[:place]), "".join(" " + one for one in words[place + 1 :])
        yield call("keyboard_press", "Delete")
        if before:
            yield call("keyboard_type", before)
        yield from _style(scene, style)
        yield call("keyboard_type", word)
        if after:
            yield from _style(scene, style, on=False)
            yield call("keyboard_type", after)
    yield submit(scene)


def _style(scene: Scene, style: str, *, on: bool = True) -> Iterator[str]:
    """Press the button of a style, or choose a colour; black is none."""
    if style in _STYLES:
        button = next(one for one in scene.all("button") if one["name"].split()[0] == _STYLES[style])
        yield call("click", button["number"])
    else:
        yield call("click", scene.look.elements[0]["number"])
        yield call("click", scene.one("clickable", _INKS[style] if on else "black"))


EXPERTS: dict[str, Expert] = {
    "form-sequence": form_sequence,
    "form-sequence-3": form_sequence_3,
    "number-checkboxes": number_checkboxes,
    "resize-textarea": resize_textarea,
    "text-editor": text_editor,
    "use-colorwheel": use_colorwheel,
    "use-colorwheel-2": use_colorwheel_2,
    "use-slider": use_slider,
    "use-slider-2": use_slider_2,
    "use-spinner": use_spinner,
}
