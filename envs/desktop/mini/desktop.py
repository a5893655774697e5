"""The window manager of the small desktop: what an action does to the windows, and what is told to the programs.

Nothing here is random and nothing takes time: the same actions on the same world give the same world and picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from selfgym.envs.desktop.actions import Action, Click, Drag, Key, Move, Scroll, Type, read_held, read_keys
from selfgym.envs.desktop.mini.canvas import Canvas
from selfgym.envs.desktop.mini.frames import TASKS, TITLE
from selfgym.envs.desktop.mini.look import Look
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
        self._look = Look(world, launchers)
        self._picture: Picture | None = None
        self._described: Sequence[Group] = ()
        self._lines: list[str] = []

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
        return [widget for group in self._look.groups() for layer in group.layers for widget in layer.widgets]

    def lines(self) -> list[str]:
        """Everything on the screen in words, from back to front; the same list while nothing changes."""
        groups = self._look.groups()
        if groups is not self._described:
            self._described, self._lines = groups, []
            for group in groups:
                for layer in group.layers:
                    self._lines += layer.lines
        return self._lines

    def canvas(self) -> Canvas:
        """The screen as it is now; only what changed since the last call is drawn again."""
        if self._picture is None:
            self._picture = Picture(self.world.width, self.world.height)
        return self._picture.draw(self._look.groups())

    # Events

    def _click(self, click: Click) -> None:
        world, held = self.world, read_held(click.held)
        world.pointer = (click.x, click.y)
        window, widget = self._look.at(click.x, click.y)
        for other in world.windows:
            if other.menu and other is not window:
                other.menu = ""
                self._look.changed()
        if window is None:
            self._press_desktop(widget)
            return
        if window is not world.active:
            world.raised(window)
            self._look.changed()
        if world.waits(window):
            return  # it waits for its dialog
        opened, window.menu = window.menu, ""
        kind, _, rest = widget.id.partition(":")
        if opened or kind not in _FRAME:
            self._look.changed(window)
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
            self._look.changed()
            window.maximised = not window.maximised
        elif widget.id not in _FRAME:
            place = Press(click.x - widget.box.x, click.y - widget.box.y, click.button, click.count, held)
            window.program.press(widget.id, place, world)

    def _press_desktop(self, widget: Widget) -> None:
        kind, _, rest = widget.id.partition(":")
        if kind == "launch":
            self.world.open(self.launchers[rest]())
            self._look.changed()
        elif kind == "task":
            self._look.changed()
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
        self._look.changed(window)
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
            self._look.changed(window)
            window.program.write(line, self.world)

    def _drag(self, drag: Drag) -> None:
        world = self.world
        window, widget = self._look.at(drag.x, drag.y)
        world.pointer = (drag.to_x, drag.to_y)
        if window is None:
            return
        self._look.changed(window)
        world.raised(window)
        if world.waits(window):
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
        window, widget = self._look.at(scroll.x, scroll.y)
        if window is not None and scroll.down:
            self._look.changed(window)
            window.program.scroll(widget.id, scroll.down, self.world)
