"""Experts of tasks that one click or a few solve."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.scene import Element, Expert, Scene, call
from selfgym.envs.web.miniwob.experts.steps import submit

_COLOURS = {"olive": "rgb(128,128,0)", "gray": "grey", "aqua": "cyan"}
"""What the page calls a colour, and how it is seen where that differs."""
_WIDGETS = {"radio": "radio", "checkbox": "checkbox", "button": "button", "text": "textbox", "textarea": "textbox"}
_ONE_LINE = 24  # pixels; a text area is higher than a text field


def press(scene: Scene, role: str | None, name: str | None) -> str:
    """The click on the first element of a role and a name."""
    return call("click", scene.one(role, name))


def seen_colour(colour: str) -> str:
    """A colour of the goal as elements are named after it."""
    return _COLOURS.get(colour, colour)


def click_button(scene: Scene) -> Iterator[str]:
    """The button that the goal quotes."""
    yield press(scene, "button", scene.quoted[0])


def click_sequence(scene: Scene) -> Iterator[str]:
    """The buttons that the goal names in capitals, in its order."""
    for name in re.findall(r"\b[A-Z]{3,}\b", scene.goal):
        yield press(scene, "button", name)


def click_any_button(scene: Scene) -> Iterator[str]:
    """The only button there is."""
    yield press(scene, "button", None)


def click_after_delay(scene: Scene) -> Iterator[str]:
    """One button, the seconds that the goal asks for, the other; half a second passes while a click settles."""
    seconds = int(re.findall(r"wait (\d+)", scene.goal)[0])
    yield press(scene, "button", "ONE")
    yield call("noop", 1000 * seconds - 500)
    yield press(scene, "button", "TWO")


def close_dialog(scene: Scene) -> Iterator[str]:
    """The cross of the dialog, or the button that the goal quotes."""
    wanted = scene.quoted[0]
    yield press(scene, "button", "Close (ui-icon-closethick)" if wanted == "x" else wanted)


def click_link(scene: Scene) -> Iterator[str]:
    """The word that the goal quotes."""
    yield press(scene, "clickable", scene.quoted[0])


def click_colour(scene: Scene) -> Iterator[str]:
    """The box of the colour that the goal names."""
    colour = re.findall(r"on the (.*) colored box", scene.goal)[0]
    yield press(scene, "clickable", seen_colour(colour))


def click_shades(scene: Scene) -> Iterator[str]:
    """Every patch in which the wanted primary colour is the strongest."""
    channel = next(at for at, colour in enumerate(("red", "green", "blue")) if f"of {colour} " in scene.goal)
    for patch in scene.all("clickable"):
        shade = [int(part) for part in re.findall(r"\d+", patch["name"])]
        if shade[channel] == max(shade):
            yield call("click", patch["number"])
    yield submit(scene)


def click_widget(scene: Scene) -> Iterator[str]:
    """A widget of the kind that the goal quotes."""
    kind = scene.quoted[0]
    yield call("click", next(one["number"] for one in scene.all(_WIDGETS[kind]) if _is_kind(one, kind)))


def _is_kind(widget: Element, kind: str) -> bool:
    high = widget["box"][3] > _ONE_LINE
    return kind not in ("text", "textarea") or high == (kind == "textarea")


EXPERTS: dict[str, Expert] = {
    "button-delay": click_after_delay,
    "click-button": click_button,
    "click-button-sequence": click_sequence,
    "click-color": click_colour,
    "click-dialog": close_dialog,
    "click-dialog-2": close_dialog,
    "click-link": click_link,
    "click-shades": click_shades,
    "click-test": click_any_button,
    "click-test-2": click_sequence,
    "click-test-transfer": click_sequence,
    "click-widget": click_widget,
}
"""Which tasks of MiniWoB++ have a scripted expert."""
