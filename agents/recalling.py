"""What an agent is shown of a library for a task: found, let through, drawn, and set apart as data.

Every method of remembering ends here, so that nothing is shown, and no skill can be called, that the gate would not let
in now: an item that was moved by hand, or whose requirement has fallen since, is left out and noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from selfgym.agents.remembering import Recall, Recalling
from selfgym.memory.credit import CreditConfig, draw
from selfgym.memory.gate import objections
from selfgym.memory.item import Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.retrieve import SearchConfig, search
from selfgym.memory.views import Count, approximate_tokens, members, plain_line, quoted


@dataclass(frozen=True, slots=True)
class RecallConfig:
    """How much is shown, and how it is chosen."""

    search: SearchConfig = field(default_factory=SearchConfig)
    credit: CreditConfig = field(default_factory=CreditConfig)
    principles: bool = True
    """Whether principles are always shown."""
    budget: int = 500
    """Tokens of the block."""
    heading: str = "Notes from earlier tasks"


def recaller(
    library: Library, env: str, config: RecallConfig = RecallConfig(), *, count: Count = approximate_tokens
) -> Recalling:
    """For `selfgym.agents.remembering.RememberingAgent`: remembers by search; the log says what was shown."""
    return partial(recalled, library, env, config, count)


def recalled(library: Library, env: str, config: RecallConfig, count: Count, goal: str, episode: str) -> Recall:
    """What is shown for ``goal``: principles, then what is found, less what is withheld by lot.

    A library that is open for reading only shows everything and logs nothing: for evaluation with a frozen memory.
    """
    hits = search(library, goal, env=env, seed=seed_of(episode), config=config.search)
    principles = members(library, (Kind.PRINCIPLE,), env) if config.principles else []
    return shown(library, [*principles, *(hit.item for hit in hits)], episode, config, count)


def shown(
    library: Library, found: Sequence[Item], episode: str, config: RecallConfig = RecallConfig(),
    count: Count = approximate_tokens, *, task: str = "",
) -> Recall:  # fmt: skip
    """What was found as a block, after the gate was asked and the lot drawn; what does not fit counts as not found.

    What was learned of one task is shown to that ``task`` only.
    """
    items = [item for item in found if item.scope.task in ("", task) and _let_through(library, item, episode)]
    lines = [(item.id, plain_line(item)) for item in items]
    _, fitting = quoted(config.heading, lines, config.budget, count)
    kept = fitting if library.readonly else draw(library, fitting, episode, config.credit)
    text, ids = quoted(config.heading, [line for line in lines if line[0] in kept], config.budget, count)
    known = {item.id: item for item in items}
    skills = [known[id] for id in ids if known[id].code is not None]
    required = {skill.id: tuple(_required(library, skill)) for skill in skills}
    return Recall(text, tuple(ids), tuple(skills), required)


def _let_through(library: Library, item: Item, episode: str) -> bool:
    said = list(objections(library, item))
    if said and not library.readonly:
        library.log(item.id, "withstood", episode=episode, note=" ".join(said))
    return not said


def _required(library: Library, skill: Item) -> Iterator[Item]:
    """What a skill requires, and what that does, each before what needs it."""
    assert skill.code is not None
    for id in skill.code.requires:
        other = library.get(id)
        yield from _required(library, other)
        yield other


def seed_of(episode: str) -> int:
    """The seed of what is drawn for an episode: the same whoever asks again."""
    return int.from_bytes(episode.encode()[-8:].rjust(8, b"\0")) % 2**63
