"""Text that is being written: the state of a text field, and what keys and clicks do to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from selfgym.envs.desktop.mini.canvas import LINE, Box, place_in
from selfgym.envs.desktop.mini.widget import PAD, Widget

MOST_CHARACTERS = 20_000


@dataclass(slots=True)
class Writing:
    """A text with a caret; the selection runs from ``anchor`` to ``caret`` (-1: there is none)."""

    text: str = ""
    caret: int = 0
    anchor: int = -1
    top: int = 0
    """The first line that is shown."""

    @property
    def chosen(self) -> tuple[int, int]:
        """Where the selection begins and ends; equal where there is none."""
        return (min(self.anchor, self.caret), max(self.anchor, self.caret)) if self.anchor >= 0 else (self.caret,) * 2

    @property
    def seen(self) -> tuple[str, int, int, int]:
        """All that `widget` depends on of it."""
        return self.text, self.caret, self.anchor, self.top

    @property
    def selected(self) -> str:
        """The selected text."""
        begin, end = self.chosen
        return self.text[begin:end]

    def put(self, text: str) -> None:
        """Write in place of the selection."""
        begin, end = self.chosen
        text = text[: max(0, MOST_CHARACTERS - len(self.text) + end - begin)]
        self.text = self.text[:begin] + text + self.text[end:]
        self.caret, self.anchor = begin + len(text), -1

    def select_all(self) -> None:
        """Select the whole text."""
        self.anchor, self.caret = 0, len(self.text)

    def key(self, key: str, *, shift: bool, lines: bool) -> bool:
        """A key without ctrl or alt; whether it meant something here."""
        if len(key) == 1 or key == "space":
            self.put(" " if key == "space" else key)
        elif key == "Return" and lines:
            self.put("\n")
        elif key in ("BackSpace", "Delete"):
            begin, end = self.chosen
            if begin == end:
                self.anchor = max(0, begin - 1) if key == "BackSpace" else min(len(self.text), begin + 1)
            self.put("")
        elif (to := self._moved(key)) is not None:
            self.anchor = (self.caret if self.anchor < 0 else self.anchor) if shift else -1
            self.caret = to
        else:
            return False
        return True

    def _moved(self, key: str) -> int | None:
        start = self.text.rfind("\n", 0, self.caret) + 1
        end = self.text.find("\n", self.caret)
        end = len(self.text) if end < 0 else end
        if key == "Up":
            above = self.text.rfind("\n", 0, max(0, start - 1)) + 1
            return min(above + self.caret - start, start - 1) if start else 0
        if key == "Down":
            below = self.text.find("\n", end + 1)
            last = len(self.text) if below < 0 else below
            return min(end + 1 + self.caret - start, last) if end < len(self.text) else end
        begin, stop = self.chosen
        left = begin if begin != stop else max(0, self.caret - 1)
        right = stop if begin != stop else min(len(self.text), self.caret + 1)
        return {"Left": left, "Right": right, "Home": start, "End": end}.get(key)

    def click(self, x: int, y: int, *, count: int, extend: bool = False) -> None:
        """A click at pixels from the field's top left corner: once sets the caret, twice takes a word, three a line."""
        lines = self.text.split("\n")
        row = min(self.top + max(0, y - PAD) // LINE, len(lines) - 1)
        start = sum(len(line) + 1 for line in lines[:row])
        place = start + place_in(lines[row], x - PAD)
        if extend and self.anchor < 0:
            self.anchor = self.caret
        elif not extend:
            self.anchor = -1
        self.caret = place
        if count == 2:
            self.anchor, self.caret = _word(self.text, place)
        elif count >= 3:
            self.anchor, self.caret = start, start + len(lines[row])

    def show_caret(self, rows: int) -> None:
        """Scroll so that the caret is among ``rows`` lines."""
        row = self.text.count("\n", 0, self.caret)
        self.top = min(max(self.top, row - rows + 1), row)

    def scroll(self, notches: int, rows: int) -> None:
        """Move the view by three lines a notch."""
        self.top = min(max(0, self.top + 3 * notches), max(0, self.text.count("\n") + 1 - rows))

    def widget(self, id: str, role: str, box: Box, name: str, *, focused: bool) -> Widget:
        """The field as it is shown: from the line `top` on."""
        return _widget(id, role, box, name, focused, self.text, self.caret, self.anchor, self.top)


@lru_cache(maxsize=256)
def _widget(
    id: str, role: str, box: Box, name: str, focused: bool, text: str, caret: int, anchor: int, top: int
) -> Widget:
    rows = max(1, (box.height - 2 * PAD) // LINE)
    lines = text.split("\n")
    before = sum(len(line) + 1 for line in lines[:top])
    value = "\n".join(lines[top : top + rows])
    place = min(max(caret - before, 0), len(value))
    other = min(max(anchor - before, 0), len(value))
    if not focused:
        return Widget(id, role, box, name, value)
    shown = 0 <= caret - before <= len(value)
    selected = anchor >= 0 and place != other
    return Widget(id, role, box, name, value, ("focused",), place if shown else -1, other if selected else -1)


def _word(text: str, place: int) -> tuple[int, int]:
    begin = end = place
    while begin > 0 and text[begin - 1].isalnum():
        begin -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return begin, end
