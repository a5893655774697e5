"""A registration form: fields, a choice, buttons of which one is on, a switch; what is sent is kept in the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
        widgets = []
        y = room.y
        for id, label in FIELDS.items():
            widgets.append(Widget(f"{id} label", "label", Box(room.x, y, 90, 26), label))
            place = Box(room.x + 100, y, room.width - 100, 26)
            widgets.append(self.texts[id].widget(id, "entry", place, label, focused=self.focus == id))
            y += _ROW
        widgets.append(Widget("country label", "label", Box(room.x, y, 90, 26), "Country"))
        widgets.append(Widget("country", "combo box", Box(room.x + 100, y, 180, 26), self.country, "Country"))
        y += _ROW
        widgets.append(Widget("ticket label", "label", Box(room.x, y, 90, 26), "Ticket"))
        for number, ticket in enumerate(TICKETS):
            states = ("checked",) if ticket == self.ticket else ()
            place = Box(room.x + 100 + 90 * number, y, 88, 26)
            widgets.append(Widget(f"ticket:{ticket}", "radio button", place, ticket, "", states))
        y += _ROW
        states = ("checked",) if self.news else ()
        widgets.append(Widget("news", "check box", Box(room.x + 100, y, 200, 26), "Send me news", "", states))
        return widgets + buttons(["Send", "Clear"], room)

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
