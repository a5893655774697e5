"""Writes a `Layout` as a game file of ALFWorld, so that the genuine engine can play a household of ours.

A game file carries its PDDL domain and its text grammar. Both are ALFWorld's own and not part of selfgym: they are read
at export from an installed ``alfworld`` package, from ``$ALFWORLD_DATA``, or from a place that the caller names.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from selfgym.envs.household.game import compile_game
from selfgym.envs.household.layout import Goal, Layout, TaskType
from selfgym.envs.household.oracle import shortest_plan
from selfgym.envs.household.pddl import load_game_file
from selfgym.envs.household.world import World

GAME_FILE = "game.tw-pddl"
_TASK = re.compile(r"Your task is to: [^\"\n]*\.(?=\")")
_DOMAIN_RTYPES = ("microwave", "fridge", "sinkbasin")  # the domain names these types, so a problem has to declare them
_DOMAIN_OTYPES = ("knife", "butterknife", "sink")
_FLAGS = {
    "pickupable": "pickupable",
    "cleanable": "cleanable",
    "heatable": "heatable",
    "coolable": "coolable",
    "sliceable": "sliceable",
    "toggleable": "toggleable",
    "cool": "isCool",
    "holds_objects": "isReceptacleObject",
}


class RulesNotFoundError(FileNotFoundError):
    """ALFWorld's PDDL domain and text grammar are nowhere to be found on this machine."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What every game file of ALFWorld repeats: the text of ``alfred.pddl`` and that of ``alfred.twl2``."""

    domain: str
    grammar: str


def find_rules(source: str | Path | None = None) -> Rules:
    """ALFWorld's rules from ``source``: a game file, or a folder with ``alfred.pddl`` and ``alfred.twl2``.

    Without ``source``: those of the installed ``alfworld`` package (which is not imported), else those in
    ``$ALFWORLD_DATA`` (its folder ``logic``, or any game file below it), else below ``~/.cache/alfworld``.

    Raises `RulesNotFoundError` with the ways to get them.
    """
    places = [Path(source)] if source is not None else _usual_places()
    for place in places:
        if place.is_file():
            return _rules_in_game(place)
        if (place / "alfred.pddl").is_file() and (place / "alfred.twl2").is_file():
            return Rules((place / "alfred.pddl").read_text("utf-8"), (place / "alfred.twl2").read_text("utf-8"))
        game = next(place.rglob(GAME_FILE), None)
        if game is not None:
            return _rules_in_game(game)
    raise RulesNotFoundError(
        f"ALFWorld's PDDL domain and text grammar, which every game file holds, are not in "
        f"{', '.join(map(str, places))}: install alfworld (pip install --no-deps alfworld is enough), run "
        "`selfgym download alfworld`, or name a genuine game.tw-pddl or a folder with alfred.pddl and alfred.twl2"
    )


def write_game_file(layout: Layout, path: str | Path, *, rules: Rules | None = None) -> Path:
    """Write ``layout`` to the file ``path`` with a shortest walkthrough, and ``traj_data.json`` beside it.

    ALFWorld's loader takes files called ``game.tw-pddl``, and of ``traj_data.json`` needs only the type of the task.
    The file is read back before it gets its name, so what was written is what selfgym plays. ``rules`` are by default
    those that `find_rules` finds.

    Raises `RulesNotFoundError`; `NoPlanError` for a household whose goal cannot be reached; `ValueError` for rules
    that are not those of ALFWorld 0.4.
    """
    path = Path(path)
    rules = rules or find_rules()
    if "You move the {o.name} to the {r.name}." not in rules.grammar:
        raise ValueError("games are written in the text of ALFWorld 0.4; these rules are of another version")
    if not layout.walkthrough:
        layout = replace(layout, walkthrough=tuple(shortest_plan(World(compile_game(layout)))))
    data = {
        "pddl_domain": rules.domain,
        "grammar": _TASK.sub(lambda _: f"Your task is to: {layout.task}.", rules.grammar, count=1),
        "pddl_problem": problem_text(layout),
        "solvable": True,
        "walkthrough": list(layout.walkthrough),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(data), "utf-8")
    try:
        if replace(load_game_file(partial), name=layout.name) != layout:
            raise ValueError(f"{layout.name!r} cannot be written as a game file without changing it")
    except ValueError:
        partial.unlink()
        raise
    path.with_name("traj_data.json").write_text(json.dumps(_trajectory(layout.goal)), "utf-8")
    return partial.replace(path)


def export_layouts(layouts: Iterable[Layout], folder: str | Path, *, rules: Rules | None = None) -> list[Path]:
    """Write each layout to ``folder/<name of the layout>/game.tw-pddl``; errors as `write_game_file`."""
    rules = rules or find_rules()
    return [write_game_file(layout, Path(folder) / layout.name / GAME_FILE, rules=rules) for layout in layouts]


def problem_text(layout: Layout) -> str:
    """The PDDL problem of a household."""
    objects = "\n".join(f"    {name} - {kind}" for name, kind in _declarations(layout).items())
    facts = "\n".join(f"    ({' '.join(fact)})" for fact in _facts(layout))
    return (
        "(define (problem household)\n(:domain alfred)\n"
        f"(:objects\n{objects}\n)\n(:init\n{facts}\n)\n(:goal\n{_goal(layout.goal)}\n))\n"
    )


