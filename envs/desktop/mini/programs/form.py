"""A registration form: fields, a choice, buttons of which one is on, a switch; what is sent is kept in the world."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from selfgym.envs.desktop.mini.canvas import Box
from selfgym.envs.desktop.mini.program import Press, Program
from selfgym.envs.desktop.mini.programs.dialogs import Ask, buttons, write_key
from selfgym.envs.desktop.mini.widget import Widget
from selfgym.envs.desktop.mini.world import World
from selfgym.envs.desktop.mini.writing import Writing

FIELDS = {"name": "Name", "email": "E-mail", "city": "City"}
COUNTRIES = ("Austria", "Brazil", "Canada", "Denmark", "Egypt", "France", "Ghana", "Japan")
TICKETS = ("Standard", "Student", "Speaker")
_ROW = 36


@dataclass(slots=True)
class Form(Program):
    """What has been filled in so far."""

    texts: dict[str, Writing] = field(default_factory=lambda: {id: Writing() for id in FIELDS})
    country: str = "Choose..."
    ticket: str = TICKETS[0]
    news: bool = False
    focus: str = ""
    """The field that keys go to."""
    kind: Literal["form"] = "form"

    name = "Registration"
    size = (400, 380)

    def view(self, room: Box, world: World) -> list[Widget]:
        """A row for each thing to fill in."""
        widgets: list[Widget] = []
        for number, (id, label) in enumerate(FIELDS.items()):
            y = room.y + _ROW * number
            place = Box(room.x + 100, y, room.width - 100, 26)
            field = self.texts[id].widget(id, "entry", place, label, focused=self.focus == id)
            widgets += (_label(id, room.x, y, label), field)
        widgets += _choices(room, self.country, self.ticket, self.news)
        return widgets

    def seen(self, world: World) -> Hashable:
        """What has been filled in, and the focus."""
        return self.country, self.ticket, self.news, self.focus, *[text.seen for text in self.texts.values()]

    def press(self, id: str, at: Press, world: World) -> None:
        """Focus a field, turn a switch, press a button."""
        kind, _, rest = id.partition(":")
        if id in FIELDS:
            self.focus = id
            self.texts[id].click(at.x, at.y, count=at.times)
        elif kind == "ticket" and rest:
            self.ticket = rest
        elif id == "news":
            self.news = not self.news
        elif rest == "Clear":
            self._clear()
        elif rest == "Send":
            self._send(world)

    def _clear(self) -> None:
        self.texts = {id: Writing() for id in FIELDS}
        self.country, self.ticket, self.news, self.focus = "Choose...", TICKETS[0], False, ""

    def _send(self, world: World) -> None:
        record = {id: text.text for id, text in self.texts.items()}
        if not all(record.values()) or self.country not in COUNTRIES:
            world.ask(self, Ask("incomplete", "Please fill in every field.", ["Close"]))
            return
        record |= {"country": self.country, "ticket": self.ticket, "news": "on" if self.news else "off"}
        world.records.append(record)
        self._clear()
        world.ask(self, Ask("sent", "Thank you, you are registered.", ["Close"]))

    def options(self, id: str, world: World) -> Sequence[str]:
        """The countries."""
        return COUNTRIES if id == "country" else ()

    def choose(self, id: str, option: str, world: World) -> None:
        """A country."""
        self.country = option

    def key(self, key: str, held: frozenset[str], world: World) -> None:
        """Tab goes on to the next field; other keys write."""
        if key == "Tab":
            order = list(FIELDS)
            at = order.index(self.focus) if self.focus in order else -1
            self.focus = order[(at + (-1 if "shift" in held else 1)) % len(order)]
            self.texts[self.focus].select_all()
        elif self.focus:
            write_key(self.texts[self.focus], key, held, world, lines=False)

    def write(self, text: str, world: World) -> None:
        """Into the field that has the focus."""
        if self.focus:
            self.texts[self.focus].put(text)


@lru_cache(maxsize=64)
def _label(id: str, x: int, y: int, label: str) -> Widget:
    return Widget(f"{id} label", "label", Box(x, y, 90, 26), label)


@lru_cache(maxsize=256)
def _choices(room: Box, country: str, chosen: str, news: bool) -> tuple[Widget, ...]:
    """What is below the fields."""
    x, y = room.x + 100, room.y + _ROW * len(FIELDS)
    widgets = [_label("country", room.x, y, "Country")]
    widgets.append(Widget("country", "combo box", Box(x, y, 180, 26), country, "Country"))
    y += _ROW
    widgets.append(_label("ticket", room.x, y, "Ticket"))
    for number, ticket in enumerate(TICKETS):
        states = ("checked",) if ticket == chosen else ()
        place = Box(x + 90 * number, y, 88, 26)
        widgets.append(Widget(f"ticket:{ticket}", "radio button", place, ticket, "", states))
    states = ("checked",) if news else ()
    widgets.append(Widget("news", "check box", Box(x, y + _ROW, 200, 26), "Send me news", "", states))
    return (*widgets, *buttons(["Send", "Clear"], room))
