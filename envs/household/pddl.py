"""Reading genuine ALFWorld game files (``game.tw-pddl``) into a `Layout`.

A game file is JSON with a PDDL domain, a PDDL problem and a text grammar. The rules and sentences of selfgym are those
of the domains and grammars that ALFWorld 0.3 and 0.4 shipped, so a file with another domain or grammar is refused, and
so is every fact or goal those rules do not know: a wrong household is worse than none. Which of the two dialects is
spoken is not in the `Layout`; it is chosen when the game is compiled.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from selfgym.envs.household.layout import Goal, Layout, Receptacle, TaskType, Thing


class GameFileError(ValueError):
    """A game file that cannot be played as it was meant; the message says what was wrong and in which file."""


# sha256 of the domain as lower-case tokens without comments, and of the grammar as canonical JSON without its task.
_DOMAINS = {
    "e733dcfa5154f9d53cbe57f3a9538fac6258eb371abd658b6a15de4c28faa85f": "0.4",  # in the published games
    "915e118f4f32b4d826bf53c99e860dd85831afffb1a31ad333f063ce005b7122": "0.4",  # in alfworld 0.4.0 to 0.4.2
    "b0b8259a4e11c9f45e91c181404bde4c2c936ad872fdc4d368c7e63094eaafac": "0.3",  # in alfworld 0.3.3 to 0.3.5
}
_GRAMMARS = {
    "6c3fd5b3c61e08e53e6388180ce551d5d32ecb03835e67f18b6a9fda0ab1d1ad": "0.4",  # in the published games
    "0cbd131b3f845cfd6af6467bf492792d1ab4999be6a3eb6f2ab79e5a0d873cbc": "0.4",  # in alfworld 0.4.0 to 0.4.2
    "fb07b6b4fd381a753fa916f61297049097084d379395d04b76c6830deb579831": "0.3",  # in alfworld 0.3.3 to 0.3.5
}

_FLAGS = (
    *("pickupable", "cleanable", "heatable", "coolable", "sliceable", "toggleable", "openable"),
    *("isreceptacleobject", "iscool"),
)
_RELATIONS = (
    *("cancontain", "objectatlocation", "objecttype", "inreceptacle", "receptacletype", "receptacleatlocation"),
    *("atlocation", "inreceptacleobject"),
)
_ARITY = dict.fromkeys(_FLAGS, 1) | dict.fromkeys(_RELATIONS, 2)
_ENTITY_TYPES = ("agent", "location", "receptacle", "object", "rtype", "otype")
_TASK_LINE = re.compile(r'("task"\s*:\s*\[\s*\{\s*"rhs"\s*:\s*)("(?:[^"\\\n]|\\.)*")')
_TASK_PREFIX = "Your task is to: "

_PLACE = "( exists ( ?r - receptacle ) ( exists ( ?o - object ) ( and {} ) ) )"
_KIND = "( objecttype ?o {object} ) ( receptacletype ?r {target} )"
_GOALS = {
    TaskType.PICK_AND_PLACE: _PLACE.format(f"( inreceptacle ?o ?r ) {_KIND}"),
    TaskType.CLEAN_AND_PLACE: _PLACE.format(f"( cleanable ?o ) {_KIND} ( isclean ?o ) ( inreceptacle ?o ?r )"),
    TaskType.HEAT_AND_PLACE: _PLACE.format(f"( heatable ?o ) {_KIND} ( ishot ?o ) ( inreceptacle ?o ?r )"),
    TaskType.COOL_AND_PLACE: _PLACE.format(f"( coolable ?o ) {_KIND} ( iscool ?o ) ( inreceptacle ?o ?r )"),
    TaskType.PICK_TWO: "( exists ( ?r - receptacle ) ( exists ( ?o1 - object ) ( and ( objecttype ?o1 {object} )"
    " ( receptacletype ?r {target} ) ( inreceptacle ?o1 ?r ) ( exists ( ?o2 - object ) ( and ( not ( = ?o1 ?o2 ) )"
    " ( objecttype ?o2 {object} ) ( receptacletype ?r {target} ) ( inreceptacle ?o2 ?r ) ) ) ) ) )",
    TaskType.LOOK_AT_IN_LIGHT: "( exists ( ?ot - object ?r - receptacle ?a - agent ?l - location ) ( and"
    " ( objecttype ?ot {target} ) ( toggleable ?ot ) ( istoggled ?ot ) ( receptacleatlocation ?r ?l )"
    " ( atlocation ?a ?l ) ( inreceptacle ?ot ?r ) ) ) ( exists ( ?o - object ?a - agent ) ( and"
    " ( objecttype ?o {object} ) ( holds ?a ?o ) ) )",
}

_Node = list[Any]  # nested lists of tokens
_Facts = dict[str, list[tuple[str, ...]]]


def load_game_file(path: str | Path) -> Layout:
    """The household and task of one ``game.tw-pddl``.

    Raises `GameFileError` (a `ValueError`) where the file is damaged or not of a kind whose rules are known, and
    `OSError` where it cannot be read.
    """
    path = Path(path)
    try:
        return _layout_of(_json_of(path), name=f"{path.parent.parent.name}/{path.parent.name}")
    except GameFileError as error:
        raise GameFileError(f"{path}: {error}") from None


def is_solvable(path: str | Path) -> bool:
    """Whether the file says that its game can be won: ALFWorld plays only such games. Errors as `load_game_file`."""
    try:
        return bool(_json_of(Path(path)).get("solvable"))
    except GameFileError as error:
        raise GameFileError(f"{path}: {error}") from None


def _json_of(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise GameFileError(f"not a whole game file: it is no valid JSON ({error})") from None
    if not isinstance(data, dict):
        raise GameFileError("not a game file: the JSON is no object")
    return data


def _layout_of(data: dict[str, Any], name: str) -> Layout:
    for key in ("pddl_domain", "grammar", "pddl_problem"):
        if not isinstance(data.get(key), str):
            raise GameFileError(f"not a game file: the text {key!r} is missing")
    walkthrough = data.get("walkthrough") or []
    if not isinstance(walkthrough, list) or not all(isinstance(command, str) for command in walkthrough):
        raise GameFileError("'walkthrough' is not a list of commands")
    task = _check_rules(data["pddl_domain"], data["grammar"])
    sections = _sections(data["pddl_problem"])
    entities = _entities(sections[":objects"])
    facts = _facts(sections[":init"], entities)
    return _assemble(name, entities, facts, _goal(sections[":goal"]), task, tuple(walkthrough))


def _check_rules(domain: str, grammar: str) -> str:
    """Refuse unknown rules; returns the task in words."""
    made_for = _DOMAINS.get(_domain_hash(domain))
    if made_for is None:
        raise GameFileError(
            f"unknown PDDL domain (sha256 {_domain_hash(domain)[:12]}): only ALFWorld 0.3 and 0.4 are known"
        )
    line = _TASK_LINE.search(grammar)
    if line is None:
        raise GameFileError("the grammar names no task")
    written_for = _GRAMMARS.get(found := _grammar_hash(grammar[: line.start(2)] + '""' + grammar[line.end(2) :]))
    if written_for is None:
        raise GameFileError(f"unknown text grammar (sha256 {found[:12]}): only ALFWorld 0.3 and 0.4 are known")
    if made_for != written_for:
        raise GameFileError(
            f"the domain is of ALFWorld {made_for}, the grammar of {written_for}: they don't belong together"
        )
    task: str = json.loads(line[2])
    if not task.startswith(_TASK_PREFIX) or not task.endswith("."):
        raise GameFileError(f"the task should read '{_TASK_PREFIX}....', not {task!r}")
    return task[len(_TASK_PREFIX) : -1]


@lru_cache(maxsize=16)
def _domain_hash(domain: str) -> str:
    return sha256(" ".join(_tokens(domain)).encode()).hexdigest()


@lru_cache(maxsize=16)
def _grammar_hash(grammar: str) -> str:
    """Of what the grammar means: its rules and actions, whatever the layout of the text."""
    rules: dict[str, Any] = {}
    try:
        for block in re.findall(r'grammar\s*::\s*"""(.*?)"""', grammar, re.DOTALL):
            rules |= json.loads(block)
    except (ValueError, TypeError) as error:
        raise GameFileError(f"the grammar holds a block that is no JSON object ({error})") from None
    outside = re.sub(r'grammar\s*::\s*""".*?"""\s*;?', "", grammar, flags=re.DOTALL)
    strings = re.split(r'("[^"]*")', outside)
    strings[::2] = ["".join(part.split()) for part in strings[::2]]
    return sha256(json.dumps([rules, strings], sort_keys=True).encode()).hexdigest()


def _tokens(text: str) -> list[str]:
    return re.findall(r"[()]|[^\s()]+", re.sub(r";[^\n]*", "", text).lower())


def _sections(problem: str) -> dict[str, _Node]:
    """The three sections of a problem as nested lists, without their keywords."""
    stack: list[_Node] = [[]]
    for token in _tokens(problem):
        if token == "(":
            stack.append([])
        elif token != ")":
            stack[-1].append(token)
        elif len(stack) == 1:
            raise GameFileError("damaged PDDL problem: a closing parenthesis too many")
        else:
            stack[-2].append(stack.pop())
    if len(stack) > 1:
        raise GameFileError("damaged PDDL problem: it ends inside a parenthesis")
    parts = stack[0][0] if len(stack[0]) == 1 and isinstance(stack[0][0], list) else []
    sections = {part[0]: part[1:] for part in parts if isinstance(part, list) and part and isinstance(part[0], str)}
    wanted = ("problem", ":domain", ":objects", ":init", ":goal")
    if parts[:1] != ["define"] or len(parts) != len(wanted) + 1 or set(sections) != set(wanted):
        raise GameFileError(
            f"damaged PDDL problem: its sections should be {', '.join(wanted)}; found {', '.join(sections)}"
        )
    if sections[":domain"] != ["alfred"]:
        raise GameFileError("the PDDL problem is not of the domain 'alfred'")
    return sections


def _entities(objects: _Node) -> dict[str, str]:
    """Every declared id with its PDDL type."""
    entities: dict[str, str] = {}
    names: list[str] = []
    tokens = iter(objects)
    for token in tokens:
        if not isinstance(token, str):
            raise GameFileError("damaged PDDL problem: a parenthesis among the objects")
        if token != "-":
            names.append(token)
            continue
        kind = next(tokens, None)
        if kind not in _ENTITY_TYPES:
            raise GameFileError(f"object {names[-1:]} has the unknown type {kind!r}; known: {', '.join(_ENTITY_TYPES)}")
        for name in names:
            if name in entities:
                raise GameFileError(f"object {name!r} is declared twice")
            entities[name] = kind
        names = []
    if names:
        raise GameFileError(f"object {names[0]!r} has no type")
    return entities


def _facts(init: _Node, entities: dict[str, str]) -> _Facts:
    """The initial facts by predicate, each once, in the order of the file."""
    found: dict[str, dict[tuple[str, ...], None]] = defaultdict(dict)
    for fact in init:
        if not isinstance(fact, list) or not fact or not all(isinstance(token, str) for token in fact):
            raise GameFileError(f"the initial state holds {_written(fact)}, which is no plain fact")
        predicate, *arguments = fact
        if _ARITY.get(predicate) != len(arguments):
            raise GameFileError(f"unknown fact {_written(fact)} in the initial state")
        for argument in arguments:
            if argument not in entities:
                raise GameFileError(f"the fact {_written(fact)} speaks of {argument!r}, which is not declared")
        found[predicate][tuple(arguments)] = None
    return {predicate: list(facts) for predicate, facts in found.items()}


def _goal(section: _Node) -> Goal:
    text = _written(section[0]) if len(section) == 1 else ""
    for kind, pattern in _goal_patterns().items():
        if match := pattern.fullmatch(text):
            return Goal(kind, _kind(match["object"]), _kind(match["target"]))
    raise GameFileError(f"unknown goal {text[:300]!r}: only the six task types of ALFWorld are known")


@lru_cache(maxsize=1)
def _goal_patterns() -> dict[TaskType, re.Pattern[str]]:
    patterns = {}
    for kind, template in _GOALS.items():
        pattern = re.escape(f"( and {template} )")
        for word in ("object", "target"):
            pattern = pattern.replace(rf"\{{{word}\}}", rf"(?P<{word}>\S+type)", 1).replace(
                rf"\{{{word}\}}", f"(?P={word})"
            )
        patterns[kind] = re.compile(pattern)
    return patterns


def _written(node: Any) -> str:
    return f"( {' '.join(map(_written, node))} )" if isinstance(node, list) else str(node)


def _kind(name: str) -> str:
    return name.removesuffix("type")


def _assemble(
    name: str, entities: dict[str, str], facts: _Facts, goal: Goal, task: str, walkthrough: tuple[str, ...]
) -> Layout:
    types, places = _one_each(facts, "receptacletype"), _one_each(facts, "receptacleatlocation")
    openable = _having(facts, "openable")
    starts = facts.get("atlocation", [])
    if len(starts) != 1:
        raise GameFileError(f"the agent should stand at one location, not at {len(starts)}")
    mentioned = {
        entity for predicate in facts if predicate != "cancontain" for fact in facts[predicate] for entity in fact
    }
    receptacles = tuple(
        Receptacle(entity, _kind(types.get(entity, "")), places[entity], entity in openable)
        for entity, kind in entities.items()
        if kind == "receptacle" and entity in places
    )
    nowhere = [entity for entity, kind in entities.items() if kind == "receptacle" and entity not in places]
    for receptacle in nowhere:
        if _kind(types.get(receptacle, "")) == goal.target:
            raise GameFileError(f"the receptacle {receptacle!r}, of the type that the goal names, has no location")
    pairs = frozenset((_kind(holder), _kind(held)) for holder, held in facts.get("cancontain", []))
    return Layout(
        name=name,
        receptacles=receptacles,
        things=_things(entities, facts, mentioned, {receptacle.id for receptacle in receptacles}),
        start=starts[0][1],
        locations=tuple(entity for entity, kind in entities.items() if kind == "location"),
        can_contain=_shared(pairs),
        goal=goal,
        task=task,
        extra_ids=tuple(entity for entity in nowhere if entity in mentioned),
        walkthrough=walkthrough,
    )


def _things(entities: dict[str, str], facts: _Facts, mentioned: set[str], receptacles: set[str]) -> tuple[Thing, ...]:
    """Every object of the initial facts. Those that are only declared do not count, not even in the numbering."""
    types = _one_each(facts, "objecttype")
    stands: dict[str, list[str]] = defaultdict(list)
    lies: dict[str, list[str]] = defaultdict(list)
    holds: dict[str, list[str]] = defaultdict(list)
    for thing, location in facts.get("objectatlocation", []):
        stands[thing].append(location)
    for thing, receptacle in facts.get("inreceptacle", []):
        if entities[receptacle] != "receptacle":
            raise GameFileError(f"{thing!r} lies in {receptacle!r}, which is no receptacle")
        if receptacle in receptacles:
            lies[thing].append(receptacle)
    for inner, outer in facts.get("inreceptacleobject", []):
        holds[outer].append(inner)
    flags = {predicate: _having(facts, predicate) for predicate in _FLAGS}
    return tuple(
        Thing(
            entity,
            sys.intern(_kind(types.get(entity, ""))),
            tuple(stands.get(entity, ())),
            tuple(lies.get(entity, ())),
            pickupable=entity in flags["pickupable"],
            cleanable=entity in flags["cleanable"],
            heatable=entity in flags["heatable"],
            coolable=entity in flags["coolable"],
            sliceable=entity in flags["sliceable"],
            toggleable=entity in flags["toggleable"],
            cool=entity in flags["iscool"],
            holds_objects=entity in flags["isreceptacleobject"],
            inside=tuple(holds.get(entity, ())),
        )
        for entity, kind in entities.items()
        if kind == "object" and entity in mentioned
    )


def _having(facts: _Facts, predicate: str) -> set[str]:
    return {fact[0] for fact in facts.get(predicate, [])}


def _one_each(facts: _Facts, predicate: str) -> dict[str, str]:
    """A two-place predicate as a mapping; the rules here know only one value for each entity."""
    found: dict[str, str] = {}
    for entity, value in facts.get(predicate, []):
        if found.setdefault(entity, value) != value:
            raise GameFileError(f"{entity!r} has two values of {predicate!r}: {found[entity]!r} and {value!r}")
    return found


@lru_cache(maxsize=16)
def _shared(pairs: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """One copy of the table that is the same in nearly every game, so that many games fit in memory."""
    return pairs
