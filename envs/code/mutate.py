"""Bugs as text edits: what a programmer might have got wrong in a module, one place at a time.

`edits` lists them, `apply` makes one, `inverse` undoes it. An edit touches the text of one mistake and nothing else:
formatting and comments stay byte for byte. Only function bodies and default arguments are touched; docstrings,
annotations, assertions, decorators, f-strings, ``if TYPE_CHECKING`` blocks and what is only logged or warned are not.

Everything here is a pure function of the text. Nothing is run or read, so this says nothing about whether a bug is
seen by any test: the same edit of the same text is the same bug, and whether it counts is found out in a sandbox.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any

from selfgym.envs.code.mutations import calls, expressions, names, statements
from selfgym.envs.code.mutations.statements import Function, Place
from selfgym.envs.code.mutations.text import Change, SourceText, parse

_LOG_METHODS = frozenset(
    {"debug", "info", "warning", "warn", "error", "critical", "fatal", "exception", "log", "warn_explicit"}
)
_TYPE_NAMES = frozenset({"TypeVar", "ParamSpec", "NewType", "cast", "TypeVarTuple"})
_TEMPLATES = frozenset({"JoinedStr", "TemplateStr"})
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Edit:
    """One bug, or one repair: ``source[start:end]`` becomes ``replacement``."""

    path: str
    """The file, as the caller names it."""
    start: int
    """Where it begins, in characters of the text (not bytes)."""
    end: int
    """Where the replaced text ends."""
    replacement: str
    kind: str
    """What sort of mistake this is, such as ``comparison-boundary`` or ``body-removed``."""
    function: str
    """The function it lies in, with its classes and outer functions: ``Class.method.inner``."""
    line: int
    """The line of ``start``, from 1."""


def edits(source: str, path: str) -> list[Edit]:
    """Every bug that can be made in the module ``source``, in the order of the text.

    The same text gives the same list. Raises `ValueError` where ``source`` is not Python.
    """
    walk = _Walk(source, path)
    for statement in walk.tree.body:
        walk.outside(statement, ())
    unique = {(one.start, one.end, one.replacement): one for one in reversed(walk.found)}
    return sorted(unique.values(), key=lambda one: (one.start, one.end, one.kind, one.replacement))


def apply(source: str, edit: Edit) -> str:
    """The text with the edit made.

    Raises `ValueError` where the edit does not belong to this text: it lies outside, or what comes out is not Python
    or means the same as before.
    """
    if not 0 <= edit.start <= edit.end <= len(source):
        raise ValueError(
            f"the edit of {edit.path} covers characters {edit.start} to {edit.end}, but the text has {len(source)}"
        )
    result = source[: edit.start] + edit.replacement + source[edit.end :]
    tree, text = _read(source)
    if _same(tree, parse(result), text.line(edit.start)):
        raise ValueError(f"the edit of {edit.path}, line {edit.line} ({edit.kind}), changes nothing")
    return result


def inverse(source: str, edit: Edit) -> Edit:
    """The edit that turns ``apply(source, edit)`` back into ``source``."""
    end = edit.start + len(edit.replacement)
    return Edit(edit.path, edit.start, end, source[edit.start : edit.end], edit.kind, edit.function, edit.line)


@lru_cache(maxsize=2)
def _read(source: str) -> tuple[ast.Module, SourceText]:
    """A text, of which many edits are made one after the other."""
    return parse(source), SourceText(source)


def _same(one: Any, other: Any, line: int) -> bool:
    """Whether two syntax trees are equal, given that their texts are before ``line``."""
    if type(one) is not type(other):
        return False
    if isinstance(one, ast.stmt) and max(one.end_lineno or line, other.end_lineno or line) < line:
        return True
    if isinstance(one, ast.AST):
        return all(_same(getattr(one, name, None), getattr(other, name, None), line) for name in one._fields)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other, repeat(line)))
    return bool(one == other)


class _Scope:
    """A function while it is walked: its name, what is known of its variables, which of them have a value."""

    def __init__(self, function: Function, outer: tuple[str, ...]) -> None:
        self.function = function
        self.path = (*outer, function.name)
        self.sorts = names.sorts_of_variables(function)
        arguments = function.args
        extra = [one for one in (arguments.vararg, arguments.kwarg) if one]
        self.bound = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra)]


class _Walk:
    """Goes through a module and collects the edits of its functions."""

    def __init__(self, source: str, path: str) -> None:
        self.tree = parse(source)
        self.text = SourceText(source)
        self.path = path
        self.found: list[Edit] = []
        self._attributes = {one.attr for one in ast.walk(self.tree) if isinstance(one, ast.Attribute)}
        self._own: set[str] = set()
        self._own_sorts: names.Sorts = {}

    def outside(self, node: ast.stmt, outer: tuple[str, ...]) -> None:
        """A statement of a module or class: only the functions in it count."""
        if isinstance(node, Function):
            self._function(node, outer)
        elif isinstance(node, ast.ClassDef):
            before = self._own, self._own_sorts
            self._own, self._own_sorts = names.set_attributes(node), names.sorts_of_attributes([node])
            for one in node.body:
                self.outside(one, (*outer, node.name))
            self._own, self._own_sorts = before
        elif not _is_for_type_checkers(node):
            for child in ast.iter_child_nodes(node):
                inner: list[Any] = child.body if isinstance(child, ast.ExceptHandler | ast.match_case) else [child]
                for one in inner:
                    if isinstance(one, ast.stmt):
                        self.outside(one, outer)

    def _function(self, node: Function, outer: tuple[str, ...]) -> None:
        if any("overload" in ast.dump(one) for one in node.decorator_list):
            return
        scope = _Scope(node, outer)
        self._note(scope, statements.defaults(self.text, node))
        self._note(scope, statements.body_removed(self.text, node))
        self._block(scope, node.body, node)

    def _note(self, scope: _Scope, changes: Iterator[Change]) -> None:
        for start, end, replacement, kind in changes:
            before, after = self.text.text[start - 1 : start], self.text.text[end : end + 1]
            written = replacement
            if _WORD.match(before) and _WORD.match(written or after):
                written = " " + written
            if _WORD.match(after) and _WORD.match(written[-1:]):
                written += " "
            if written != self.text.text[start:end] and not self._is_idle(start, end, written):
                line, function = self.text.line(start), ".".join(scope.path)
                self.found.append(Edit(self.path, start, end, written, kind, function, line))

    def _is_idle(self, start: int, end: int, written: str) -> bool:
        """Whether an edit leaves a line ``name = name`` behind, which nobody writes."""
        text = self.text.text
        line = text[self.text.line_start(start) : start] + written + text[end : self.text.next_line(end)]
        left, equals, right = line.partition(" = ")
        return bool(equals) and left.strip() == right.strip()

    def _block(self, scope: _Scope, block: Sequence[ast.stmt], parent: ast.AST) -> None:
        known = len(scope.bound)
        for index, node in enumerate(block):
            if isinstance(node, Function | ast.ClassDef):
                self.outside(node, scope.path)
            elif not _is_untouched(node):
                in_async = isinstance(scope.function, ast.AsyncFunctionDef)
                place = Place(node, block, index, parent, frozenset(scope.bound), in_async)
                self._note(scope, statements.statement(self.text, place))
                self._statement(scope, node)
            scope.bound += [name for name in _bound_by(node) if name not in scope.bound]
        del scope.bound[known:]

    def _statement(self, scope: _Scope, node: ast.stmt) -> None:
        """What is inside a statement: first its expressions, then its blocks."""
        if isinstance(node, ast.AugAssign):
            self._note(scope, expressions.augmented(self.text, node))
        elif isinstance(node, ast.If):  # a negated `while` seldom ends
            self._note(scope, expressions.condition(self.text, node.test))
        if not isinstance(node, ast.Raise):
            self._inside(scope, node)
        for one in (node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            known = len(scope.bound)
            scope.bound += [name for name in _bound_in_body(one) if name not in scope.bound]
            for field in ("body", "orelse", "finalbody"):
                inner = getattr(one, field, None)
                if isinstance(inner, list):
                    self._block(scope, inner, one)
            del scope.bound[known:]

    def _inside(self, scope: _Scope, node: ast.AST) -> None:
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "args" if isinstance(node, ast.Lambda) else ""):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.expr):
                    self._expression(scope, child)
                elif isinstance(child, ast.comprehension):
                    self._note(scope, expressions.comprehension(self.text, child))
                    self._inside(scope, child)
                elif isinstance(child, ast.keyword | ast.withitem):
                    self._inside(scope, child)

    def _expression(self, scope: _Scope, node: ast.expr) -> None:
        if type(node).__name__ in _TEMPLATES or (isinstance(node, ast.Call) and _is_untouched_call(node)):
            return
        self._note(scope, self._changes(scope, node))
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            self._expression(scope, node.value)
            self._inside(scope, node.slice)
        else:
            self._inside(scope, node)

    def _changes(self, scope: _Scope, node: ast.expr) -> Iterator[Change]:
        text = self.text
        match node:
            case ast.Compare():
                yield from expressions.comparison(text, node)
            case ast.BoolOp():
                yield from expressions.boolean(text, node)
            case ast.UnaryOp():
                yield from expressions.unary(text, node)
            case ast.BinOp():
                yield from expressions.arithmetic(text, node)
            case ast.Constant():
                yield from expressions.constant(text, node)
            case ast.Subscript():
                yield from expressions.subscript(text, node)
            case ast.IfExp():
                yield from expressions.choice(text, node)
                yield from expressions.condition(text, node.test)
            case ast.Call():
                yield from calls.call(text, node)
            case ast.Name(ctx=ast.Load()) if node.id in scope.bound:
                yield from names.variable(text, node, scope.sorts, scope.bound)
            case ast.Attribute(ctx=ast.Load()):
                yield from names.attribute(text, node, self._own_sorts, self._own, self._attributes)


def _is_for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in (
        node.test.id if isinstance(node.test, ast.Name) else "",
        node.test.attr if isinstance(node.test, ast.Attribute) else "",
    )


def _is_untouched(node: ast.stmt) -> bool:
    """Whether nothing in a statement can be a bug that matters: docstrings, assertions, logging, declarations."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Assert() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Global() | ast.Nonlocal():
            return True
        case ast.Expr(value=ast.Call() as call):
            return _is_untouched_call(call)
    return _is_for_type_checkers(node)


