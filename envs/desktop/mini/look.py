"""What the small desktop shows, and what lies at a point of it: layers of widgets, made again only where they must be.

Whoever changes the world says so by `Look.changed`; a window's place, its menu and which one is active are seen here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from selfgym.envs.desktop.mini.frames import TASKS, backdrop, box_of, chrome, popup, room_of, task_bar
from selfgym.envs.desktop.mini.layer import Layer
from selfgym.envs.desktop.mini.picture import Group
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.mini.world import Window, World


@dataclass(slots=True)
class _Shown:
    """A window as it is shown: its frame, what its program shows, and its menu if one is open."""

    stamp: Any
    """What can be seen of the window and the world without asking the program; ``None``: it is to be asked."""
    frame: Layer
    content: Layer
    menu: Layer | None
    groups: list[Group] = field(default_factory=list)
    """The same as groups; made when they are asked for."""


class Look:
    """A world as it is shown. ``launchers`` are the names of the programs that the task bar starts."""

    def __init__(self, world: World, launchers: Iterable[str]) -> None:
        self.world = world
        self._launchers = tuple(launchers)
        self._ground = Layer((), [backdrop(world)])
        self._bar: Layer | None = None
        self._windows: dict[int, _Shown] = {}
        self._groups: list[Group] = []
        self._stale = True

    def changed(self, window: Window | None = None) -> None:
        """Something is to be shown otherwise: of ``window`` and of who waits for it, the programs too."""
        self._stale = True
        if window is not None:
            for id in (window.id, window.owner):
                if id in self._windows:
                    self._windows[id].stamp = None

    def groups(self) -> list[Group]:
        """Everything on the screen, from back to front; what has not changed is the same object, the list too."""
        if self._stale:
            world, active = self.world, self.world.active
            groups = [Group("ground", self._ground.widgets[0].box, (self._ground,))]
            for window in world.windows:
                if not window.minimised:
                    groups += self._grouped(window, self._shown(window, window is active))
            bar = self._task_bar()
            groups.append(Group("tasks", bar.widgets[0].box, (bar,)))
            self._groups = self._groups if self._groups == groups else groups
            self._stale = False
        return self._groups

    def _shown(self, window: Window, active: bool) -> _Shown:
        place = (window.x, window.y, window.width, window.height, window.maximised)
        stamp = (place, active, window.menu, self.world.edits)
        shown = self._windows.get(window.id)
        if shown is None or shown.stamp != stamp:
            shown = self._windows[window.id] = self._made(window, active, stamp, shown)
        return shown

    def _made(self, window: Window, active: bool, stamp: Any, before: _Shown | None) -> _Shown:
        """A window as it is shown now; layers are made again only where their keys differ."""
        world, program, place = self.world, window.program, stamp[0]
        if before is None:
            there = {one.id for one in world.windows}
            self._windows = {id: one for id, one in self._windows.items() if id in there}
        content, frame, menu = (before.content, before.frame, before.menu) if before else (None, None, None)
        key: Any = (place, program.seen(world))
        if content is None or content.key != key:
            content = Layer(key, program.view(room_of(world, window), world), content)
        title = program.title
        key = (place, title, active, window.menu)
        if frame is None or frame.key != key:
            frame = Layer(key, chrome(world, window, title, active), frame)
        key = (window.menu, content)
        if not window.menu:
            menu = None
        elif menu is None or menu.key != key:
            menu = Layer(key, popup(world, window, content.widgets))
        if before and (before.content, before.frame, before.menu) == (content, frame, menu):
            before.stamp = stamp
            return before
        return _Shown(stamp, frame, content, menu)

    def _grouped(self, window: Window, shown: _Shown) -> list[Group]:
        if not shown.groups:
            shown.groups.append(Group(window.id, box_of(self.world, window), (shown.frame, shown.content)))
            if shown.menu is not None:
                shown.groups.append(Group("menu", shown.menu.widgets[0].box, (shown.menu,)))
        return shown.groups

    def _task_bar(self) -> Layer:
        active = self.world.active
        windows = sorted(self.world.windows, key=lambda window: window.id)
        titles = [(one.id, one.program.title, one is active) for one in windows if not one.owner]
        if self._bar is None or self._bar.key != titles:
            self._bar = Layer(titles, task_bar(self.world, self._launchers, titles), self._bar)
        return self._bar

    def at(self, x: int, y: int) -> tuple[Window | None, Widget]:
        """What lies on top at a point, and whose it is: ``None`` for the desktop's own."""
        world, ground = self.world, self._ground.widgets[0]
        if y >= world.height - TASKS:
            return None, self._task_bar().top(x, y) or ground
        for window in reversed(world.windows):
            if window.minimised:
                continue
            if window.maximised:
                inside = 0 <= x < world.width and y >= 0
            else:
                left, top = window.x, window.y
                inside = left <= x < left + window.width and top <= y < top + window.height
            if inside or window.menu:
                shown = self._shown(window, window is world.active)
                if shown.menu is not None and (found := shown.menu.top(x, y)):
                    return window, found
                if inside:
                    return window, shown.content.top(x, y) or shown.frame.top(x, y) or ground
        return None, ground
