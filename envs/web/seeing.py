"""What an observation is made of, and how it is put into words.

The parts: ``text`` (the page in words, its elements numbered), ``elements`` (the same elements as JSON, with their
boxes), ``axtree`` (Chromium's accessibility tree), ``html``, ``screenshot`` (an array) and ``marks`` (the screenshot
with the number of each element drawn on it: set-of-marks, arXiv 2310.11441). ``text`` alone makes a string; anything
else a dictionary, in a `gymnasium.spaces.Dict`. Only what was asked for is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal, get_args

import numpy as np
from gymnasium import spaces

from selfgym.envs.spaces import UnicodeText
from selfgym.envs.web.session import Look, Session, View

Part = Literal["text", "elements", "axtree", "html", "screenshot", "marks"]
_LONG = 2**18  # characters of JSON and HTML
_MOST_COMMANDS = 200
_QUOTED = re.compile(r"[\"“]([^\"”]{1,80})[\"”]")
_CLICKABLE_NOT = frozenset(
    {"textbox", "searchbox", "combobox", "spinbutton", "slider", "file", "date", "time", "color"}
)


@dataclass(slots=True)
class Seen:
    """A look with the parts beside it."""

    look: Look
    key: str
    """A hash of everything that was read."""
    html: str = ""
    axtree: str = ""
    png: bytes = b""


def space(parts: Sequence[Part], view: View) -> spaces.Space[Any]:
    """The observation space of these parts. Raises `ValueError` for an unknown one."""
    known = get_args(Part)
    wrong = [part for part in parts if part not in known]
    if wrong or not parts:
        raise ValueError(f"an observation has no part {wrong[0] if wrong else None!r}: choose of {', '.join(known)}")
    text = UnicodeText(view.most + 8192)
    if tuple(parts) == ("text",):
        return text
    picture = spaces.Box(0, 255, (view.height, view.width, 3), np.uint8)
    kinds = {"text": text, "screenshot": picture, "marks": picture}
    return spaces.Dict({part: kinds.get(part, UnicodeText(_LONG)) for part in parts})


async def see(session: Session, parts: Sequence[Part]) -> Seen:
    """Look at the present tab and fetch the parts."""
    tab = session.tab
    look, png = await session.look(picture=bool({"screenshot", "marks"} & set(parts)))
    seen = Seen(look, _key(look), png=png)
    if "html" in parts:
        seen.html = str(await tab.call("html", _LONG))
    if "axtree" in parts:
        seen.axtree = flatten(await tab.send("Accessibility.getFullAXTree"))[:_LONG]
    return seen


def _key(look: Look) -> str:
    read = [look.url, look.title, look.text, look.elements, look.scroll, look.scrollers, look.tabs, look.tab]
    return blake2b(json.dumps(read).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def in_words(look: Look, goal: str, note: str, header: bool) -> str:
    """The text of an observation; ``note`` is what was wrong with the last action."""
    lines = [f"Task: {goal}"]
    lines += [f"Error: {note}"] if note else []
    lines += [f"Event: {event}" for event in look.events]
    lines += [f"{'>' if at == look.tab else ' '} tab {at}: {url[:200]}" for at, url in enumerate(look.tabs)]
    if header:
        lines.append(f"Page: {look.title} ({look.url[:200]})")
    _, down, _, lowest = look.scroll
    if lowest > 0:
        lines.append(f"Scrolled: {down} of {lowest} pixels")
    lines += [f"[{number}] scrolled: {at} of {most} pixels" for number, at, most in look.scrollers[:20]]
    lines.append(look.text)
    if look.truncated:
        lines.append(f"(not everything is shown: too much {' and '.join(look.truncated)})")
    return "\n".join(lines)


def observation(seen: Seen | None, parts: Sequence[Part], view: View, text: str) -> Any:
    """The observation of these parts around ``text``; of a page that was lost, everything else is empty."""
    text = text[: view.most + 8192]
    if tuple(parts) == ("text",):
        return text
    from selfgym.envs.web.pictures import decode, with_marks

    blank = np.zeros((view.height, view.width, 3), np.uint8)
    found: dict[str, Any] = {}
    for part in parts:
        if part == "text":
            found[part] = text
        elif part == "elements":
            found[part] = _json(seen.look.elements) if seen else "[]"
        elif part in ("html", "axtree"):
            found[part] = getattr(seen, part) if seen else ""
        elif seen is None:
            found[part] = blank
        else:
            found[part] = decode(seen.png) if part == "screenshot" else with_marks(seen.png, seen.look.elements)
    return found


def _json(elements: list[dict[str, Any]]) -> str:
    """As many of the elements as fit."""
    while len(text := json.dumps(elements)) > _LONG:
        elements = elements[: len(elements) // 2]
    return text


def flatten(tree: dict[str, Any]) -> str:
    """An accessibility tree of the protocol as indented lines, what is ignored left out."""
    nodes = {node["nodeId"]: node for node in tree["nodes"]}
    lines: list[str] = []
    waiting = [(tree["nodes"][0]["nodeId"], 0)] if nodes else []
    while waiting:
        identity, depth = waiting.pop()
        node = nodes.get(identity)
        if node is None:
            continue
        shown = not node.get("ignored") and node.get("role", {}).get("value") not in ("none", "InlineTextBox")
        if shown:
            name = str(node.get("name", {}).get("value", ""))[:200]
            value = node.get("value", {}).get("value")
            line = f"{'  ' * min(depth, 40)}{node['role']['value']} {name!r}" + (f" value={value!r}" if value else "")
            lines.append(line)
        waiting += [(child, depth + shown) for child in reversed(node.get("childIds", ()))]
    return "\n".join(lines)


def possible_actions(look: Look, goal: str) -> list[str]:
    """Actions that make sense on what is seen: clicks, choices, and the texts that the task quotes in every field."""
    quoted = list(dict.fromkeys(_QUOTED.findall(goal)))[:5]
    found = []
    for one in look.elements:
        number, state = one["number"], one["state"]
        if "disabled" in state or "point" not in one:
            continue
        if "options" in one:
            found += [f"select_option({number}, {json.dumps(option)})" for option in one["options"][:10]]
        elif one["role"] in ("textbox", "searchbox") and "readonly" not in state:
            found += [f"fill({number}, {json.dumps(text)})" for text in quoted]
            found.append(f"click({number})")
        elif one["role"] not in _CLICKABLE_NOT:
            found.append(f"click({number})")
        if len(found) >= _MOST_COMMANDS:
            break
    return [*found[:_MOST_COMMANDS], "noop(500)"]
