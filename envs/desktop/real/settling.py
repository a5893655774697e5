"""When a real screen has come to rest after an action: asked and watched, never slept over.

A program first answers that it has dealt with the events before (a window manager's ping). Then it has a moment to
begin to draw, and the screen is at rest once nothing was drawn for a while and the window manager and the program
answer at once: who takes its time was busy, and is about to draw. A blinking caret is not drawing. Each application has
figures of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # importing it takes python-xlib, which `selfgym doctor` does without
    from selfgym.envs.desktop.real.display import Display

_AT_ONCE = 0.008
"""Seconds within which a program answers that has nothing else to do."""
_LATE = 3
"""Answers in a row that may come later, with nothing drawn between: then it is the machine that is slow."""


@dataclass(frozen=True, slots=True)
class Settling:
    """What one application needs. Times in seconds."""

    asks: Literal["window", "nobody"] = "window"
    """Who answers that events were dealt with."""
    first: float = 0.05
    """How long after that it may take until drawing begins."""
    quiet: float = 0.034
    """How long nothing is drawn when it has ended; a frame of a 60 Hz clock is 0.017."""
    caret: int = 3
    """Widths up to so many pixels are a caret."""
    deadline: float = 3.0
    """When to give up."""
    hold: float = 0.0
    """How long a button that a key presses is drawn as pressed."""

    def joined(self, other: Settling) -> Settling:
        """What suits two applications on one screen."""
        return Settling(
            self.asks,
            max(self.first, other.first),
            max(self.quiet, other.quiet),
            max(self.caret, other.caret),
            max(self.deadline, other.deadline),
            max(self.hold, other.hold),
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """How the waiting ended."""

    quiet: bool
    """Whether the screen came to rest before the deadline."""
    answered: bool
    """Whether the program with the focus said in the end that it had dealt with what came before."""
    seconds: float = field(compare=False, repr=False)
    """How long it took: no part of what an episode is."""


def settle(display: Display, how: Settling, keys: bool = False) -> Settled:
    """Wait for the screen to rest; ``keys``: after keys. Raises `DisplayError`."""
    began = time.monotonic()
    until = began + how.deadline
    display.sync()
    asks = how.asks == "window"
    answered = asks and _pinged(display, until)
    held = how.hold if keys else 0.0
    quiet = _drew_nothing(display, how, how.first, until, held, _counts(display, how))
    late = 0
    while quiet and asks and late < _LATE:
        before = time.monotonic()
        display.ask_manager()
        answered = _pinged(display, until)
        if not answered:  # it cannot be asked, or is gone
            break
        display.managed(until)
        drew = _counts(display, how)
        if not drew and time.monotonic() - before < _AT_ONCE:
            break
        late = 0 if drew else late + 1
        quiet = _drew_nothing(display, how, how.quiet, until)
    return Settled(quiet, answered, time.monotonic() - began)


def _drew_nothing(
    display: Display, how: Settling, wait: float, until: float, hold: float = 0.0, began: bool = False
) -> bool:
    """Wait until nothing has been drawn for a while, and for ``hold`` since it began; whether before ``until``."""
    last = time.monotonic()
    held = last + hold if began else 0.0
    while (now := time.monotonic()) < min(max(last + wait, held), until):
        display.wait(min(max(last + wait, held), until))
        if _counts(display, how):
            last, wait = time.monotonic(), how.quiet
            held = held or last + hold
    return now < until


def _counts(display: Display, how: Settling) -> bool:
    """Whether something was drawn that is no caret."""
    return any(min(width, height) > 1 and width > how.caret for _, width, height in display.drawn())


def _pinged(display: Display, until: float) -> bool:
    """Whether the window with the focus answers; where it goes away meanwhile, the one that has the focus then.

    A dialog goes before its program has done what it was asked for there: the window behind answers after that.
    """
    window = display.focus()
    while window is not None and display.ping(window):
        asked = window
        while not display.answered(asked):
            now = time.monotonic()
            if now > until:
                return False
            if not display.wait(min(until, now + 0.05)):
                window = display.focus()
                if window != asked:
                    break
        else:
            return True
    return False