def _is_untouched_call(node: ast.Call) -> bool:
    """Whether a call only logs, warns or declares a type."""
    name = calls.called_name(node)
    if isinstance(node.func, ast.Attribute):
        owner = ast.unparse(node.func.value).lower()
        return name in _TYPE_NAMES or (name in _LOG_METHODS and ("log" in owner or owner == "warnings"))
    return name in _TYPE_NAMES or name.lstrip("_") in ("warn", "warn_explicit")


def _bound_by(node: ast.stmt) -> list[str]:
    """Variables that certainly have a value once a statement is done."""
    targets: list[ast.AST] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.With | ast.AsyncWith):
        targets = [one.optional_vars for one in node.items if one.optional_vars]
    elif isinstance(node, ast.AnnAssign) and node.value:
        targets = [node.target]
    return [name for target in targets for name in _names_in(target)]


def _bound_in_body(node: ast.AST) -> list[str]:
    """Variables that have a value in the body of a compound statement."""
    if isinstance(node, ast.For | ast.AsyncFor):
        return _names_in(node.target)
    if isinstance(node, ast.With | ast.AsyncWith):
        return [name for one in node.items if one.optional_vars for name in _names_in(one.optional_vars)]
    return [node.name] if isinstance(node, ast.ExceptHandler) and node.name else []


def _names_in(target: ast.AST) -> list[str]:
    return [one.id for one in ast.walk(target) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
