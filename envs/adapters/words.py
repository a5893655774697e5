"""Spaces of Gymnasium in words: what is seen as text, what an agent writes as an action; and what an environment's
own documentation says, as Farama's environments have it, with headings and ``- 0: Move left`` for actions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from selfgym.envs.adapters.replayed import unknown
from selfgym.envs.tools import ActionError

_MOST = 256  # numbers of an array that are written out
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_COLOURED = re.compile(r"\x1b\[([0-9;]+)m(.*?)\x1b\[0m", re.DOTALL)


def readable(space: Any) -> bool:
    """Whether values of a space can be told in words."""
    if isinstance(space, spaces.Dict):
        return all(map(readable, space.values()))
    if isinstance(space, spaces.Tuple):
        return all(map(readable, space))
    if isinstance(space, spaces.Sequence):
        return readable(space.feature_space)
    arrays = isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary)
    return isinstance(space, spaces.Text | spaces.Discrete) or (arrays and int(np.prod(space.shape)) <= _MOST)


def told(value: Any) -> str:
    """A value of a space: text as it is, numbers to six digits, ``name: value`` lines for a dictionary.

    >>> told({"hand": np.array([1, 2]), "rest": (0.5, "deck")})
    'hand: [1, 2]\\nrest: (0.5, deck)'
    """
    if isinstance(value, dict):
        return "\n".join(f"{name}: {told(one)}" for name, one in value.items())
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        inner = ", ".join(map(told, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def plain(drawing: str) -> str:
    """A drawing for a terminal without its colours; where they were is said below it.

    >>> print(plain("S\\x1b[41mF\\x1b[0mG"))
    SFG
    Marked: 'F' (red) in line 1, column 2.
    """
    drawing, marks, text, end = drawing.strip("\n"), [], "", 0
    for match in _COLOURED.finditer(drawing):
        text += drawing[end : match.start()]
        end = match.end()
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        colour = _COLOURS[int(match[1].partition(";")[0]) % 10 % 8]
        marks.append(f"{match[2]!r} ({colour}) in line {line}, column {column}")
        text += match[2]
    text += drawing[end:]
    return f"{text}\nMarked: {'; '.join(marks)}." if marks else text


def sections(documentation: str | None) -> dict[str, str]:
    """The parts of a docstring by their headings, in lower case; what comes before the first is ``""``."""
    lines = [line.strip() for line in (documentation or "").splitlines()]
    parts: dict[str, list[str]] = {"": []}
    for line in lines:
        if line.startswith("#"):
            parts[line.strip("# ").lower()] = []
        else:
            list(parts.values())[-1].append(line)
    return {name: "\n".join(part).strip() for name, part in parts.items()}


def names_of_actions(space: spaces.Discrete, documentation: dict[str, str]) -> list[str]:
    """What the documentation calls the actions, in lower case, or else their numbers."""
    found = re.findall(r"^[-*] (\d+): *(.+)$", documentation.get("action space", ""), re.MULTILINE)
    numbers = range(int(space.start), int(space.start) + int(space.n))
    names = {int(number): name.strip(" .").lower() for number, name in found}
    if all(number in names for number in numbers) and len(set(names.values())) == len(names) == len(numbers):
        return [names[number] for number in numbers]
    return [str(number) for number in numbers]


def understood(space: Any, command: str, names: Sequence[str]) -> Any:
    """The action that a command stands for: a name, text, or JSON for the other spaces. Raises `ActionError`."""
    if isinstance(space, spaces.Discrete):
        if command not in names:
            raise ActionError(unknown(command, names))
        return int(space.start) + names.index(command)
    action = command if isinstance(space, spaces.Text) else _from_json(space, command)
    if not space.contains(action):
        raise ActionError(f"This is no action of {space}.")
    return action


def _from_json(space: Any, command: str) -> Any:
    try:
        return _shaped(space, json.loads(command))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise ActionError(f"Write an action as JSON, a value of {space}.") from None


def _shaped(space: Any, data: Any) -> Any:
    if isinstance(space, spaces.Dict):
        return {name: _shaped(inner, data[name]) for name, inner in space.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_shaped(inner, one) for inner, one in zip(space, data, strict=True))
    if isinstance(space, spaces.Text):
        return data
    return int(data) if isinstance(space, spaces.Discrete) else np.array(data, dtype=space.dtype)
