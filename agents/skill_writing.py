"""Skills that an agent writes while it plays: sequences of actions with blanks, in its thoughts.

    Thought: skill heat(thing): go to microwave 1; heat {thing} with microwave 1
    Action: go to countertop 1

From then on ``call heat(thing="egg 1")`` does both actions (`selfgym.agents.remembering`).
"""

from __future__ import annotations

import re
from contextlib import suppress

from selfgym.memory.item import Check, Code, Item, Kind
from selfgym.memory.skills.running import SkillError, blanks, filled

_SKILL = re.compile(r"\bskill ([a-z_]\w{0,39})\(([\w, ]*)\): *([^\n]+)")
_MOST_ACTIONS = 10


def skills_in(thought: str) -> dict[str, Item]:
    """The skills that a thought defines, by name; what is not of the form, or has blanks that are no parameters, is
    none.

    >>> list(skills_in("skill heat(thing): go to microwave 1; heat {thing} with microwave 1"))
    ['heat']
    >>> skills_in("skill heat(thing): heat {it}")
    {}
    """
    found = {}
    for name, given, text in _SKILL.findall(thought):
        parameters = [one.strip() for one in given.split(",") if one.strip()]
        lines = [line.strip() for line in text.split(";") if line.strip()]
        source = "\n".join(lines)
        if blanks(source) == set(parameters) and 0 < len(lines) <= _MOST_ACTIONS:
            params = {"type": "object", "properties": {one: {} for one in parameters}, "required": parameters}
            with suppress(ValueError, SkillError):  # hidden characters, a name that is none
                code = Code(runtime="actions", entry=name, source=source, params=params)
                check = Check(rung="unit", source=_check(code))
                found[name] = Item(kind=Kind.SKILL, title=name, body=", then ".join(lines), code=code, checks=(check,))
    return found


def _check(code: Code) -> str:
    """That the skill takes these actions, whatever stands in its blanks."""
    given = {name: f"{name} 1" for name in code.parameters}
    return f"assert list({code.entry}(**{given!r})) == {filled(code, given)!r}"


def written_as(item: Item) -> str:
    """The thought that defines a skill.

    >>> text = "skill heat(thing): go to microwave 1; heat {thing} with microwave 1"
    >>> written_as(skills_in(text)["heat"]) == text
    True
    """
    assert item.code is not None
    return f"skill {item.code.entry}({', '.join(item.code.parameters)}): {'; '.join(item.code.source.splitlines())}"
