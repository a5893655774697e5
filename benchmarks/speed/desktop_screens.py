"""What screens of real applications cost and whether what is seen of them is final; see desktop_real.py."""

from __future__ import annotations

import statistics
import time
from random import Random
from typing import Any

import numpy as np

from selfgym.envs.desktop.actions import Action, Click, Key, Scroll
from selfgym.envs.desktop.real.session import Session
from selfgym.envs.desktop.real.spares import SPARES
from selfgym.envs.desktop.real.stage import Stage

SIZE = (1280, 720)
TEXT = "".join(f"{number} lamps in the hall\n" for number in range(1, 21))
FILES = {"notes.txt": TEXT, "travel.txt": TEXT, "orders.csv": "thing,count\nlamp,3\nrope,12\n"}
OPENS = {
    "mousepad": "notes.txt", "featherpad": "notes.txt", "pcmanfm": ".", "gnumeric": "orders.csv",
}  # fmt: skip
"""What applications show; the others show nothing."""
KEYS = (
    "a", "b", "5", "Return", "BackSpace", "Down", "Up", "Left", "Page_Down", "Home", "Tab", "Escape", "alt+f", "ctrl+f",
    "ctrl+a", "F10", "shift+Down",
)  # fmt: skip
CARET, LATER = 3, 0.35


def opens(application: str) -> tuple[tuple[str, ...], ...]:
    """What a stage opens."""
    return ((application, *([OPENS[application]] if application in OPENS else [])),)


def staged(application: str, session: Session | None = None) -> Stage:
    """An application on a screen."""
    files = {name: content.encode() for name, content in FILES.items()}
    return Stage(session or Session(*SIZE), opens(application), files)


def start(runs: int) -> dict[str, Any]:
    """Milliseconds until a screen is up."""
    took = []
    for _ in range(runs):
        before = time.perf_counter()
        session = Session(*SIZE)
        took.append(1e3 * (time.perf_counter() - before))
        session.close()
    return {"runs": runs, "median": statistics.median(took), "least": min(took), "most": max(took)}


def reset(application: str, runs: int) -> dict[str, Any]:
    """Milliseconds from one episode to the next, with a spare screen; the last one is closed meanwhile."""
    took = []
    stage = staged(application)
    for _ in range(runs):
        spare = Session(*SIZE)
        time.sleep(0.2)
        before = time.perf_counter()
        SPARES.end(stage.session)
        stage = staged(application, spare)
        stage.session.tree(400, 2.0)
        stage.session.pixels()
        took.append(1e3 * (time.perf_counter() - before))
        SPARES.close()
    stage.session.close()
    return {"runs": runs, "median": statistics.median(took), "least": min(took)}


def final(application: str, frames: int) -> dict[str, Any]:
    """How many frames stay as they are, after random actions; a window that was closed is opened again."""
    rng, took = Random(application), []
    counts = {"frames": 0, "final": 0, "first frames": 0, "final first frames": 0, "not at rest": 0}
    moved: list[str] = []
    stage = staged(application)
    for number in range(frames):
        action: Action | None = None
        if number % 10 == 0 or stage.session.display.active() is None:
            stage.session.close()
            stage = staged(application)
            kind = "first frames"
        else:
            action, kind = _any(rng), "frames"
            before = time.perf_counter()
            stage.do(action)
            took.append(1e3 * (time.perf_counter() - before))
        still = _still(stage.session)
        counts[kind] += 1
        counts[f"final {kind}" if kind != "frames" else "final"] += still
        counts["not at rest"] += not stage.settled.quiet
        if not still:
            moved.append(f"{number} {action}")
    stage.session.close()
    return {**counts, "moved": moved, "median ms to rest": statistics.median(took)}


def _any(rng: Random) -> Action:
    if rng.random() < 0.6:
        return Key(rng.choice(KEYS))
    x, y = rng.randrange(20, SIZE[0] - 20), rng.randrange(60, SIZE[1] - 20)
    return Scroll(x, y, rng.choice((-3, 3))) if rng.random() < 0.2 else Click(x, y)


def _still(session: Session) -> bool:
    before = session.pixels()
    time.sleep(LATER)
    columns = np.flatnonzero((session.pixels() != before).any(axis=(0, 2)))
    return bool(columns.size == 0 or columns[-1] - columns[0] < CARET)
