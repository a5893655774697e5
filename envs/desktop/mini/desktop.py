"""The window manager of the small desktop: from actions to the programs, and from their views to a picture.

Nothing here is random and nothing takes time: the same actions on the same world give the same world and picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selfgym.envs.desktop.actions import Action, Click, Drag, Key, Move, Scroll, Type, read_held, read_keys
from selfgym.envs.desktop.mini.canvas import Box, Canvas
from selfgym.envs.desktop.mini.frames import TASKS, TITLE, backdrop, box_of, chrome, popup, room_of, task_bar
from selfgym.envs.desktop.mini.layer import Layer
from selfgym.envs.desktop.mini.picture import Group, Picture
from selfgym.envs.desktop.mini.program import Press, Program
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.mini.world import Window, World

_PLAIN = frozenset[str]()
_FRAME = ("frame", "title", "menubar", "popup")


class Desktop:
    """A world with a screen. ``launchers`` are the programs that the task bar starts."""

    def __init__(self, world: World, launchers: dict[str, Callable[[], Program]]) -> None:
        self.world = world
        self.launchers = launchers
        self._layers: dict[Any, Layer] = {}
        self._look: list[Group] | None = None
        self._picture: Picture | None = None

    def act(self, action: Action) -> None:
        """Do an action. Raises `ActionError` for keys that there are not; `Wait` and `Done` change nothing."""
        if isinstance(action, Click):
            self._click(action)
        elif isinstance(action, Key):
            held, key = read_keys(action.keys)
            self._key(key, held)
        elif isinstance(action, Type):
            self._write(action.text)
        elif isinstance(action, Drag):
            self._drag(action)
        elif isinstance(action, Scroll):
            self._scroll(action)
        elif isinstance(action, Move):
            self.world.pointer = (action.x, action.y)

    # What is shown

    @property
    def widgets(self) -> list[Widget]:
        """Everything on the screen, from back to front."""
        return [widget for layer in self.layers() for widget in layer.widgets]

    def layers(self) -> list[Layer]:
        """Everything on the screen, from back to front; what has not changed is the same object as before."""
        return [layer for group in self._groups() for layer in group.layers]

    def _groups(self) -> list[Group]:
        if self._look is None:
            world, active = self.world, self.world.active
            whole = Box(0, 0, world.width, world.height)
            self._look = [Group("ground", whole, (self._layer("ground", (), lambda: [backdrop(world)]),))]
            for window in world.windows:
                if not window.minimised:
                    parts = (self._chrome(window, window is active), self._content(window))
                    self._look.append(Group(window.id, box_of(world, window), parts))
                    if window.menu:
                        opened = self._popup(window)
                        self._look.append(Group("menu", opened.widgets[0].box, (opened,)))
            bar = self._task_bar()
            self._look.append(Group("tasks", bar.widgets[0].box, (bar,)))
        return self._look

    def _changed(self, window: Window | None = None) -> None:
        """Something is to be shown otherwise: of ``window`` and of who waits for it, the programs too."""
        self._look = None
        if window is not None:
            self._layers.pop(window.id, None)
            self._layers.pop(window.owner, None)

    def _layer(self, name: Any, key: Any, make: Callable[[], Any]) -> Layer:
        """The layer of a name, made again only where its key differs."""
        known = self._layers.get(name)
        if known is None or known.key != key:
            known = self._layers[name] = Layer(key, make())
        return known

    def _chrome(self, window: Window, active: bool) -> Layer:
        title = window.program.title
        key = (title, active, window.menu, box_of(self.world, window))
        return self._layer(("frame", window.id), key, lambda: chrome(self.world, window, title, active))

    def _content(self, window: Window) -> Layer:
        room = room_of(self.world, window)
        return self._layer(window.id, (room, self.world.edits), lambda: window.program.view(room, self.world))

    def _popup(self, window: Window) -> Layer:
        return Layer((), popup(self.world, window, self._content(window).widgets))

    def _task_bar(self) -> Layer:
        active = self.world.active
        windows = sorted(self.world.windows, key=lambda window: window.id)
        titles = [(one.id, one.program.title, one is active) for one in windows if not one.owner]
        return self._layer("tasks", titles, lambda: task_bar(self.world, self.launchers, titles))

    def canvas(self) -> Canvas:
        """The screen as it is now; only what changed since the last call is drawn again."""
        if self._picture is None:
            self._picture = Picture(self.world.width, self.world.height)
        return self._picture.draw(self._groups())

    # Events

    def _at(self, x: int, y: int) -> tuple[Window | None, Widget]:
        """What lies on top at a point, and whose it is: ``None`` for the desktop's own."""
        world, active = self.world, self.world.active
        ground = backdrop(world)
        if y >= world.height - TASKS:
            return None, self._task_bar().top(x, y) or ground
        for window in reversed(world.windows):
            if window.minimised:
                continue
            if window.menu and (found := self._popup(window).top(x, y)):
                return window, found
            if box_of(world, window).contains(x, y):
                frame = self._chrome(window, window is active).top(x, y)
                return window, self._content(window).top(x, y) or frame or ground
        return None, ground

    def _click(self, click: Click) -> None:
        world, held = self.world, read_held(click.held)
        world.pointer = (click.x, click.y)
        window, widget = self._at(click.x, click.y)
        for other in world.windows:
            if other is not window and other.menu:
                other.menu = ""
                self._changed()
        if window is None:
            self._press_desktop(widget)
            return
        if window is not world.active:
            world.raised(window)
            self._changed()
        if any(one.owner == window.id for one in world.windows):
            return  # it waits for its dialog
        opened, window.menu = window.menu, ""
        kind, _, rest = widget.id.partition(":")
        self._changed(window if opened or kind not in _FRAME else None)
        if widget.role in ("menu", "combo box") and click.button == "left":
            name = rest if widget.role == "menu" else widget.id
            window.menu = "" if opened == name else name
        elif kind == "command":
            window.program.command(rest, world)
        elif kind == "option":
            window.program.choose(opened, rest, world)
        elif widget.id in ("close", "maximise", "minimise"):
            self._control(window, widget.id)
        elif widget.id == "title" and click.count == 2 and not window.owner:
            window.maximised = not window.maximised
        elif widget.id not in _FRAME:
            place = Press(click.x - widget.box.x, click.y - widget.box.y, click.button, click.count, held)
            window.program.press(widget.id, place, world)

    def _press_desktop(self, widget: Widget) -> None:
        kind, _, rest = widget.id.partition(":")
        if kind == "launch":
            self.world.open(self.launchers[rest]())
            self._changed()
        elif kind == "task":
            self._changed()
            window = next(one for one in self.world.windows if one.id == int(rest))
            if window is self.world.active:
                window.minimised = True
            else:
                self.world.raised(window)

    def _control(self, window: Window, what: str) -> None:
        if what == "maximise":
            window.maximised = not window.maximised
        elif what == "minimise":
            window.minimised = True
        elif window.owner:
            self.world.answer(window.program, "closed", "Cancel", "")
        elif window.program.closing(self.world):
            self.world.close(window.program)

    def _key(self, key: str, held: frozenset[str]) -> None:
        window = self.world.active
        if window is None:
            return
        self._changed(window)
        if window.menu:
            window.menu = "" if key == "Escape" else window.menu
            return
        if "alt" in held and key == "F4":
            self._control(window, "close")
            return
        wanted = "+".join([*sorted(held), key.lower() if len(key) == 1 else key])
        for menu in window.program.menus:
            for entry in menu.entries:
                if entry.keys and entry.keys.lower() == wanted.lower():
                    window.program.command(entry.command, self.world)
                    return
        window.program.key(key, held, self.world)

    def _write(self, text: str) -> None:
        """Type a text: line ends and tabs are keys, as a keyboard would press them."""
        line = ""
        for character in text:
            if character in "\n\r\t":
                self._insert(line)
                line = ""
                self._key("Tab" if character == "\t" else "Return", _PLAIN)
            elif character.isprintable():
                line += character
        self._insert(line)

    def _insert(self, line: str) -> None:
        window = self.world.active
        if line and window is not None and not window.menu:
            self._changed(window)
            window.program.write(line, self.world)

    def _drag(self, drag: Drag) -> None:
        world = self.world
        window, widget = self._at(drag.x, drag.y)
        world.pointer = (drag.to_x, drag.to_y)
        if window is None:
            return
        self._changed(window)
        world.raised(window)
        if any(one.owner == window.id for one in world.windows):
            return
        if widget.id == "title" and not window.maximised:
            window.x = min(max(window.x + drag.to_x - drag.x, 60 - window.width), world.width - 60)
            window.y = min(max(window.y + drag.to_y - drag.y, 0), world.height - TASKS - TITLE)
        elif widget.id == "frame" and not window.maximised and not window.owner:
            self._resize(window, drag)
        else:
            begin = (drag.x - widget.box.x, drag.y - widget.box.y)
            end = (drag.to_x - widget.box.x, drag.to_y - widget.box.y)
            window.program.drag(widget.id, begin, end, world)

    def _resize(self, window: Window, drag: Drag) -> None:
        """Drag the lower right corner."""
        if drag.x >= window.x + window.width - 10 and drag.y >= window.y + window.height - 10:
            window.width = min(max(200, drag.to_x - window.x), self.world.width - window.x)
            window.height = min(max(140, drag.to_y - window.y), self.world.height - TASKS - window.y)

    def _scroll(self, scroll: Scroll) -> None:
        self.world.pointer = (scroll.x, scroll.y)
        window, widget = self._at(scroll.x, scroll.y)
        if window is not None and scroll.down:
            self._changed(window)
            window.program.scroll(widget.id, scroll.down, self.world)
