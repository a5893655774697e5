"""Mutations of calls: the neighbouring function or method, arguments swapped or left out, opposite names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfgym.envs.code.mutations.expressions import ATOMS, swapped
from selfgym.envs.code.mutations.text import Change, SourceText

_FUNCTIONS = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sorted": "list",
    "reversed": "list",
    "int": "float",
    "float": "int",
    "str": "repr",
    "repr": "str",
    "list": "tuple",
    "tuple": "list",
    "set": "list",
    "frozenset": "list",
}
_METHODS = {
    "append": "extend",
    "extend": "append",
    "appendleft": "append",
    "popleft": "pop",
    "lower": "upper",
    "upper": "lower",
    "casefold": "upper",
    "title": "capitalize",
    "capitalize": "title",
    "startswith": "endswith",
    "endswith": "startswith",
    "strip": "rstrip",
    "lstrip": "rstrip",
    "rstrip": "lstrip",
    "find": "rfind",
    "rfind": "find",
    "index": "rindex",
    "rindex": "index",
    "split": "rsplit",
    "rsplit": "split",
    "partition": "rpartition",
    "rpartition": "partition",
    "removeprefix": "removesuffix",
    "removesuffix": "removeprefix",
    "ljust": "rjust",
    "rjust": "ljust",
    "isdigit": "isalpha",
    "isalpha": "isdigit",
    "isalnum": "isalpha",
    "isupper": "islower",
    "islower": "isupper",
    "add": "discard",
    "discard": "add",
    "union": "intersection",
    "intersection": "union",
    "issubset": "issuperset",
    "issuperset": "issubset",
    "keys": "values",
    "values": "keys",
    "floor": "ceil",
    "ceil": "floor",
    "match": "search",
    "search": "match",
    "fullmatch": "match",
    "group": "groups",
    "start": "end",
    "end": "start",
    "read": "readline",
    "readline": "read",
    "dirname": "basename",
    "basename": "dirname",
    "isfile": "isdir",
    "isdir": "isfile",
    "is_file": "is_dir",
    "is_dir": "is_file",
    "acquire": "release",
}
_CONVERSIONS = frozenset({"abs", "int", "float", "str", "list", "tuple", "set", "dict", "sorted", "reversed", "round"})
_CLEANINGS = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "casefold", "title", "copy", "resolve", "absolute"}
)
_ANY_ORDER = frozenset({"min", "max", "gcd", "lcm", "isclose", "print", "hypot", "union", "intersection"})
_FIXED_ORDER = frozenset({"isinstance", "issubclass", "getattr", "setattr", "hasattr", "delattr", "cast", "super"})

_OPPOSITES = [
    *(("left", "right"), ("start", "end"), ("start", "stop"), ("first", "last"), ("min", "max"), ("lower", "upper")),
    *(("width", "height"), ("row", "column"), ("row", "col"), ("rows", "cols"), ("x", "y"), ("key", "value")),
    *(("keys", "values"), ("old", "new"), ("src", "dst"), ("source", "target"), ("prev", "next"), ("head", "tail")),
    *(("begin", "end"), ("before", "after"), ("prefix", "suffix"), ("parent", "child"), ("push", "pop")),
    *(("open", "close"), ("encode", "decode"), ("input", "output"), ("read", "write"), ("get", "set")),
    *(("add", "remove"), ("enable", "disable"), ("enabled", "disabled"), ("in", "out"), ("name", "value")),
    *(("top", "bottom"), ("front", "back"), ("minimum", "maximum"), ("true", "false"), ("inner", "outer")),
]
_OPPOSITE: dict[str, list[str]] = {}
for _one, _other in _OPPOSITES:
    _OPPOSITE.setdefault(_one, []).append(_other)
    _OPPOSITE.setdefault(_other, []).append(_one)


def opposites(name: str) -> list[str]:
    """Names that differ from ``name`` by one word turned into its opposite.

    >>> opposites("start_row"), opposites("_left"), opposites("restart")
    (['end_row', 'stop_row', 'start_column', 'start_col'], ['_right'], [])
    """
    words = name.split("_")
    return [
        "_".join([*words[:place], other, *words[place + 1 :]])
        for place, word in enumerate(words)
        for other in _OPPOSITE.get(word, ())
    ]


def call(text: SourceText, node: ast.Call) -> Iterator[Change]:
    """A neighbouring function or method, swapped arguments, a keyword argument left out, another range."""
    name = called_name(node)
    yield from _neighbour(text, node)
    yield from _conversion_forgotten(text, node)
    if name == "range" and isinstance(node.func, ast.Name):
        yield from _range(text, node)
    elif name == "enumerate" and len(node.args) == 1 and not node.keywords:
        end = text.span(node.args[0])[1]
        if not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
            yield Change(end, end, ", 1", "loop-range")
    elif name not in _ANY_ORDER and name not in _FIXED_ORDER:
        for left, right in zip(node.args, node.args[1:], strict=False):
            if _alike(left, right):
                yield from swapped(text, left, right, "arguments-swapped")
    yield from _keyword_dropped(text, node)


def called_name(node: ast.Call) -> str:
    """The last name of what is called, ``""`` if it has none."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _neighbour(text: SourceText, node: ast.Call) -> Iterator[Change]:
    name, end = called_name(node), text.span(node.func)[1]
    table, kind = (_FUNCTIONS, "sibling-function") if isinstance(node.func, ast.Name) else (_METHODS, "sibling-method")
    other = table.get(name)
    if other is None or text.text[end - len(name) : end] != name:
        return
    if table is _FUNCTIONS and name not in ("min", "max") and (len(node.args) != 1 or node.keywords):
        return
    if other in ("rsplit", "split") and len(node.args) < 2 and not node.keywords:
        return  # without a limit both give the same
    yield Change(end - len(name), end, other, kind)


