"""Experts of tasks in which something has to be opened first: tabs, sections, menus."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.clicking import press
from selfgym.envs.web.miniwob.experts.scene import Element, Expert, LostError, Scene, call


def click_tab(scene: Scene) -> Iterator[str]:
    """The tab that the goal names."""
    yield press(scene, "tab", re.findall(r"Tab #\d", scene.goal)[0])


def find_behind_tabs(scene: Scene) -> Iterator[str]:
    """Open one tab or section after the other until the quoted link is there, and click it."""
    wanted = scene.quoted[0]
    for tab in scene.all("tab"):
        if scene.all("clickable", wanted):
            break
        if "selected" not in tab["state"]:
            yield call("click", tab["number"])
    yield press(scene, "clickable", wanted)


def open_and_submit(scene: Scene) -> Iterator[str]:
    """Open the section and press the button below it."""
    yield call("click", scene.all("tab")[0]["number"])
    yield press(scene, None, "Submit")


def follow_menu(scene: Scene) -> Iterator[str]:
    """Point at the items that hold a menu, click the last one of the path."""
    *path, last = scene.goal.removeprefix("Select ").split(">")
    for name in path:
        yield call("hover", _item(scene, name))
    yield call("click", _item(scene, last))


def open_menu(scene: Scene) -> Iterator[str]:
    """The item of the media menu that the goal quotes, or that has the icon which it names."""
    named = [name for name in scene.quoted if name != "Menu"] or re.findall(r"ui-icon-[a-z-]+", scene.goal)
    yield press(scene, "button", "Menu")
    if not _items(scene, named[0]):
        yield call("hover", _item(scene, "Playback"))
    yield call("click", _item(scene, named[0]))


def _items(scene: Scene, name: str) -> list[Element]:
    """The items of a menu with that label or that icon; both are told as ``Stop (ui-icon-stop)``."""
    return [one for one in scene.all("menuitem") if name in re.split(r" ?[()]", one["name"])]


def _item(scene: Scene, name: str) -> int:
    found = _items(scene, name)
    if not found:
        raise LostError(f"there is no item {name!r} in the menu: {scene.text}")
    return int(found[0]["number"])


def open_pie(scene: Scene) -> Iterator[str]:
    """Open the pie and click the slice that the goal quotes, once the pie has unfolded.

    In click-pie-nodelay no pointer hits the slice that is selected at first: it moves in the document when pointed at.
    """
    yield press(scene, "graphic", "+")
    yield call("noop", 2000)
    yield press(scene, "graphic", scene.quoted[0])


EXPERTS: dict[str, Expert] = {
    "click-collapsible": open_and_submit,
    "click-collapsible-2": find_behind_tabs,
    "click-collapsible-2-nodelay": find_behind_tabs,
    "click-collapsible-nodelay": open_and_submit,
    "click-menu": follow_menu,
    "click-menu-2": open_menu,
    "click-pie": open_pie,
    "click-tab": click_tab,
    "click-tab-2": find_behind_tabs,
    "click-tab-2-easy": find_behind_tabs,
    "click-tab-2-hard": find_behind_tabs,
    "click-tab-2-medium": find_behind_tabs,
}
"""Which tasks of MiniWoB++ have a scripted expert."""
