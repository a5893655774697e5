"""Reading the STRIPS subset of PDDL: domains of plain actions, and problems (McDermott et al. 1998, PDDL 1.2).

``:requirements`` may name ``:strips`` alone. Types, negative preconditions, quantifiers, conditions and costs are
refused by name. What is read is data; a depth of brackets beyond what such a file has is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

_TOKEN = re.compile(r"[()]|[^\s()]+")
_DEPTH = 20
_MOST = 200_000

Fact = tuple[str, ...]
"""A predicate and its objects, such as ``("on", "a", "b")``."""


class PddlError(ValueError):
    """A text that is not of this subset of PDDL."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action with its parameters, or one that is possible in some state if it has none left."""

    name: str
    parameters: tuple[str, ...]
    needs: frozenset[Fact]
    adds: frozenset[Fact]
    deletes: frozenset[Fact]

    def with_objects(self, objects: Iterable[str]) -> Action:
        """The action on these objects."""
        given = dict(zip(self.parameters, objects, strict=True))

        def bound(facts: frozenset[Fact]) -> frozenset[Fact]:
            return frozenset((fact[0], *(given.get(word, word) for word in fact[1:])) for fact in facts)

        return Action(self.name, tuple(given.values()), bound(self.needs), bound(self.adds), bound(self.deletes))

    def after(self, facts: frozenset[Fact]) -> frozenset[Fact]:
        """The state afterwards. Raises `ValueError` where something that is needed does not hold."""
        if missing := self.needs - facts:
            raise ValueError(f"({' '.join(min(missing))}) does not hold")
        return (facts - self.deletes) | self.adds


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain: its predicates with the number of their arguments, and its actions by name."""

    name: str
    predicates: dict[str, int]
    actions: dict[str, Action]

    def ground(self, objects: Iterable[str]) -> dict[str, Action]:
        """Every action on objects that differ, by its command such as ``stack a b``."""
        objects = tuple(objects)
        return {
            " ".join((action.name, *chosen)): action.with_objects(chosen)
            for action in self.actions.values()
            for chosen in product(objects, repeat=len(action.parameters))
            if len(set(chosen)) == len(chosen)
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem: what there is, what holds at first, what should hold in the end."""

    name: str
    objects: tuple[str, ...]
    init: frozenset[Fact]
    goal: frozenset[Fact]


def read_domain(text: str) -> Domain:
    """The domain in a text. Raises `PddlError`."""
    name, sections = _definition(text, "domain")
    _only_strips(sections)
    predicates = {one[0]: len(one) - 1 for one in _lists(_one(sections, ":predicates")) if one}
    actions = {}
    for kind, *rest in sections:
        if kind == ":action":
            action = _action(rest, predicates)
            actions[action.name] = action
        elif kind not in (":requirements", ":predicates"):
            raise PddlError(f"a domain of the STRIPS subset has no {kind}")
    return Domain(name, predicates, actions)


def read_problem(text: str, domain: Domain) -> Problem:
    """The problem of a domain in a text. Raises `PddlError`."""
    name, sections = _definition(text, "problem")
    _only_strips(sections)
    for kind, *_ in sections:
        if kind not in (":domain", ":objects", ":init", ":goal", ":requirements"):
            raise PddlError(f"a problem of the STRIPS subset has no {kind}")
    if (made_for := _one(sections, ":domain")) != [domain.name]:
        raise PddlError(f"the problem is one of the domain {' '.join(map(str, made_for))}, not of {domain.name}")
    objects = tuple(_words(_one(sections, ":objects")))
    if len(set(objects)) != len(objects) or "-" in objects:
        raise PddlError("the objects should be different names without types")
    init = frozenset(_facts(_one(sections, ":init"), domain.predicates, objects))
    goal = _one(sections, ":goal")
    if len(goal) != 1:
        raise PddlError("the goal should be one fact, or (and ...) of facts")
    return Problem(name, objects, init, _conjunction(goal[0], domain.predicates, objects))


def written(problem: Problem, domain: Domain) -> str:
    """The problem as PDDL, which `read_problem` reads back."""

    def lines(facts: Iterable[Fact]) -> str:
        return " ".join(f"({' '.join(fact)})" for fact in sorted(facts))

    return (
        f"(define (problem {problem.name}) (:domain {domain.name})\n  (:objects {' '.join(problem.objects)})\n"
        f"  (:init {lines(problem.init)})\n  (:goal (and {lines(problem.goal)})))\n"
    )


