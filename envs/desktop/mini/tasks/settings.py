"""Tasks with the settings."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Click, Scroll
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.mini.programs.settings import CHOICES, DEFAULTS, LEVELS, SWITCHES
from selfgym.envs.desktop.mini.tasks.task import Task, Template
from selfgym.envs.desktop.mini.world import HOME


def _switch(rng: Random) -> Task:
    id, begins = rng.choice(sorted(SWITCHES)), rng.choice(["on", "off"])
    wanted = "off" if begins == "on" else "on"

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Settings")
        box = find(look, SWITCHES[id], "check box").box
        yield Click(box[0] + 7, box[1] + box[3] // 2)
        yield finished()

    return Task(f"Turn {SWITCHES[id].lower()} {wanted}.", solution, settings={id: begins}, set={id: wanted})


def _choice(rng: Random) -> Task:
    id = rng.choice(sorted(CHOICES))
    label, options = CHOICES[id]
    option = rng.choice([one for one in options if one != DEFAULTS[id]])

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Settings")
        yield press(look, DEFAULTS[id], "combo box")
        yield press(look, option, "menu item")
        yield finished()

    return Task(f'In the settings, set "{label}" to "{option}".', solution, set={id: option})


def _level(rng: Random) -> Task:
    id = rng.choice(sorted(LEVELS))
    begins = rng.randrange(2, 19) * 5
    wanted = rng.choice([value for value in range(0, 101, 5) if value != begins])

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Settings")
        x, y, _, height = find(look, LEVELS[id], "slider").box
        yield Scroll(x + 20, y + height // 2, (begins - wanted) // 5)
        yield finished()

    settings, change = {id: str(begins)}, {id: str(wanted)}
    return Task(f"Set the {LEVELS[id].lower()} to {wanted}.", solution, settings=settings, set=change)


def _several(rng: Random) -> Task:
    first, second = rng.sample(sorted(SWITCHES), 2)
    label, options = CHOICES["theme"]
    option = rng.choice([one for one in options if one != DEFAULTS["theme"]])
    turned = {id: "off" if DEFAULTS[id] == "on" else "on" for id in (first, second)}

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Settings")
        for id in (first, second):
            box = find(look, SWITCHES[id], "check box").box
            yield Click(box[0] + 7, box[1] + box[3] // 2)
        yield press(look, DEFAULTS["theme"], "combo box")
        yield press(look, option, "menu item")
        yield finished()

    words = " and ".join(f"turn {SWITCHES[id].lower()} {value}" for id, value in turned.items())
    return Task(
        f'{words[0].upper()}{words[1:]}, and set "{label}" to "{option}".', solution, set=turned | {"theme": option}
    )


def _note(rng: Random) -> Task:
    """What to set is written in a file."""
    id, level = rng.choice(sorted(SWITCHES)), rng.randrange(0, 21) * 5
    wanted = "off" if DEFAULTS[id] == "on" else "on"
    level = level if str(level) != DEFAULTS["volume"] else 55

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, "settings.txt", count=2)
        yield press(look, "Settings")
        box = find(look, SWITCHES[id], "check box").box
        yield Click(box[0] + 7, box[1] + box[3] // 2)
        x, y, _, height = find(look, LEVELS["volume"], "slider").box
        yield Scroll(x + 20, y + height // 2, (int(DEFAULTS["volume"]) - level) // 5)
        yield finished()

    files = {f"{HOME}/settings.txt": f"{SWITCHES[id]}: {wanted}\nVolume: {level}\n"}
    words = "Change the settings as the file settings.txt says."
    return Task(words, solution, files, set={id: wanted, "volume": str(level)})


def _levels(rng: Random) -> Task:
    wanted = {id: rng.randrange(0, 21) * 5 for id in LEVELS}
    wanted = {id: value if str(value) != DEFAULTS[id] else 35 for id, value in wanted.items()}

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Settings")
        for id, value in wanted.items():
            x, y, _, height = find(look, LEVELS[id], "slider").box
            yield Scroll(x + 20, y + height // 2, (int(DEFAULTS[id]) - value) // 5)
        yield finished()

    words = f"Set the volume to {wanted['volume']} and the brightness to {wanted['brightness']}."
    return Task(words, solution, set={id: str(value) for id, value in wanted.items()})


TEMPLATES = (
    Template("settings-switch", 1, _switch),
    Template("settings-choice", 1, _choice),
    Template("settings-level", 1, _level),
    Template("settings-several", 2, _several),
    Template("settings-levels", 2, _levels),
    Template("settings-from-file", 3, _note),
)
