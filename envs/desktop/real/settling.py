"""When a real screen has come to rest after an action: asked and watched, never slept over.

A program first answers that it has dealt with the events before (a window manager's ping, or a question on the
accessibility bus where its toolkit leaves pings unanswered). Then it has a moment to begin to draw, and the screen is
at rest once nothing was drawn for a while. A blinking caret is not drawing. Each application has figures of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

from selfgym.envs.desktop.real.display import Display


@dataclass(frozen=True, slots=True)
class Settling:
    """What one application needs. Times in seconds."""

    asks: Literal["window", "tree", "nobody"] = "window"
    """Who answers that events were dealt with."""
    first: float = 0.05
    """How long after that it may take until drawing begins."""
    quiet: float = 0.034
    """How long nothing is drawn when it has ended; a frame of a 60 Hz clock is 0.017."""
    caret: int = 3
    """Widths up to so many pixels are a caret."""
    deadline: float = 3.0
    """When to give up."""

    def joined(self, other: Settling) -> Settling:
        """What suits two applications on one screen."""
        return Settling(
            "tree" if "tree" in (self.asks, other.asks) else self.asks,
            max(self.first, other.first),
            max(self.quiet, other.quiet),
            max(self.caret, other.caret),
            max(self.deadline, other.deadline),
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """How the waiting ended."""

    quiet: bool
    """Whether the screen came to rest before the deadline."""
    answered: bool
    """Whether a program said that it had dealt with what came before."""
    seconds: float = field(compare=False, repr=False)
    """How long it took: no part of what an episode is."""


def settle(display: Display, how: Settling, answered: bool = False) -> Settled:
    """Wait for the screen to rest. ``answered``: the program was asked already. Raises `DisplayError`."""
    began = time.monotonic()
    until = began + how.deadline
    display.sync()
    if how.asks == "window":
        answered = _pinged(display, until)
    display.drawn()
    last, wait = time.monotonic(), how.first
    while (now := time.monotonic()) < min(last + wait, until):
        display.wait(min(last + wait, until))
        if any(min(width, height) > 1 and width > how.caret for _, width, height in display.drawn()):
            last, wait = time.monotonic(), how.quiet
    return Settled(now < until, answered, now - began)


def _pinged(display: Display, until: float) -> bool:
    """Whether the window with the focus answers; where it goes away meanwhile, the one that has the focus then.

    A dialog goes before its program has done what it was asked for there: the window behind answers after that.
    """
    window = display.active()
    while window is not None and display.ping(window.id):
        asked = window.id
        while not display.answered(asked):
            now = time.monotonic()
            if now > until:
                return False
            if not display.wait(min(until, now + 0.05)):
                window = display.active()
                if window is None or window.id != asked:
                    break
        else:
            return True
    return False
