"""Experts of tasks in which boxes are ticked, options chosen and texts copied, and then sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.clicking import press
from selfgym.envs.web.miniwob.experts.scene import Expert, LostError, Scene, call
from selfgym.envs.web.miniwob.experts.steps import submit

_ALIKE = """
big large huge enormous gigantic / small tiny little mini petite / red scarlet crimson vermillion
happy cheerful joyful gleeful delighted / sad unhappy sorrowful miserable tragic / angry mad furious irritated
evil wicked immoral sinful corrupt depraved / wrong incorrect mistaken erroneous / real genuine actual
strange odd peculiar unusual weird / stop cease halt end finish
scared terrified panicked fearful frightened afraid / quiet calm peaceful serene mild / old aged archaic
love like adore favor / kill murder assassinate / keep retain preserve sustain maintain / hide conceal camouflage
hate despise loathe detest dislike / funny humorous amusing comical laughable / fat fleshy plump chubby
stupid dumb dull unwise / delicious savory delectable appetizing / cut slice carve chop / brave courageous fearless
begin start initiate launch / answer reply response / television televisions TV TVs / house home houses homes
fire flame fires flames / pig pork swine / rabbit rabbits bunny bunnies
car cars automobile automobiles vehicle vehicles / water
"""
_GROUPS = [frozenset(group.split()) for group in re.split(r"[/\n]", _ALIKE.strip())]
"""Words that mean about the same."""


def _wanted(scene: Scene, before: str = "Select ") -> list[str]:
    """The names that the goal lists."""
    listed = re.findall(f"{before}(.*) and click Submit", scene.goal)[0]
    return [] if listed == "nothing" else listed.split(", ")


def tick_boxes(scene: Scene) -> Iterator[str]:
    """The boxes that the goal lists."""
    for name in _wanted(scene):
        yield press(scene, "checkbox", name)
    yield submit(scene)


def tick_similar(scene: Scene) -> Iterator[str]:
    """The boxes whose words mean the same as those that the goal lists."""
    wanted = _wanted(scene, "Select words similar to ")
    for box in scene.all("checkbox"):
        if any(box["name"] in group and not group.isdisjoint(wanted) for group in _GROUPS):
            yield call("click", box["number"])
    yield submit(scene)


def choose_option(scene: Scene) -> Iterator[str]:
    """The radio button that the goal names."""
    yield press(scene, "radio", _wanted(scene)[0])
    yield submit(scene)


def choose_from_list(scene: Scene) -> Iterator[str]:
    """The option of a drop-down list that the goal names."""
    wanted = re.findall(r"Select (.*) from the list", scene.goal)[0]
    yield call("select_option", scene.one("combobox"), wanted)
    yield submit(scene)


def choose_several(scene: Scene) -> Iterator[str]:
    """The one or two options of a list that the goal names."""
    listed = re.findall(r"Select (.*) from the scroll list", scene.goal)[0]
    several = scene.all("listbox")[0]
    wanted = [one for one in several["options"] if f", {one}, " in f", {listed}, "]
    yield call("select_option", several["number"], wanted)
    yield submit(scene)


def copy_text(scene: Scene) -> Iterator[str]:
    """The text of one area into the empty field; each text ends in a blank, which is not shown."""
    fields = scene.all("textbox")
    texts = [one["value"] for one in fields if one["value"]]
    empty = [one["number"] for one in fields if not one["value"]]
    if not texts or not empty:
        raise LostError(f"there is no text to copy or no field to copy it to: {scene.text}")
    which = re.findall(r"the (\d)\w\w text area", scene.goal)
    yield call("fill", empty[0], texts[int(which[0]) - 1 if which else 0] + " ")
    yield submit(scene)


EXPERTS: dict[str, Expert] = {
    "choose-list": choose_from_list,
    "click-checkboxes": tick_boxes,
    "click-checkboxes-large": tick_boxes,
    "click-checkboxes-soft": tick_similar,
    "click-checkboxes-transfer": tick_boxes,
    "click-option": choose_option,
    "click-scroll-list": choose_several,
    "copy-paste": copy_text,
    "copy-paste-2": copy_text,
}
"""Which tasks of MiniWoB++ have a scripted expert."""
