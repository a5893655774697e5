"""Frames of other origins: each is read by the observer in its own document and put into the look of the page.

The page's observer cannot look into them. Their elements have numbers of their own, far from those of the page.
"""

from __future__ import annotations

from typing import Any

from selfgym.envs.web.tab import APART, Tab

_MOST = 8  # frames that are read


async def read_frames(tab: Tab, seen: dict[str, Any], options: dict[str, Any]) -> None:
    """Put what the frames in ``seen["foreign"]`` show into ``seen``."""
    for found in seen["foreign"][:_MOST]:
        described = await tab.send("DOM.describeNode", objectId=await tab.handle(found["number"]))
        base = tab.frame_number(described["node"].get("frameId", ""), found["x"], found["y"])
        if base is None:
            continue  # it has no document yet
        inside = await tab.call("observe", options, base=base)
        lines = [_renumbered(line, base) for line in inside["text"].split("\n")]
        seen["text"] = seen["text"].replace(found["line"], "\n".join([found["line"], *lines]), 1)
        for one in inside["elements"]:
            left, top, width, height = one["box"]
            one["number"] += base
            one["box"] = [left + round(found["x"]), top + round(found["y"]), width, height]
            if "point" in one:
                one["point"] = [one["point"][0] + found["x"], one["point"][1] + found["y"]]
        seen["elements"] += inside["elements"]
        seen["truncated"] += [what for what in inside["truncated"] if what not in seen["truncated"]]


def _renumbered(line: str, base: int) -> str:
    """A line of a frame with the number that its element has in the page."""
    head, bracket, rest = line.partition("]")
    if bracket and head.startswith("[") and head[1:].isdigit():
        return f"[{int(head[1:]) % APART + base}]{rest}"
    return line
