"""Actions taken apart: what an agent did to what, numbers and names left out, so that episodes can be compared.

Two forms of action are understood; others teach nothing here.

    take apple 1 from fridge 2                                         take apple from fridge
    {"name": "edit", "arguments": {"old": "a <= 1", "new": "a < 1"}}   change <= to <

Of an edit remains what it changed, in tokens: a name counts as ``name``, a number as ``number``, a string as ``text``,
no token at all as ``nothing``. An edit that is taken back later in the episode was in vain; it counts like an action
that the environment refused.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass

from selfgym.memory.episode import Episode

_PREPOSITIONS = ("from", "into", "onto", "in/on", "in", "on", "to", "with", "under", "at", "using")
_ACTION = re.compile(rf"(\w+) (\D+?)(?: \d+)? ({'|'.join(map(re.escape, _PREPOSITIONS))}) (\D+?)(?: \d+)?")
_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<number>\d[\w.]*)|\w+|[<>=!*/+%&|^-]+|\S"""
)
_MOST_TOKENS = 4
_SPELLED = {",": "comma", ":": "colon"}  # they set lessons apart


@dataclass(frozen=True, slots=True)
class Deed:
    """An action, taken apart."""

    verb: str
    thing: str
    preposition: str
    place: str


def taken_apart(action: str) -> Deed | None:
    """
    >>> taken_apart("take apple 1 from fridge 2")
    Deed(verb='take', thing='apple', preposition='from', place='fridge')
    >>> taken_apart('{"name": "edit", "arguments": {"path": "a.py", "old": "x = 1", "new": "x = 2"}}')
    Deed(verb='change', thing='number', preposition='to', place='number')
    >>> taken_apart("click(3)") is None
    True
    """
    if edit := _edit(action):
        old, new = change(edit[1], edit[2])
        return Deed("change", old, "to", new)
    found = _ACTION.fullmatch(action.strip().lower())
    return Deed(*found.groups()) if found else None


def change(old: str, new: str) -> tuple[str, str]:
    """What differs between two texts, as kinds of token; ``code`` where that is much.

    >>> change("if a.b <= limit:", "if a.b < limit:"), change("return x", "return not x"), change("f(a, 1)", "f(b, 1)")
    (('<=', '<'), ('nothing', 'not'), ('name', 'name'))
    """
    before, after = (list(_TOKEN.finditer(text)) for text in (old, new))
    start = 0
    while start < min(len(before), len(after)) and before[start][0] == after[start][0]:
        start += 1
    tail = 0
    while tail < min(len(before), len(after)) - start and before[-1 - tail][0] == after[-1 - tail][0]:
        tail += 1
    left, right = before[start : len(before) - tail], after[start : len(after) - tail]
    return _kinds(left), _kinds(right)


def done(episode: Episode) -> list[Deed]:
    """The deeds that the environment admitted and nobody took back, each once, in order."""
    return list(dict.fromkeys(deed for deed, good in _deeds(episode) if good))


def in_vain(episode: Episode) -> list[Deed]:
    """The deeds that were refused or taken back and never done otherwise, each once, in order."""
    good = set(done(episode))
    return list(dict.fromkeys(deed for deed, _ in _deeds(episode) if deed not in good))


def _deeds(episode: Episode) -> Iterator[tuple[Deed, bool]]:
    """Each deed with whether it lasted; what only takes another back is none."""
    standing: list[tuple[tuple[str, str, str], int]] = []
    undone, undoing = set(), set()
    for at, step in enumerate(episode.steps):
        if step.valid and (edit := _edit(step.action)):
            path, old, new = edit
            back = next((n for n in reversed(range(len(standing))) if standing[n][0] == (path, new, old)), None)
            if back is None:
                standing.append((edit, at))
            else:
                undone.add(standing.pop(back)[1])
                undoing.add(at)
    for at, step in enumerate(episode.steps):
        if at not in undoing and (deed := taken_apart(step.action)):
            yield deed, step.valid and at not in undone


def _edit(action: str) -> tuple[str, str, str] | None:
    """Path, old and new text of an edit in a file; None for any other action."""
    if not action.lstrip().startswith("{"):
        return None
    try:
        call = json.loads(action)
        if call["name"] != "edit":
            return None
        path, old, new = (call["arguments"][name] for name in ("path", "old", "new"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (path, old, new) if all(isinstance(one, str) for one in (path, old, new)) else None


def _kinds(tokens: list[re.Match[str]]) -> str:
    if len(tokens) > _MOST_TOKENS:
        return "code"
    return " ".join(_kind(token) for token in tokens) or "nothing"


def _kind(token: re.Match[str]) -> str:
    if token.lastgroup:
        return token.lastgroup
    word = token[0]
    if word.isidentifier() and not keyword.iskeyword(word):
        return "name"
    return _SPELLED.get(word, word.lower())
