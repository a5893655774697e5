"""Tasks with the text editor Mousepad that leave the words alone: its settings, the clipboard, a file's form."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key
from selfgym.envs.desktop.looking import Look, finished, press
from selfgym.envs.desktop.real.room import Room
from selfgym.envs.desktop.real.tasks.material import lines, names, text
from selfgym.envs.desktop.real.tasks.pointing import chosen
from selfgym.envs.desktop.real.tasks.task import Task, Template

_VIEW = "org/xfce/mousepad/preferences/view"
_IN_MENUS = {"show-line-numbers": ("View", "Line Numbers"), "word-wrap": ("Document", "Word Wrap")}
_MEANT = {
    "show-line-numbers": "show line numbers",
    "word-wrap": "wrap long lines",
    "show-whitespace": "display whitespace",
    "show-line-endings": "display line endings",
    "highlight-current-line": "highlight the current line",
    "match-braces": "highlight matching brackets",
}
_BOXES = {
    "show-line-numbers": "Show line numbers",
    "word-wrap": "Wrap long lines",
    "show-whitespace": "Display whitespace",
    "show-line-endings": "Display line endings",
    "highlight-current-line": "Highlight current line",
    "match-braces": "Highlight matching brackets",
}
"""Settings that are off at first, in words and by the check box in the preferences."""


def _on(room: Room) -> set[str]:
    return {key for key in _MEANT if room.setting(_VIEW, key) == "true"}


def _switch(rng: Random) -> Task:
    name, other = names(rng, 2)
    key, wrong = rng.sample(sorted(_IN_MENUS), 2)

    def play(look: Look, key: str) -> Iterator[Action]:
        yield from chosen(look, *_IN_MENUS[key])
        yield finished()

    return Task(
        f"Make this editor {_MEANT[key]}.",
        (("mousepad", name),),
        lambda look: play(look, key),
        lambda look: play(look, wrong),
        {name: text(lines(rng, rng.randrange(3, 20))), other: text(lines(rng, 1))},
        state=lambda room: _on(room) == {key},
    )


def _preferences(rng: Random) -> Task:
    name = names(rng, 1)[0]
    first, second, third = rng.sample(sorted(_BOXES), 3)

    def play(look: Look, *keys: str) -> Iterator[Action]:
        yield from chosen(look, "Edit", "Preferences...")
        for key in keys:
            yield press(look, _BOXES[key], "check box")
        yield Key("Escape")
        yield finished()

    return Task(
        f"In the preferences, make this editor {_MEANT[first]} and {_MEANT[second]}, and change nothing else.",
        (("mousepad", name),),
        lambda look: play(look, first, second),
        lambda look: play(look, first, third),
        {name: text(lines(rng, rng.randrange(3, 20)))},
        state=lambda room: _on(room) == {first, second},
    )


def _copy(rng: Random) -> Task:
    name = names(rng, 1)[0]
    rows = lines(rng, 6)
    number = rng.randrange(2, 6)

    def play(look: Look, number: int) -> Iterator[Action]:
        yield Key("ctrl+Home")
        for _ in range(number - 1):
            yield Key("Down")
        yield Key("shift+End")
        yield from chosen(look, "Edit", "Copy")
        yield finished()

    return Task(
        f'Copy the line "{rows[number - 1]}" of {name} to the clipboard.',
        (("mousepad", name),),
        lambda look: play(look, number),
        lambda look: play(look, number - 1),
        {name: text(rows)},
        state=lambda room: room.clipboard() in (rows[number - 1], f"{rows[number - 1]}\n"),
    )


def _line_ends(rng: Random) -> Task:
    name, other = names(rng, 2)
    content = text(lines(rng, rng.randrange(3, 9)))
    ends = {"Unix (LF)": b"\n", "DOS / Windows (CR LF)": b"\r\n"}
    begins, shown = rng.sample(sorted(ends), 2)

    def play(look: Look, shown: str) -> Iterator[Action]:
        yield from chosen(look, "Document", "Line Ending", shown)
        yield from chosen(look, "File", "Save")
        yield finished()

    return Task(
        f'Save {name} with the line ending "{shown}".',
        (("mousepad", name),),
        lambda look: play(look, shown),
        lambda look: play(look, "Mac (CR)"),
        {name: content.replace(b"\n", ends[begins]), other: text(lines(rng, 2))},
        {name: content.replace(b"\n", ends[shown])},
    )


TEMPLATES = (
    Template("mousepad-switch", 1, _switch, ("mousepad",)),
    Template("mousepad-preferences", 2, _preferences, ("mousepad",)),
    Template("mousepad-copy", 2, _copy, ("mousepad",)),
    Template("mousepad-line-ends", 2, _line_ends, ("mousepad",)),
)
