"""Mutations of names: another variable of the same scope, another attribute of the same object.

A wrong name is only a plausible mistake where it could stand for the same sort of thing. Sorts are guessed from how
names are bound (annotations, constants, displays, calls) and used (called, indexed, iterated, computed with, which
attributes they have, which argument of which function they are). Two names may be confused where the guesses meet.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from selfgym.envs.code.mutations.calls import called_name, opposites
from selfgym.envs.code.mutations.text import Change, SourceText

Sorts = Mapping[str, set[str]]
"""For every name, what is known about it."""

_NUMERIC = (ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow, ast.LShift, ast.RShift)
_RESULTS = {"len": "int", "int": "int", "str": "str", "repr": "str", "list": "list", "sorted": "list", "join": "str"}
_RESULTS |= {"split": "list", "strip": "str", "lower": "str", "dict": "dict", "set": "set", "float": "float"}
_DISPLAYS: dict[type[ast.expr], str] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.Tuple: "tuple",
    ast.JoinedStr: "str",
    ast.Lambda: "callable",
}


def sorts_of_variables(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Sorts:
    """What is known about the variables of a function."""
    sorts: dict[str, set[str]] = defaultdict(set)
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    for one in (*positional, *arguments.kwonlyargs):
        sorts[one.arg] |= _of_annotation(one.annotation)
    given = zip(reversed(positional), reversed(arguments.defaults), strict=False)
    for one, default in (*given, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)):
        sorts[one.arg] |= _of_value(default)
    for node in ast.walk(function):
        for known, facts in _facts(node):
            if isinstance(known, ast.Name):
                sorts[known.id] |= facts
    return sorts


def sorts_of_attributes(classes: Iterable[ast.ClassDef]) -> Sorts:
    """What is known about the attributes that a class sets on ``self`` or declares."""
    sorts: dict[str, set[str]] = defaultdict(set)
    for one in classes:
        for node in ast.walk(one):
            for known, facts in _facts(node):
                if isinstance(known, ast.Attribute) and _is_self(known.value):
                    sorts[known.attr] |= facts
        for declared in one.body:
            if isinstance(declared, ast.AnnAssign) and isinstance(declared.target, ast.Name):
                sorts[declared.target.id] |= _of_annotation(declared.annotation)
    return sorts


def set_attributes(node: ast.AST) -> set[str]:
    """The attributes of ``self`` that are assigned somewhere in ``node``."""
    return {
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and _is_self(one.value)
    }


def variable(text: SourceText, node: ast.Name, sorts: Sorts, bound: Iterable[str]) -> Iterator[Change]:
    """The variable among ``bound`` that is most like this one, in its place."""
    others = [name for name in bound if name not in (node.id, "self", "cls", "_")]
    other = _most_alike(node.id, others, sorts)
    if other and text.of(node) == node.id:
        yield Change(*text.span(node), other, "variable-misused")


def attribute(text: SourceText, node: ast.Attribute, sorts: Sorts, own: set[str], known: set[str]) -> Iterator[Change]:
    """Another attribute: of the same sort among the ``own`` ones of the class, or the opposite of a ``known`` one."""
    other = next((name for name in opposites(node.attr) if name in known), None)
    if other is None and _is_self(node.value) and node.attr in own:
        other = _most_alike(node.attr, own - {node.attr}, sorts)
    start, end = text.span(node)[1] - len(node.attr), text.span(node)[1]
    if other and text.text[start:end] == node.attr:
        yield Change(start, end, other, "attribute-misused")


def _most_alike(name: str, others: Iterable[str], sorts: Sorts) -> str | None:
    mine = sorts.get(name, set())
    opposite = set(opposites(name))
    scored = [(len(mine & sorts.get(other, set())) + 3 * (other in opposite), other) for other in others]
    best = max(scored, default=(0, ""), key=lambda pair: (pair[0], [-ord(letter) for letter in pair[1]]))
    return best[1] if best[0] else None


def _facts(node: ast.AST) -> Iterator[tuple[ast.expr, set[str]]]:
    """Expressions of which this node says something, and what."""
    match node:
        case ast.Assign(value=value):
            for target in node.targets:
                yield target, _of_value(value)
        case ast.AnnAssign(annotation=annotation, target=target):
            yield target, _of_annotation(annotation)
        case ast.AugAssign(op=op, target=target, value=value):
            yield target, {"number"} if isinstance(op, _NUMERIC) else _of_value(value)
        case ast.BinOp(op=op, left=left, right=right) if isinstance(op, _NUMERIC):
            yield left, {"number"}
            yield right, {"number"}
        case ast.Compare(left=left, comparators=[right]):
            yield left, _of_value(right)
            yield right, _of_value(left)
        case ast.Subscript(value=value, slice=index):
            yield value, {"indexed"}
            yield index, {"index"}
        case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
            yield source, {"iterated"}
            yield target, {"int"} if isinstance(source, ast.Call) and called_name(source) == "range" else set()
        case ast.Attribute(value=value, attr=attr):
            yield value, {f".{attr}"}
        case ast.Call():
            yield node.func, {"callable"}
            for place, argument in enumerate(node.args):
                yield argument, {f"argument {place} of {called_name(node)}"}
            for keyword in node.keywords:
                yield keyword.value, {f"argument {keyword.arg} of {called_name(node)}"}


def _of_value(value: ast.expr | None) -> set[str]:
    match value:
        case ast.Constant(value=constant) if constant is not None:
            kind = type(constant).__name__
            return {kind, "number"} if kind in ("int", "float") else {kind}
        case ast.Call():
            name = called_name(value)
            return {_RESULTS.get(name, f"result of {name}")}
        case ast.BinOp(op=op) if isinstance(op, _NUMERIC):
            return {"number"}
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return {"bool"}
    return {name for kind, name in _DISPLAYS.items() if isinstance(value, kind)}


def _of_annotation(annotation: ast.expr | None) -> set[str]:
    if annotation is None:
        return set()
    written = ast.unparse(annotation).replace(" | None", "")
    return {written, "number"} if written in ("int", "float") else {written}


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