def _definition(text: str, kind: str) -> tuple[str, list[list[Any]]]:
    tree = _tree(text)
    if len(tree) < 2 or tree[0] != "define" or not isinstance(tree[1], list) or tree[1][:1] != [kind]:
        raise PddlError(f"the text should begin with (define ({kind} NAME)")
    sections = _lists(tree[2:])
    if any(not section or not isinstance(section[0], str) for section in sections):
        raise PddlError("every section should be a list that begins with its name, such as (:init ...)")
    return " ".join(_words(tree[1][1:])), sections


def _tree(text: str) -> list[Any]:
    """The one list in a text, as nested lists of words in lower case; comments are left out."""
    if len(text) > _MOST:
        raise PddlError(f"the text has {len(text)} characters; the limit is {_MOST}")
    text = re.sub(r";[^\n]*", "", text).lower()
    stack: list[list[Any]] = [[]]
    for token in _TOKEN.findall(text):
        if token == "(":
            stack.append([])
            stack[-2].append(stack[-1])
        elif token == ")":
            stack.pop()
        else:
            stack[-1].append(token)
        if not 1 <= len(stack) <= _DEPTH:
            raise PddlError("the brackets do not match, or are nested too deeply")
    if len(stack) != 1 or len(stack[0]) != 1 or not isinstance(stack[0][0], list):
        raise PddlError("the text should be one list in brackets, all of them closed")
    return stack[0][0]


def _only_strips(sections: list[list[Any]]) -> None:
    for kind, *rest in sections:
        if kind == ":requirements" and rest != [":strips"]:
            raise PddlError(f"only the requirement :strips is understood, not {' '.join(map(str, rest))}")


def _one(sections: list[list[Any]], name: str) -> list[Any]:
    found = [section[1:] for section in sections if section[0] == name]
    if len(found) != 1:
        raise PddlError(f"there should be one section {name}, not {len(found)}")
    return found[0]


def _lists(parts: Iterable[Any]) -> list[list[Any]]:
    parts = list(parts)
    if not all(isinstance(part, list) for part in parts):
        raise PddlError("a word stands where a list in brackets should be")
    return parts


def _words(parts: Iterable[Any]) -> list[str]:
    parts = list(parts)
    if not all(isinstance(part, str) for part in parts):
        raise PddlError("a list stands where names should be")
    return parts


def _action(rest: list[Any], predicates: dict[str, int]) -> Action:
    if len(rest) % 2 != 1 or not isinstance(rest[0], str):
        raise PddlError("an action should be (:action NAME :parameters (...) :precondition (...) :effect (...))")
    keys = dict(zip(_words(rest[1::2]), rest[2::2], strict=True))
    if set(keys) != {":parameters", ":precondition", ":effect"} or not isinstance(keys[":parameters"], list):
        raise PddlError(f"the action {rest[0]} should have :parameters, :precondition and :effect")
    parameters = tuple(_words(keys[":parameters"]))
    needs = _conjunction(keys[":precondition"], predicates, parameters)
    effects = keys[":effect"]
    effects = effects[1:] if effects[:1] == ["and"] else [effects]
    gone = [one[1] for one in _lists(effects) if len(one) == 2 and one[0] == "not"]
    come = [one for one in effects if one[:1] != ["not"]]
    adds, deletes = _facts(come, predicates, parameters), _facts(gone, predicates, parameters)
    return Action(rest[0], parameters, needs, frozenset(adds), frozenset(deletes))


def _conjunction(part: Any, predicates: dict[str, int], names: Iterable[str]) -> frozenset[Fact]:
    parts = part[1:] if isinstance(part, list) and part[:1] == ["and"] else [part]
    return frozenset(_facts(parts, predicates, names))


def _facts(parts: Iterable[Any], predicates: dict[str, int], names: Iterable[str]) -> list[Fact]:
    known, facts = set(names), []
    for part in _lists(parts):
        words = _words(part)
        if not words or predicates.get(words[0]) != len(words) - 1:
            raise PddlError(f"({' '.join(words)}) is no fact of this domain")
        if unknown := set(words[1:]) - known:
            raise PddlError(f"({' '.join(words)}) names {min(unknown)}, which there is not")
        facts.append(tuple(words))
    return facts
