"""What a scripted expert sees and how it is played: goal and look in, action strings out.

An expert is a generator function: it is given a `Scene`, yields one action string after the other, and finds the scene
renewed after each. It acts through the environment's own actions only. What it knows is the goal, the elements and the
text that every agent sees, and where those do not tell enough (drawings), what `Scene.peek` finds in the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from selfgym.envs.web.background import run
from selfgym.envs.web.env import BrowserEnv
from selfgym.envs.web.session import Look

Element = dict[str, Any]


class LostError(LookupError):
    """The expert does not find what it needs."""


class Scene:
    """The running episode of ``env`` as an expert sees it."""

    def __init__(self, env: BrowserEnv) -> None:
        self._env = env

    @property
    def goal(self) -> str:
        """The task in words."""
        return self._env.task.goal

    @property
    def look(self) -> Look:
        """What was seen after the last action."""
        return self._env.look

    @property
    def text(self) -> str:
        """The page in words."""
        return self.look.text

    @property
    def quoted(self) -> list[str]:
        """What stands in double quotes in the goal."""
        return re.findall(r'"([^"]*)"', self.goal)

    def all(self, role: str | None = None, name: str | None = None) -> list[Element]:
        """The elements of a role and an exact name, in the order of the page."""
        return [
            one
            for one in self.look.elements
            if (role is None or one["role"] == role) and (name is None or one["name"] == name)
        ]

    def one(self, role: str | None = None, name: str | None = None) -> int:
        """The number of the first such element. Raises `LostError`."""
        found = self.all(role, name)
        if not found:
            raise LostError(f"there is no {role or 'element'} {name or ''!r}: {self.look.text[:500]}")
        return int(found[0]["number"])

    def peek(self, script: str) -> Any:
        """The value of an expression in the page's own world; using it is cheating."""
        return run(self._env.session.tab.evaluate(script, page=True))


Expert = Callable[[Scene], Iterator[str]]


def call(name: str, *arguments: Any) -> str:
    """An action string.

    >>> call("fill", 3, 'say "hi"')
    'fill(3, "say \\\\"hi\\\\"")'
    """
    return f"{name}({', '.join(json.dumps(one) for one in arguments)})"