def _conversion_forgotten(text: SourceText, node: ast.Call) -> Iterator[Change]:
    """``sorted(x)`` as ``x``, ``line.strip()`` as ``line``."""
    start, end = text.span(node)
    if node.keywords:
        return
    if isinstance(node.func, ast.Attribute) and node.func.attr in _CLEANINGS and not node.args:
        dot = text.token(".", text.span(node.func.value)[1], end)
        if dot:
            yield Change(dot.start, end, "", "conversion-forgotten")
    elif isinstance(node.func, ast.Name) and node.func.id in _CONVERSIONS and len(node.args) == 1:
        inner = node.args[0]
        if not isinstance(inner, ast.Starred | ast.GeneratorExp) and node.lineno == node.end_lineno:
            written = text.of(inner)
            yield Change(start, end, written if isinstance(inner, ATOMS) else f"({written})", "conversion-forgotten")


def _range(text: SourceText, node: ast.Call) -> Iterator[Change]:
    """A loop that begins one late or ends one early or late."""
    if node.keywords or not node.args or any(isinstance(one, ast.Starred) for one in node.args):
        return
    stop = node.args[0] if len(node.args) == 1 else node.args[1]
    for bound, signs in ((stop, "+-"), (node.args[0], "+") if len(node.args) > 1 else (stop, "")):
        if isinstance(bound, (*ATOMS, ast.BinOp)) and not isinstance(bound, ast.Constant):
            simple = isinstance(bound, ATOMS) or (
                isinstance(bound, ast.BinOp) and isinstance(bound.op, ast.Add | ast.Sub)
            )
            for sign in signs:
                start, end = text.span(bound)
                if simple:
                    yield Change(end, end, f" {sign} 1", "loop-range")
                else:
                    yield Change(start, end, f"({text.of(bound)}) {sign} 1", "loop-range")
    if len(node.args) == 1 and not isinstance(stop, ast.GeneratorExp | ast.NamedExpr):
        start = text.span(stop)[0]
        if text.text[start - 1] == "(" and text.text[start - 2] == "e":  # stop has no brackets of its own
            yield Change(start, start, "1, ", "loop-range")


def _keyword_dropped(text: SourceText, node: ast.Call) -> Iterator[Change]:
    arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    spans = sorted(map(text.span, arguments))
    for keyword in node.keywords:
        start, end = text.span(keyword)
        place = spans.index((start, end))
        following = next(text.tokens(end, len(text.text)))
        comma = text.token(",", spans[place - 1][1], start) if place else None
        if following.text == ",":
            alone = text.indentation(start) is not None and not text.rest_of_line(following.end)
            stop = text.blanks_after(following.end)
            start, end = (text.line_start(start), text.next_line(end)) if alone else (start, stop)
        elif comma and "#" not in text.text[comma.end : start]:
            start = comma.start
        yield Change(start, end, "", "keyword-dropped")


def _alike(left: ast.expr, right: ast.expr) -> bool:
    """Whether two arguments could be mistaken for each other."""
    if any(isinstance(one, ast.Name) and one.id in ("self", "cls") for one in (left, right)):
        return False
    if isinstance(left, ast.Constant) or isinstance(right, ast.Constant):
        values = [one.value if isinstance(one, ast.Constant) else None for one in (left, right)]
        return type(values[0]) is type(values[1])
    return True