def _usual_places() -> list[Path]:
    places = []
    package = find_spec("alfworld")
    if package is not None and package.submodule_search_locations:
        places.append(Path(next(iter(package.submodule_search_locations))) / "data")
    if folder := os.environ.get("ALFWORLD_DATA"):
        places += [Path(folder) / "logic", Path(folder)]
    return [*places, Path.home() / ".cache" / "alfworld"]


def _rules_in_game(path: Path) -> Rules:
    load_game_file(path)  # refuses a damaged file with the reason
    data = json.loads(path.read_text("utf-8"))
    return Rules(data["pddl_domain"], data["grammar"])


def _declarations(layout: Layout) -> dict[str, str]:
    declared = {"agent1": "agent"}
    declared |= dict.fromkeys(layout.locations, "location")
    declared |= dict.fromkeys((place.id for place in layout.receptacles), "receptacle")
    declared |= dict.fromkeys(layout.extra_ids, "receptacle")
    declared |= dict.fromkeys((thing.id for thing in layout.things), "object")
    rtypes = {*_DOMAIN_RTYPES, *(r.type for r in layout.receptacles), *(r for r, _ in layout.can_contain)}
    otypes = {*_DOMAIN_OTYPES, *(t.type for t in layout.things), *(o for _, o in layout.can_contain)}
    if layout.goal.kind is TaskType.LOOK_AT_IN_LIGHT:
        otypes |= {layout.goal.object_type, layout.goal.target}
    else:
        rtypes.add(layout.goal.target)
        otypes.add(layout.goal.object_type)
    declared |= {f"{name}Type": "rtype" for name in sorted(rtypes) if name}
    return declared | {f"{name}Type": "otype" for name in sorted(otypes) if name}


def _facts(layout: Layout) -> list[tuple[str, ...]]:
    facts: list[tuple[str, ...]] = [("atLocation", "agent1", layout.start)]
    for place in layout.receptacles:
        facts.append(("receptacleAtLocation", place.id, place.location))
        facts += [("receptacleType", place.id, f"{place.type}Type")] if place.type else []
        facts += [("openable", place.id)] if place.openable else []
    for thing in layout.things:
        facts += [("objectType", thing.id, f"{thing.type}Type")] if thing.type else []
        facts += [("objectAtLocation", thing.id, location) for location in thing.locations]
        facts += [("inReceptacle", thing.id, place_id) for place_id in thing.receptacles]
        facts += [("inReceptacleObject", inner, thing.id) for inner in thing.inside]
        facts += [(predicate, thing.id) for field, predicate in _FLAGS.items() if getattr(thing, field)]
    facts += [("openable", name) for name in layout.extra_ids]  # without a location, so it only counts in the names
    facts += [("canContain", f"{place}Type", f"{thing}Type") for place, thing in sorted(layout.can_contain)]
    return facts


def _goal(goal: Goal) -> str:
    thing, place = f"(objectType {{}} {goal.object_type}Type)", f"(receptacleType ?r {goal.target}Type)"
    one = f"{thing.format('?o')} {place}"
    treated = {
        TaskType.PICK_AND_PLACE: f"(inReceptacle ?o ?r) {one}",
        TaskType.CLEAN_AND_PLACE: f"(cleanable ?o) {one} (isClean ?o) (inReceptacle ?o ?r)",
        TaskType.HEAT_AND_PLACE: f"(heatable ?o) {one} (isHot ?o) (inReceptacle ?o ?r)",
        TaskType.COOL_AND_PLACE: f"(coolable ?o) {one} (isCool ?o) (inReceptacle ?o ?r)",
    }
    if goal.kind in treated:
        return f"(and (exists (?r - receptacle) (exists (?o - object) (and {treated[goal.kind]}))))"
    if goal.kind is TaskType.PICK_TWO:
        first, second = (f"{thing.format(name)} {place} (inReceptacle {name} ?r)" for name in ("?o1", "?o2"))
        other = f"(exists (?o2 - object) (and (not (= ?o1 ?o2)) {second}))"
        return f"(and (exists (?r - receptacle) (exists (?o1 - object) (and {first} {other}))))"
    return (
        "(and (exists (?ot - object ?r - receptacle ?a - agent ?l - location) (and "
        f"(objectType ?ot {goal.target}Type) (toggleable ?ot) (isToggled ?ot) (receptacleAtLocation ?r ?l) "
        "(atLocation ?a ?l) (inReceptacle ?ot ?r))) "
        f"(exists (?o - object ?a - agent) (and {thing.format('?o')} (holds ?a ?o))))"
    )


def _trajectory(goal: Goal) -> dict[str, object]:
    """What ALFWorld's loader and its handcoded expert read of the ALFRED trajectory that a genuine game comes from."""
    look = goal.kind is TaskType.LOOK_AT_IN_LIGHT
    return {
        "task_type": goal.kind.value,
        "pddl_params": {
            "object_target": goal.object_type,
            "parent_target": "" if look else goal.target,
            "toggle_target": goal.target if look else "",
            "mrecep_target": "",
            "object_sliced": False,
        },
    }
