"""How ALFWorld turns entity ids into the names a player sees: ``fridge_bar_..`` becomes ``fridge 1``.

Every entity of the initial facts takes part, whether it can ever be seen or not, so a game may begin at ``mug 2``.
The alphabetically first id of a type gets the highest number. Source: the demangler of ALFWorld 0.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def name_entities(ids: Iterable[str]) -> dict[str, str]:
    """The visible name of every id; ids without ``_bar_`` keep theirs, followed by one blank.

    >>> name_entities(["mug_bar_1", "mug_bar_2", "sink_bar_1_bar_sinkbasin", "agent1"])
    {'agent1': 'agent1 ', 'mug_bar_1': 'mug 2', 'mug_bar_2': 'mug 1', 'sink_bar_1_bar_sinkbasin': 'sinkbasin 1'}
    """
    ordered = sorted(set(ids))
    remaining = Counter(_type_in(entity) for entity in ordered if "_bar_" in entity)
    names = {}
    for entity in ordered:
        if "_bar_" not in entity:
            names[entity] = _plain(entity) + " "
            continue
        kind = _type_in(entity)
        names[entity] = f"{kind} {remaining[kind]}"
        remaining[kind] -= 1
    return names


def _type_in(entity: str) -> str:
    prefix = _plain(entity.split("_bar_", 1)[0])
    return prefix + "basin" if "basin" in entity else prefix


def _plain(text: str) -> str:
    for code, character in (("_minus_", "-"), ("_plus_", "+"), ("_dot_", "."), ("_comma_", ",")):
        text = text.replace(code, character)
    return text
