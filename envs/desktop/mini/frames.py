"""What the window manager draws itself: the ground, frames and titles, menus that are open, and the task bar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selfgym.envs.desktop.mini.canvas import Box, width_of
from selfgym.envs.desktop.mini.program import Menu
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.mini.world import Window, World

TITLE, MENU, TASKS, ROW = 26, 24, 32, 22
_CONTROLS = (("close", "x"), ("maximise", "^"), ("minimise", "_"))


def backdrop(world: World) -> Widget:
    """The ground under everything."""
    return Widget("desktop", "desktop frame", Box(0, 0, world.width, world.height), "Desktop")


def box_of(world: World, window: Window) -> Box:
    """Where a window lies."""
    if window.maximised:
        return Box(0, 0, world.width, world.height - TASKS)
    return Box(window.x, window.y, window.width, window.height)


def room_of(world: World, window: Window) -> Box:
    """What is the program's own of a window."""
    x, y, width, height = box_of(world, window)
    top = TITLE + (MENU if window.program.menus else 0)
    return Box(x + 6, y + top + 6, width - 12, height - top - 12)


def chrome(world: World, window: Window, title: str, active: bool) -> Iterator[Widget]:
    """The frame of a window with its title, buttons and menus."""
    box, states = box_of(world, window), ("active",) if active else ()
    yield Widget("frame", "dialog" if window.owner else "frame", box, title, "", states)
    yield Widget("title", "title bar", Box(box.x, box.y, box.width, TITLE), title, "", states)
    x = box.x + box.width
    for id, name in _CONTROLS[:1] if window.owner else _CONTROLS:
        x -= 24
        yield Widget(id, "push button", Box(x, box.y + 3, 20, 20), name)
    if window.program.menus:
        yield Widget("menubar", "panel", Box(box.x + 1, box.y + TITLE, box.width - 2, MENU), "Menus")
        for menu, place in _menus(window, box):
            opened = ("selected",) if window.menu == menu.name else ()
            yield Widget(f"menu:{menu.name}", "menu", place, menu.name, "", opened)


def _menus(window: Window, box: Box) -> Iterator[tuple[Menu, Box]]:
    x = box.x + 1
    for menu in window.program.menus:
        width = width_of(menu.name) + 18
        yield menu, Box(x, box.y + TITLE, width, MENU)
        x += width


def popup(world: World, window: Window, content: Iterable[Widget]) -> Iterator[Widget]:
    """The open menu of a window, or the options of its open combo box."""
    for menu, place in _menus(window, box_of(world, window)):
        if menu.name == window.menu:
            labels = [f"{entry.label}    {entry.keys}".rstrip() for entry in menu.entries]
            yield from _list(world, place, labels, [f"command:{entry.command}" for entry in menu.entries])
            return
    options = window.program.options(window.menu, world)
    below = next(widget.box for widget in content if widget.id == window.menu)
    yield from _list(world, below, options, [f"option:{option}" for option in options])


def _list(world: World, below: Box, labels: Sequence[str], ids: Sequence[str]) -> Iterator[Widget]:
    width = max([below.width, *(width_of(label) + 24 for label in labels)])
    height = ROW * len(labels) + 4
    x, y = min(below.x, world.width - width), below.y + below.height
    y = y if y + height <= world.height - TASKS else max(0, below.y - height)
    yield Widget("popup", "popup menu", Box(x, y, width, height), "")
    for row, (label, id) in enumerate(zip(labels, ids, strict=True)):
        yield Widget(id, "menu item", Box(x + 2, y + 2 + ROW * row, width - 4, ROW), label)


def task_bar(world: World, launchers: Iterable[str], titles: Sequence[tuple[int, str, bool]]) -> Iterator[Widget]:
    """A button for each program that can be started and one for each window: (id, title, whether it is active)."""
    top = world.height - TASKS
    yield Widget("tasks", "panel", Box(0, top, world.width, TASKS), "Task bar")
    x = 4
    for name in launchers:
        width = width_of(name) + 20
        yield Widget(f"launch:{name}", "push button", Box(x, top + 4, width, TASKS - 8), name)
        x += width + 4
    x += 12
    for id, title, active in titles:
        width = min(160, width_of(title) + 20)
        states = ("pressed",) if active else ()
        yield Widget(f"task:{id}", "toggle button", Box(x, top + 4, width, TASKS - 8), title, "", states)
        x += width + 4
