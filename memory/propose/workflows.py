"""Workflows and shortcuts out of successful episodes, by rules alone.

A workflow is the deeds that tasks of one kind have in common, to be read; a shortcut is a run of actions that ends in
one deed and was the same for whatever thing it was done to, to be called. What the goal names becomes a parameter, as
in Agent Workflow Memory (arXiv 2409.07429); the benchmark's own templates are not looked at.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.propose.deeds import Deed, done, taken_apart
from selfgym.memory.propose.goals import kind_of, names

_MOST_PLACES = 3
_STEADY = 0.8  # share of a step's places that one must have to be named alone


@dataclass(frozen=True, slots=True)
class Workflow:
    """The deeds of a kind of task."""

    kind: str
    """As `selfgym.memory.propose.goals.kind_of` has it."""
    lines: tuple[str, ...]
    sources: tuple[Episode, ...]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Actions with a blank ``{thing}``, whose last is what it is for."""

    verb: str
    lines: tuple[str, ...]
    kinds: tuple[str, ...]
    """The kinds of task in which it was done."""
    sources: tuple[Episode, ...]


def workflows(episodes: Sequence[Episode], votes: int = 2) -> list[Workflow]:
    """One for each kind of task that was solved in ``votes`` episodes in the same way, that of most episodes."""
    known = names(episodes)
    ways: dict[str, dict[tuple[tuple[str, str, str], ...], list[tuple[Episode, list[Deed]]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for episode in episodes:
        if episode.outcome is Outcome.SUCCESS and (deeds := _deeds(episode)):
            way = tuple((deed.verb, _role(deed.thing, episode.task, "thing"), deed.preposition) for deed in deeds)
            ways[kind_of(episode.task, known)][way].append((episode, deeds))
    found = []
    for kind, those in sorted(ways.items()):
        way, played = max(those.items(), key=lambda pair: (len(pair[1]), -len(pair[0])))
        if len(played) >= votes:
            places = [[_role(deeds[at].place, e.task, "place") for e, deeds in played] for at in range(len(way))]
            lines = tuple(
                f"{verb} {thing} {joined} {_steady(where)}"
                for (verb, thing, joined), where in zip(way, places, strict=True)
            )
            found.append(Workflow(kind, lines, tuple(episode for episode, _ in played)))
    return found


def _deeds(episode: Episode) -> list[Deed]:
    """The admitted deeds to things that the goal names, each once."""
    return [deed for deed in done(episode) if _in(deed.thing, episode.task)]


def _in(name: str, goal: str) -> bool:
    return re.search(rf"\b{re.escape(name)}", goal.lower()) is not None


def _role(name: str, goal: str, role: str) -> str:
    return f"{{{role}}}" if _in(name, goal) else name


def _steady(places: Sequence[str]) -> str:
    """One place where it is nearly always the same, else the most frequent ones."""
    counts = Counter(places)
    place, most = counts.most_common(1)[0]
    if most >= _STEADY * len(places):
        return place
    order = sorted(counts, key=lambda one: (-counts[one], one))[:_MOST_PLACES]
    return f"wherever it is ({', '.join(order)})"


def shortcuts(episodes: Sequence[Episode], votes: int = 3) -> list[Shortcut]:
    """One for each verb that ended the same run of actions, whatever the thing, in ``votes`` successful episodes."""
    known = names(episodes)
    runs: dict[str, dict[tuple[str, ...], list[Episode]]] = defaultdict(lambda: defaultdict(list))
    for episode in episodes:
        if episode.outcome is Outcome.SUCCESS:
            for verb, lines in {run for at in range(len(episode.steps)) if (run := _run(episode, at))}:
                runs[verb][lines].append(episode)
    found = []
    for verb, ways in sorted(runs.items()):
        lines, played = max(ways.items(), key=lambda pair: (len(pair[1]), -len(pair[0])))
        ends: Counter[str] = Counter()
        for way, those in ways.items():
            ends[way[-1]] += len(those)
        if len(played) >= votes and ends[lines[-1]] >= _STEADY * ends.total() and verb.isidentifier():
            kinds = Counter(kind_of(episode.task, known) for episode in played)
            found.append(Shortcut(verb, lines, tuple(kind for kind, _ in kinds.most_common(3)), tuple(played)))
    return found


def _run(episode: Episode, at: int) -> tuple[str, tuple[str, ...]] | None:
    """The deed at a step and what was done at its place just before, the thing left blank."""
    step = episode.steps[at]
    deed = taken_apart(step.action)
    if deed is None or not step.valid or not _in(deed.thing, episode.task):
        return None
    action = step.action.strip()
    named = re.search(rf"\b{re.escape(deed.thing)}(?: \d+)?", action.lower())
    place = re.search(rf"\b{re.escape(deed.place)}(?: \d+)?$", action.lower())
    assert named is not None
    assert place is not None
    lines = [action[: named.start()] + "{thing}" + action[named.end() :]]
    for before in reversed(episode.steps[:at]):
        if not before.valid or taken_apart(before.action) or not before.action.lower().endswith(place.group(0)):
            break
        lines.append(before.action.strip())
    return deed.verb, tuple(reversed(lines))
