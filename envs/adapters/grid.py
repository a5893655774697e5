"""MiniGrid's view in words, with nothing added and nothing left out: what lies where, seen from the agent.

A view is an array ``(width, height, 3)`` of kind, colour and state (minigrid, core/constants.py). The agent stands in
the middle of the last row, looking at the first; in its own cell the view shows what it carries.
"""

from __future__ import annotations

from typing import Any

KINDS = ("out of sight", "empty", "wall", "floor", "door", "key", "ball", "box", "goal", "lava", "agent")
COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
DOORS = ("open", "closed", "locked")
_AREAS = ("wall", "lava", "out of sight")  # told as areas, without a colour


def described(view: Any) -> str:
    """A view as lines: what is carried, things by their distance, then walls, lava and what is hidden as areas."""
    width, height, _ = view.shape
    middle = width // 2
    cells = {
        (height - 1 - row, column - middle): tuple(map(int, view[column, row]))
        for row in range(height)
        for column in range(width)
    }
    carried = _thing(cells.pop((0, 0)))
    lines = [f"You carry {carried or 'nothing'}."]
    things = [(abs(ahead) + abs(side), ahead, side, cell) for (ahead, side), cell in cells.items() if _thing(cell)]
    lines += [f"You see {_thing(cell)} {_place(ahead, side)}." for _, ahead, side, cell in sorted(things)]
    for kind in _AREAS:
        areas = _areas({place for place, cell in cells.items() if KINDS[cell[0]] == kind})
        if areas:
            told = "; ".join(_place(*a) if a == b else f"from {_place(*a)} to {_place(*b)}" for a, b in areas)
            lines.append(f"{kind[0].upper()}{kind[1:]}: {told}.")
    return "\n".join(lines)


def _thing(cell: tuple[int, ...]) -> str:
    """What lies in a cell, or nothing where that is told as an area or is empty."""
    kind, colour, state = KINDS[cell[0]], COLOURS[cell[1]], cell[2]
    if kind == "empty" or kind in _AREAS:
        return ""
    words = f"{DOORS[state]} {colour} door" if kind == "door" else f"{colour} {kind}"
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _place(ahead: int, side: int) -> str:
    parts = [f"{ahead} forward"] if ahead else []
    parts += [f"{abs(side)} {'right' if side > 0 else 'left'}"] if side else []
    return " and ".join(parts)


def _areas(places: set[tuple[int, int]]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Rectangles, as two corners, that cover the places and nothing else."""
    left, found = set(places), []
    while left:
        ahead, side = first = min(left)
        wide = side
        while (ahead, wide + 1) in left:
            wide += 1
        deep = ahead
        while all((deep + 1, at) in left for at in range(side, wide + 1)):
            deep += 1
        left -= {(row, at) for row in range(ahead, deep + 1) for at in range(side, wide + 1)}
        found.append((first, (deep, wide)))
    return found
